// STUN messages: the RFC 5769 vectors, and the rules of RFC 8489 that they don't touch.
import t from 'tap';
import { ATTRIBUTE } from '../../../protocol/stun/attribute-types.ts';
import {
  readPriority,
  readRealm,
  readSoftware,
  readUsername,
  readXorMappedAddress,
  writeSoftware,
  writeUsername,
  readNonce,
} from '../../../protocol/stun/attributes.ts';
import {
  decodeStun,
  encodeStun,
  isStun,
  stunFrameLength,
  type DecodedStun,
} from '../../../protocol/stun/codec.ts';
import {
  longTermKey,
  verifyFingerprint,
  verifyIntegritySha1,
  verifyIntegritySha256,
} from '../../../protocol/stun/integrity.ts';
import type { StunMessage } from '../../../protocol/stun/message.ts';
import {
  ipv4Response,
  ipv6Response,
  longTermRequest,
  password,
  sampleRequest,
} from '../../vectors/rfc5769.ts';
import { primitives as macs } from '../../../system/crypto.ts';

const key = Buffer.from('a key');
const transactionId = new Uint8Array(12).map((_, index) => index);

function decoded(bytes: Uint8Array): DecodedStun {
  const result = decodeStun(bytes);
  if (!result.ok) throw new Error(result.code);
  return result.value;
}

const refusal = (bytes: Uint8Array): string | null => {
  const result = decodeStun(bytes);
  return result.ok ? null : result.code;
};

const request = (attributes: StunMessage['attributes'] = []): StunMessage => ({
  class: 'request',
  method: 1,
  transactionId,
  attributes,
});

/** A message from raw attribute bytes. */
function raw(...attributes: number[]): Uint8Array {
  const bytes = new Uint8Array(20 + attributes.length);
  bytes.set([0, 1, attributes.length >> 8, attributes.length & 0xff, 0x21, 0x12, 0xa4, 0x42]);
  bytes.set(attributes, 20);
  return bytes;
}

/** Joins whole messages' attributes behind the first one, with the header's length put right. */
function joined(first: Uint8Array, ...attributes: Uint8Array[]): Uint8Array {
  const bytes = Uint8Array.from(Buffer.concat([first, ...attributes]));
  new DataView(bytes.buffer).setUint16(2, bytes.length - 20);
  return bytes;
}

const part = (type: number, value: Uint8Array): Uint8Array =>
  encodeStun(request([{ type, value }])).subarray(20);

t.test('RFC 5769 2.1: the sample request', async t => {
  const message = decoded(sampleRequest);
  t.equal(message.class, 'request');
  t.equal(message.method, 1);
  t.equal(readSoftware(message), 'STUN test client');
  t.equal(readUsername(message), 'evtj:h6vY');
  t.equal(readPriority(message), 0x6e0001ff);
  t.ok(verifyIntegritySha1(message, password, macs));
  t.notOk(verifyIntegritySha1(message, key, macs));
  t.ok(verifyFingerprint(message));
  t.notOk(verifyIntegritySha256(message, password, macs), 'it has none');
});

t.test('RFC 5769 2.2: the IPv4 response', async t => {
  const message = decoded(ipv4Response);
  t.equal(message.class, 'success');
  t.same(readXorMappedAddress(message), { family: 4, address: '192.0.2.1', port: 32853 });
  t.ok(verifyIntegritySha1(message, password, macs));
  t.ok(verifyFingerprint(message));
});

t.test('RFC 5769 2.3: the IPv6 response', async t => {
  const message = decoded(ipv6Response);
  const address = '2001:db8:1234:5678:11:2233:4455:6677';
  t.same(readXorMappedAddress(message), { family: 6, address, port: 32853 });
  t.ok(verifyIntegritySha1(message, password, macs));
  t.ok(verifyFingerprint(message));
});

t.test('RFC 5769 2.4: the request with long-term credentials', async t => {
  const message = decoded(longTermRequest);
  t.equal(readUsername(message), 'マトリックス');
  t.equal(readRealm(message), 'example.org');
  t.equal(readNonce(message), 'f//499k954d6OL34oL9FSTvy64sA');
  t.ok(verifyIntegritySha1(message, longTermKey('マトリックス', 'example.org', 'TheMatrIX', macs), macs));
  t.notOk(verifyFingerprint(message), 'it has none');
});

t.test('every bit of a signed message counts', async t => {
  for (const at of [1, 9, 21, 24, 40, 46, 70, 85]) {
    const bytes = sampleRequest.slice();
    bytes[at]! ^= 1;
    const result = decodeStun(bytes);
    t.notOk(result.ok && verifyIntegritySha1(result.value, password, macs), `bit in byte ${at}`);
    t.notOk(result.ok && verifyFingerprint(result.value), `fingerprint, byte ${at}`);
  }
});

t.test('what is encoded decodes to the same, for every class and method', async t => {
  for (const kind of ['request', 'indication', 'success', 'error'] as const) {
    for (const method of [0, 1, 0xf, 0x10, 0x80, 0xfff]) {
      const message: StunMessage = {
        class: kind,
        method,
        transactionId,
        attributes: [writeUsername('abc'), writeSoftware('')],
      };
      const back = decoded(
        encodeStun(message, {
          integritySha1: key,
          integritySha256: key,
          fingerprint: true,
          primitives: macs,
        }),
      );
      const { class: backClass, method: backMethod, transactionId: id, attributes } = back;
      t.same({ class: backClass, method: backMethod, transactionId: id, attributes }, message);
      t.ok(
        verifyIntegritySha1(back, key, macs) &&
          verifyIntegritySha256(back, key, macs) &&
          verifyFingerprint(back),
      );
    }
  }
});

