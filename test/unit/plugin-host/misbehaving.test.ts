// Plugins that fail wherever code of theirs runs, through the real host: what the core gets stays usable, and the
// plugin's state says with a code what was wrong.
import t, { type Test } from 'tap';
import { NOTHING_CHECKED } from '../../../core/contract/nat-report.ts';
import type { Traversal } from '../../../core/contract/plugin.ts';
import { CHANGES_TOGETHER_MS, REFRESH_TIMEOUT_MS } from '../../../core/plugin-host/traversal.ts';
import { bench, code, heardFrom, manifest, until, type Bench } from './made-up.ts';

const GOOD_REPORT = JSON.stringify(NOTHING_CHECKED);

/** One plugin with these methods instead of good ones, started. */
async function started(
  t: Test,
  name: string,
  parts: Record<string, string>,
): Promise<Bench & { plugin: Traversal }> {
  const methods = {
    candidates: `candidates() { return [] }`,
    natReport: `natReport() { return ${GOOD_REPORT} }`,
    refresh: `async refresh() {}`,
    onChange: `onChange(changed) { globalThis['${name} changed'] = changed; return () => say('unsubscribed') }`,
    ...parts,
  };
  const b = bench(t, {
    [name]: { 'plugin.json': manifest(name), 'index.js': code(name, { ...methods, rest: 'rest() {}' }) },
  });
  await b.start();
  const [plugin] = b.host.traversal();
  if (plugin === undefined) throw new Error(`${name} did not start: ${JSON.stringify(b.host.known())}`);
  return { ...b, plugin };
}

const stateOf = ({ host }: Bench): string =>
  host
    .known()
    .map(({ state, code }) => `${state} ${code}`.trim())
    .join();
const messageOf = ({ host }: Bench): string => String(host.known()[0]?.facts['message']);
const change = (name: string): void => {
  const changed: unknown = Reflect.get(globalThis, `${name} changed`);
  if (typeof changed === 'function') Reflect.apply(changed, undefined, []);
};

const CANDIDATE = `{ kind: 'mapped', transport: 'udp', endpoint: { family: 4, address: '192.0.2.1', port: 7 }, foundBy: 'core' }`;

t.test('good answers get through, found by whom the host says; only so many of them', async t => {
  const candidates = `candidates() { return Array.from({ length: 40 }, () => (${CANDIDATE})) }`;
  const b = await started(t, 'fine', { candidates });
  t.equal(b.plugin.candidates().length, 16);
  t.match(b.plugin.candidates()[0], { kind: 'mapped', endpoint: { address: '192.0.2.1' }, foundBy: 'fine' });
  t.same(b.plugin.natReport(), NOTHING_CHECKED);
  t.equal(stateOf(b), 'ready');
});

const BAD_CANDIDATES: Readonly<Record<string, string>> = {
  throws: `throw new Error('no luck')`,
  'throws-odd': `throw Object.create(null)`,
  'throws-trap': `throw new Proxy({}, { get() { throw new Error('trap') }, getPrototypeOf() { throw new Error('trap') } })`,
  promise: `return Promise.reject(new Error('later'))`,
  nothing: ``,
  'no-list': `return { length: 3 }`,
  circle: `const one = ${CANDIDATE}; one.endpoint.self = one; return [one]`,
  getter: `return [{ get kind() { throw new Error('trapped') } }]`,
  proxy: `return new Proxy([], { get() { throw new Error('trapped') } })`,
  huge: `return [{ ...${CANDIDATE}, note: 'x'.repeat(50_000_000) }]`,
  endless: `return [{ ...${CANDIDATE}, list: new Proxy([], { get: (_, key) => key === 'length' ? Infinity : 1 }) }]`,
  'no-address': `return [{ ...${CANDIDATE}, endpoint: { family: 4, address: 'example.net', port: 1 } }]`,
  'other-family': `return [{ ...${CANDIDATE}, endpoint: { family: 6, address: '192.0.2.1', port: 1 } }]`,
  'odd-port': `return [{ ...${CANDIDATE}, endpoint: { family: 4, address: '192.0.2.1', port: 65536 } }]`,
  kind: `return [{ ...${CANDIDATE}, kind: 'guess' }]`,
};

for (const [name, body] of Object.entries(BAD_CANDIDATES))
  t.test(`candidates() that is bad (${name}): none, a code, and the rest goes on`, async t => {
    const b = await started(t, `cand-${name}`, { candidates: `candidates() { ${body} }` });
    t.same(b.plugin.candidates(), []);
    t.same(b.plugin.candidates(), []);
    t.equal(stateOf(b), 'failed PLUGIN_ANSWER');
    t.match(messageOf(b), /candidates\(\): ./);
    t.equal(b.counters.snapshot()['plugins.bad-answers'], 1, 'told once');
    t.same(b.plugin.natReport(), NOTHING_CHECKED, 'its other answers are taken');
  });

