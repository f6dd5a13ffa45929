// nat-portpredict as a plugin: what it measures behind each kind of NAT, in memory.
import t from 'tap';
import { ManualClock } from '../../../base/clock.ts';
import { Counters } from '../../../base/counters.ts';
import { silentLog } from '../../../base/log.ts';
import { seededRandom } from '../../../base/random.ts';
import type { PluginContext, StunDoor, TraversalPlugin } from '../../../core/contract/plugin.ts';
import type { Measured } from '../../../core/contract/punch.ts';
import { createPlugin } from '../../../plugins/nat-portpredict/index.ts';
import { primitives } from '../../../system/crypto.ts';
import { pluginContract } from '../../contract/plugin.ts';
import { noHome, noLinks, noSignals, noNetwork, noStreams } from '../../support/no-streams.ts';
import { Home, untilDone, WAN, type HomeSpec, type ServerSpec } from '../nat-stun/network.ts';
import type { NatKind } from '../nat-stun/nat-model.ts';

const FULL: readonly ServerSpec[] = [
  { addresses: ['198.51.100.1'], ports: [3478, 3479] },
  { addresses: ['198.51.100.2'], ports: [3478, 3479] },
];
const TWO_PORTS: readonly ServerSpec[] = [{ addresses: ['198.51.100.1'], ports: [7443, 7444] }];
const ONE: readonly ServerSpec[] = [{ addresses: ['198.51.100.1'], ports: [7443] }];

