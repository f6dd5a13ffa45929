// The STUN answerer: what goes where, and that it never amplifies.
import t from 'tap';
import { seededRandom } from '../../../base/random.ts';
import type { Endpoint } from '../../../protocol/address.ts';
import {
  readErrorCode,
  readOtherAddress,
  readResponseOrigin,
  readUnknownAttributes,
  readXorMappedAddress,
  writeChangeRequest,
  writePadding,
  writeResponsePort,
  writeUsername,
} from '../../../protocol/stun/attributes.ts';
import { decodeStun, encodeStun, type DecodedStun } from '../../../protocol/stun/codec.ts';
import { verifyFingerprint } from '../../../protocol/stun/integrity.ts';
import type { StunAttribute, StunMessage } from '../../../protocol/stun/message.ts';
import { answerBinding, type AnswererConfig } from '../../../protocol/stun/server.ts';

const from: Endpoint = { family: 4, address: '203.0.113.9', port: 4444 };
const from6: Endpoint = { family: 6, address: '2001:db8::9', port: 4444 };
const on: Endpoint = { family: 4, address: '198.51.100.1', port: 7443 };
const on6: Endpoint = { family: 6, address: '2001:db8::1', port: 7443 };
const alone: AnswererConfig = { otherAddress: null, otherPort: null };
const twoPorts: AnswererConfig = { otherAddress: null, otherPort: 7444 };
const full: AnswererConfig = { otherAddress: '198.51.100.2', otherPort: 7444 };
const transactionId = new Uint8Array(12).fill(7);

const ask = (
  attributes: StunAttribute[] = [],
  change: Partial<StunMessage> = {},
  fingerprint = false,
): Uint8Array =>
  encodeStun({ class: 'request', method: 1, transactionId, attributes, ...change }, { fingerprint });

function answer(request: Uint8Array, config: AnswererConfig, who = from, where = on) {
  const result = answerBinding(request, who, where, config);
  if (!result.ok) throw new Error(result.code);
  const reply = decodeStun(result.value.reply);
  if (!reply.ok) throw new Error(reply.code);
  return { ...result.value, message: reply.value };
}

const refusal = (request: Uint8Array, config = full): string | null => {
  const result = answerBinding(request, from, on, config);
  return result.ok ? null : result.code;
};

const errorOf = (message: DecodedStun): number | null => readErrorCode(message)?.code ?? null;
const plainFrom = { address: 'same', port: 'same' };

t.test('V6: a plain Binding gets the minimal answer: 32 bytes on IPv4, 44 on IPv6', async t => {
  const four = answer(ask(), full);
  t.equal(four.reply.length, 32);
  t.same(readXorMappedAddress(four.message), from);
  t.same(four.message.transactionId, transactionId);
  t.equal(four.message.class, 'success');
  t.same([four.to, four.sendFrom], [from, plainFrom]);
  const six = answer(ask(), { otherAddress: '2001:db8::2', otherPort: 7444 }, from6, on6);
  t.equal(six.reply.length, 44);
  t.same(readXorMappedAddress(six.message), from6);
});

t.test('longer answers go to padded requests only', async t => {
  const some = answer(ask([writePadding(20)]), full);
  t.same(readOtherAddress(some.message), { family: 4, address: '198.51.100.2', port: 7444 });
  t.equal(readResponseOrigin(some.message), null, 'no room');
  const all = answer(ask([writePadding(40)]), full);
  t.same(readResponseOrigin(all.message), on);
  const one = answer(ask([writePadding(40)]), twoPorts);
  t.equal(readOtherAddress(one.message), null, 'no OTHER-ADDRESS without a second address');
  const signed = answer(ask([writePadding(24)], {}, true), alone);
  t.ok(verifyFingerprint(signed.message));
});

t.test('CHANGE-REQUEST chooses the socket, where there is one and the request is padded', async t => {
  const padding = writePadding(60);
  const both = answer(ask([writeChangeRequest({ address: true, port: true }), padding]), full);
  t.same(both.sendFrom, { address: 'other', port: 'other' });
  t.same(readResponseOrigin(both.message), { family: 4, address: '198.51.100.2', port: 7444 });
  const port = answer(ask([writeChangeRequest({ address: false, port: true }), padding]), twoPorts);
  t.same(port.sendFrom, { address: 'same', port: 'other' });
  const none = answer(ask([writeChangeRequest({ address: false, port: false }), padding]), alone);
  t.same([none.sendFrom, errorOf(none.message)], [plainFrom, null]);
});

