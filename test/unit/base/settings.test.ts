// Settings: validated as a whole, kept, told, in words; what a newer version knew is kept.
import t from 'tap';
import { GinnelError } from '../../../base/errors.ts';
import { nearest } from '../../../base/near.ts';
import { mayBe } from '../../../base/setting-schema.ts';
import type { SettingsSchema } from '../../../base/setting-schema.ts';
import { Settings, type SettingShown } from '../../../base/settings.ts';
import type { ScopedStore } from '../../../base/store.ts';
import { memoryStore } from '../../support/memory-store.ts';

interface Values {
  readonly size: number;
  readonly names: readonly string[];
  readonly port: number | null;
  readonly secret?: string;
  readonly label?: string;
}

const about = { title: 'A title', description: 'What it does.' };
const SCHEMA: SettingsSchema = {
  type: 'object',
  properties: {
    size: { ...about, type: 'integer', minimum: 1280, maximum: 9000, default: 1400, 'x-restart': true },
    names: { ...about, type: 'array', maxItems: 2, items: { type: 'string', maxLength: 9 }, default: [] },
    port: { ...about, type: ['integer', 'null'], minimum: 1, maximum: 65_535, default: null },
    secret: { ...about, type: 'string', maxLength: 20, writeOnly: true },
    label: { ...about, type: 'string', maxLength: 20 },
  },
};

const open = (store: ScopedStore = memoryStore()): Promise<Settings<Values>> =>
  Settings.open<Values>({
    schema: SCHEMA,
    store,
    check: ({ size, port }) => (size === port ? { key: 'port', mayBe: 'another number than size' } : null),
  });

const shown = async (settings: Settings<Values>, key: string): Promise<SettingShown> => {
  const found = (await settings.settings()).find(each => each.key === key);
  if (found === undefined) throw new Error(`${key} is not shown`);
  return found;
};

const refusal = (work: Promise<unknown>): Promise<GinnelError> =>
  work.then(
    () => {
      throw new Error('it was not refused');
    },
    (error: unknown) => error as GinnelError,
  );

t.test('defaults, then what is chosen, kept over a restart; unset is the default again', async t => {
  const store = memoryStore();
  const settings = await open(store);
  t.same(settings.values, { size: 1400, names: [], port: null });
  await settings.changeSettings({ set: { size: 1300, names: ['a', 'b'] } });
  t.same((await open(store)).values, { size: 1300, names: ['a', 'b'], port: null });
  t.match(await shown(settings, 'size'), { value: 1300, default: 1400, isSet: true, restart: true });
  await settings.changeSettings({ set: { port: 7 }, unset: ['size'] });
  t.same((await open(store)).values, { size: 1400, names: ['a', 'b'], port: 7 });
  t.match(await shown(settings, 'size'), { value: 1400, isSet: false });
});

t.test('a change is taken as a whole or not at all, and the refusal says what it may be', async t => {
  const settings = await open();
  const wrong = await refusal(settings.changeSettings({ set: { names: ['x'], size: 99_999 } }));
  t.equal(wrong.code, 'SETTING_INVALID');
  t.match(wrong.message, /The setting size .* a whole number from 1280 to 9000\./);
  t.same(settings.values.names, []);
  const together = await refusal(settings.changeSettings({ set: { port: 1400 } }));
  t.match(together.message, /The setting port .* another number than size/);
  const long = await refusal(settings.changeSettings({ set: { names: ['a', 'b', 'c'] } }));
  t.match(long.message, /a list of up to 2, each text of up to 9 characters/);
});

t.test('an unknown key is refused and the near ones are named', async t => {
  const settings = await open();
  const wrong = await refusal(settings.changeSettings({ set: { prot: 1 } }));
  t.match(wrong, { code: 'SETTING_UNKNOWN', details: { near: ['port'] } });
  t.match(wrong.message, /There is no setting prot\. Did you mean port\? All there are: ginnel get\./);
  t.equal((await refusal(settings.changeSettings({ unset: ['toString'] }))).code, 'SETTING_UNKNOWN');
  const proto = JSON.parse('{"__proto__": 1}') as Record<string, unknown>;
  t.equal((await refusal(settings.changeSettings({ set: proto }))).code, 'SETTING_UNKNOWN');
});

t.test('what a newer version kept stays, and what fits no longer counts as not chosen', async t => {
  const store = memoryStore();
  await store.put('chosen', { 'from-tomorrow': { a: 1 }, size: 'large', port: 8 });
  const settings = await open(store);
  t.same(settings.values, { size: 1400, names: [], port: 8 });
  await settings.changeSettings({ set: { label: 'new' } });
  t.match(await store.get('chosen'), { 'from-tomorrow': { a: 1 }, size: 'large', label: 'new' });
  await settings.changeSettings({ unset: ['from-tomorrow'] });
  t.notOk('from-tomorrow' in ((await store.get('chosen')) as object));
});

