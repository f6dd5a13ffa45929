// The plugin host over made-up plugins that misbehave in every way: the host keeps its word and its node.
import t from 'tap';
import { bench, code, heardFrom, keptChoices, manifest, until } from './made-up.ts';

const stateOf = (b: ReturnType<typeof bench>, name: string): string =>
  b.host
    .known()
    .filter(one => one.name === name)
    .map(one => `${one.state} ${one.code}`.trim())
    .join();

t.test('a plugin that is on starts; its settings carry the defaults of its schema', async t => {
  const settings = { type: 'object', properties: { rounds: { type: 'integer', default: 3 } } };
  const b = bench(t, { good: { 'plugin.json': manifest('good', { settings }), 'index.js': code('good') } });
  await b.start();
  t.same(heardFrom('good'), ['loaded', 'created {"rounds":3}', 'start']);
  t.match(b.host.known(), [
    { name: 'good', state: 'ready', enabled: true, kind: 'traversal', purpose: 'Stands in a test.' },
  ]);
  t.equal(b.host.traversal().length, 1);
  t.equal(b.host.transports().length, 0);
});

t.test('a plugin that is off is listed, and none of its code is loaded', async t => {
  const b = bench(t, {
    quiet: { 'plugin.json': manifest('quiet', { enabled: false }), 'index.js': code('quiet') },
  });
  await b.start();
  t.equal(stateOf(b, 'quiet'), 'off');
  t.same(heardFrom('quiet'), []);
});

t.test('turned off it leaves the list first, then stops, then its signal ends', async t => {
  const b = bench(t, { leaves: { 'plugin.json': manifest('leaves'), 'index.js': code('leaves') } });
  await b.start();
  const listed: string[] = [];
  b.host.onChange(() =>
    listed.push(`${b.host.traversal().length} listed, last: ${heardFrom('leaves').at(-1) ?? ''}`),
  );
  t.match(await b.host.disable('leaves'), { state: 'off', enabled: false, code: '' });
  t.equal(listed[0], '0 listed, last: start');
  t.same(heardFrom('leaves').slice(-2), ['stop', 'abort']);
  t.match(await b.host.enable('leaves'), { state: 'ready', enabled: true });
});

t.test('what the owner chose is kept over a restart of the host', async t => {
  const choices = keptChoices();
  const folders = { kept: { 'plugin.json': manifest('kept'), 'index.js': code('kept') } };
  const before = bench(t, folders, choices);
  await before.start();
  await before.host.disable('kept');
  const after = bench(t, folders, choices);
  await after.start();
  t.equal(stateOf(after, 'kept'), 'off');
});

t.test('a plugin that throws in start is failed, stopped once, and tried again later and later', async t => {
  const start = `async start() { say('start'); throw new Error('no luck') }`;
  const b = bench(t, {
    throws: { 'plugin.json': manifest('throws'), 'index.js': code('throws', { start }) },
  });
  await b.start();
  t.equal(stateOf(b, 'throws'), 'failed PLUGIN_START_FAILED');
  t.match(b.host.known()[0]?.facts, { message: /no luck/ });
  const count = (what: string): number => heardFrom('throws').filter(said => said === what).length;
  t.equal(count('stop'), 1);
  b.clock.advance(5_000);
  await until(() => count('stop') === 2 && stateOf(b, 'throws').startsWith('failed'));
  b.clock.advance(5_000);
  t.equal(count('start'), 2, 'the second wait is longer');
  b.clock.advance(5_000);
  await until(() => count('start') === 3);
  t.equal(b.counters.snapshot()['plugins.failed'], 3);
});

