// Sealed signals: what was tampered with, repeated, or meant for or made by others is refused.
import t from 'tap';
import { Counters } from '../../../base/counters.ts';
import { fromBase64Url, toBase64Url } from '../../../protocol/base64.ts';
import type { NodeIdentity } from '../../../core/control/identity.ts';
import { isSendable } from '../../../core/control/candidate-rules.ts';
import type { CandidateWords } from '../../../protocol/location/messages.ts';
import { SignalSealer, SignalSerials } from '../../../core/control/signals.ts';
import { primitives } from '../../../system/crypto.ts';
import { makeIdentity, network, offer } from './made-up.ts';

const [alice, bob, eve] = [await makeIdentity(), await makeIdentity(), await makeIdentity()];
const counters = new Counters();

function sealerOf(
  identity: NodeIdentity,
  change: { network?: string; allowLoopback?: boolean } = {},
): SignalSealer {
  return new SignalSealer({
    primitives,
    network: change.network ?? network,
    self: identity.id,
    localStatic: identity.control,
    counters,
    rules: { allowLoopback: change.allowLoopback ?? false },
  });
}

function sealed(from: NodeIdentity, to: NodeIdentity, signal = offer()): string {
  const result = sealerOf(from).seal(to, signal);
  if (!result.ok) throw new Error(result.code);
  return result.value;
}

t.test('V4: a signal arrives as it was sent, and the server that carries it cannot read it', t => {
  const text = sealed(alice, bob);
  t.same(sealerOf(bob).open(alice, text), { ok: true, value: offer() });
  t.notOk(Buffer.from(text, 'base64url').includes('192.168.1.2'));
  t.end();
});

t.test('a changed bit anywhere is refused and counted', t => {
  const bytes = fromBase64Url(sealed(alice, bob))!;
  const before = counters.counter('signal.seal').value;
  for (let at = 0; at < bytes.length; at++) {
    const changed = bytes.slice();
    changed[at]! ^= 1 << (at % 8);
    if (sealerOf(bob).open(alice, toBase64Url(changed)).ok) t.fail(`bit of byte ${at}`);
  }
  t.equal(counters.counter('signal.seal').value - before, bytes.length);
  for (let length = 0; length < bytes.length; length += 7)
    t.notOk(sealerOf(bob).open(alice, toBase64Url(bytes.slice(0, length))).ok);
  t.end();
});

t.test('a signal of another sender, to another receiver, or of another network is refused', t => {
  const text = sealed(alice, bob);
  const refusal = { ok: false, code: 'signal.seal' };
  t.match(sealerOf(bob).open(eve, text), refusal, 'it is not of Eve');
  t.match(sealerOf(eve).open(alice, text), refusal, 'it is not for Eve');
  t.match(sealerOf(bob, { network: 'AAAAAAAAAAAAAAAAAAAAAA' }).open(alice, text), refusal, 'another network');
  t.match(
    sealerOf(bob).open({ id: alice.id, controlKey: eve.controlKey }, sealed(eve, bob)),
    refusal,
    'Eve as Alice',
  );
  t.match(sealerOf(alice).open(bob, text), refusal, 'sent back');
  t.end();
});

t.test('what is sealed well but says nothing valid is refused', t => {
  const wrong = [
    { ...offer(), type: 'other' },
    { ...offer(), serial: -1 },
    {
      ...offer(),
      candidates: [{ kind: 'host', transport: 'udp', endpoint: { family: 4, address: 'x', port: 1 } }],
    },
    { ...offer(), attempt: 'x'.repeat(65) },
  ];
  for (const signal of wrong) {
    const result = sealerOf(bob).open(alice, sealed(alice, bob, signal as ReturnType<typeof offer>));
    t.match(result, { ok: false, code: 'signal.schema' });
  }
  t.match(sealerOf(bob).open(alice, '***'), { ok: false, code: 'signal.base64' });
  t.match(sealerOf(bob).open(alice, 'A'.repeat(24_000)), { ok: false, code: 'signal.too-long' });
  t.end();
});

