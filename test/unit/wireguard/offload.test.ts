// Cutting and coalescing against checksums computed in another way, and against each other.
import t, { type Test } from 'tap';
import { seededRandom } from '../../../base/random.ts';
import { Coalescer, COALESCER_BYTES } from '../../../core/dataplane/coalescer.ts';
import { Cutter } from '../../../core/dataplane/cutter.ts';
import { internetChecksum, pseudoHeader, readIpHeader } from '../../../protocol/ip/header.ts';
import { WHOLE, type PacketOffload } from '../../../protocol/ip/offload.ts';

const ROOM = 64;
const TCP = 6;
const UDP = 17;

interface Shape {
  readonly family: 4 | 6;
  readonly protocol: typeof TCP | typeof UDP;
  readonly payload: Uint8Array;
  readonly options?: number;
  readonly flags?: number;
  readonly sequence?: number;
}

/** A packet as the kernel hands it over: lengths of the whole, the checksum open. */
function packetOf({
  family,
  protocol,
  payload,
  options = 12,
  flags = 0x18,
  sequence = 0xfffffff0,
}: Shape): Uint8Array {
  const ip = family === 4 ? 20 : 40;
  const transport = protocol === TCP ? 20 + options : 8;
  const packet = new Uint8Array(ip + transport + payload.length);
  const view = new DataView(packet.buffer);
  if (family === 4) {
    packet.set([0x45, 0, packet.length >> 8, packet.length & 0xff, 0xab, 0xfe, 0x40, 0, 64, protocol], 0);
    packet.set([10, 77, 0, 2, 10, 77, 0, 3], 12);
    view.setUint16(10, internetChecksum(packet.subarray(0, 20)));
  } else {
    packet.set([0x60, 0, 0, 0, (packet.length - 40) >> 8, (packet.length - 40) & 0xff, protocol, 64], 0);
    packet.set([0xfd, 0x77], 8);
    packet.set([0xfd, 0x77, 9], 24);
  }
  view.setUint16(ip, 40000);
  view.setUint16(ip + 2, 445);
  if (protocol === TCP) {
    view.setUint32(ip + 4, sequence);
    view.setUint32(ip + 8, 77);
    packet[ip + 12] = (transport / 4) << 4;
    packet[ip + 13] = flags;
    view.setUint16(ip + 14, 501);
    packet.fill(1, ip + 20, ip + transport);
  } else view.setUint16(ip + 4, transport + payload.length);
  packet.set(payload, ip + transport);
  return packet;
}

const offloadOf = ({ family, protocol }: Shape, segment: number): PacketOffload => ({
  segment,
  checksumStart: family === 4 ? 20 : 40,
  checksumOffset: protocol === TCP ? 16 : 6,
});

/** All packets that the cutter makes; each taker scribbles over its packet and one byte before it. */
function cut(packet: Uint8Array, offload: PacketOffload): Uint8Array[] | null {
  const memory = new Uint8Array(packet.length + 2 * ROOM);
  memory.set(packet, ROOM);
  const packets: Uint8Array[] = [];
  const done = new Cutter().cut(memory, ROOM, packet.length, offload, false, (bytes, at, length) => {
    packets.push(bytes.slice(at, at + length));
    bytes[at - 1] = 0xee;
  });
  return done ? packets : null;
}

function checkPacket(t: Test, packet: Uint8Array): { payload: Uint8Array; sequence: number; flags: number } {
  const header = readIpHeader(packet);
  if (!header.ok) throw new Error(header.code);
  const { family, headerLength, totalLength, protocol, source, destination } = header.value;
  t.equal(totalLength, packet.length);
  if (family === 4) t.equal(internetChecksum(packet.subarray(0, 20)), 0, 'IPv4 header checksum');
  const rest = packet.subarray(headerLength);
  t.equal(internetChecksum(pseudoHeader(source, destination, protocol, rest.length), rest), 0, 'checksum');
  const view = new DataView(rest.buffer, rest.byteOffset);
  if (protocol === UDP) {
    t.equal(view.getUint16(4), rest.length);
    return { payload: rest.subarray(8), sequence: 0, flags: 0 };
  }
  return { payload: rest.subarray((rest[12]! >> 4) * 4), sequence: view.getUint32(4), flags: rest[13]! };
}

const SHAPES = ([4, 6] as const).flatMap(family =>
  ([TCP, UDP] as const).map(protocol => ({ family, protocol })),
);