t.test('natReport() that is bad: nothing was checked; one that gets better is taken again', async t => {
  const natReport = `natReport() {
    if (globalThis.better) return { ...${GOOD_REPORT}, nat: 'yes' };
    return { ...${GOOD_REPORT}, notes: Array.from({ length: 100 }, () => 'much') };
  }`;
  const b = await started(t, 'reports', { natReport });
  t.same(b.plugin.natReport(), NOTHING_CHECKED);
  t.equal(stateOf(b), 'failed PLUGIN_ANSWER');
  Reflect.set(globalThis, 'better', true);
  t.match(b.plugin.natReport(), { nat: 'yes' });
  t.equal(stateOf(b), 'ready');
});

t.test('refresh() that throws, rejects or never ends: nobody waits for ever', async t => {
  const refresh = `refresh(depth) {
    if (depth === 'full') return new Promise(() => {});
    if (globalThis.rejects) return Promise.reject(new Error('later'));
    throw new Error('at once');
  }`;
  const b = await started(t, 'refreshes', { refresh });
  await b.plugin.refresh('quick');
  t.match(messageOf(b), /refresh\(\): at once/);
  Reflect.set(globalThis, 'rejects', true);
  await b.plugin.refresh('quick');
  t.match(messageOf(b), /refresh\(\): later/);
  let isDone = false;
  const full = b.plugin.refresh('full').then(() => (isDone = true));
  b.clock.advance(REFRESH_TIMEOUT_MS.full - 1);
  await new Promise(resolve => setImmediate(resolve));
  t.notOk(isDone);
  b.clock.advance(1);
  await full;
  t.match(messageOf(b), /not done within 120 s/);
  const abort = new AbortController();
  const asked = b.plugin.refresh('full', abort.signal);
  abort.abort();
  await asked;
});

t.test('onChange() that throws, or whose end throws: the plugin runs, and goes, all the same', async t => {
  const b = await started(t, 'listens', { onChange: `onChange() { throw new Error('not today') }` });
  t.equal(stateOf(b), 'failed PLUGIN_ANSWER');
  t.same(b.plugin.candidates(), []);
  t.match(await b.host.disable('listens'), { state: 'off', code: '' });
  const onChange = `onChange() { return () => { throw new Error('clings') } }`;
  const other = await started(t, 'unlistens', { onChange });
  t.match(await other.host.disable('unlistens'), { state: 'off', code: '' });
});

t.test('changes: the first at once, a storm of them together, none after the stop', async t => {
  const b = await started(t, 'storms', {});
  let told = 0;
  b.plugin.onChange(() => told++);
  for (let time = 0; time < 10_000; time++) change('storms');
  t.equal(told, 1);
  b.clock.advance(CHANGES_TOGETHER_MS);
  t.equal(told, 2);
  b.clock.advance(10_000);
  t.equal(told, 2);
  change('storms');
  t.equal(told, 3);
  await b.host.disable('storms');
  t.ok(heardFrom('storms').includes('unsubscribed'));
  change('storms');
  b.clock.advance(10_000);
  t.equal(told, 3);
});

t.test('a plugin that tells of a change while it is asked does not lead in a circle', async t => {
  const candidates = `candidates() { globalThis['circles changed'](); return [] }`;
  const b = await started(t, 'circles', { candidates });
  let told = 0;
  b.plugin.onChange(() => {
    told++;
    b.plugin.candidates();
  });
  b.plugin.candidates();
  t.equal(told, 0);
  for (let time = 0; time < 10; time++) b.clock.advance(CHANGES_TOGETHER_MS);
  t.ok(told >= 1 && told <= 11, `${told} times in 2.5 s`);
});

t.test("what fails in the core while it takes in a plugin's news is not the plugin's fault", async t => {
  const b = await started(t, 'innocent', {});
  b.plugin.onChange(() => {
    throw new Error('a bug of ours');
  });
  t.doesNotThrow(() => change('innocent'));
  t.equal(stateOf(b), 'ready');
});

t.test('createPlugin that throws, answers with a promise or with a trap: a failed start', async t => {
  const made = (name: string, body: string): Record<string, string> => ({
    'plugin.json': manifest(name),
    'index.js': `export function createPlugin() { ${body} }`,
  });
  const b = bench(t, {
    'makes-none': made('makes-none', `throw new Error('cannot')`),
    'makes-later': made('makes-later', `return Promise.resolve({})`),
    'makes-trap': made('makes-trap', `return new Proxy({}, { get() { throw new Error('trap') } })`),
    'makes-null': made('makes-null', `return null`),
  });
  await b.start();
  for (const { name, state, code } of b.host.known())
    t.equal(`${state} ${code}`, 'failed PLUGIN_START_FAILED', name);
  await b.host.rest();
});

