// What a relay tells of itself: real figures from the kernel's tables, or none.
import t from 'tap';
import { ManualClock } from '../../../base/clock.ts';
import { LoadMeter, thisMachine, type Machine } from '../../../plugins/relay-tcp/load.ts';
import { kernelTables, readLine, type KernelTables } from '../../../plugins/relay-tcp/line.ts';
import { isNotable } from '../../../plugins/relay-tcp/offer.ts';
import { batchOf, started } from './stage.ts';

const ROUTES = `Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT
wlan0\t00000000\t0100A8C0\t0003\t0\t0\t600\t00000000\t0\t0\t0
eth0\t00000000\t0100A8C0\t0003\t0\t0\t100\t00000000\t0\t0\t0
eth0\t0000A8C0\t00000000\t0001\t0\t0\t100\t00FFFFFF\t0\t0\t0
`;
const ROUTES6 = `00000000000000000000000000000000 00 00000000000000000000000000000000 00 fe800000000000000000000000000001 00000400 00000001 00000000 00000003     eth1
00000000000000000000000000000000 00 00000000000000000000000000000000 00 00000000000000000000000000000000 ffffffff 00000001 00000000 00200200       lo
`;
const dev = (
  bytesIn: number,
  bytesOut: number,
): string => `Inter-|   Receive                                                |  Transmit
 face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed
    lo:     100       1    0    0    0     0          0         0      100       1    0    0    0     0       0          0
  eth0:${bytesIn}       1    0    0    0     0          0         0 ${bytesOut}       1    0    0    0     0       0          0
  eth1:   7000      1    0    0    0     0          0         0     8000       1    0    0    0     0       0          0
 wlan0:   1       1    0    0    0     0          0         0     2       1    0    0    0     0       0          0
`;

class Tables implements KernelTables {
  files: Record<string, string> = {
    '/proc/net/route': ROUTES,
    '/proc/net/ipv6_route': ROUTES6,
    '/proc/net/dev': dev(1_000, 2_000),
    '/sys/class/net/eth0/speed': '1000\n',
  };
  devices = ['lo', 'eth0', 'eth1', 'wlan0'];
  read = (path: string): string | null => this.files[path] ?? null;
  list = (): readonly string[] => this.devices;
}

const without = (tables: Tables, path: string): void => {
  tables.files = Object.fromEntries(Object.entries(tables.files).filter(([name]) => name !== path));
};

t.test('the line is the interface with the best default route', t => {
  const tables = new Tables();
  t.same(readLine(tables), { name: 'eth0', bytesIn: 1_000, bytesOut: 2_000, speed: 1e9 });
  tables.files['/proc/net/route'] = 'Iface\tDestination\n';
  t.same(readLine(tables), { name: 'eth1', bytesIn: 7_000, bytesOut: 8_000, speed: null }, 'by IPv6 alone');
  without(tables, '/proc/net/ipv6_route');
  t.equal(readLine(tables), null);
  t.end();
});

t.test('a speed that is not told, or told of another network namespace, is none', t => {
  const tables = new Tables();
  for (const speed of ['-1', '0', '', 'unknown']) {
    tables.files['/sys/class/net/eth0/speed'] = speed;
    t.equal(readLine(tables)?.speed, null, speed);
  }
  tables.files['/sys/class/net/eth0/speed'] = '100';
  t.equal(readLine(tables)?.speed, 1e8);
  tables.devices.push('of-the-host');
  t.equal(readLine(tables)?.speed, null);
  t.end();
});

t.test('damaged tables throw nothing', t => {
  const tables = new Tables();
  for (const damage of ['', '\n\n', ':::', 'eth0: x y z', '\t\t\t', 'eth0\t00000000']) {
    tables.files = Object.fromEntries(Object.keys(tables.files).map(path => [path, damage]));
    t.doesNotThrow(() => readLine(tables), damage);
  }
  t.end();
});