t.test('a super-packet becomes packets that are each right, with all of its bytes', t => {
  const random = seededRandom(1);
  for (const { family, protocol } of SHAPES) {
    for (const [bytes, segment] of [
      [40_000, 1348],
      [1400, 1399],
      [2000, 1000],
      [300, 7],
      [1, 1400],
    ] as const) {
      const shape: Shape = { family, protocol, payload: random.bytes(bytes), flags: 0x99 };
      const packets = cut(packetOf(shape), offloadOf(shape, segment)) ?? [];
      t.equal(packets.length, Math.ceil(bytes / segment));
      const parts = packets.map(packet => checkPacket(t, packet));
      t.same(Buffer.concat(parts.map(({ payload }) => payload)), Buffer.from(shape.payload));
      if (protocol === UDP) continue;
      let sequence = 0xfffffff0;
      for (const [index, part] of parts.entries()) {
        const wanted = 0x10 | (index === 0 ? 0x80 : 0) | (index === parts.length - 1 ? 0x09 : 0);
        t.same([part.sequence, part.flags], [sequence, wanted], 'sequence and flags');
        sequence = (sequence + part.payload.length) >>> 0;
      }
    }
  }
  t.end();
});

t.test('an open checksum of a lone packet is filled in', t => {
  for (const { family, protocol } of SHAPES) {
    const shape: Shape = { family, protocol, payload: Uint8Array.of(1, 2, 3), options: 0 };
    const packet = packetOf(shape);
    const offload = offloadOf(shape, 0);
    const header = readIpHeader(packet);
    if (!header.ok) throw new Error(header.code);
    const { source, destination, headerLength } = header.value;
    const pseudo = pseudoHeader(source, destination, protocol, packet.length - headerLength);
    const open = ~internetChecksum(pseudo) & 0xffff;
    new DataView(packet.buffer).setUint16(offload.checksumStart + offload.checksumOffset, open);
    const [whole] = cut(packet, offload) ?? [];
    checkPacket(t, whole ?? packet);
  }
  t.end();
});

t.test('a UDP checksum that comes out as zero is written as its other zero', t => {
  const shape: Shape = { family: 6, protocol: UDP, payload: Uint8Array.of(0, 0) };
  const [first] = cut(packetOf(shape), offloadOf(shape, 2)) ?? [];
  const sum = new DataView(first!.buffer).getUint16(46);
  const [zero] =
    cut(packetOf({ ...shape, payload: Uint8Array.of(sum >> 8, sum & 0xff) }), offloadOf(shape, 2)) ?? [];
  t.equal(new DataView(zero!.buffer).getUint16(46), 0xffff);
  t.end();
});

t.test('what is not as the offload says is refused, and nothing outside is written', t => {
  const random = seededRandom(3);
  const counts = { taken: 0, refused: 0 };
  for (let round = 0; round < 5000; round++) {
    const shape: Shape = { ...SHAPES[round % 4]!, payload: random.bytes(random.below(60)) };
    const packet = packetOf(shape);
    for (let flips = random.below(4); flips > 0; flips--)
      packet[random.below(packet.length)] = random.below(256);
    const length = 1 + random.below(packet.length);
    const memory = new Uint8Array(2 * ROOM + length + ROOM).fill(0xa5);
    memory.set(packet.subarray(0, length), ROOM);
    const offload = {
      segment: random.below(70),
      checksumStart: random.below(64),
      checksumOffset: random.below(20),
    };
    const done = new Cutter().cut(memory, ROOM, length, offload, round % 2 === 0, (bytes, at, size) => {
      if (at < ROOM || at + size > ROOM + length) throw new Error(`${at} ${size} is outside`);
      if (bytes !== memory) throw new Error('other bytes');
    });
    counts[done ? 'taken' : 'refused']++;
    const outside = [...memory.subarray(0, ROOM), ...memory.subarray(ROOM + length)];
    if (outside.some(byte => byte !== 0xa5)) throw new Error('written outside');
  }
  t.ok(counts.taken > 100 && counts.refused > 100, JSON.stringify(counts));
  t.end();
});

interface Delivered {
  readonly packet: Uint8Array;
  readonly offload: PacketOffload;
}

function coalesced(packets: readonly Uint8Array[], card = { tcp: true, udp: true }): Delivered[] {
  const memory = new Uint8Array(COALESCER_BYTES + 70_000);
  const delivered: Delivered[] = [];
  const coalescer = new Coalescer(memory, 0, (bytes, offset, length, offload) =>
    delivered.push({ packet: bytes.slice(offset, offset + length), offload: { ...offload } }),
  );
  for (const packet of packets) {
    memory.set(packet, COALESCER_BYTES + ROOM);
    coalescer.take(COALESCER_BYTES + ROOM, packet.length, false, card);
  }
  coalescer.flush();
  return delivered;
}

t.test('what was cut is put together again, and cut once more is the same', t => {
  const random = seededRandom(5);
  for (const { family, protocol } of SHAPES) {
    const shape: Shape = { family, protocol, payload: random.bytes(30_000) };
    const packets = cut(packetOf(shape), offloadOf(shape, 1348)) ?? [];
    const [whole, ...more] = coalesced(packets);
    t.equal(more.length, 0);
    t.match(whole?.offload, offloadOf(shape, 1348));
    t.same(cut(whole!.packet, whole!.offload), packets);
  }
  t.end();
});