t.test('RFC 8489 14.6: a SHA-256 tag may be cut to 16 bytes, in fours, and no further', async t => {
  const whole = encodeStun(request(), { integritySha256: key, primitives: macs });
  for (let length = 0; length <= 36; length++) {
    // The MAC covers the length field, so it is made anew for each cut.
    const cut = joined(
      whole.subarray(0, 20),
      part(ATTRIBUTE.MESSAGE_INTEGRITY_SHA256, new Uint8Array(length)),
    );
    cut.set(macs.hmacSha256(key, cut.subarray(0, 20)).subarray(0, length), 24);
    if (length < 16 || length > 32 || length % 4 !== 0)
      t.equal(refusal(cut), 'stun.integrity-length', `${length}`);
    else t.ok(verifyIntegritySha256(decoded(cut), key, macs), `${length}`);
    if (length === 16)
      t.notOk(verifyIntegritySha256(decoded(cut), key, macs, 32), 'a caller may want it whole');
  }
});

t.test('nothing after MESSAGE-INTEGRITY counts but SHA-256 and FINGERPRINT', async t => {
  const signed = encodeStun(request([writeUsername('first')]), { integritySha1: key, primitives: macs });
  const message = decoded(
    joined(
      signed,
      part(ATTRIBUTE.SOFTWARE, Buffer.from('late')),
      part(ATTRIBUTE.MESSAGE_INTEGRITY, new Uint8Array(20)),
    ),
  );
  t.same(
    message.attributes.map(({ type }) => type),
    [ATTRIBUTE.USERNAME],
  );
  t.ok(verifyIntegritySha1(message, key, macs), 'the first tag stands');
  const sha256 = encodeStun(request(), { integritySha256: key, primitives: macs });
  const late = decoded(
    joined(sha256, part(ATTRIBUTE.MESSAGE_INTEGRITY, new Uint8Array(20)), part(ATTRIBUTE.USERNAME, key)),
  );
  t.equal(late.integrityAt, -1);
  t.same(late.attributes, []);
  t.ok(verifyIntegritySha256(late, key, macs));
});

t.test('of two attributes alike the first counts', async t => {
  const message = decoded(encodeStun(request([writeUsername('one'), writeUsername('two')])));
  t.equal(readUsername(message), 'one');
});

t.test('what is malformed is refused with a code', async t => {
  t.equal(refusal(new Uint8Array(19)), 'stun.not-stun');
  t.equal(refusal(sampleRequest.map((byte, at) => (at === 0 ? byte | 0x40 : byte))), 'stun.not-stun');
  t.equal(refusal(sampleRequest.map((byte, at) => (at === 4 ? 0 : byte))), 'stun.not-stun');
  t.equal(refusal(sampleRequest.subarray(0, 104)), 'stun.length', 'shorter than it says');
  t.equal(refusal(Uint8Array.from([...sampleRequest, 0, 0, 0, 0])), 'stun.length', 'longer than it says');
  t.equal(refusal(raw(0, 6, 0)), 'stun.length', 'not in fours');
  t.equal(refusal(raw(0, 6, 0, 1)), 'stun.truncated');
  t.equal(refusal(raw(0, 6, 0xff, 0xff, 1, 2, 3, 4)), 'stun.truncated', 'a length near 65,536');
  t.equal(refusal(raw(0, 8, 0, 4, 1, 2, 3, 4)), 'stun.integrity-length');
  t.equal(refusal(raw(0x80, 0x28, 0, 0)), 'stun.fingerprint-length');
  t.equal(refusal(raw(0x80, 0x28, 0, 4, 1, 2, 3, 4, 0, 6, 0, 0)), 'stun.after-fingerprint');
});

t.test('misuse is a TypeError', async t => {
  t.throws(() => encodeStun({ ...request(), transactionId: new Uint8Array(11) }), TypeError);
  t.throws(() => encodeStun({ ...request(), method: 0x1000 }), TypeError);
  const value = new Uint8Array(0x10000);
  t.throws(() => encodeStun(request([{ type: 0x26, value }])), TypeError);
  const half = new Uint8Array(0x8000);
  t.throws(
    () =>
      encodeStun(
        request([
          { type: 0x26, value: half },
          { type: 0x26, value: half },
        ]),
      ),
    TypeError,
  );
});

t.test('isStun tells STUN from what else comes to the socket', async t => {
  t.ok(isStun(sampleRequest));
  const inside = Buffer.concat([Buffer.alloc(3), sampleRequest, Buffer.alloc(5)]);
  t.ok(isStun(inside, 3, sampleRequest.length));
  t.notOk(isStun(inside, 3));
  t.notOk(isStun(Uint8Array.of(4, 0, 0, 0, ...new Uint8Array(28))), 'a WireGuard message');
  t.notOk(isStun(new Uint8Array(0)));
});

t.test('on TCP the header tells where a message ends', async t => {
  t.same(stunFrameLength(sampleRequest.subarray(0, 8)), { ok: true, value: 108 });
  t.same(stunFrameLength(sampleRequest.subarray(0, 7)), { ok: true, value: null });
  t.same(stunFrameLength(new Uint8Array(0)), { ok: true, value: null });
  t.same(stunFrameLength(Buffer.from('GET / HTTP/1.1\r\n')), { ok: false, code: 'stun.not-stun' });
  t.same(stunFrameLength(new Uint8Array(8)), { ok: false, code: 'stun.not-stun' });
  t.same(stunFrameLength(raw(1, 2, 3)), { ok: false, code: 'stun.length' });
});

t.test('a decoded message stays good when its buffer is used again', async t => {
  const buffer = ipv4Response.slice();
  const message = decoded(buffer);
  buffer.fill(0);
  t.equal(readXorMappedAddress(message)?.address, '192.0.2.1');
});