t.test('report(): a promise, a circle, a getter that throws, a trap, much of it', async t => {
  const reports: Readonly<Record<string, [body: string, state: string]>> = {
    'rep-promise': [`return Promise.reject(new Error('later'))`, 'failed PLUGIN_REPORT'],
    'rep-circle': [
      `const facts = {}; facts.facts = facts; return { state: 'ready', code: '', facts }`,
      'failed PLUGIN_REPORT',
    ],
    'rep-getter': [
      `return { state: 'ready', code: '', facts: { get much() { throw new Error('trap') } } }`,
      'failed PLUGIN_REPORT',
    ],
    'rep-trap': [`return new Proxy({}, { get() { throw new Error('trap') } })`, 'failed PLUGIN_REPORT'],
    'rep-million': [`return { state: 'ready', code: '', facts: { list: new Array(1e7).fill(1) } }`, 'ready'],
    'rep-alive': [
      `return { state: 'ready', code: '', facts: { toJSON() { throw new Error('trap') }, at: new Date(0) } }`,
      'ready',
    ],
    'rep-proto': [
      `return { state: 'ready', code: '', facts: JSON.parse('{"__proto__":{"polluted":1}}') }`,
      'ready',
    ],
  };
  for (const [name, [body, state]] of Object.entries(reports)) {
    const b = await started(t, name, { report: `report() { ${body} }` });
    const begun = performance.now();
    t.equal(stateOf(b), state, name);
    t.ok(performance.now() - begun < 5_000, `${name}: at once`);
    JSON.stringify(b.host.known());
  }
  t.notOk('polluted' in {});
});

t.test(
  'a callback of its own that throws (a timer, news of the network): stopped, and tried again',
  async t => {
    const start = `async start() { say('start'); context.clock.after(1000, () => { throw new Error('in a timer') }) }`;
    const b = await started(t, 'ticks', { start });
    b.clock.advance(1000);
    await until(() => stateOf(b) === 'failed PLUGIN_CRASHED');
    t.match(messageOf(b), /in a timer/);
    t.equal(b.host.traversal().length, 0);
    t.same(heardFrom('ticks').slice(-2), ['stop', 'abort']);
    for (const waitMs of [5_000, 10_000, 20_000]) {
      b.clock.advance(waitMs);
      await until(() => stateOf(b) === 'ready');
      b.clock.advance(1000);
      await until(() => stateOf(b) === 'failed PLUGIN_CRASHED');
    }
    t.equal(heardFrom('ticks').filter(said => said === 'loaded').length, 1, 'its code is loaded once only');
    await b.host.disable('ticks');
    t.equal(stateOf(b), 'off');
  },
);

t.test(
  'an error that nobody caught is led back to the plugin by the context it ran in, or by its code',
  async t => {
    const start = `async start() {
    say('start');
    setImmediate(() => globalThis['take blame'](new Error('in a loop of its own')));
    globalThis['made error'] = () => new Error('made by the plugin');
  }`;
    const blamed: boolean[] = [];
    const hosts: Bench['host'][] = [];
    Reflect.set(globalThis, 'take blame', (error: unknown) =>
      blamed.push(hosts[0]?.takesBlame(error) === true),
    );
    const b = bench(t, { leaks: { 'plugin.json': manifest('leaks'), 'index.js': code('leaks', { start }) } });
    hosts.push(b.host);
    t.notOk(b.host.takesBlame(new Error('a bug of ours')), 'nobody else is blamed');
    await b.start();
    await until(() => stateOf(b) === 'failed PLUGIN_CRASHED');
    t.same(blamed, [true]);
    await b.host.retry('leaks');
    const make: unknown = Reflect.get(globalThis, 'made error');
    t.ok(
      typeof make === 'function' && b.host.takesBlame(Reflect.apply(make, undefined, [])),
      'by where the error was made',
    );
    t.notOk(b.host.takesBlame(new Error('a bug of ours')));
    t.notOk(
      b.host.takesBlame(
        new Proxy(new Error('odd'), {
          get: () => {
            throw new Error('trap');
          },
        }),
      ),
    );
  },
);

t.test('what it left open is closed when it ends: sockets, subscriptions, timers', async t => {
  const start = `async start() {
    context.stun.onChange(() => say('news'));
    await context.stun.fresh(4);
    context.clock.after(1000, () => say('late'));
  }`;
  const b = await started(t, 'forgets', { start });
  t.equal(b.outside.open, 1);
  t.equal(b.outside.listeners.size, 1);
  await b.host.disable('forgets');
  t.equal(b.outside.open, 0);
  t.equal(b.outside.listeners.size, 0);
  b.clock.advance(2000);
  t.notOk(heardFrom('forgets').includes('late'));
});