const context = (
  stun: StunDoor,
  clock: ManualClock,
  settings: object,
  signal: AbortSignal,
): PluginContext => ({
  settings: { ...settings },
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
  stun,
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

async function stage(
  spec: Partial<HomeSpec> & { readonly kind: NatKind },
  settings: object = {},
): Promise<Stage> {
  const clock = new ManualClock();
  const home = new Home({ clock, servers: FULL, ...spec });
  const plugin = createPlugin(context(home, clock, settings, new AbortController().signal));
  await plugin.start(new AbortController().signal);
  return { clock, home, plugin };
}

async function measure({
  clock,
  plugin,
}: Stage): Promise<{ readonly measured: Measured | null; readonly tookMs: number }> {
  const asked = plugin.puncher!.measure('udp', new AbortController().signal);
  const tookMs = await untilDone(clock, asked);
  return { measured: await asked, tookMs };
}

/** What the NAT does give the next new destination of that socket. */
const given = ({ home }: Stage, { socket }: Measured): number =>
  home.nat.outbound(
    { family: 4, address: '192.168.1.2', port: socket.localPort },
    { family: 4, address: '198.51.100.77', port: 9 },
  ).port;

for (const kind of ['seq1', 'seq2', 'seq5'] as const) {
  for (const [name, servers] of [
    ['four places', FULL],
    ['two ports', TWO_PORTS],
    ['one place', ONE],
  ] as const) {
    t.test(`P2: behind ${kind}, asked at ${name}: the port that comes next`, async t => {
      const one = await stage({ kind, servers });
      const { measured, tookMs } = await measure(one);
      t.match(measured!.forecast, { address: WAN, step: Number(kind.slice(3)) });
      t.equal(given(one, measured!), measured!.forecast.port);
      t.ok(tookMs <= 60, `${tookMs} ms: a round trip`);
      t.equal(one.home.openSockets, 1, 'its socket stays open, and no other');
      measured!.socket.close();
    });
  }
}

t.test('P2, P3: each try is measured afresh, from a socket that the NAT does not know', async t => {
  const one = await stage({ kind: 'seq1' });
  const first = (await measure(one)).measured!;
  one.home.nat.noise(30);
  const second = (await measure(one)).measured!;
  t.not(first.socket.localPort, second.socket.localPort);
  t.equal(second.forecast.port, first.forecast.port + 34);
  t.equal(given(one, second), second.forecast.port);
});

t.test('P2, P3: where others take many ports, more of them are reckoned with', async t => {
  const one = await stage({ kind: 'seq1' });
  const first = (await measure(one)).measured!;
  one.clock.advance(5_000);
  one.home.nat.noise(150);
  const busy = (await measure(one)).measured!;
  t.ok(busy.forecast.drift > first.forecast.drift, `${first.forecast.drift}, ${busy.forecast.drift}`);
  one.home.change();
  t.equal((await measure(one)).measured!.forecast.drift, first.forecast.drift, 'another network: unknown');
});

t.test('P2, P3: what we sent ourselves is not taken for the traffic of others', async t => {
  const one = await stage({ kind: 'seq1' });
  const first = (await measure(one)).measured!;
  const nat = { mapping: 'address-and-port-dependent', filtering: '', ports: '' };
  const theirs = { nat, forecast: { address: '198.51.100.9', port: 30_000, step: 1, drift: 10 } };
  const ask = { method: 'predict', role: 'offerer', holdBackMs: 60, failures: 0 } as const;
  const fired = one.plugin.puncher!.volley({ ...ask, own: { nat, forecast: first.forecast }, theirs })!;
  t.ok(fired.shots.every(({ from }) => from === 'measured'));
  one.home.nat.noise(new Set(fired.shots.map(({ to }) => to.port)).size);
  one.clock.advance(5_000);
  const calm = (await measure(one)).measured!;
  t.ok(calm.forecast.drift <= 4, `nobody else was there: ${calm.forecast.drift}`);
});

t.test('P5: what was not measured is the main socket, and leaves from it', async t => {
  const one = await stage({ kind: 'prc' });
  const side = (step: number) => ({
    nat: { mapping: 'not-checked', filtering: 'not-checked', ports: 'not-checked' },
    forecast: { address: '198.51.100.9', port: 20_000, step, drift: 10 },
  });
  const ask = { method: 'predict', role: 'answerer', holdBackMs: 60, failures: 0 } as const;
  const { shots } = one.plugin.puncher!.volley({ ...ask, own: side(0), theirs: side(1) })!;
  t.ok(shots.length > 0 && shots.every(({ from }) => from === 'main'));
});

t.test('P4: a server that answers once: p1 and the preset difference', async t => {
  const servers = [{ addresses: ['198.51.100.1'], ports: [7443, 7444] }];
  for (const [settings, difference] of [
    [{}, 1],
    [{ difference: 2 }, 2],
  ] as const) {
    const one = await stage({ kind: 'seq2', servers }, settings);
    const answers = { left: 1, port: 0 };
    const door = Object.create(one.home) as StunDoor;
    door.fresh = async family => {
      const socket = await one.home.fresh(family);
      return {
        ...{ family: 4, localPort: socket.localPort, close: () => socket.close() },
        transact: async (ask, signal) => {
          const outcome = await socket.transact(ask, signal);
          if (answers.left-- > 0) return outcome;
          return new Promise(resolve => {
            one.clock.after(ask.timeoutMs ?? 3_500, () => resolve({ ok: false, code: 'timeout' }));
          });
        },
      };
    };
    const signal = new AbortController().signal;
    const plugin = createPlugin(context(door, one.clock, settings, signal));
    const asked = plugin.puncher!.measure('udp', signal);
    const tookMs = await untilDone(one.clock, asked);
    const { forecast, socket } = (await asked)!;
    t.match(forecast, { port: 20_002 + difference, step: difference }, 'the first packet got 20002');
    t.ok(tookMs <= 450, `${tookMs} ms`);
    socket.close();
  }
});

t.test('P2: one lost answer does not hold it up', async t => {
  for (let one = 0; one < 20; one++) {
    const stood = await stage({ kind: 'seq1', loss: 0.1 + one / 100 });
    const { measured, tookMs } = await measure(stood);
    t.ok(tookMs <= 455, `${tookMs} ms`);
    if (measured === null) continue;
    const off = given(stood, measured) - measured.forecast.port;
    t.ok(off >= -4 && off <= 4, `${off} off`);
  }
});

t.test('P2: what does not count is told', async t => {
  const forecastOf = async (kind: NatKind) => {
    const one = await stage({ kind });
    const { measured } = await measure(one);
    return { ...measured!.forecast, own: measured!.socket.localPort, given: given(one, measured!) };
  };
  for (const kind of ['prc', 'prcnp', 'full'] as const) {
    const forecast = await forecastOf(kind);
    t.match(forecast, { step: 0, drift: 0, port: forecast.given }, kind);
  }
  t.match(await forecastOf('sym'), { step: null, address: WAN });
});

t.test('P2: no server, no answer, an abort: nothing is measured and nothing stays open', async t => {
  const silent = await stage({ kind: 'seq1', servers: [{ ...FULL[0]!, dead: true }] });
  t.equal((await measure(silent)).measured, null);
  t.match(silent.plugin.report(), { state: 'limited', code: 'PREDICT_NO_ANSWER' });
  t.equal(silent.home.openSockets, 0);
  const alone = await stage({ kind: 'seq1', servers: [] });
  t.equal((await measure(alone)).measured, null);
  t.match(alone.plugin.report(), { state: 'limited', code: 'PREDICT_NO_SERVER' });
  const stopped = await stage({ kind: 'seq1' });
  const abort = new AbortController();
  const asked = stopped.plugin.puncher!.measure('udp', abort.signal);
  await new Promise(setImmediate);
  abort.abort();
  t.equal(await asked, null);
  t.equal(stopped.home.openSockets, 0);
});

t.test('P7: over TCP by the same rules, where the machine has such sockets', async t => {
  const without = await stage({ kind: 'seq1' });
  t.same(without.plugin.puncher!.methods, ['predict', 'birthday']);
  t.equal(await without.plugin.puncher!.measure('tcp', new AbortController().signal), null);
  const { clock, home } = without;
  const door = Object.create(home) as StunDoor;
  door.freshTcp = family => home.fresh(family);
  const plugin = createPlugin(context(door, clock, {}, new AbortController().signal));
  t.same(plugin.puncher!.methods, ['predict', 'birthday', 'tcp']);
  const asked = plugin.puncher!.measure('tcp', new AbortController().signal);
  await untilDone(clock, asked);
  t.match((await asked)!.forecast, { step: 1 });
  const refused = createPlugin(
    context(door, clock, { tcp: false, birthday: false }, new AbortController().signal),
  );
  t.same(refused.puncher!.methods, ['predict']);
});

const held = { home: null as Home | null };
pluginContract(t, {
  name: 'nat-portpredict',
  contract: 1,
  context: abort => {
    const clock = new ManualClock();
    held.home = new Home({ clock, kind: 'seq1', servers: FULL });
    return context(held.home, clock, {}, abort);
  },
  create: createPlugin,
  holds: () => (held.home?.openSockets ?? 0) + (held.home?.listeners ?? 0),
});
