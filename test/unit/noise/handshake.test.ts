import t from 'tap';
import { startNoise } from '../../../protocol/noise/handshake-state.ts';
import type { NoiseHandshake } from '../../../protocol/noise/handshake.ts';
import { primitives } from '../../../system/crypto.ts';

const PROLOGUE = new TextEncoder().encode('a test');
const PAYLOAD = new TextEncoder().encode('hello');

function pair(): { initiator: NoiseHandshake; responder: NoiseHandshake; publicKey: Uint8Array } {
  const a = primitives.dhKeyPair();
  const b = primitives.dhKeyPair();
  const common = { primitives, pattern: 'IK' as const, prologue: PROLOGUE };
  return {
    initiator: startNoise({ ...common, initiator: true, localStatic: a, remoteStatic: b.publicKey }),
    responder: startNoise({ ...common, initiator: false, localStatic: b }),
    publicKey: a.publicKey,
  };
}

t.test('IK: the responder learns who the initiator is', t => {
  const { initiator, responder, publicKey } = pair();
  t.equal(responder.remoteStatic, null);
  t.ok(responder.read(initiator.write(PAYLOAD)).ok);
  t.same(responder.remoteStatic, publicKey);
  t.end();
});

t.test('a refused message leaves the state as it was: the true one still gets in', t => {
  const { initiator, responder } = pair();
  const first = initiator.write(PAYLOAD);
  for (let at = 0; at < first.length; at++) {
    const forged = first.slice();
    forged[at]! ^= 0x40;
    t.equal(responder.read(forged).ok, false);
    t.equal(responder.read(first.subarray(0, at)).ok, false);
  }
  t.equal(responder.remoteStatic, null);
  t.same(responder.read(first), { ok: true, value: PAYLOAD });
  const second = responder.write(PAYLOAD);
  const forged = second.slice();
  forged[40]! ^= 1;
  t.same(initiator.read(forged), { ok: false, code: 'noise.tag' });
  t.same(initiator.read(second), { ok: true, value: PAYLOAD });
  t.end();
});

t.test('messages out of turn are refused, and to write one is misuse', t => {
  const { initiator, responder } = pair();
  t.same(initiator.read(new Uint8Array(96)), { ok: false, code: 'noise.order' });
  t.throws(() => responder.write(PAYLOAD), TypeError);
  t.throws(() => initiator.split(), TypeError);
  t.end();
});

t.test('an ephemeral key of low order is refused', t => {
  const { responder } = pair();
  t.same(responder.read(new Uint8Array(96)), { ok: false, code: 'noise.low-order' });
  t.end();
});

t.test('another prologue is another conversation', t => {
  const a = primitives.dhKeyPair();
  const b = primitives.dhKeyPair();
  const options = { primitives, pattern: 'K' as const, localStatic: a, remoteStatic: b.publicKey };
  const sealed = startNoise({ ...options, initiator: true, prologue: PROLOGUE }).write(PAYLOAD);
  const open = (prologue: Uint8Array) =>
    startNoise({
      primitives,
      pattern: 'K',
      initiator: false,
      prologue,
      localStatic: b,
      remoteStatic: a.publicKey,
    }).read(sealed);
  t.same(open(PAYLOAD), { ok: false, code: 'noise.tag' });
  t.same(open(PROLOGUE), { ok: true, value: PAYLOAD });
  t.end();
});

t.test('transport messages count by themselves: in order, nothing lost, nothing twice', t => {
  const { initiator, responder } = pair();
  responder.read(initiator.write(PAYLOAD));
  initiator.read(responder.write(PAYLOAD));
  const [a, b] = [initiator.split(), responder.split()];
  const [one, two] = [a.send.seal(PAYLOAD), a.send.seal(PAYLOAD, PROLOGUE)];
  t.same(b.receive.open(two, PROLOGUE), { ok: false, code: 'noise.tag' });
  t.ok(b.receive.open(one).ok);
  t.same(b.receive.open(one), { ok: false, code: 'noise.tag' });
  t.same(b.receive.open(two), { ok: false, code: 'noise.tag' }, 'the additional data counts');
  t.ok(b.receive.open(two, PROLOGUE).ok);
  t.end();
});