t.test('a start that never ends is given up after 10 s, its signal ended, and stop called', async t => {
  const start = `start() { say('start'); return new Promise(() => {}) }`;
  const b = bench(t, { hangs: { 'plugin.json': manifest('hangs'), 'index.js': code('hangs', { start }) } });
  const started = b.start();
  await until(() => heardFrom('hangs').includes('start'));
  t.equal(stateOf(b, 'hangs'), 'starting');
  b.clock.advance(9_999);
  t.notOk(heardFrom('hangs').includes('abort'));
  b.clock.advance(1);
  await started;
  t.equal(stateOf(b, 'hangs'), 'failed PLUGIN_START_TIMEOUT');
  t.same(heardFrom('hangs').slice(-2), ['abort', 'stop']);
});

t.test('turned off while it starts, nobody waits the 10 s', async t => {
  const start = `start() { say('start'); return new Promise(() => {}) }`;
  const b = bench(t, {
    breaks: { 'plugin.json': manifest('breaks'), 'index.js': code('breaks', { start }) },
  });
  const started = b.start();
  await until(() => heardFrom('breaks').includes('start'));
  t.match(await b.host.disable('breaks'), { state: 'off', code: '' });
  await started;
  t.equal(heardFrom('breaks').filter(said => said === 'stop').length, 1);
});

t.test('a stop that never ends is given up after 5 s and said', async t => {
  const stop = `stop() { say('stop'); return new Promise(() => {}) }`;
  const b = bench(t, { clings: { 'plugin.json': manifest('clings'), 'index.js': code('clings', { stop }) } });
  await b.start();
  const stopped = b.host.disable('clings');
  await until(() => heardFrom('clings').includes('stop'));
  b.clock.advance(5_000);
  t.match(await stopped, { state: 'off', code: 'PLUGIN_STOP_TIMEOUT' });
  t.ok(heardFrom('clings').includes('abort'));
});

t.test('a plugin for another contract is not loaded and not tried again', async t => {
  const b = bench(t, { old: { 'plugin.json': manifest('old', { contract: 99 }), 'index.js': code('old') } });
  await b.start();
  t.equal(stateOf(b, 'old'), 'failed PLUGIN_CONTRACT');
  b.clock.advance(3_600_000);
  t.same(heardFrom('old'), []);
});

t.test(
  'bad settings are refused and change nothing; good ones restart a plugin without reconfigure',
  async t => {
    const settings = {
      type: 'object',
      properties: { n: { type: 'integer', default: 1 } },
      additionalProperties: false,
    };
    const b = bench(t, { set: { 'plugin.json': manifest('set', { settings }), 'index.js': code('set') } });
    await b.start();
    await t.rejects(b.host.configure('set', { set: { n: 'many' } }), {
      code: 'PLUGIN_SETTINGS',
      message: /n must be a whole number/,
    });
    t.notOk(heardFrom('set').includes('stop'));
    t.same(b.choices.kept.get('set'), undefined);
    await b.host.configure('set', { set: { n: 2 } });
    t.same(heardFrom('set').slice(-4), ['stop', 'abort', 'created {"n":2}', 'start']);
    t.same(b.choices.kept.get('set'), { settings: { n: 2 } });
  },
);

t.test('a plugin that can is reconfigured while it runs', async t => {
  const settings = { type: 'object', properties: { n: { type: 'integer', default: 1 } } };
  const rest = `async reconfigure(s) { say('now ' + s.n) }, candidates() {}, natReport() {}, refresh() {}, onChange() {}`;
  const b = bench(t, {
    soft: { 'plugin.json': manifest('soft', { settings }), 'index.js': code('soft', { rest }) },
  });
  await b.start();
  await b.host.configure('soft', { set: { n: 5 } });
  t.equal(heardFrom('soft').at(-1), 'now 5');
});

