// STUN attributes: each round, and each malformed in the ways that matter.
import t from 'tap';
import { ATTRIBUTE } from '../../../protocol/stun/attribute-types.ts';
import {
  attributeValue,
  readChangeRequest,
  readErrorCode,
  readMapped,
  readMappedAddress,
  readOtherAddress,
  readPriority,
  readResponseOrigin,
  readResponsePort,
  readSoftware,
  readUnknownAttributes,
  readUsername,
  readXorMappedAddress,
  unknownRequired,
  writeChangeRequest,
  writeErrorCode,
  writeMappedAddress,
  writeOtherAddress,
  writePadding,
  writePriority,
  writeResponseOrigin,
  writeResponsePort,
  writeSoftware,
  writeUnknownAttributes,
  writeUsername,
  writeXorMappedAddress,
} from '../../../protocol/stun/attributes.ts';
import type { StunAttribute } from '../../../protocol/stun/message.ts';

const transactionId = Uint8Array.from({ length: 12 }, (_, index) => 0xf0 + index);
const of = (...attributes: StunAttribute[]) => ({ attributes, transactionId });
const bytes = (type: number, ...value: number[]) => of({ type, value: Uint8Array.from(value) });

const endpoints = [
  { family: 4, address: '203.0.113.7', port: 65535 },
  { family: 4, address: '0.0.0.0', port: 0 },
  { family: 6, address: '2001:db8::1', port: 3478 },
  { family: 6, address: '::ffff:192.0.2.1', port: 1 },
] as const;

t.test('addresses of both families come back as they went', async t => {
  for (const endpoint of endpoints) {
    t.same(readXorMappedAddress(of(writeXorMappedAddress(endpoint, transactionId))), endpoint);
    t.same(readMappedAddress(of(writeMappedAddress(endpoint))), endpoint);
    t.same(readOtherAddress(of(writeOtherAddress(endpoint))), endpoint);
    t.same(readResponseOrigin(of(writeResponseOrigin(endpoint))), endpoint);
    t.same(readMapped(of(writeMappedAddress(endpoint))), endpoint, 'an old server');
  }
});

t.test('XOR hides the address from NATs that rewrite payloads', async t => {
  const { value } = writeXorMappedAddress(endpoints[0], transactionId);
  t.notSame(value.subarray(4), Uint8Array.of(203, 0, 113, 7));
});

t.test('a malformed address is none', async t => {
  const type = ATTRIBUTE.MAPPED_ADDRESS;
  t.equal(readMappedAddress(bytes(type)), null);
  t.equal(readMappedAddress(bytes(type, 0, 1, 0, 80, 1, 2, 3)), null, 'short');
  t.equal(readMappedAddress(bytes(type, 0, 1, 0, 80, 1, 2, 3, 4, 5)), null, 'long');
  t.equal(readMappedAddress(bytes(type, 0, 2, 0, 80, 1, 2, 3, 4)), null, 'IPv4 that says IPv6');
  t.equal(readMappedAddress(bytes(type, 0, 3, 0, 80, 1, 2, 3, 4)), null, 'no such family');
  t.throws(() => writeMappedAddress({ family: 4, address: '2001:db8::1', port: 1 }), TypeError);
  t.throws(() => writeMappedAddress({ family: 4, address: 'home', port: 1 }), TypeError);
});

t.test('text is UTF-8 and bounded', async t => {
  t.equal(readUsername(of(writeUsername('マトリックス'))), 'マトリックス');
  t.equal(readSoftware(of(writeSoftware(''))), '');
  t.equal(readUsername(bytes(ATTRIBUTE.USERNAME, 0xc3, 0x28)), null, 'no UTF-8');
  t.equal(readUsername(of({ type: ATTRIBUTE.USERNAME, value: new Uint8Array(509) })), null);
  t.throws(() => writeUsername('x'.repeat(509)), TypeError);
});

t.test('error codes run from 300 to 699', async t => {
  for (const code of [300, 420, 699]) {
    t.same(readErrorCode(of(writeErrorCode({ code, reason: 'why' }))), { code, reason: 'why' });
  }
  t.equal(readErrorCode(bytes(ATTRIBUTE.ERROR_CODE, 0, 0, 2, 0)), null);
  t.equal(readErrorCode(bytes(ATTRIBUTE.ERROR_CODE, 0, 0, 7, 0)), null);
  t.equal(readErrorCode(bytes(ATTRIBUTE.ERROR_CODE, 0, 0, 4, 100)), null);
  t.equal(readErrorCode(bytes(ATTRIBUTE.ERROR_CODE, 0, 0, 4)), null);
  t.equal(readErrorCode(bytes(ATTRIBUTE.ERROR_CODE, 0, 0, 4, 0, 0xff)), null);
  t.throws(() => writeErrorCode({ code: 200, reason: '' }), TypeError);
});

t.test('unknown required attributes: each once, optional ones never', async t => {
  const message = of(
    ...[0x7777, 0x8022, 0x0006, 0x7777, 0x0019].map(type => ({ type, value: new Uint8Array(0) })),
  );
  t.same(unknownRequired(message, new Set([ATTRIBUTE.USERNAME])), [0x7777, 0x0019]);
  t.same(readUnknownAttributes(of(writeUnknownAttributes([0x7777, 0x0019]))), [0x7777, 0x0019]);
  t.equal(readUnknownAttributes(bytes(ATTRIBUTE.UNKNOWN_ATTRIBUTES, 1)), null);
});

t.test("RFC 5780's attributes and PRIORITY", async t => {
  for (const address of [true, false]) {
    for (const port of [true, false]) {
      t.same(readChangeRequest(of(writeChangeRequest({ address, port }))), { address, port });
    }
  }
  t.equal(readChangeRequest(bytes(ATTRIBUTE.CHANGE_REQUEST, 0)), null);
  t.equal(readResponsePort(of(writeResponsePort(40000))), 40000);
  t.equal(readResponsePort(bytes(ATTRIBUTE.RESPONSE_PORT, 1, 0, 0, 0)), 256);
  t.equal(readResponsePort(of(writeResponsePort(0))), null);
  t.equal(readResponsePort(bytes(ATTRIBUTE.RESPONSE_PORT, 1)), null);
  t.equal(readPriority(of(writePriority(0xfffffffe))), 0xfffffffe);
  t.equal(readPriority(bytes(ATTRIBUTE.PRIORITY, 1)), null);
  t.equal(attributeValue(of(writePadding(5)), ATTRIBUTE.PADDING)?.length, 5);
});

t.test('what is absent reads as null', async t => {
  const readers = [readMapped, readUsername, readErrorCode, readUnknownAttributes, readChangeRequest];
  for (const read of [...readers, readResponsePort, readPriority]) t.equal(read(of()), null, read.name);
});
