// Packets that are larger than their path carries: fragmented where that is allowed, told of where it is not, counted in
// any case.
import t from 'tap';
import { fragment } from '../../../core/dataplane/fragment.ts';
import { internetChecksum } from '../../../protocol/ip/header.ts';
import { tooBig } from '../../../protocol/ip/too-big.ts';
import { seededRandom } from '../../../base/random.ts';
import { established, World, type Node } from './world.ts';
import { bytesOf, packet, sumOf, tcp } from './packets.ts';

const V4 = { source: '10.77.0.1', destination: '10.77.0.2' };
const V6 = { source: 'fd77:0:0:0:0:0:0:1', destination: 'fd77:0:0:0:0:0:0:2' };
const random = seededRandom(3);

function udp(length: number): Uint8Array {
  const payload = random.bytes(8 + length);
  new DataView(payload.buffer, payload.byteOffset).setUint16(4, payload.length);
  payload[6] = payload[7] = 0;
  return payload;
}

function say(node: Node, bytes: Uint8Array, segment = 0): void {
  const room = new Uint8Array(bytes.length + 128);
  room.set(bytes, 64);
  const checksumStart = segment === 0 ? 0 : bytes[0]! >> 4 === 4 ? 20 : 40;
  node.engine.outbound(room, 64, bytes.length, { segment, checksumStart, checksumOffset: 16 });
  node.engine.flush();
}

/** Puts IPv4 fragments together again, whatever their order. */
function whole(pieces: readonly Uint8Array[]): Uint8Array {
  const first = pieces[0]!;
  const header = (first[0]! & 15) * 4;
  const sorted = pieces
    .map(piece => ({ piece, at: (((piece[6]! & 0x1f) << 8) | piece[7]!) * 8 }))
    .sort((a, b) => a.at - b.at);
  const end = Math.max(...sorted.map(({ piece, at }) => at + piece.length - header));
  const bytes = new Uint8Array(header + end);
  bytes.set(sorted[0]!.piece.subarray(0, header));
  let next = sorted[0]!.at;
  for (const { piece, at } of sorted) {
    if (at !== next) throw new Error(`a hole at ${next}`);
    bytes.set(piece.subarray(header), header + at);
    next = at + piece.length - header;
  }
  return bytes;
}

t.test('IPv4 that may be fragmented arrives in fragments, which make the same datagram', t => {
  for (const isGinnel of [false, true])
    for (const length of [1341, 1360, 1380]) {
      const world = new World();
      const { a, b, wire } = established(world, { isGinnel }, { isGinnel });
      wire.there.mtu = 1352;
      const sent = packet({ ...V4, protocol: 17, payload: udp(length) });
      b.delivered.length = 0;
      say(a, sent);
      t.ok(wire.there.queue.every(datagram => datagram.length <= 1352));
      world.pump();
      t.equal(b.delivered.length, 2, `${length} bytes`);
      for (const piece of b.delivered) t.equal(internetChecksum(piece.subarray(0, 20)), 0);
      t.same(whole(b.delivered).subarray(20), sent.subarray(20));
      t.match([a.count('out.fragmented'), a.count('out.too-long')], [1, 0]);
    }
  t.end();
});

t.test('fragments can be fragmented again, in place, whatever the taker writes before them', t => {
  const header = packet({ ...V4, protocol: 253, payload: random.bytes(1300) });
  for (const room of [68, 500, 1280, 1319]) {
    const pieces: Uint8Array[] = [];
    const bytes = new Uint8Array(header.length + 128);
    bytes.set(header, 64);
    const view = new DataView(bytes.buffer);
    view.setUint16(64 + 6, 0x2000 | 160);
    fragment(view, 64, header.length, room, (at, length) => {
      pieces.push(bytes.slice(at, at + length));
      bytes[at - 1] = 0xee;
    });
    t.ok(
      pieces.every(piece => piece.length <= room && (piece[6]! & 0x20) !== 0),
      `${room}: each has more behind it, as the one before`,
    );
    const data = Buffer.concat(pieces.map(piece => piece.subarray(20)));
    t.same(Buffer.compare(data, header.subarray(20)), 0);
    const offsets = pieces.map(piece => ((piece[6]! & 0x1f) << 8) | piece[7]!);
    t.equal(offsets[0], 160);
  }
  t.end();
});

t.test('options that are for the first fragment only stand in the first only', t => {
  const options = Uint8Array.from([0x83, 3, 4, 0x07, 3, 4, 0x94, 4, 0, 0, 0, 0]);
  const bytes = packet({ ...V4, protocol: 253, payload: random.bytes(400), options });
  const room = new Uint8Array(bytes.length + 128);
  room.set(bytes, 64);
  const pieces: Uint8Array[] = [];
  fragment(new DataView(room.buffer), 64, bytes.length, 232, (at, length) =>
    pieces.push(room.slice(at, at + length)),
  );
  t.same(pieces[0]!.subarray(20, 32), options);
  t.same(pieces[1]!.subarray(20, 32), Uint8Array.from([0x83, 3, 4, 1, 1, 1, 0x94, 4, 0, 0, 0, 0]));
  for (const piece of pieces) t.equal(internetChecksum(piece.subarray(0, 32)), 0);
  t.end();
});

