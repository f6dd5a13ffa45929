// The MSS of SYNs: lowered to what the path carries, the checksum right after it, everything else left alone.
import t from 'tap';
import { seededRandom } from '../../../base/random.ts';
import { clampMss as clampSyn, isSyn } from '../../../core/dataplane/mss.ts';
import { established, World } from './world.ts';
import { packet, sumOf, tcp } from './packets.ts';

const clampMss: typeof clampSyn = (bytes, at, ...rest) => isSyn(bytes, at) && clampSyn(bytes, at, ...rest);
const V4 = { source: '10.77.0.1', destination: '10.77.0.2' };
const V6 = { source: 'fd77:0:0:0:0:0:0:1', destination: 'fd77:0:0:0:0:0:0:2' };
const SYN = 0x02;
const SYN_ACK = 0x12;
const mss = (value: number): number[] => [2, 4, value >> 8, value & 0xff];
const TAIL = [1, 1, 4, 2];

interface Case {
  readonly says: string;
  readonly to?: typeof V4;
  readonly flags?: number;
  readonly options: readonly number[];
  readonly room: number;
  /** What then stands in the option; absent: nothing was touched. */
  readonly becomes?: number;
  /** Where the option's value stands behind the TCP header. */
  readonly at?: number;
}

const CASES: readonly Case[] = [
  { says: 'IPv4', options: [...mss(1460), ...TAIL], room: 1359, becomes: 1319 },
  { says: 'IPv6', to: V6, options: [...mss(1440), ...TAIL], room: 1359, becomes: 1299 },
  { says: 'SYN-ACK', flags: SYN_ACK, options: mss(1460), room: 1359, becomes: 1319 },
  { says: 'behind other options', options: [4, 2, 1, 1, ...mss(1460)], room: 1359, becomes: 1319, at: 6 },
  { says: 'at an odd place', options: [1, ...mss(1460), 1, 1, 1], room: 1359, becomes: 1319, at: 3 },
  { says: 'IPv6 below its least', to: V6, options: mss(1440), room: 1172, becomes: 1220 },
  { says: 'IPv4 below that', options: mss(1460), room: 1172, becomes: 1132 },
  { says: 'no SYN', flags: 0x10, options: mss(1460), room: 1359 },
  { says: 'smaller already', options: mss(536), room: 1359 },
  { says: 'just as small', options: mss(1319), room: 1359 },
  { says: 'no such option', options: [4, 2, 1, 1], room: 1359 },
  { says: 'behind the end of the options', options: [0, 0, 0, 0, ...mss(1460)], room: 1359 },
  { says: 'an option without end', options: [8, 200, 0, 0, ...mss(1460)], room: 1359 },
  { says: 'an option of length 0', options: [8, 0, 0, 0, ...mss(1460)], room: 1359 },
  { says: 'an MSS of another length', options: [2, 3, 5, 1], room: 1359 },
  { says: 'a SYN without options', options: [], room: 1359 },
];

for (const { says, to = V4, flags = SYN, options, room, becomes, at = 2 } of CASES)
  t.test(`${says}: ${becomes === undefined ? 'left alone' : becomes}`, t => {
    const before = packet({ ...to, protocol: 6, payload: tcp(flags, options) });
    const bytes = before.slice();
    t.equal(clampMss(bytes, 0, bytes.length, room, false), becomes !== undefined);
    const header = to === V4 ? 20 : 40;
    const view = new DataView(bytes.buffer);
    if (becomes === undefined) t.same(bytes, before);
    else t.equal(view.getUint16(header + 20 + at), becomes);
    t.equal(sumOf(bytes), 0, 'the checksum is right');
    t.end();
  });

t.test('a checksum that was left open stays as it is: it will cover what stands there then', t => {
  const bytes = packet({ ...V4, protocol: 6, payload: tcp(SYN, mss(1460)) });
  const open = bytes.slice(36, 38);
  t.ok(clampMss(bytes, 0, bytes.length, 1359, true));
  t.same(bytes.subarray(36, 38), open);
  t.end();
});

t.test('any MSS, at any place, by any room: the sum is right', t => {
  const random = seededRandom(7);
  for (let times = 0; times < 3_000; times++) {
    const lead = Array<number>(random.below(4)).fill(1);
    const options = [...lead, ...mss(random.below(65_536)), ...Array<number>(4 - lead.length).fill(1)];
    const to = random.below(2) === 0 ? V4 : V6;
    const bytes = packet({ ...to, protocol: 6, payload: tcp(SYN, options) });
    clampMss(bytes, 0, bytes.length, 1280 + random.below(8_000), false);
    if (sumOf(bytes) !== 0) t.fail(`wrong after ${JSON.stringify(options)}`);
  }
  t.end();
});

t.test('neither UDP nor a later fragment nor a cut-off packet is touched', t => {
  const syn = packet({ ...V4, protocol: 6, payload: tcp(SYN, mss(1460)) });
  const udp = syn.slice();
  udp[9] = 17;
  const later = syn.slice();
  later[7] = 3;
  for (const bytes of [udp, later]) t.notOk(clampMss(bytes, 0, bytes.length, 1359, false));
  for (let length = 20; length < syn.length; length++)
    t.notOk(clampMss(syn.slice(), 0, length, 1359, false), `${length} bytes`);
  t.end();
});

t.test('through the engine: lowered on the way out and on the way in, by each end for its own path', t => {
  for (const isGinnel of [false, true]) {
    const world = new World();
    const { a, b, wire } = established(world, { isGinnel }, { isGinnel });
    wire.there.mtu = 1392;
    wire.back.mtu = 1352;
    const bytes = packet({ ...V4, protocol: 6, payload: tcp(SYN, mss(1460)) });
    const room = new Uint8Array(bytes.length + 128);
    room.set(bytes, 64);
    a.engine.outbound(room, 64, bytes.length);
    t.equal(new DataView(room.buffer).getUint16(64 + 42), 1392 - 32 - 40 - Number(isGinnel), 'out');
    a.engine.flush();
    world.pump();
    const arrived = b.delivered.at(-1)!;
    t.equal(new DataView(arrived.buffer).getUint16(42), 1352 - 32 - 40 - Number(isGinnel), 'in');
    t.equal(sumOf(arrived), 0);
    t.match([a.count('out.mss-lowered'), b.count('in.mss-lowered')], [1, 1]);
  }
  t.end();
});

t.test('a SYN that waited for its session is lowered when it leaves', t => {
  const world = new World();
  const [a, b] = [world.node({ address: '10.77.0.1' }), world.node({ address: '10.77.0.2' })];
  const wire = world.joined(a, b);
  wire.there.mtu = 1392;
  const bytes = packet({ ...V4, protocol: 6, payload: tcp(SYN, mss(1460)) });
  const room = new Uint8Array(bytes.length + 128);
  room.set(bytes, 64);
  a.engine.setPath(b.keys.id, null);
  a.engine.outbound(room, 64, bytes.length);
  a.engine.setPath(b.keys.id, wire.there);
  world.pump();
  const arrived = b.delivered.at(-1)!;
  t.equal(new DataView(arrived.buffer).getUint16(42), 1320);
  t.equal(sumOf(arrived), 0);
  t.end();
});
