// IP headers, checksums, and ICMP echo in whole packets.
import t from 'tap';
import { parseIp } from '../../../protocol/ip/address.ts';
import { internetChecksum, pseudoHeader, readIpHeader } from '../../../protocol/ip/header.ts';
import { buildEcho, echoReply, readEcho, type Echo } from '../../../protocol/ip/icmp.ts';

function ip(text: string): Uint8Array {
  const parsed = parseIp(text);
  if (!parsed.ok) throw new Error(text);
  return parsed.value.bytes;
}

const echo4: Echo = {
  kind: 'request',
  source: ip('10.77.0.2'),
  destination: ip('10.77.0.3'),
  identifier: 0x1234,
  sequence: 65535,
  payload: Buffer.from('odd'),
};
const echo6: Echo = { ...echo4, source: ip('fd00::1'), destination: ip('fd00::2') };
const code = (bytes: Uint8Array): string | null => {
  const result = readEcho(bytes);
  return result.ok ? null : result.code;
};
const changed = (bytes: Uint8Array, at: number, value: number): Uint8Array => {
  const copy = bytes.slice();
  copy[at] = value;
  return copy;
};

t.test('the checksum of the example in RFC 1071', async t => {
  const words = Uint8Array.of(0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7);
  t.equal(internetChecksum(words), ~0xddf2 & 0xffff);
  t.equal(internetChecksum(new Uint8Array(65_536).fill(0xff)), 0, 'carries fold');
  t.equal(internetChecksum(Uint8Array.of(1)), ~0x0100 & 0xffff, 'an odd byte is the upper one');
});

t.test('V1: echo in both families, there and back', async t => {
  for (const echo of [echo4, echo6]) {
    const packet = buildEcho(echo);
    const header = readIpHeader(packet);
    t.match(header, { ok: true, value: { totalLength: packet.length, hopLimit: 64 } });
    if (echo === echo4) t.equal(internetChecksum(packet.subarray(0, 20)), 0, 'the header checksum');
    const read = readEcho(Buffer.concat([Buffer.alloc(2), packet, Buffer.alloc(3)]), 2);
    if (!read.ok) throw new Error(read.code);
    t.same(buildEcho(read.value), packet, 'padding behind the packet is not read');
    t.match(readEcho(buildEcho(echoReply(read.value))), {
      ok: true,
      value: { kind: 'reply', sequence: 65535 },
    });
  }
});

t.test('the UDP pseudo-header, IPv4', async t => {
  t.same(
    pseudoHeader(ip('1.2.3.4'), ip('5.6.7.8'), 17, 0x102),
    Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8, 0, 17, 1, 2),
  );
});

t.test('what is no echo, or not whole, is refused with a code', async t => {
  const [four, six] = [buildEcho(echo4), buildEcho(echo6)];
  t.equal(code(new Uint8Array(0)), 'ip.truncated');
  t.equal(code(changed(four, 0, 0x55)), 'ip.version');
  t.equal(code(changed(four, 0, 0x44)), 'ip.header');
  t.equal(code(changed(four, 3, 19)), 'ip.header');
  t.equal(code(four.subarray(0, 19)), 'ip.truncated');
  t.equal(code(four.subarray(0, four.length - 1)), 'ip.truncated');
  t.equal(code(six.subarray(0, 39)), 'ip.truncated');
  t.equal(code(six.subarray(0, six.length - 1)), 'ip.truncated');
  t.equal(code(changed(four, 9, 17)), 'icmp.not-echo');
  t.equal(code(changed(six, 6, 17)), 'icmp.not-echo');
  t.equal(code(changed(four, 20, 3)), 'icmp.not-echo');
  t.equal(code(changed(four, 21, 1)), 'icmp.not-echo');
  t.equal(code(changed(four, 7, 1)), 'icmp.fragment');
  t.equal(code(changed(four, 6, 0x20)), 'icmp.fragment', 'more fragments');
  t.equal(code(changed(four, 30, 0)), 'icmp.checksum');
  t.equal(code(changed(six, 8, 1)), 'icmp.checksum', 'the pseudo-header counts');
  t.equal(code(changed(four, 3, 27).subarray(0, 27)), 'icmp.truncated');
});
