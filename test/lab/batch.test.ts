// Bad datagrams inside a batch that a real kernel put together (UDP_GRO), on the real socket of the fast door: each costs
// itself only. They come over a cable from another namespace, by one call.
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { ManualClock } from '../../base/clock.ts';
import { Counters } from '../../base/counters.ts';
import { silentLog } from '../../base/log.ts';
import { systemRandom } from '../../base/random.ts';
import { createEngine } from '../../core/dataplane/create-engine.ts';
import { silentEvents, UdpTransport } from '../../core/paths/udp-transport.ts';
import { openAead } from '../../system/aead.ts';
import { primitives } from '../../system/crypto.ts';
import { openDoors } from '../../system/doors-linux.ts';
import { Node, WireLink } from '../unit/wireguard/world.ts';
import { layCable } from './stock-wireguard.ts';
import { until } from './waiting.ts';
import { silentEngineEvents } from '../support/silent-engine-events.ts';
import { enterLab } from './wrapper.ts';

enterLab(import.meta.url);

const COUNT = 40;
const OUR_SIDE = '192.0.2.1';
const ARRIVE_MS = 5000;

const clock = new ManualClock();
/** Whoever seals; what it sends goes over the cable, what it gets comes by the memory. */
const them = new Node(clock, 1, { address: '10.77.0.1' });
const doors = openDoors();
const counters = new Counters();
const localStatic = primitives.dhKeyPair();
const ours = { id: Buffer.from(localStatic.publicKey).toString('base64'), publicKey: localStatic.publicKey };
const delivered: string[] = [];
const batches: number[] = [];
const aead = openAead(doors.arena);
const engine = createEngine({
  ...{ aead, primitives, clock, localStatic, counters, log: silentLog, random: systemRandom, mtu: 1420 },
  allocate: bytes => doors.arena.allocate(bytes),
  timestampFloor: { load: () => 0, save: () => undefined },
  deliver: (bytes, offset, length) =>
    void delivered.push(Buffer.from(bytes.subarray(offset + 20, offset + length)).toString()),
  events: silentEngineEvents,
});
const cable = layCable();
const door = doors.openUdp({ family: 4, port: 0, address: OUR_SIDE });
const transport = new UdpTransport({ doors: [door], counters });
const there = new WireLink('there', { family: 4, address: OUR_SIDE, port: door.localPort });
const back = new WireLink('back', null);
transport.events = {
  ...silentEvents,
  wireguard(_, batch) {
    batches.push(Math.ceil(batch.length / batch.segment));
    // Answers go by the memory.
    engine.inbound(back, batch);
  },
  turnEnded: () => engine.flush(),
};
const bundler = cable.spawn(
  process.execPath,
  [fileURLToPath(new URL('./bundle.js', import.meta.url)), OUR_SIDE, String(door.localPort)],
  { stdio: ['pipe', 'pipe', 'inherit'] },
);
let sent = 0;
createInterface({ input: bundler.stdout! }).on('line', () => sent++);
t.teardown(async () => {
  engine.close();
  transport.close();
  await cable.killChildren();
});

engine.setPeer(them.config());
them.engine.setPeer({ ...ours, allowedIps: ['10.77.0.2/32'], keepaliveMs: 0 });
engine.setPath(them.keys.id, back);
them.engine.setPath(ours.id, there);

async function bundle(datagrams: readonly Uint8Array[]): Promise<void> {
  const segment = datagrams[0]!.length;
  const before = sent;
  const bytes = Buffer.concat(datagrams).toString('base64');
  bundler.stdin?.write(`${JSON.stringify({ segment, bytes })}\n`);
  await until('the bundle to leave', ARRIVE_MS, () => sent > before);
}

const count = (name: string): number => counters.counter(`in.${name}`).value;

/** So many packets, sealed. */
function sealed(name: string): Uint8Array[] {
  for (let number = 0; number < COUNT; number++) them.layUp('10.77.0.2', textOf(name, number));
  them.engine.flush();
  return there.queue.splice(0);
}

const textOf = (name: string, number: number): string => `${name} ${number}`.padEnd(200, '.');
const textsOf = (name: string, numbers: readonly number[]): string[] =>
  numbers.map(each => textOf(name, each));
const all = Array.from({ length: COUNT }, (_, number) => number);

t.test('a session over the cable', async t => {
  them.say('10.77.0.2', 'first');
  await bundle(there.queue.splice(0));
  await until('the response', ARRIVE_MS, () => back.queue.length > 0);
  for (const datagram of back.queue.splice(0))
    them.engine.inbound(there, {
      bytes: datagram,
      offset: 0,
      length: datagram.length,
      segment: datagram.length,
    });
  them.engine.flush();
  for (const datagram of there.queue.splice(0)) await bundle([datagram]);
  await until('the first packet', ARRIVE_MS, () => delivered.length > 0);
  t.same(delivered, ['first']);
});

t.test('a forged, a replayed, a swapped and a strange one in a real batch cost themselves only', async t => {
  const earlier = sealed('earlier');
  await bundle(earlier);
  await until('the earlier batch', ARRIVE_MS, () => delivered.length > COUNT);
  t.same(delivered.splice(0).slice(1), textsOf('earlier', all));

  batches.length = 0;
  const datagrams = sealed('this');
  const order = [...all];
  [order[20], order[25]] = [25, 20];
  const laid = order.map(number => datagrams[number]!.slice());
  laid[5]![40]! ^= 1;
  laid[11] = laid[10]!.slice();
  laid[12] = earlier[12]!.slice();
  laid[30]!.fill(0xee);
  await bundle(laid);
  const good = order.filter(number => ![5, 11, 12, 30].includes(number));
  await until('the good ones', ARRIVE_MS, () => delivered.length >= good.length);
  t.same(batches, [COUNT], 'the kernel handed them over as one batch');
  t.same(delivered.splice(0), textsOf('this', good));
  t.same([count('tag'), count('replay'), count('not-mine')], [1, 2, 1]);
});

t.test('nor does a strange one at the head of it', async t => {
  batches.length = 0;
  const datagrams = sealed('last');
  datagrams[0]!.fill(0xee);
  await bundle(datagrams);
  await until('the others', ARRIVE_MS, () => delivered.length >= COUNT - 1);
  t.same(delivered, textsOf('last', all.slice(1)));
  t.equal(counters.counter('udp.unknown-datagram').value, 1);
});