t.test('a secret is kept and never told', async t => {
  const settings = await open();
  const all = await settings.changeSettings({ set: { secret: 'sesame' } });
  t.equal(settings.values.secret, 'sesame');
  t.notMatch(JSON.stringify(all), /sesame/);
  t.match(await shown(settings, 'secret'), { value: null, isSet: true });
  const wrong = await refusal(settings.changeSettings({ set: { secret: 'sesame'.repeat(9) } }));
  t.notMatch(JSON.stringify([wrong.message, wrong.details]), /sesame/);
});

t.test('listeners hear which keys changed, once it is kept, and of nothing else', async t => {
  const settings = await open();
  const heard: (readonly string[])[] = [];
  const end = settings.onChange(changed => heard.push(changed));
  await settings.changeSettings({ set: { size: 1300, port: null } });
  await settings.changeSettings({ set: { size: 1300 } });
  await refusal(settings.changeSettings({ set: { size: 1 } }));
  end();
  await settings.changeSettings({ set: { size: 1301 } });
  t.same(heard, [['size']]);
});

t.test('what runs by another value is pending until the next start', async t => {
  const settings = await open();
  t.equal((await shown(settings, 'size')).pending, false);
  settings.started(settings.values);
  await settings.changeSettings({ set: { size: 1300, label: 'x' } });
  t.equal((await shown(settings, 'size')).pending, true);
  t.equal((await shown(settings, 'label')).pending, false, 'it needs no restart');
  settings.started(settings.values);
  t.equal((await shown(settings, 'size')).pending, false);
  await settings.changeSettings({ unset: ['size'] });
  settings.stopped();
  t.equal((await shown(settings, 'size')).pending, false, 'nothing runs');
});

t.test('a setting that lies elsewhere is read and written there, and a refusal changes nothing', async t => {
  const store = memoryStore();
  const settings = await open(store);
  let label: string | undefined = 'there';
  settings.bind('label', {
    read: () => label,
    write: async value => {
      await Promise.resolve();
      if (value === 'taken') throw new GinnelError('NAME_TAKEN', 'taken');
      label = value as string | undefined;
    },
  });
  t.equal(settings.values.label, 'there');
  await settings.changeSettings({ set: { label: 'new', size: 1300 } });
  t.equal(label, 'new');
  t.same(await store.get('chosen'), { size: 1300 });
  const wrong = await refusal(settings.changeSettings({ set: { label: 'taken', size: 1500 } }));
  t.equal(wrong.code, 'NAME_TAKEN');
  t.same(settings.values, { size: 1300, names: [], port: null, label: 'new' });
  await settings.changeSettings({ unset: ['label'] });
  t.equal(label, undefined);
});

t.test('a write that fails changes nothing, and the next one works', async t => {
  const store = memoryStore();
  let isFull = true;
  const tiny = {
    ...store,
    put: (key: string, value: unknown) =>
      isFull ? Promise.reject(new GinnelError('DISK_FULL', 'full')) : store.put(key, value),
  };
  const settings = await open(tiny);
  t.equal((await refusal(settings.changeSettings({ set: { size: 1300 } }))).code, 'DISK_FULL');
  t.equal(settings.values.size, 1400);
  isFull = false;
  await settings.changeSettings({ set: { size: 1300 } });
  t.equal(settings.values.size, 1300);
});

t.test('a schema without bounds, or with a default that does not fit, is misuse', async t => {
  const wrong = (property: object): Promise<unknown> =>
    Settings.open({
      schema: { type: 'object', properties: { it: { ...about, ...property } } },
      store: memoryStore(),
    });
  await t.rejects(wrong({ type: 'string' }), TypeError);
  await t.rejects(wrong({ type: 'array', items: { type: 'integer' } }), TypeError);
  await t.rejects(wrong({ type: 'object' }), TypeError);
  await t.rejects(wrong({ type: 'integer', minimum: 5, default: 1 }), TypeError);
});

t.test('what it may be, in words; near words', async t => {
  t.equal(mayBe({ enum: ['debug', 'info', 'warn'] }), 'debug, info or warn');
  t.equal(mayBe({ type: ['integer', 'null'], minimum: 1, maximum: 9 }), 'a whole number from 1 to 9 or none');
  t.equal(mayBe({ type: 'boolean' }), 'on or off');
  t.same(nearest('statsu', ['status', 'server', 'up']), ['status']);
  t.same(nearest('net', ['netcheck', 'status']), ['netcheck']);
  t.same(nearest('nonsense', ['status', 'up']), []);
});
