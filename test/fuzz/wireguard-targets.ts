// Fuzz targets: WireGuard messages, and the handshakes inside them (Noise).
import { startNoise } from '../../protocol/noise/handshake-state.ts';
import type { NoiseHandshake, NoisePattern } from '../../protocol/noise/handshake.ts';
import {
  initiate,
  readInitiation,
  readResponse,
  respond,
  type SentInitiation,
} from '../../protocol/wireguard/handshake.ts';
import { MacChecker, MacSigner } from '../../protocol/wireguard/macs.ts';
import {
  decodeCookieReply,
  decodeData,
  decodeInitiation,
  decodeMessage,
  decodeResponse,
  encodeCookieReply,
  encodeInitiation,
  encodeResponse,
  messageType,
  writeDataHeader,
  type WireguardMessage,
} from '../../protocol/wireguard/messages.ts';
import { encodeTimestamp } from '../../protocol/wireguard/tai64n.ts';
import { primitives } from '../../system/crypto.ts';
import { mustEqual, mustHold, outcomeOf, sameBytes, type FuzzTarget } from './harness.ts';
import { joined, type FuzzRandom } from './mutate.ts';

const ours = primitives.dhKeyPair(new Uint8Array(32).fill(1));
const theirs = primitives.dhKeyPair(new Uint8Array(32).fill(2));
const signer = new MacSigner(primitives, ours.publicKey);
const checker = new MacChecker(primitives, ours.publicKey);

function someMessage(random: FuzzRandom): Uint8Array {
  const [sender, receiver] = [random.word(), random.word()];
  const messages: readonly (() => Uint8Array)[] = [
    () => encodeInitiation(sender, random.bytes(108)),
    () => encodeResponse(sender, receiver, random.bytes(48)),
    () => encodeCookieReply(receiver, random.bytes(24), random.bytes(32)),
    () => someData(random, receiver),
  ];
  return random.pick(messages)();
}

function someData(random: FuzzRandom, receiver: number): Uint8Array {
  const bytes = joined(new Uint8Array(16), random.bytes(16 + 16 * random.below(5)));
  writeDataHeader(bytes, 0, receiver, random.word() * 2 ** random.below(21));
  return bytes;
}

/** Type and reserved bytes put back, and mac1 made anew. */
function repair(damaged: Uint8Array, random: FuzzRandom): Uint8Array {
  const bytes = damaged.slice();
  if (bytes.length < 64) return bytes;
  bytes.set([1 + random.below(4), 0, 0, 0]);
  signer.sign(bytes, 0);
  return bytes;
}

function encodeAgain(message: WireguardMessage): Uint8Array | null {
  switch (message.type) {
    case 'initiation':
      return encodeInitiation(message.sender, message.noise);
    case 'response':
      return encodeResponse(message.sender, message.receiver, message.noise);
    case 'cookie-reply':
      return encodeCookieReply(message.receiver, message.nonce, message.cookie);
    case 'data': {
      // Counters are written as numbers; a session ends long before 2^53.
      if (message.counter > BigInt(Number.MAX_SAFE_INTEGER)) return null;
      const bytes = joined(new Uint8Array(16), message.sealed);
      writeDataHeader(bytes, 0, message.receiver, Number(message.counter));
      return bytes;
    }
  }
}

export const wireguardMessages: FuzzTarget = {
  name: 'WireGuard messages',
  decoders: ['protocol/wireguard/messages.ts'],
  valid: someMessage,
  repair,
  check(input) {
    const result = decodeMessage(input);
    mustHold(!result.ok || messageType(input, 0, input.length) !== 0, 'a message without a type');
    const each = [decodeInitiation, decodeResponse, decodeCookieReply, decodeData].filter(
      decode => decode(input).ok,
    );
    mustHold(each.length === (result.ok ? 1 : 0), `${each.length} decoders accept it`);
    if (!result.ok) return outcomeOf(result);
    const bytes = encodeAgain(result.value);
    if (bytes === null) return 'accepted';
    const again = decodeMessage(bytes);
    mustHold(again.ok && again.value.type === result.value.type, 'refused when encoded again');
    const withoutMacs = result.value.type === 'initiation' || result.value.type === 'response' ? 32 : 0;
    const end = input.length - withoutMacs;
    mustHold(sameBytes(bytes.subarray(0, end), input.subarray(0, end)), 'other bytes');
    return result.value.type;
  },
};

const end = { primitives, localStatic: ours };
const otherEnd = { primitives, localStatic: theirs };
const localEphemeral = primitives.dhKeyPair(new Uint8Array(32).fill(3));
/** The same initiation each time: an accepted response uses one up. */
const sendInitiation = (): SentInitiation =>
  initiate({ ...end, localEphemeral }, theirs.publicKey, undefined, 7, encodeTimestamp(0));
const open = { sent: sendInitiation() };

