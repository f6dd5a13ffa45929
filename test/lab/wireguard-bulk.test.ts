// Much data through wireguard-go at the other end, with all of the kernel's help in use at ours: super-packets from and to the
// card, batches that the kernel cuts and puts together. A stock peer must never notice.
import { execFileSync } from 'node:child_process';
import t, { type Test } from 'tap';
import { systemClock } from '../../base/clock.ts';
import { Counters } from '../../base/counters.ts';
import { silentLog } from '../../base/log.ts';
import { systemRandom } from '../../base/random.ts';
import { createEngine } from '../../core/dataplane/create-engine.ts';
import { abilitiesStatus } from '../../core/node/abilities.ts';
import { silentEvents, UdpTransport } from '../../core/paths/udp-transport.ts';
import { openAead } from '../../system/aead.ts';
import { primitives } from '../../system/crypto.ts';
import { openDoors } from '../../system/doors-linux.ts';
import { moveDatagrams, moveStream, type BulkOptions } from './bulk-move.ts';
import { Place } from './place.ts';
import { layCable, StockWireguard } from './stock-wireguard.ts';
import { until } from './waiting.ts';
import { silentEngineEvents } from '../support/silent-engine-events.ts';
import { enterLab } from './wrapper.ts';

enterLab(import.meta.url, { tools: { 'wireguard-go': 'wireguard-go', wg: 'wireguard-tools' } });

const OURS = '10.77.0.1';
const THEIRS = '10.77.0.2';
const MTU = 1420;
const BYTES = 50e6;
const MOVE_MS = 60_000;
const MEET_MS = 10_000;

const theirs = layCable();
// This very namespace gets a name, so that programs can be started in it as in any other.
execFileSync('ip', ['netns', 'attach', 'ours', String(process.pid)]);
const ours = new Place('ours', 'v0', '192.0.2.1');
const counters = new Counters();
const doors = openDoors({ counters });
const aead = openAead(doors.arena);
const localStatic = primitives.dhKeyPair();
const card = doors.openTun({ name: 'ours0', mtu: MTU, addresses: [`${OURS}/24`], routes: [] });
const door = doors.openUdp({ family: 4, port: 0, address: '192.0.2.1' });
const transport = new UdpTransport({ doors: [door], counters });
const engine = createEngine({
  ...{ aead, primitives, localStatic, log: silentLog, random: systemRandom, clock: systemClock, mtu: MTU },
  counters: counters.scope('dataplane'),
  allocate: bytes => doors.arena.allocate(bytes),
  fastCiphers: aead.fastCiphers,
  superPackets: () => (card.offloads.tcp ? card.offloads : null),
  timestampFloor: { load: () => 0, save: () => undefined },
  deliver: (bytes, offset, length, offload) => void card.write(bytes, offset, length, offload),
  events: silentEngineEvents,
});
card.onPacket = (bytes, offset, length, offload) => engine.outbound(bytes, offset, length, offload);
card.onTurnEnded = () => engine.flush();
transport.events = {
  ...silentEvents,
  wireguard: (link, batch) => engine.inbound(link, batch),
  turnEnded: () => engine.flush(),
};
const them = new StockWireguard(theirs, 'wg0');
t.teardown(async () => {
  engine.close();
  transport.close();
  card.close();
  await them.stop();
});

t.test('all abilities are in use at our end, and the session is a stock one', async t => {
  const publicKey = Buffer.from(localStatic.publicKey).toString('base64');
  await them.start(THEIRS, { publicKey, allowedIp: `${OURS}/32` });
  engine.setPeer({
    ...{ id: them.publicKey, publicKey: Buffer.from(them.publicKey, 'base64') },
    ...{ allowedIps: [`${THEIRS}/32`], keepaliveMs: 0 },
  });
  engine.setPath(them.publicKey, transport.link(them.endpoint));
  engine.wake(them.publicKey);
  await until('an answer', MEET_MS, async () => (await them.ping(OURS)) === 1);
  const uses = { without: new Set<never>(), door: doors.kind, aead, card: card.offloads, udp: [door] };
  t.match(abilitiesStatus(uses), { tso: 'yes', gso: 'yes', gro: 'yes' });
  t.match(engine.status(them.publicKey), { established: true, isFast: false, cipher: 'chacha20-poly1305' });
});

const toThem = { from: ours, to: theirs, ip: THEIRS, bytes: BYTES, seed: 1, timeoutMs: MOVE_MS };
const toUs = { ...toThem, from: theirs, to: ours, ip: OURS };

t.test(
  'a stream to wireguard-go: super-packets are cut, batches leave in one call',
  { timeout: 90_000 },
  async t => {
    const used = await stream(t, toThem);
    t.ok(used('dataplane.out.packets') > 2 * used('system.tun.read'), 'the card gave super-packets');
    t.ok(used('system.udp.cut-by-kernel') > 100, 'the kernel cut batches');
  },
);

t.test('a stream from it', { timeout: 90_000 }, async t => {
  const used = await stream(t, toUs);
  // Debian's wireguard-go sends one datagram a call, so there may be nothing for the kernel to put together.
  t.ok(used('dataplane.in.packets') > BYTES / MTU, 'all of it by our end');
  t.equal(used('system.tun.dropped.refused'), 0);
});

t.test(
  'datagrams to it, in runs and of all sizes, are bit-equal, and none comes twice',
  { timeout: 90_000 },
  async t => {
    const { sent, received, problems } = await moveDatagrams({ ...toThem, mtu: MTU });
    t.same(problems, []);
    // wireguard-go drops what its queues can't hold.
    t.ok(received > 0, `${received} of ${sent ?? 0} came`);
  },
);

async function stream(t: Test, options: BulkOptions): Promise<(name: string) => number> {
  const before = counters.snapshot();
  const begun = performance.now();
  const { received, problems } = await moveStream(options);
  t.same(problems, [], `${received / 1e6} MB with equal hash`);
  const seconds = (performance.now() - begun) / 1000;
  t.comment(`${((received * 8) / 1e6 / seconds).toFixed(0)} Mbit/s`);
  return name => counters.counter(name).value - (before[name] ?? 0);
}
