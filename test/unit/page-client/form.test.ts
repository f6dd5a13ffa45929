// Settings as forms: what is asked, how it is read back, and what a change asks of the daemon.
import t from 'tap';
import { NODE_SETTINGS } from '../../../core/node/settings.ts';
import {
  fieldsBlamed,
  fieldsOfPlugin,
  fieldsOfSettings,
  draftsOf,
  readForm,
} from '../../../web/client/pure/form.ts';
import type { FormField } from '../../../web/client/pure/form.ts';
import type { PluginDetail } from '../../../web/client/pure/wire.ts';
import { SERVER_SETTINGS } from '../../../server/settings.ts';

const PLUGIN: PluginDetail = {
  ...{
    name: 'x',
    version: '1',
    kind: 'transport',
    purpose: '',
    thirdParty: false,
    enabled: true,
    memoryBytes: 4_200_000,
  },
  ...{ state: 'ready', code: '', facts: {}, restarting: ['servers'] },
  secrets: { password: true },
  settings: {
    rate: 1.5,
    count: 3,
    on: true,
    servers: ['a:1', 'b:2'],
    protocols: ['upnp'],
    web: null,
    region: '',
  },
  schema: {
    type: 'object',
    properties: {
      rate: { title: 'Rate', type: 'number', minimum: 0, maximum: 10, default: 0 },
      count: { type: 'integer', minimum: 1, default: 3 },
      on: { type: 'boolean', default: true },
      servers: { type: 'array', maxItems: 3, items: { type: 'string', maxLength: 5 }, default: [] },
      protocols: { type: 'array', items: { enum: ['pcp', 'upnp'] }, default: ['pcp', 'upnp'] },
      web: { type: ['integer', 'null'], minimum: 1, maximum: 65_535, default: null },
      region: { type: 'string', maxLength: 8, default: '' },
      password: { type: 'string', maxLength: 64, writeOnly: true },
    },
  },
};

const fields = fieldsOfPlugin(PLUGIN);
const changed = (drafts: Record<string, string | boolean | readonly string[]>) =>
  readForm(fields, { ...draftsOf(fields), ...drafts });
const field = (key: string): FormField | undefined => fields.find(one => one.key === key);

t.test('each kind of schema has its kind of field', async t => {
  t.same(
    fields.map(({ key, kind }) => [key, kind]),
    [
      ...[
        ['rate', 'number'],
        ['count', 'integer'],
        ['on', 'switch'],
        ['servers', 'list'],
      ],
      ...[
        ['protocols', 'choices'],
        ['web', 'integer'],
        ['region', 'text'],
        ['password', 'text'],
      ],
    ],
  );
  t.equal(field('web')?.nullable, true);
  t.equal(field('servers')?.restart, true);
  t.same([field('password')?.secret, field('password')?.isSet], [true, true]);
  t.same([field('count')?.isSet, field('rate')?.isSet], [false, true], 'chosen is what is not the default');
});

t.test('nothing typed changes nothing; a secret stays as it is', async t => {
  t.same(changed({}).change, { set: {}, unset: [] });
  t.equal(changed({}).changed.length, 0);
});

t.test('what is typed is read as what it is', async t => {
  const { change, wrong } = changed({
    ...{ rate: '2,5', count: ' 7 ', on: false, servers: 'a:1\n\nc:3\n', protocols: ['"pcp"'], web: '443' },
    ...{ region: 'eu', password: ' with blanks ' },
  });
  t.same(wrong, {});
  t.same(change.set, {
    ...{ rate: 2.5, count: 7, on: false, servers: ['a:1', 'c:3'], protocols: ['pcp'], web: 443 },
    ...{ region: 'eu', password: ' with blanks ' },
  });
});

t.test('what cannot be is told before it is sent', async t => {
  const { wrong, change } = changed({
    rate: '11',
    count: '1.5',
    servers: 'longer than five',
    web: 'x',
    region: '123456789',
  });
  t.same(wrong, { rate: 'range', count: 'whole', servers: 'length', web: 'number', region: 'length' });
  t.same(change, { set: {}, unset: [] });
  t.same(changed({ servers: 'a\nb\nc\nd' }).wrong, { servers: 'many' });
});

t.test('emptied: none where there may be none, the default elsewhere', async t => {
  const [web] = fieldsOfPlugin({ ...PLUGIN, settings: { web: 80 } }).filter(({ key }) => key === 'web');
  t.same(readForm([web!], { web: '' }).change, { set: { web: null }, unset: [] });
  t.same(changed({ count: '' }).change, { set: {}, unset: ['count'] });
});

t.test('the settings that there are can all be drawn, and come back as they were', async t => {
  for (const { properties } of [NODE_SETTINGS, SERVER_SETTINGS]) {
    const shown = Object.entries(properties).map(([key, schema]) => ({
      ...{
        key,
        value: schema.default ?? null,
        default: schema.default ?? null,
        isSet: false,
        restart: false,
      },
      ...{ pending: false, title: schema.title, description: schema.description, mayBe: '', schema },
    }));
    const drawn = fieldsOfSettings(shown);
    t.equal(drawn.length, shown.length);
    t.same(readForm(drawn, draftsOf(drawn)).changed, []);
  }
});

t.test('a refusal is told at the settings that it is about', async t => {
  t.same(fieldsBlamed({ key: 'mtu', mayBe: 'a number' }), ['mtu']);
  t.same(fieldsBlamed({ fields: ['a', 3, 'b'] }), ['a', 'b']);
  t.same(fieldsBlamed({}), []);
});