function someHandshake(random: FuzzRandom): Uint8Array {
  const timestamp = random.oneIn(8) ? random.bytes(random.below(20)) : encodeTimestamp(random.word());
  if (random.oneIn(2) && timestamp.length === 12) {
    return initiate(otherEnd, ours.publicKey, undefined, random.word(), timestamp).message;
  }
  const received = readInitiation(otherEnd, open.sent.message);
  mustHold(received.ok, 'our own initiation is refused');
  return respond(received.value, undefined, random.word()).message;
}

function repairHandshake(damaged: Uint8Array, random: FuzzRandom): Uint8Array {
  const long = damaged.length >= 120;
  const bytes = joined(damaged, new Uint8Array(148)).slice(0, long ? 148 : 92);
  bytes.set([long ? 1 : 2, 0, 0, 0]);
  // Low-order keys and their like get as far as the Diffie-Hellman.
  if (random.oneIn(4)) bytes.fill(random.oneIn(2) ? 0 : 1, long ? 8 : 12, long ? 40 : 44);
  signer.sign(bytes, 0);
  return bytes;
}

export const wireguardHandshakes: FuzzTarget = {
  name: 'WireGuard handshakes',
  decoders: [
    'protocol/wireguard/handshake.ts',
    'protocol/wireguard/macs.ts',
    'protocol/noise/handshake-state.ts',
  ],
  cost: 50,
  valid: someHandshake,
  repair: repairHandshake,
  check(input, random) {
    if (input.length === 92) return checkResponse(input);
    const result = readInitiation(end, input);
    if (input.length !== 148) {
      mustHold(!result.ok, 'a message of a wrong length was read');
      return outcomeOf(result);
    }
    const source = random.bytes(6);
    checker.mac1Holds(input);
    checker.mac2Holds(input, source, random.below(200_000));
    if (random.oneIn(64)) checkCookie(input, source);
    if (!result.ok) return outcomeOf(result);
    mustHold(result.value.remoteStatic.length === 32 && result.value.timestamp.length === 12, 'odd parts');
    return 'accepted';
  },
};

function checkResponse(input: Uint8Array): string {
  const result = readResponse(open.sent, input);
  if (result.ok) open.sent = sendInitiation();
  return result.ok ? 'response' : outcomeOf(result);
}

/** The cookie that answers a message opens for its sender, and then counts. */
function checkCookie(input: Uint8Array, source: Uint8Array): void {
  const sender = new MacSigner(primitives, ours.publicKey);
  const message = input.slice();
  sender.sign(message, 0);
  const reply = decodeCookieReply(checker.cookieReply(message, source, 0));
  mustHold(reply.ok && sender.takeCookie(reply.value, 0).ok, 'the cookie is refused');
  mustHold(!sender.takeCookie(reply.value, 0).ok, 'a cookie is taken twice');
  sender.sign(message, 0);
  mustHold(checker.mac1Holds(message) && checker.mac2Holds(message, source, 0), 'the cookie does not count');
}

const PATTERNS: readonly NoisePattern[] = ['IK', 'IKpsk2', 'K'];

const noise = (pattern: NoisePattern, initiator: boolean): NoiseHandshake =>
  startNoise({
    primitives,
    pattern,
    initiator,
    prologue: new Uint8Array(0),
    localStatic: initiator ? theirs : ours,
    ...(initiator || pattern === 'K' ? { remoteStatic: initiator ? ours.publicKey : theirs.publicKey } : {}),
    ...(pattern === 'IKpsk2' ? { presharedKey: new Uint8Array(32) } : {}),
  });

/** One byte says the pattern, the rest is its first message. */
export const noiseMessages: FuzzTarget = {
  name: 'Noise messages',
  decoders: [
    'protocol/noise/handshake-state.ts',
    'protocol/noise/symmetric-state.ts',
    'protocol/noise/patterns.ts',
  ],
  cost: 50,
  valid(random) {
    const pattern = random.below(PATTERNS.length);
    const message = noise(PATTERNS[pattern]!, true).write(random.bytes(random.below(40)));
    return joined(Uint8Array.of(pattern), message);
  },
  check(input, random) {
    const pattern = PATTERNS[(input[0] ?? 0) % PATTERNS.length]!;
    const responder = noise(pattern, false);
    const read = responder.read(input.subarray(1));
    mustEqual(responder.read(input.subarray(1)).ok, false, 'the same message is read twice');
    if (!read.ok) return outcomeOf(read);
    mustHold(sameBytes(responder.remoteStatic ?? theirs.publicKey, theirs.publicKey), 'another key');
    if (pattern !== 'K') responder.write(random.bytes(3));
    mustHold(responder.finished, 'not finished');
    mustEqual(responder.read(input), { ok: false, code: 'noise.order' }, 'read after the end');
    const { send, receive } = responder.split();
    mustHold(!receive.open(random.bytes(random.below(40))).ok, 'garbage opens');
    mustHold(send.seal(random.bytes(3), random.bytes(2)).length === 19, 'a seal without a tag');
    return 'accepted';
  },
};
