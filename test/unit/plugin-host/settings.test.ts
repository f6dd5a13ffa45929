// Settings: refused in words that name the field and what it may be, kept apart where they are secret, taken over in
// place or by a restart; and no schema can make that slow.
import t from 'tap';
import { bench, code, heardFrom, keptChoices, manifest } from './made-up.ts';

const SETTINGS = {
  type: 'object',
  required: ['address'],
  properties: {
    address: { type: 'string', minLength: 2, maxLength: 64 },
    port: { type: 'integer', minimum: 1, maximum: 65535, default: 3478, 'x-restart': true },
    mode: { enum: ['fast', 'slow'], type: 'string', default: 'fast' },
    tags: { type: 'array', maxItems: 3, items: { type: 'string', maxLength: 8 }, default: [] },
    token: { type: 'string', maxLength: 64, writeOnly: true },
  },
};

const RECONFIGURES = {
  report: `report() { return { state: 'ready', code: '', facts: { said: 'the token is ' + context.settings.token } } }`,
  stop: `async stop() { say('stop') }, async reconfigure(next) { say('now ' + JSON.stringify(next)) }`,
};

const one = (
  settings: object,
  parts: Record<string, string> = {},
): Record<string, Record<string, string>> => ({
  settable: { 'plugin.json': manifest('settable', { settings }), 'index.js': code('settable', parts) },
});

