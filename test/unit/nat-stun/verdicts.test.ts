// nat-stun against every kind of NAT, in memory.
import t from 'tap';
import { ManualClock } from '../../../base/clock.ts';
import { Counters } from '../../../base/counters.ts';
import { silentLog } from '../../../base/log.ts';
import { seededRandom } from '../../../base/random.ts';
import type { PluginContext, TraversalPlugin } from '../../../core/contract/plugin.ts';
import { createPlugin } from '../../../plugins/nat-stun/index.ts';
import { primitives } from '../../../system/crypto.ts';
import { pluginContract } from '../../contract/plugin.ts';
import { Home, untilDone, WAN, type HomeSpec, type ServerSpec } from './network.ts';
import type { NatKind } from './nat-model.ts';
import { noHome, noLinks, noSignals, noNetwork, noStreams } from '../../support/no-streams.ts';

const FULL: ServerSpec = { addresses: ['198.51.100.1', '198.51.100.2'], ports: [3478, 3479] };
const TWO_PORTS: ServerSpec = { addresses: ['198.51.100.1'], ports: [7443, 7444] };
const PLAIN: ServerSpec = { addresses: ['198.51.100.9'], ports: [3478] };
const SIX: ServerSpec = { addresses: ['2001:db8::1'], ports: [3478] };

const context = (home: Home, clock: ManualClock, settings: object, signal: AbortSignal): PluginContext => ({
  settings: { lifetimeProbing: false, refreshMinutes: 0, ...settings },
  log: silentLog,
  clock,
  random: seededRandom(1),
  primitives,
  counters: new Counters(),
  store: {
    get: async () => Promise.resolve(null),
    put: async () => Promise.resolve(),
    delete: async () => Promise.resolve(),
  },
  signal,
  stun: home,
  streams: noStreams,
  network: noNetwork,
  home: noHome,
  signals: noSignals,
  links: noLinks,
});

interface Stage {
  readonly clock: ManualClock;
  readonly home: Home;
  readonly plugin: TraversalPlugin;
}

function stage(spec: Partial<HomeSpec> & { readonly kind: NatKind }, settings: object = {}): Stage {
  const clock = new ManualClock();
  const home = new Home({ clock, servers: [FULL], ...spec });
  const plugin = createPlugin(context(home, clock, settings, new AbortController().signal));
  return { clock, home, plugin };
}

async function fullReport({ clock, plugin }: Stage) {
  await untilDone(clock, plugin.start(new AbortController().signal));
  const tookMs = await untilDone(clock, plugin.refresh('full'));
  return { ...plugin.natReport(), tookMs };
}

const EIM = 'endpoint-independent';
const APDM = 'address-and-port-dependent';
const expected: readonly [NatKind, string, string, object][] = [
  ['public', EIM, EIM, { rule: 'preserved' }],
  ['full', EIM, EIM, { rule: 'preserved' }],
  ['arc', EIM, 'address-dependent', { rule: 'preserved' }],
  ['prc', EIM, APDM, { rule: 'preserved' }],
  ['prcnp', EIM, APDM, { rule: 'random' }],
  ['eimprcnp', EIM, APDM, { rule: 'random' }],
  ['sym', APDM, APDM, { rule: 'random' }],
  ['seq1', APDM, APDM, { rule: 'sequential', step: 1 }],
  ['seq5', APDM, APDM, { rule: 'sequential', step: 5 }],
  ['adm', 'address-dependent', APDM, {}],
];

for (const [kind, mapping, filtering, ports] of expected) {
  t.test(`V6: a ${kind} NAT is told for what it is`, async t => {
    const one = stage({ kind });
    const report = await fullReport(one);
    t.match(report, { udp: 'yes', nat: kind === 'public' ? 'no' : 'yes', mapping, filtering, ports });
    t.same(report.notes, []);
    t.equal(report.hairpin, kind === 'public' ? 'not-checked' : 'no');
    t.equal(report.ipv6, 'no');
    t.match(one.plugin.candidates()[0], {
      kind: 'reflexive',
      transport: 'udp',
      foundBy: 'nat-stun',
      endpoint: { address: WAN },
    });
    t.ok(report.tookMs < 4_000, `${report.tookMs} ms`);
    t.equal(one.home.openSockets, 0, 'fresh sockets are closed');
    await one.plugin.stop();
  });
}