t.test('a key of low order, or none, is refused', t => {
  const zero = toBase64Url(new Uint8Array(32));
  t.match(sealerOf(alice).seal({ id: bob.id, controlKey: zero }, offer()), { ok: false, code: 'signal.key' });
  t.match(sealerOf(alice).open({ id: bob.id, controlKey: 'AA' }, sealed(bob, alice)), {
    ok: false,
    code: 'signal.key',
  });
  t.end();
});

const candidatesOf = (opened: ReturnType<SignalSealer['open']>): readonly CandidateWords[] =>
  opened.ok && opened.value.type !== 'transport' ? opened.value.candidates : [];

t.test('at most 16 candidates go along, and those that nobody may send to are dropped', t => {
  const host = (address: string, port = 4444) =>
    ({
      kind: 'host',
      transport: 'udp',
      endpoint: { family: address.includes(':') ? 6 : 4, address, port },
    }) as const;
  const many = Array.from({ length: 40 }, (_, i) => host(`10.0.0.${i + 1}`));
  const first = sealerOf(bob).open(alice, sealed(alice, bob, offer({ candidates: many })));
  t.equal(candidatesOf(first).length, 16);
  const bad = ['0.0.0.0', '127.0.0.1', '224.0.0.1', '255.255.255.255', '240.0.0.1', '::', '::1', 'ff02::1'];
  const some = [
    ...bad.map(address => host(address)),
    host('192.0.2.1'),
    host('fe80::1'),
    host('2001:db8::1'),
  ];
  const second = sealerOf(bob).open(alice, sealed(alice, bob, offer({ candidates: some })));
  t.same(
    candidatesOf(second).map(one => one.endpoint.address),
    ['192.0.2.1', 'fe80::1', '2001:db8::1'],
  );
  t.equal(counters.counter('signal.bad-candidates').value, bad.length);
  const rules = { allowLoopback: true };
  t.ok(isSendable({ family: 4, address: '127.0.0.1', port: 1 }, rules));
  t.ok(isSendable({ family: 6, address: '::1', port: 1 }, rules));
  t.notOk(isSendable({ family: 4, address: '192.0.2.1', port: 0 }, rules));
  t.notOk(isSendable({ family: 6, address: '::ffff:127.0.0.1', port: 1 }, rules));
  t.notOk(isSendable({ family: 6, address: '::ffff:192.0.2.1', port: 1 }, rules));
  t.notOk(isSendable({ family: 6, address: '::192.0.2.1', port: 1 }, rules));
  t.notOk(isSendable({ family: 4, address: '2001:db8::1', port: 1 }, rules));
  t.end();
});

t.test("a node's serials only grow, over restarts and with a clock in 1970", t => {
  const kept: number[] = [];
  let now = Date.UTC(2026, 0, 1);
  const first = new SignalSerials({ nowMs: () => now, floor: 0, keepFloor: floor => void kept.push(floor) });
  const given = [first.next(), first.next()];
  now += 5 * 60_000;
  given.push(first.next());
  t.equal(kept.length, 1, 'flash is spared: one write covers ten minutes');
  now = 0;
  given.push(first.next());
  const second = new SignalSerials({
    nowMs: () => now,
    floor: kept.at(-1)!,
    keepFloor: floor => void kept.push(floor),
  });
  given.push(second.next(), second.next());
  t.same(
    given,
    [...given].sort((a, b) => a - b),
  );
  t.equal(new Set(given).size, given.length);
  t.equal(kept.length, 2);
  t.end();
});

t.test('words of a transport plugin go sealed likewise, 8 KiB of them', t => {
  const words = (text: string) =>
    ({ type: 'transport', serial: 7, transport: 'webrtc', words: text }) as const;
  const told = words('x'.repeat(8192));
  const text = sealerOf(alice).seal(bob, told);
  t.ok(text.ok);
  t.same(text.ok && sealerOf(bob).open(alice, text.value), { ok: true, value: told });
  t.notOk(text.ok && sealerOf(eve).open(alice, text.value).ok, 'not for others');
  for (const wrong of [words(''), words('x'.repeat(8193)), { ...words('x'), transport: 'A b' }]) {
    const sealing = sealerOf(alice).seal(bob, wrong);
    t.match(sealing.ok && sealerOf(bob).open(alice, sealing.value), { ok: false, code: 'signal.schema' });
  }
  t.end();
});