t.test('what is wrong is named with what it may be; all of a change counts or nothing', async t => {
  const b = bench(t, one(SETTINGS));
  await b.start();
  const refused = async (set: Record<string, unknown>, problem: RegExp, fields: string[]): Promise<void> => {
    const error: unknown = await b.host.configure('settable', { set }).catch((thrown: unknown) => thrown);
    t.match(error, { code: 'PLUGIN_SETTINGS', message: problem, details: { fields } }, JSON.stringify(set));
  };
  const rest = { address: 'a.example' };
  await refused({ ...rest, port: 'many' }, /port must be a whole number from 1 to 65535\./, ['port']);
  await refused({ ...rest, port: 70_000, mode: 'odd' }, /port must be .*; mode must be fast or slow\./, [
    'port',
    'mode',
  ]);
  await refused(
    { ...rest, tags: ['a', 'b', 'c', 'd'] },
    /tags must be a list of up to 3, each text of up to 8/,
    ['tags'],
  );
  await refused({ ...rest, tags: ['much too long'] }, /tags must be a list/, ['tags']);
  await refused({ ...rest, colour: 'red' }, /"colour" is none of its settings \(there are: address, port, /, [
    'colour',
  ]);
  await refused({ ...rest, toString: 1 }, /"toString" is none of its settings/, ['toString']);
  await refused({ port: 1 }, /address is missing; it is text of up to 64 characters/, ['address']);
  await refused({ ...rest, token: 'hunter2'.repeat(20) }, /token must be text of up to 64 characters/, [
    'token',
  ]);
  await refused({ address: 'x'.repeat(20_000) }, /larger than 16384 bytes/, []);
  await t.rejects(b.host.configure('settable', { set: rest, unset: ['colour'] }), {
    code: 'PLUGIN_SETTINGS',
  });
  t.equal(b.choices.kept.size, 0, 'nothing was kept');
});

t.test('on without what it needs: failed, with the field; set, it starts', async t => {
  const b = bench(t, one(SETTINGS));
  await b.start();
  t.match(b.host.known(), [
    { state: 'failed', code: 'PLUGIN_SETTINGS', facts: { message: /address is missing/ } },
  ]);
  const detail = await b.host.configure('settable', { set: { address: 'a.example', token: 'hunter2' } });
  t.match(detail, { state: 'ready', settings: { address: 'a.example', port: 3478, mode: 'fast' } });
});

t.test('a secret is set and never told, not even by the plugin itself', async t => {
  const choices = keptChoices();
  const b = bench(t, one(SETTINGS, RECONFIGURES), choices);
  await b.start();
  t.match(await b.host.detail('settable'), { secrets: { token: false } });
  const detail = await b.host
    .configure('settable', { set: { address: 'a', token: 'hunter2' } })
    .catch(() => null);
  t.equal(detail, null, 'too short an address');
  const set = await b.host.configure('settable', { set: { address: 'ab', token: 'hunter2' } });
  t.match(set, { state: 'ready', secrets: { token: true }, facts: { said: 'the token is (secret)' } });
  t.notMatch(JSON.stringify([set, await b.host.list()]), /hunter2/);
  t.match(heardFrom('settable').join(), /created .*hunter2/, 'the plugin has it');
  const cleared = await b.host.configure('settable', { unset: ['token'] });
  t.match(cleared, { secrets: { token: false } });
  t.notOk(JSON.stringify(choices.kept.get('settable')).includes('hunter2'));
});

t.test('a secret in what the plugin throws is taken out of that, too', async t => {
  const start = `async start() { throw new Error('wrong token: ' + context.settings.token) }`;
  const b = bench(t, one(SETTINGS, { start }));
  await b.start();
  const detail = await b.host.configure('settable', { set: { address: 'ab', token: 'hunter2' } });
  t.match(detail, { state: 'failed', facts: { message: /wrong token: \(secret\)/ } });
  t.notMatch(JSON.stringify(detail), /hunter2/);
});

t.test(
  'taken over in place where that goes, by a restart where the schema says so, not at all where nothing changed',
  async t => {
    const b = bench(t, one(SETTINGS, RECONFIGURES));
    await b.start();
    t.same((await b.host.detail('settable')).restarting, ['port']);
    await b.host.configure('settable', { set: { address: 'ab' } });
    const heard = (): readonly string[] => heardFrom('settable').slice(from);
    let from = heardFrom('settable').length;
    await b.host.configure('settable', { set: { mode: 'slow' } });
    t.match(heard().join(), /^now .*"mode":"slow"/);
    from = heardFrom('settable').length;
    await b.host.configure('settable', { set: { mode: 'slow', port: 3478 } });
    t.same(heard(), []);
    await b.host.configure('settable', { set: { port: 5349 } });
    t.match(heard(), ['stop', 'abort', /^created .*"port":5349/, 'start']);
  },
);

t.test('two changes at once: none is lost', async t => {
  const b = bench(t, one(SETTINGS));
  await b.start();
  await Promise.all([
    b.host.configure('settable', { set: { address: 'ab' } }),
    b.host.disable('settable'),
    b.host.configure('settable', { set: { address: 'ab', mode: 'slow' } }),
    b.host.configure('settable', { set: { address: 'ab', port: 1 } }),
  ]);
  const expected = { enabled: false, settings: { address: 'ab', mode: 'slow', port: 1 } };
  t.same(b.choices.kept.get('settable'), expected);
  t.equal(b.host.known()[0]?.state, 'off');
});

t.test('what a former version of the plugin knew is passed over, and goes at the next change', async t => {
  const choices = keptChoices();
  choices.kept.set('settable', { settings: { address: 'ab', colour: 'red' } });
  const b = bench(t, one(SETTINGS), choices);
  await b.start();
  t.match(b.host.known(), [{ state: 'ready' }]);
  await b.host.configure('settable', { set: { mode: 'slow' } });
  t.same(choices.kept.get('settable'), { settings: { address: 'ab', mode: 'slow' } });
});

const HOSTILE: Readonly<Record<string, object>> = {
  'a pattern (it can take for ever)': { a: { type: 'string', maxLength: 100, pattern: '^(a+)+$' } },
  'a format': { a: { type: 'string', maxLength: 100, format: 'regex' } },
  'text without a limit': { a: { type: 'string' } },
  'a list without a limit': { a: { type: 'array', items: { type: 'integer' } } },
  'a list of lists': { a: { type: 'array', maxItems: 2, items: { type: 'array' } } },
  'an object': { a: { type: 'object' } },
  'no type': { a: { default: 1 } },
  'a reference': { a: { $ref: '#' } },
  'a choice of schemas': { a: { type: 'string', maxLength: 1, anyOf: [{}] } },
  'an odd name': { 'a b': { type: 'boolean' } },
  'a name that every object has': { constructor: { type: 'boolean' } },
  'a name of the language': JSON.parse('{"__proto__":{"type":"boolean"}}') as object,
  'very many': Object.fromEntries(Array.from({ length: 33 }, (_, at) => [`a${at}`, { type: 'boolean' }])),
};

for (const [what, properties] of Object.entries(HOSTILE))
  t.test(`a schema with ${what} is refused`, async t => {
    const b = bench(t, one({ type: 'object', properties }));
    await b.start();
    t.match(b.host.known(), [{ state: 'failed', code: 'PLUGIN_MANIFEST' }]);
    await t.rejects(b.host.configure('settable', { set: {} }), { code: 'PLUGIN_MANIFEST' });
  });

t.test('patterns, references and combinations of whole schemas are refused, and it is quick', async t => {
  for (const more of [
    { allOf: [] },
    { $defs: {} },
    { patternProperties: {} },
    { additionalProperties: true },
  ]) {
    const b = bench(t, one({ type: 'object', properties: {}, ...more }));
    const begun = performance.now();
    await b.start();
    t.match(b.host.known(), [{ code: 'PLUGIN_MANIFEST' }], JSON.stringify(more));
    t.ok(performance.now() - begun < 10_000);
  }
});