t.test('a huge report is cut down, a throwing or senseless one makes the plugin failed', async t => {
  const huge = `report() { return { state: 'limited', code: 'MUCH', facts: { much: 'x'.repeat(1e6) } } }`;
  const throws = `report() { throw new Error('oops') }`;
  const senseless = `report() { return { state: 'splendid', code: '', facts: {} } }`;
  const b = bench(t, {
    huge: { 'plugin.json': manifest('huge'), 'index.js': code('huge', { report: huge }) },
    oops: { 'plugin.json': manifest('oops'), 'index.js': code('oops', { report: throws }) },
    odd: { 'plugin.json': manifest('odd'), 'index.js': code('odd', { report: senseless }) },
  });
  await b.start();
  t.match(
    b.host.known().map(one => [one.name, one.state, one.code]),
    [
      ['huge', 'limited', 'MUCH'],
      ['odd', 'failed', 'PLUGIN_REPORT'],
      ['oops', 'failed', 'PLUGIN_REPORT'],
    ],
  );
  t.match(b.host.known()[0]?.facts, { leftOut: true });
});

t.test('a missing native package makes the plugin unavailable, and only that one', async t => {
  const b = bench(t, {
    native: {
      'plugin.json': manifest('native', { nativePackages: ['no-such-package-here'] }),
      'index.js': code('native'),
    },
    other: { 'plugin.json': manifest('other'), 'index.js': code('other') },
  });
  await b.start();
  t.equal(stateOf(b, 'native'), 'unavailable PLUGIN_NATIVE_MISSING');
  t.equal(stateOf(b, 'other'), 'ready');
  t.same(heardFrom('native'), []);
});

t.test('bad manifests are listed with what is wrong', async t => {
  const b = bench(t, {
    broken: { 'plugin.json': '{ not json' },
    named: { 'plugin.json': manifest('other-name') },
    escapes: { 'plugin.json': manifest('escapes', { entry: '../../evil.js' }) },
    large: { 'plugin.json': manifest('large', { purpose: 'x'.repeat(100_000) }) },
    schema: {
      'plugin.json': manifest('schema', { settings: { type: 'nonsense' } }),
      'index.js': code('schema'),
    },
    empty: {},
  });
  await b.start();
  t.same(
    b.host.known().map(one => [one.name, one.state, one.code]),
    ['broken', 'escapes', 'large', 'named', 'schema'].map(name => [name, 'failed', 'PLUGIN_MANIFEST']),
  );
  await t.rejects(b.host.enable('nobody'), { code: 'PLUGIN_UNKNOWN' });
});

t.test('code that does not load, or is no plugin, is a failed start; retry tries at once', async t => {
  const b = bench(t, {
    lacks: { 'plugin.json': manifest('lacks'), 'index.js': 'export const nothing = 1;' },
    syntax: { 'plugin.json': manifest('syntax'), 'index.js': 'this is not JavaScript' },
    half: { 'plugin.json': manifest('half'), 'index.js': code('half', { rest: 'candidates() {}' }) },
  });
  await b.start();
  for (const name of ['lacks', 'syntax']) t.equal(stateOf(b, name), 'failed PLUGIN_LOAD_FAILED', name);
  t.equal(stateOf(b, 'half'), 'failed PLUGIN_START_FAILED');
  t.match(b.host.known().find(one => one.name === 'half')?.facts, { message: /no natReport\(\)/ });
  const loads = heardFrom('half').length;
  t.match(await b.host.retry('half'), { state: 'failed' });
  t.ok(heardFrom('half').length > loads);
});

t.test('close stops all of them, and an absent directory counts as empty', async t => {
  const b = bench(t, { ends: { 'plugin.json': manifest('ends'), 'index.js': code('ends') } });
  await b.start();
  await b.host.rest();
  t.same(heardFrom('ends').slice(-2), ['stop', 'abort']);
  t.equal(b.host.traversal().length, 0);
});

t.test('closed while it still looks for plugins, it starts none any more', async t => {
  const b = bench(t, { late: { 'plugin.json': manifest('late'), 'index.js': code('late') } });
  const started = b.start();
  await b.host.rest();
  await started;
  t.same(heardFrom('late'), []);
  t.equal(b.host.traversal().length, 0);
});