t.test('order is kept, and what does not follow is not put together', t => {
  const at = (sequence: number, change: Partial<Shape> = {}): Uint8Array => {
    const shape: Shape = {
      family: 4,
      protocol: TCP,
      payload: new Uint8Array(100),
      sequence,
      flags: 0x10,
      ...change,
    };
    return (cut(packetOf(shape), offloadOf(shape, 1400)) ?? [])[0]!;
  };
  const lengths = (packets: Uint8Array[]): number[] =>
    coalesced(packets).map(({ packet }) => packet.length - 52);
  t.same(lengths([at(0), at(100), at(200)]), [300]);
  t.same(lengths([at(0), at(200), at(100)]), [100, 100, 100], 'a gap');
  t.same(lengths([at(0), at(100), at(100), at(200)]), [200, 200], 'a segment that came twice');
  t.same(lengths([at(0), at(100, { flags: 0x18 }), at(200)]), [200, 100], 'pushed');
  t.same(lengths([at(0), at(100, { flags: 0x11 }), at(200)]), [100, 100, 100], 'the end of the flow');
  t.same(
    lengths([at(0), at(100, { payload: new Uint8Array(60) }), at(160)]),
    [160, 100],
    'a short one is the last',
  );
  t.same(lengths([at(0), at(100, { payload: new Uint8Array(160) })]), [100, 160], 'a longer one');
  t.same(lengths([at(0), at(100, { family: 6 })]), [100, 120], 'another address family');
  t.same(lengths([at(0), at(100, { options: 0 })]), [100, 88], 'other options');
  t.same(lengths([at(0), at(100, { payload: new Uint8Array() })]), [100, 0], 'an acknowledgement alone');
  t.end();
});

t.test('flows that come mixed are each put together, in their order', t => {
  const flow = (port: number, protocol: typeof TCP | typeof UDP): Uint8Array[] => {
    const shape: Shape = { family: 4, protocol, payload: new Uint8Array(3000).fill(port) };
    const packet = packetOf(shape);
    packet[21] = port;
    return cut(packet, offloadOf(shape, 1000)) ?? [];
  };
  const flows = Array.from({ length: 8 }, (_, index) => flow(index, index % 2 === 0 ? TCP : UDP));
  const mixed = [0, 1, 2].flatMap(turn => flows.map(packets => packets[turn]!));
  const delivered = coalesced(mixed);
  t.same(
    delivered.map(({ packet, offload }) => cut(packet, offload)),
    flows,
  );
  const more = [...flows, flow(8, TCP)];
  const singles = [0, 1].flatMap(turn => more.map(packets => packets[turn]!));
  t.equal(coalesced(singles).length, 18, 'of one flow more than that, none twice in a row');
  t.end();
});

t.test(
  'datagrams: a shorter one is the last, a fragment goes alone, and so does all for a card without USO',
  t => {
    const at = (length: number): Uint8Array => {
      const shape: Shape = { family: 6, protocol: UDP, payload: new Uint8Array(length) };
      return (cut(packetOf(shape), offloadOf(shape, 1400)) ?? [])[0]!;
    };
    const lengths = (packets: Uint8Array[], udp = true): number[] =>
      coalesced(packets, { tcp: true, udp }).map(({ packet }) => packet.length - 48);
    t.same(lengths([at(100), at(100), at(60), at(60), at(100)]), [260, 60, 100]);
    t.same(lengths([at(100), at(0), at(100)]), [100, 0, 100], 'an empty one');
    t.same(lengths([at(100), at(100)], false), [100, 100]);
    const shape: Shape = { family: 4, protocol: UDP, payload: new Uint8Array(2000) };
    const [one, two] = cut(packetOf(shape), offloadOf(shape, 1000)) ?? [];
    t.equal(coalesced([one!, two!]).length, 1);
    for (const packet of [one!, two!]) {
      packet[6] = 0x20;
      new DataView(packet.buffer).setUint16(10, 0);
    }
    t.same(
      coalesced([one!, two!]).map(({ packet }) => packet),
      [one, two],
      'fragments',
    );
    const [plain, unsummed] = cut(packetOf(shape), offloadOf(shape, 1000)) ?? [];
    unsummed!.fill(0, 26, 28);
    t.equal(coalesced([plain!, unsummed!]).length, 2, 'one without a checksum stays so');
    t.end();
  },
);

t.test('a packet whose checksum is wrong is handed on alone, as it came', t => {
  const shape: Shape = { family: 4, protocol: TCP, payload: new Uint8Array(3000) };
  const packets = cut(packetOf(shape), offloadOf(shape, 1000)) ?? [];
  packets[1]![1040]! ^= 1;
  const delivered = coalesced(packets);
  t.same(
    delivered.map(({ packet }) => packet),
    packets,
  );
  t.ok(delivered.every(({ offload }) => offload.segment === WHOLE.segment && offload.checksumStart === 0));
  t.end();
});
