// Fuzz targets: STUN messages, attributes, and the answerer.
import type { Endpoint } from '../../protocol/address.ts';
import { ATTRIBUTE } from '../../protocol/stun/attribute-types.ts';
import * as attributes from '../../protocol/stun/attributes.ts';
import {
  decodeStun,
  encodeStun,
  isStun,
  stunFrameLength,
  write16,
  write32,
} from '../../protocol/stun/codec.ts';
import type { DecodedStun } from '../../protocol/stun/codec.ts';
import { FINGERPRINT_XOR } from '../../protocol/stun/codec.ts';
import { crc32 } from '../../protocol/stun/crc32.ts';
import {
  longTermKey,
  verifyFingerprint,
  verifyIntegritySha1,
  verifyIntegritySha256,
} from '../../protocol/stun/integrity.ts';
import type { StunAttribute, StunClass, StunMessage } from '../../protocol/stun/message.ts';
import { answerBinding, type AnswererConfig } from '../../protocol/stun/server.ts';
import { primitives } from '../../system/crypto.ts';
import { mustEqual, mustHold, outcomeOf, sameBytes, type FuzzTarget } from './harness.ts';
import type { FuzzRandom } from './mutate.ts';

const key = new Uint8Array(32).fill(9);
const CLASSES: readonly StunClass[] = ['request', 'indication', 'success', 'error'];
const four: Endpoint = { family: 4, address: '203.0.113.9', port: 4444 };
const six: Endpoint = { family: 6, address: '2001:db8::9', port: 4444 };

function someAttribute(random: FuzzRandom, transactionId: Uint8Array): StunAttribute {
  const endpoint = { ...random.pick([four, six]), port: random.below(65_536) };
  const make: readonly (() => StunAttribute)[] = [
    () => attributes.writeXorMappedAddress(endpoint, transactionId),
    () => attributes.writeMappedAddress(endpoint),
    () => attributes.writeOtherAddress(endpoint),
    () => attributes.writeResponseOrigin(endpoint),
    () => attributes.writeUsername(random.text('abcäö:', random.below(20))),
    () => attributes.writeSoftware('x'.repeat(random.below(90))),
    () => attributes.writeErrorCode({ code: 300 + random.below(400), reason: 'why' }),
    () => attributes.writeUnknownAttributes([random.below(65_536), 3]),
    () => attributes.writeChangeRequest({ address: random.oneIn(2), port: random.oneIn(2) }),
    () => attributes.writeResponsePort(random.below(65_536)),
    () => attributes.writePadding(random.below(80)),
    () => attributes.writePriority(random.word()),
    () => ({ type: random.below(65_536), value: random.bytes(random.below(24)) }),
  ];
  return random.pick(make)();
}

function someMessage(random: FuzzRandom): Uint8Array {
  const transactionId = random.bytes(12);
  const message: StunMessage = {
    class: random.oneIn(2) ? 'request' : random.pick(CLASSES),
    method: random.oneIn(4) ? random.below(4096) : 1,
    transactionId,
    attributes: Array.from({ length: random.below(5) }, () => someAttribute(random, transactionId)),
  };
  const fingerprint = random.oneIn(2);
  if (random.oneIn(3)) return encodeStun(message, { fingerprint });
  const keys = random.pick([
    { integritySha1: key },
    { integritySha256: key },
    { integritySha1: key, integritySha256: key },
  ]);
  return encodeStun(message, { ...keys, fingerprint, primitives });
}

/** Length field, MACs and fingerprint made to fit, where the damaged message still has them. */
function repair(damaged: Uint8Array, random: FuzzRandom): Uint8Array {
  const bytes = damaged.slice(0, damaged.length & ~3);
  if (bytes.length < 20) return bytes;
  write32(bytes, 4, 0x2112a442);
  bytes[0]! &= 0x3f;
  write16(bytes, 2, bytes.length - 20);
  const decoded = decodeStun(bytes);
  if (!decoded.ok || random.oneIn(4)) return bytes;
  const { integrityAt, integritySha256At, fingerprintAt } = decoded.value;
  if (integrityAt >= 0) reseal(bytes, integrityAt, 20, part => primitives.hmacSha1(key, part));
  if (integritySha256At >= 0) {
    const length = (bytes[integritySha256At + 2]! << 8) | bytes[integritySha256At + 3]!;
    reseal(bytes, integritySha256At, length, part => primitives.hmacSha256(key, part));
  }
  write16(bytes, 2, bytes.length - 20);
  if (fingerprintAt >= 0)
    write32(bytes, fingerprintAt + 4, (crc32(bytes, 0, fingerprintAt) ^ FINGERPRINT_XOR) >>> 0);
  return bytes;
}

function reseal(bytes: Uint8Array, at: number, length: number, mac: (part: Uint8Array) => Uint8Array): void {
  write16(bytes, 2, at + 4 + length - 20);
  bytes.set(mac(bytes.subarray(0, at)).subarray(0, length), at + 4);
}

const READERS = Object.entries(attributes).filter(([name]) => name.startsWith('read')) as [
  string,
  (message: StunMessage) => unknown,
][];

