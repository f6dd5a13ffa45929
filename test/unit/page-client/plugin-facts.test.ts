// What plugins tell of themselves, as a household reads it.
import t from 'tap';
import { formatIn } from '../../../web/client/pure/format.ts';
import { pluginFacts } from '../../../web/client/pure/plugin-facts.ts';
import { fillText, type Filling } from '../../../web/client/pure/text.ts';
import { en, type TextKey } from '../../../web/client/texts/en.ts';

const plural = new Intl.PluralRules('en');
const say = (key: TextKey, given: Filling = {}): string => fillText(en[key], given, plural);

function shown(name: string, facts: Record<string, unknown>, thirdParty = false) {
  const { told, inner } = pluginFacts({ name, facts, thirdParty }, say, formatIn('en'));
  const pairs = (of: typeof told) => of.map(fact => `${fact.name}: ${fact.value}`);
  return { told: pairs(told), inner: pairs(inner) };
}

t.test('a relay: what it does for others, with units; what is none is left out', async t => {
  const line = { speed: 1e9, lineUse: null };
  const idle = {
    serving: true,
    nodes: 0,
    mostNodes: 200,
    bitsPerSecond: 0,
    line,
    relays: [],
    forwardedBytes: 0,
  };
  t.same(shown('relay-tcp', { ...idle, dropped: {} }).told, ['Forwards for others: 0 of at most 200 boxes']);
  const busy = {
    ...{ ...idle, nodes: 3, bitsPerSecond: 2_400_000, forwardedBytes: 1_200_000_000 },
    ...{ dropped: { full: 2, stray: 1 }, relays: [{ node: 'xyz', state: 'kept', name: 'office-vps' }] },
  };
  t.match(shown('relay-tcp', busy).told, [
    ...[
      'Forwards for others: 3 of at most 200 boxes',
      'Forwards now: 2.4 Mbit/s',
      /^Forwarded so far: 1\.2\sGB$/,
    ],
    ...['Left out: 3 packets', 'Relays of this box: office-vps'],
  ]);
  t.ok(shown('relay-tcp', busy).inner.includes('line: speed: 1000000000'), 'the rest is for experts');
  t.same(shown('relay-tcp', { ...idle, serving: false }).told, ['Forwards for others: no, as it is set']);
});

t.test('the others of those that came along', async t => {
  t.same(shown('nat-stun', { mapped: ['203.0.113.9:41641'], servers: 1, unreadable: [] }).told, [
    ...['This home as seen from outside: 203.0.113.9:41641', 'Asks: 1 server'],
  ]);
  const port = { transport: 'udp', port: 41641, by: 'pcp', outside: '203.0.113.9:41641', isReached: true };
  t.same(shown('nat-portmap', { routers: [{ gateway: '192.168.1.1', ports: [port] }] }).told, [
    'Router 192.168.1.1: UDP 203.0.113.9:41641 leads here',
  ]);
  t.same(shown('nat-portmap', { routers: [{ gateway: '192.168.1.1', ports: [] }] }).told, [
    'Router 192.168.1.1: opens no ports',
  ]);
  t.same(shown('nat-portpredict', { methods: ['predict', 'tcp'], forecast: null }).told, [
    'Can do: foresee the next port and open TCP from both ends',
  ]);
  const channels = [{ name: 'hut', way: 'turn' }];
  t.same(shown('webrtc', { library: '0.32', udp: true, stun: true, turn: [], channels, trying: 0 }).told, [
    'Connections: hut (through TURN)',
  ]);
});

t.test('a third party is no relay-tcp by its name, and nonsense is no harm', async t => {
  t.same(shown('relay-tcp', { serving: true, list: [1, null, ''] }, true), {
    told: [],
    inner: ['serving: true', 'list: 1'],
  });
  t.same(shown('relay-tcp', { message: 'It failed.' }), { told: [], inner: [] });
  t.same(shown('nat-stun', { mapped: 7, servers: 'x', unreadable: {} }).told, []);
  t.same(shown('constructor', { a: 1 }), { told: [], inner: ['a: 1'] });
});