t.test('IPv4 with Don’t Fragment: the sender is told, as from where it was going', t => {
  const world = new World();
  const { a, wire } = established(world, { isGinnel: true }, { isGinnel: true });
  wire.there.mtu = 1352;
  const sent = packet({ ...V4, protocol: 17, payload: udp(1360), dontFragment: true });
  say(a, sent);
  t.equal(wire.there.queue.length, 0);
  const told = a.delivered.at(-1)!;
  const view = new DataView(told.buffer);
  t.same([told.subarray(12, 16), told.subarray(16, 20)], [bytesOf(V4.destination), bytesOf(V4.source)]);
  t.same([told[9], told[20], told[21]], [1, 3, 4], 'fragmentation needed');
  t.equal(view.getUint16(26), 1352 - 33);
  t.equal(internetChecksum(told.subarray(0, 20)), 0);
  t.equal(sumOf(told), 0);
  t.same(told.subarray(28), sent.subarray(0, 548));
  t.match([a.count('out.told-too-big'), a.count('out.too-long')], [1, 1]);
  t.end();
});

t.test('IPv6: the sender is told; up to 1,280 bytes it goes anyhow', t => {
  const world = new World();
  const peer = { address: '10.77.0.2', isGinnel: true };
  const { a, b, wire } = established(world, { isGinnel: true }, peer);
  a.engine.setPeer(b.config([`${b.address}/32`, 'fd77::/16']));
  wire.there.mtu = 1352;
  say(a, packet({ ...V6, protocol: 17, payload: udp(1360) }));
  const told = a.delivered.at(-1)!;
  const view = new DataView(told.buffer);
  t.same([told[6], told[40], told[41]], [58, 2, 0], 'packet too big');
  t.equal(view.getUint32(44), 1319);
  t.equal(sumOf(told), 0);
  t.equal(told.length, 1280);
  wire.there.mtu = 1200;
  say(a, packet({ ...V6, protocol: 17, payload: udp(1280 - 48) }));
  t.equal(wire.there.queue.at(-1)!.length, 1280 + 33, 'in one datagram');
  world.clock.advance(1);
  say(a, packet({ ...V6, protocol: 17, payload: udp(1280 - 47) }));
  t.equal(new DataView(a.delivered.at(-1)!.buffer).getUint32(44), 1280, 'and none is told of less');
  t.end();
});

t.test('of a super-packet there is one word; of a flood a bounded number, all counted', t => {
  const world = new World();
  const { a, wire } = established(world, { isGinnel: true }, { isGinnel: true });
  wire.there.mtu = 1352;
  const payload = new Uint8Array(20 + 13_600);
  payload.set(tcp(0x10, []));
  const superPacket = packet({ ...V4, protocol: 6, payload, dontFragment: true });
  say(a, superPacket, 1360);
  t.match([a.count('out.told-too-big'), a.count('out.too-long')], [1, 10]);
  const told = a.delivered.at(-1)!;
  t.equal(new DataView(told.buffer).getUint16(28 + 2), 1400, 'and it quotes the first segment');
  const before = a.count('out.told-too-big');
  for (let times = 0; times < 1_000; times++) {
    world.clock.advance(1);
    say(a, packet({ ...V4, protocol: 17, payload: udp(1360), dontFragment: true }));
  }
  const words = a.count('out.told-too-big') - before;
  t.ok(words > 50 && words <= 101, `${words} words of 1,000 packets in a second`);
  t.equal(a.count('out.too-long'), 1_010);
  t.end();
});

t.test('a UDP super-packet whose segments may be fragmented arrives whole', t => {
  const world = new World();
  const { a, b, wire } = established(world, { isGinnel: true }, { isGinnel: true });
  wire.there.mtu = 1352;
  b.delivered.length = 0;
  const payload = udp(4 * 1372);
  const room = new Uint8Array(payload.length + 20 + 128);
  room.set(packet({ ...V4, protocol: 17, payload }), 64);
  const offload = { segment: 1372, checksumStart: 20, checksumOffset: 6 };
  a.engine.outbound(room, 64, payload.length + 20, offload);
  a.engine.flush();
  world.pump();
  t.equal(b.delivered.length, 8);
  const arrived = [0, 2, 4, 6].map(at => whole(b.delivered.slice(at, at + 2)));
  for (const { length } of arrived) t.equal(length, 1400);
  const data = Buffer.concat(arrived.map(bytes => bytes.subarray(28)));
  t.equal(Buffer.compare(data, payload.subarray(8)), 0);
  t.end();
});

t.test('nobody is told of ICMP errors, of later fragments, of multicast', t => {
  const icmp = (type: number): Uint8Array => Uint8Array.from([type, 0, 0, 0, ...random.bytes(1_400)]);
  const of4 = (payload: Uint8Array, protocol = 1): Uint8Array => packet({ ...V4, protocol, payload });
  const later = of4(udp(1_400), 17);
  later[7] = 1;
  const group = packet({ ...V4, destination: '224.0.0.251', protocol: 17, payload: udp(1_400) });
  const group6 = packet({ ...V6, destination: 'ff02:0:0:0:0:0:0:fb', protocol: 17, payload: udp(1_400) });
  const error6 = packet({ ...V6, protocol: 58, payload: icmp(1) });
  for (const bytes of [of4(icmp(3)), of4(icmp(11)), later, group, group6, error6])
    t.equal(tooBig(bytes, 0, bytes.length, 1280), null);
  const echo6 = packet({ ...V6, protocol: 58, payload: icmp(128) });
  for (const bytes of [of4(icmp(8)), echo6]) t.not(tooBig(bytes, 0, bytes.length, 1280), null);
  t.end();
});