t.test('verdicts hold where one packet in fifty is lost', async t => {
  for (const [kind, mapping, filtering] of expected) {
    const report = await fullReport(stage({ kind, loss: 0.02 }));
    t.match(report, { mapping, filtering }, kind);
  }
});

t.test('with one address the report says what it cannot tell', async t => {
  const prc = await fullReport(stage({ kind: 'prc', servers: [TWO_PORTS] }));
  t.match(prc, { mapping: 'not-checked', filtering: APDM });
  t.match(prc.notes, [/does not depend on the port/]);
  const arc = await fullReport(stage({ kind: 'arc', servers: [TWO_PORTS] }));
  t.match(arc, { filtering: 'not-checked' });
  t.match(await fullReport(stage({ kind: 'sym', servers: [TWO_PORTS] })), { mapping: APDM, filtering: APDM });
  const plain = await fullReport(stage({ kind: 'prc', servers: [PLAIN] }));
  t.match(plain, {
    mapping: 'not-checked',
    filtering: 'not-checked',
    ports: { rule: 'preserved' },
    udp: 'yes',
  });
  t.equal(plain.notes.length, 2);
});

t.test('a second server at another address, from the settings, completes the mapping', async t => {
  const both = { servers: ['198.51.100.9:3478', 'stun.example'] };
  for (const [kind, mapping] of [
    ['prc', EIM],
    ['adm', 'address-dependent'],
    ['sym', APDM],
  ] as const) {
    const one = stage({ kind, servers: [TWO_PORTS, PLAIN] }, both);
    one.home.servers_ = one.home.servers_.slice(0, 1);
    t.match(await fullReport(one), { mapping });
    t.match(one.plugin.report(), { state: 'limited', code: 'STUN_BAD_SERVER', facts: { servers: 2 } });
  }
});

t.test('hairpin: our own request comes back to us', async t => {
  t.match(await fullReport(stage({ kind: 'full', nat: { hairpin: true } })), { hairpin: 'yes' });
  t.match(await fullReport(stage({ kind: 'full' })), { hairpin: 'no' });
});

t.test('start takes a round trip, a quick refresh too; the full report comes behind', async t => {
  const { clock, plugin } = stage({ kind: 'prc' });
  t.ok((await untilDone(clock, plugin.start(new AbortController().signal))) < 300);
  t.equal(plugin.candidates().length, 1);
  t.equal(plugin.natReport().filtering, 'not-checked', 'not yet');
  t.ok((await untilDone(clock, plugin.refresh('quick'))) < 300);
  await untilDone(clock, plugin.refresh('full'));
  t.equal(plugin.natReport().filtering, APDM);
  t.ok((await untilDone(clock, plugin.refresh('quick'))) < 300);
  t.equal(plugin.natReport().filtering, APDM, 'a quick look keeps the rest');
  await plugin.stop();
});

t.test('a quick refresh is not held up by a dead server, nor by the other family', async t => {
  const dead = { ...PLAIN, dead: true };
  const one = stage({ kind: 'prc', servers: [dead, FULL, { ...SIX, dead: true }], ipv6: '2001:db8::77' });
  await untilDone(one.clock, one.plugin.start(new AbortController().signal));
  t.ok((await untilDone(one.clock, one.plugin.refresh('quick'))) < 300);
  t.equal(one.plugin.natReport().udp, 'yes');
  await one.plugin.stop();
});

t.test('IPv6: yes, no, not checked', async t => {
  const ipv6 = '2001:db8::77';
  const yes = stage({ kind: 'prc', servers: [FULL, SIX], ipv6 });
  t.match(await fullReport(yes), { ipv6: 'yes', nat: 'yes', mapping: EIM, mapped: { length: 2 } });
  t.same(
    yes.plugin.candidates().map(({ endpoint }) => endpoint.family),
    [4, 6],
  );
  t.match(await fullReport(stage({ kind: 'prc', servers: [FULL, { ...SIX, dead: true }], ipv6 })), {
    ipv6: 'no',
  });
  t.match(await fullReport(stage({ kind: 'prc', ipv6 })), { ipv6: 'not-checked' });
});