function checkAccepted(message: DecodedStun, random: FuzzRandom): void {
  mustHold(isStun(message.bytes), 'accepted, and yet isStun says no');
  const frame = stunFrameLength(message.bytes);
  mustHold(frame.ok && frame.value === message.bytes.length, 'its TCP frame has another length');
  const again = decodeStun(encodeStun(message));
  mustHold(again.ok, 'what was accepted is refused when encoded again');
  mustEqual(plain(again.value), plain(message), 'another message');
  for (const [, read] of READERS) read(message);
  mustHold(
    attributes.unknownRequired(message, new Set([1])).every(type => type !== 1 && type < 0x8000),
    'unknown',
  );
  if (random.oneIn(4)) checkSeals(message);
}

const plain = ({ class: kind, method, transactionId, attributes: list }: StunMessage): StunMessage => ({
  class: kind,
  method,
  transactionId: transactionId.slice(),
  attributes: list.map(({ type, value }) => ({ type, value: value.slice() })),
});

function checkSeals(message: DecodedStun): void {
  mustHold(!verifyIntegritySha1(message, new Uint8Array(3), primitives), 'any key will do');
  const longTerm = longTermKey('user', 'realm', 'password', primitives);
  mustHold(!verifyIntegritySha256(message, longTerm, primitives, 32), 'any key will do');
  const sealed = [
    verifyIntegritySha1(message, key, primitives),
    verifyIntegritySha256(message, key, primitives),
  ];
  mustHold(!sealed[0] || message.integrityAt >= 20, 'sealed without a seal');
  mustHold(!sealed[1] || message.integritySha256At >= 20, 'sealed without a seal');
  const fingerprinted = verifyFingerprint(message);
  mustHold(
    !fingerprinted || message.fingerprintAt === message.bytes.length - 8,
    'a fingerprint not at the end',
  );
}

export const stunMessages: FuzzTarget = {
  name: 'STUN messages',
  decoders: [
    'protocol/stun/codec.ts',
    'protocol/stun/attributes.ts',
    'protocol/stun/integrity.ts',
    'protocol/stun/crc32.ts',
  ],
  valid: someMessage,
  repair,
  check(input, random) {
    const offset = random.below(4);
    const framed = new Uint8Array(offset + input.length + 3);
    framed.set(input, offset);
    const result = decodeStun(framed, offset, input.length);
    outcomeOf(stunFrameLength(input));
    mustHold(result.ok || result.code !== 'stun.not-stun' || !isStun(input), 'isStun says yes, decode no');
    if (result.ok) checkAccepted(result.value, random);
    return outcomeOf(result);
  },
};

const CONFIGS: readonly AnswererConfig[] = [
  { otherAddress: null, otherPort: null },
  { otherAddress: null, otherPort: 3479 },
  { otherAddress: '198.51.100.2', otherPort: null },
  { otherAddress: '198.51.100.2', otherPort: 3479 },
];

function someRequest(random: FuzzRandom): Uint8Array {
  const transactionId = random.bytes(12);
  const types = [
    ATTRIBUTE.CHANGE_REQUEST,
    ATTRIBUTE.RESPONSE_PORT,
    ATTRIBUTE.PADDING,
    ATTRIBUTE.USERNAME,
    0x7fff,
  ];
  const list = Array.from({ length: random.below(4) }, () =>
    random.oneIn(2)
      ? someAttribute(random, transactionId)
      : { type: random.pick(types), value: random.bytes(random.pick([0, 2, 4, 12, 40])) },
  );
  const request: StunMessage = { class: 'request', method: 1, transactionId, attributes: list };
  return encodeStun(request, { fingerprint: random.oneIn(3) });
}

export const stunAnswerer: FuzzTarget = {
  name: 'STUN answerer',
  decoders: ['protocol/stun/server.ts'],
  valid: someRequest,
  repair,
  check(input, random) {
    const wide = random.oneIn(2);
    const config = random.pick(CONFIGS);
    const other = wide && config.otherAddress !== null ? { ...config, otherAddress: '2001:db8::2' } : config;
    const [from, on] = wide
      ? [six, { ...six, address: '2001:db8::1' }]
      : [four, { ...four, address: '198.51.100.1' }];
    const result = answerBinding(input, from, on, other);
    if (!result.ok) return outcomeOf(result);
    const { reply, to, sendFrom } = result.value;
    const elsewhere = to.port !== from.port || sendFrom.address === 'other' || sendFrom.port === 'other';
    const minimal = elsewhere ? 0 : wide ? 44 : 32;
    mustHold(reply.length <= Math.max(input.length, minimal), 'it amplifies');
    mustHold(to.address === from.address, 'it answers somebody else');
    const decoded = decodeStun(reply);
    mustHold(decoded.ok && decoded.value.class !== 'request', 'the answer is none');
    mustHold(
      sameBytes(decoded.value.transactionId, input.subarray(8, 20)),
      'the answer is not to this request',
    );
    return decoded.value.class;
  },
};