t.test('use is bits per second of the busier direction; a counter that began anew tells nothing', t => {
  const clock = new ManualClock();
  const tables = new Tables();
  let micros = 0;
  const machine: Machine = { tables, processMicros: () => micros, loadPerCore: () => 0.1 };
  const meter = new LoadMeter(clock, machine);
  clock.advance(10_000);
  tables.files['/proc/net/dev'] = dev(1_000 + 1_250_000, 2_000 + 12_500_000);
  micros = 4_000_000;
  t.match(meter.read(), { speed: 1e9, lineUse: 10e6, processCpu: 0.4, cpuLoad: 0.4 });
  clock.advance(10_000);
  tables.files['/proc/net/dev'] = dev(0, 0);
  t.match(meter.read(), { lineUse: null, processCpu: 0, cpuLoad: 0.1 });
  t.end();
});

t.test('this machine’s own figures can be read', { skip: process.platform !== 'linux' }, t => {
  t.match(kernelTables.read('/proc/net/dev'), /lo:/);
  const before = thisMachine.processMicros();
  for (let spin = 0; spin < 1e7; spin++) Math.sqrt(spin);
  t.ok(thisMachine.processMicros() > before);
  t.end();
});

t.test('a change is told where it is more than a tenth', t => {
  const relay = { limit: 1e8, spare: 5e7, nodes: 20, mostNodes: 512 };
  const facts = { relay, region: 'eu', bandwidth: 1e9, cpuLoad: 0.3 };
  t.notOk(isNotable(facts, { ...facts, relay: { ...relay, spare: 5.4e7, nodes: 21 }, cpuLoad: 0.38 }));
  t.ok(isNotable(facts, { ...facts, relay: { ...relay, spare: 6e7 } }));
  t.ok(isNotable(facts, { ...facts, relay: { ...relay, nodes: 23 } }));
  t.ok(isNotable(facts, { ...facts, relay: null }));
  t.ok(isNotable(facts, { ...facts, bandwidth: null }));
  t.ok(isNotable(facts, { ...facts, cpuLoad: 0.45 }));
  t.ok(isNotable(facts, { ...facts, region: 'us' }));
  t.ok(isNotable(null, facts));
  t.end();
});

t.test(
  'V4: limit, what is spare, nodes and region are told: at once, then every ten seconds at most',
  async t => {
    const tables = new Tables();
    const machine: Machine = { tables, processMicros: () => 0, loadPerCore: () => 0.1 };
    const s = await started({ settings: { bandwidth: 100, region: ' eu-north ' }, machine });
    const [a, b] = [s.network.node('a'), s.network.node('b')];
    t.match(s.words.facts, {
      relay: { limit: 1e8, spare: 1e8, nodes: 0, mostNodes: 512 },
      region: 'eu-north',
      bandwidth: 1e9,
      cpuLoad: 0.1,
    });
    a.connect(s.box);
    b.connect(s.box);
    t.equal(s.words.tells.length, 1);
    for (let at = 0; at < 1_000; at++) {
      // 40 Mbit/s.
      for (let frame = 0; frame < 5; frame++)
        a.find(s.box.address)!
          .link(b.peer)
          .send(batchOf(new Uint8Array(9_956)));
      await s.pass(10);
    }
    await s.pass(20);
    t.equal(s.words.tells.length, 2);
    t.match(s.words.facts.relay, { nodes: 2 });
    t.ok(Math.abs((s.words.facts.relay?.spare ?? 0) - 6e7) < 1e6, `${s.words.facts.relay?.spare} to spare`);
    t.match(s.plugin.report().facts, { bitsPerSecond: Number, forwardedBytes: 5_000 * 10_000 });
    tables.files['/proc/net/dev'] = dev(1_000, 2_000 + 1_200_000_000);
    await s.pass(10_000);
    t.ok((s.words.facts.relay?.spare ?? 1e9) <= 4.1e7, 'the line carries 960 of 1000 Mbit/s for others');
    const tells = s.words.tells.length;
    await s.pass(60_000);
    t.ok(s.words.tells.length <= tells + 2);
  },
);

t.test('a region that cannot be registered is not, and that is said', async t => {
  const s = await started({ settings: { region: 'a/b' } });
  t.equal(s.words.facts.region, '');
  t.match(s.plugin.report(), { state: 'limited', code: 'RELAY_BAD_REGION' });
});