t.test('nobody answers: UDP no, and a code; no server: not checked, and another', async t => {
  const silent = stage({ kind: 'prc', servers: [{ ...FULL, dead: true }] });
  const startMs = await untilDone(silent.clock, silent.plugin.start(new AbortController().signal));
  t.ok(startMs <= 1_100, 'start does not wait for a dead server');
  await untilDone(silent.clock, silent.plugin.refresh('full'));
  t.match(silent.plugin.natReport(), { udp: 'no', nat: 'not-checked', mapping: 'not-checked' });
  t.match(silent.plugin.report(), { state: 'limited', code: 'STUN_NO_ANSWER' });
  const none = stage({ kind: 'prc', servers: [] });
  t.match(await fullReport(none), { udp: 'not-checked', mapped: [] });
  t.match(none.plugin.report(), { state: 'limited', code: 'STUN_NO_SERVER' });
});

t.test('a changed network is measured afresh, and told', async t => {
  const one = stage({ kind: 'prc', servers: [FULL] });
  await fullReport(one);
  let told = 0;
  const stop = one.plugin.onChange(() => told++);
  one.home.change();
  t.same(one.plugin.candidates(), [], 'the old address is not told to peers');
  t.equal(told, 1);
  await untilDone(one.clock, one.plugin.refresh('full'));
  t.equal(one.plugin.candidates().length, 1);
  t.equal(one.plugin.natReport().filtering, APDM);
  t.ok(told >= 4);
  stop();
  const before = told;
  one.home.change();
  t.equal(told, before);
  await untilDone(one.clock, one.plugin.stop());
  t.equal(one.home.listeners, 0);
});

for (const [timeoutMs, expectedMs] of [
  [10_000, 0],
  [40_000, 30_000],
  [130_000, 120_000],
  [Infinity, 300_000],
] as const) {
  t.test(
    `lifetime: a mapping that lives ${timeoutMs / 1000} s was seen alive after ${expectedMs / 1000} s`,
    async t => {
      const one = stage({ kind: 'sym', nat: { timeoutMs } }, { lifetimeProbing: true });
      await fullReport(one);
      t.equal(one.plugin.natReport().lifetimeMs, null, 'that takes its time');
      await untilDone(one.clock, lifetimeEnds(one, expectedMs), 900_000);
      t.equal(one.plugin.natReport().lifetimeMs, expectedMs);
      t.equal(one.plugin.natReport().notes.length, expectedMs === 300_000 ? 0 : 1);
      await one.plugin.stop();
    },
  );
}

/** Settles when the lifetime test has its result. */
async function lifetimeEnds({ plugin }: Stage, expectedMs: number): Promise<void> {
  return new Promise(resolve => {
    const stop = plugin.onChange(() => {
      const { lifetimeMs, notes } = plugin.natReport();
      if (lifetimeMs !== expectedMs || (notes.length === 0 && expectedMs !== 300_000)) return;
      stop();
      resolve();
    });
  });
}

t.test('a new full report ends the lifetime test that runs', async t => {
  const one = stage({ kind: 'prc' }, { lifetimeProbing: true });
  await fullReport(one);
  await untilDone(one.clock, one.plugin.refresh('full'));
  t.ok(one.home.openSockets <= 2);
  await untilDone(one.clock, one.plugin.stop());
  t.same([one.home.openSockets, one.home.openTries, one.home.listeners], [0, 0, 0]);
});

const homes: Home[] = [];
pluginContract(t, {
  name: 'nat-stun',
  contract: 1,
  create: createPlugin,
  context: abort => {
    const clock = new ManualClock();
    const home = new Home({ clock, kind: 'prc', servers: [FULL] });
    homes.push(home);
    // The suite waits by the wall clock, so this one's clock runs along.
    const ticking = setInterval(() => clock.advance(20), 1);
    abort.addEventListener('abort', () => setTimeout(() => clearInterval(ticking), 50));
    return context(home, clock, {}, abort);
  },
  holds: () => homes.reduce((sum, home) => sum + home.openSockets + home.openTries + home.listeners, 0),
});