t.test('420 to a CHANGE-REQUEST that cannot be honoured', async t => {
  const padding = writePadding(60);
  for (const [change, config] of [
    [{ address: true, port: true }, twoPorts],
    [{ address: true, port: false }, alone],
    [{ address: false, port: true }, alone],
  ] as const) {
    const { message, sendFrom } = answer(ask([writeChangeRequest(change), padding]), config);
    t.equal(errorOf(message), 420);
    t.same(readUnknownAttributes(message), [3]);
    t.same(sendFrom, plainFrom);
  }
  const unpadded = answer(ask([writeChangeRequest({ address: true, port: true })]), full);
  t.equal(errorOf(unpadded.message), 420);
  t.equal(unpadded.reply.length, 28, 'without the list, which would not fit');
  t.equal(errorOf(answer(ask([{ type: 3, value: new Uint8Array(0) }, padding]), full).message), 420);
});

t.test('RESPONSE-PORT sends the answer to another port of the same address', async t => {
  const moved = answer(ask([writeResponsePort(5555), writePadding(20)]), alone);
  t.same(moved.to, { ...from, port: 5555 });
  t.same(readXorMappedAddress(moved.message), from, 'and tells the port it came from');
  const unpadded = answer(ask([writeResponsePort(5555)]), alone);
  t.same([errorOf(unpadded.message), unpadded.to], [420, from]);
  t.equal(errorOf(answer(ask([writeResponsePort(0), writePadding(20)]), alone).message), 420);
});

t.test('an unknown required attribute gets 420 with its type', async t => {
  const odd = { type: 0x7001, value: new Uint8Array(12) };
  t.same(readUnknownAttributes(answer(ask([odd, odd]), full).message), [0x7001]);
  t.equal(errorOf(answer(ask([writeUsername('a keep-alive')]), alone).message), null);
  t.equal(refusal(ask([{ type: 0x7001, value: new Uint8Array(0) }])), 'stun.would-amplify');
});

t.test('what is no Binding request gets no answer', async t => {
  t.equal(refusal(ask([], { class: 'indication' })), 'stun.not-request');
  t.equal(refusal(ask([], { class: 'success' })), 'stun.not-request');
  t.equal(refusal(ask([], { method: 3 })), 'stun.not-binding');
  t.equal(refusal(new Uint8Array(20)), 'stun.not-stun');
  const broken = ask([], {}, true);
  broken[27]! ^= 1;
  t.equal(refusal(broken), 'stun.fingerprint');
});

t.test('never amplifies: 20,000 random requests', async t => {
  const random = seededRandom(5780);
  const types = [1, 3, 6, 8, 0x20, 0x24, 0x26, 0x27, 0x7001, 0x8022, 0x8028, 0x802c];
  const tally = { same: 0, error: 0, moved: 0, refused: 0 };
  for (let round = 0; round < 20_000; round++) {
    const attributes = Array.from({ length: random.below(5) }, () => {
      const type = types[random.below(types.length)]!;
      const length = [0, 2, 4, 8, 12, 20, random.below(80)][random.below(7)]!;
      return { type, value: random.bytes(length) };
    });
    const request = ask(attributes, { transactionId: random.bytes(12) }, random.below(4) === 0);
    const [who, where] = random.below(2) === 0 ? [from, on] : [from6, on6];
    const other = who === from ? '198.51.100.2' : '2001:db8::2';
    const config = [alone, twoPorts, { otherAddress: other, otherPort: 7444 }][random.below(3)]!;
    const result = answerBinding(request, who, where, config);
    if (!result.ok) {
      tally.refused++;
      continue;
    }
    const { reply, sendFrom, to } = result.value;
    const minimal = who === from ? 32 : 44;
    const moved = sendFrom.address === 'other' || sendFrom.port === 'other' || to.port !== who.port;
    const allowed = moved ? request.length : Math.max(request.length, minimal);
    if (reply.length > allowed || to.address !== who.address) t.fail(Buffer.from(request).toString('hex'));
    if (reply[0] === 1 && reply[1] === 0x11 && reply.length > request.length) t.fail('a long error');
    tally[moved ? 'moved' : reply[1] === 0x11 ? 'error' : 'same']++;
  }
  for (const [kind, count] of Object.entries(tally)) t.ok(count > 100, `${kind}: ${count}`);
});
