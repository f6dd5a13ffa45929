// How relays are chosen (V8), as data: the four ways on 200 nodes in motion, and the rules one by one.
import t from 'tap';
import { seededRandom } from '../../../base/random.ts';
import { CALM_MS, chooseRelays, orderFor } from '../../../server/relays/choice.ts';
import type { ChoiceOptions, Kept } from '../../../server/relays/choice.ts';
import { RELAY_CHOICES } from '../../../server/relays/facts.ts';
import type { NodeFacts, RelayChoice, RelayFacts } from '../../../server/relays/facts.ts';
import { rankingOf } from '../../../server/relays/words.ts';
import { RelayNetwork } from '../../support/relay-network.ts';

const NODES = 200;
const RELAYS = 20;
const MINUTES = 180;
/** Until all have measured all: 18 others, four a minute. */
const SETTLED = 20;

/** Runs it and answers the mean of what `look` sees each minute once it is settled, and the worst. */
function run(network: RelayNetwork, look: () => number): { readonly mean: number; readonly worst: number } {
  const seen: number[] = [];
  for (let minute = 0; minute < MINUTES; minute++) {
    network.step();
    if (minute >= SETTLED) seen.push(look());
  }
  return { mean: seen.reduce((sum, each) => sum + each, 0) / seen.length, worst: Math.max(...seen) };
}

t.test('V8: balanced keeps the busiest of 20 relays within 1.5 of the mean, whatever loads do', t => {
  for (const seed of [1, 2, 3]) {
    const network = new RelayNetwork('balanced', NODES, RELAYS, seed);
    const { mean, worst } = run(network, () => network.peakOverMean());
    t.comment(`seed ${seed}: peak/mean load ${mean.toFixed(2)} on average, ${worst.toFixed(2)} at worst`);
    t.ok(worst <= 1.5, `peak/mean ${worst.toFixed(2)}`);
  }
  const chance = new RelayNetwork('random', NODES, RELAYS, 1);
  const { worst } = run(chance, () => chance.peakOverMean());
  t.comment(`by chance it is ${worst.toFixed(2)} at worst`);
  t.ok(worst > 1.5, 'which is no matter of course');
  t.end();
});

t.test('V8: nearest comes within a tenth of the optimum once relays were measured', t => {
  for (const seed of [1, 2, 3]) {
    const network = new RelayNetwork('nearest', NODES, RELAYS, seed);
    const { mean, worst } = run(network, () => network.overOptimum());
    t.comment(
      `seed ${seed}: round trip over optimum ${mean.toFixed(3)} on average, ${worst.toFixed(3)} at worst`,
    );
    t.ok(worst <= 1.1, `round trip over optimum ${worst.toFixed(3)}`);
  }
  t.end();
});

t.test('V8: no node is moved twice within ten minutes, in any of the ways', t => {
  for (const way of RELAY_CHOICES) {
    const network = new RelayNetwork(way, NODES, RELAYS, 4);
    run(network, () => 0);
    const changes = network.nodes.reduce((sum, node) => sum + node.changes.length, 0);
    t.comment(`${way}: ${changes} changes of ${network.nodes.length} nodes in ${MINUTES} minutes`);
    t.ok(network.shortestCalm() >= CALM_MS, `${way}: ${network.shortestCalm() / 60_000} min apart`);
    t.ok(way === 'random' || changes > 0, 'and there were changes to be held back');
  }
  t.end();
});

const NOBODY: Kept = { relays: [], changedAt: null };

const relay = (id: string, more: Partial<RelayFacts> = {}): RelayFacts => ({
  ...{ id, region: '', capacity: 100e6, spare: 100e6, cpuLoad: 0, nodes: 0, mostNodes: 512 },
  ...{ firsts: 0, sinceReport: 0 },
  places: [{ family: 4, address: `198.51.${id.length}.${id.charCodeAt(0)}`, port: 7443 }],
  ...more,
});

const at = (address: string): Pick<RelayFacts, 'places'> => ({
  places: [{ family: 4, address, port: 7443 }],
});

const node = (more: Partial<NodeFacts> = {}): NodeFacts => ({
  ...{ id: 'me', region: '', rtts: new Map(), failed: new Set() },
  ...more,
});

const options = (way: RelayChoice, now = 0): ChoiceOptions => ({
  ...{ way, perNode: 1e6, now },
  random: seededRandom(7),
});

const tableOf = (...relays: readonly RelayFacts[]): Map<string, RelayFacts> =>
  new Map(relays.map(each => [each.id, each]));

const chosen = (
  who: NodeFacts,
  relays: readonly RelayFacts[],
  way: RelayChoice,
  kept = NOBODY,
): readonly string[] => chooseRelays(who, kept, tableOf(...relays), options(way)).relays;

t.test('V8: each way looks at what it is named for', t => {
  const relays = [
    relay('a', { ...at('198.51.1.1'), region: 'here', spare: 10e6 }),
    relay('b', { ...at('198.51.2.1'), region: 'there', spare: 90e6, cpuLoad: 0.9 }),
    relay('c', { ...at('198.51.3.1'), region: 'there', spare: 60e6, cpuLoad: 0.1 }),
  ];
  const me = node({ region: 'here' });
  t.equal(chosen(me, relays, 'nearest')[0], 'a', 'the same region');
  t.equal(chosen(me, relays, 'bandwidth')[0], 'b', 'the most to spare');
  t.equal(chosen(me, relays, 'balanced')[0], 'c', 'to spare, and not busy');
  const measured = node({
    region: 'here',
    rtts: new Map([
      ['b', 3],
      ['a', 30],
    ]),
  });
  t.equal(chosen(measured, relays, 'nearest')[0], 'b', 'what was measured goes over regions');
  const firsts = new Set(
    Array.from({ length: 40 }, (_, seed) => {
      const random = seededRandom(seed);
      return chooseRelays(me, NOBODY, tableOf(...relays), { ...options('random'), random }).relays[0];
    }),
  );
  t.equal(firsts.size, 3, 'by chance each comes up');
  t.end();
});

t.test('V8: with nobody talking, balanced shares nodes out and does not follow the noise of loads', t => {
  const many = [
    relay('a', { ...at('198.51.1.1'), firsts: 20, cpuLoad: 0.02 }),
    relay('b', { ...at('198.51.2.1'), firsts: 1, cpuLoad: 0.05 }),
  ];
  t.equal(chosen(node(), many, 'balanced')[0], 'b');
  t.end();
});

t.test('V9: two relays, apart: another network before another region before a good figure', t => {
  const first = relay('a', { ...at('198.51.1.1'), region: 'x', spare: 99e6 });
  const sameHouse = relay('b', { ...at('198.51.1.200'), region: 'y', spare: 98e6 });
  const sameRegion = relay('c', { ...at('198.51.2.1'), region: 'x', spare: 50e6 });
  const apart = relay('d', { ...at('203.0.113.1'), region: 'y', spare: 40e6 });
  const pick = (...relays: RelayFacts[]): readonly string[] => chosen(node(), relays, 'bandwidth');
  t.same(pick(first, sameHouse, sameRegion, apart), ['a', 'd']);
  t.same(pick(first, sameHouse, sameRegion), ['a', 'c']);
  t.same(pick(first, sameHouse), ['a', 'b'], 'where there is no other');
  t.same(pick(first), ['a']);
  const wide = (id: string, address: string): RelayFacts =>
    relay(id, { places: [{ family: 6, address, port: 7443 }], spare: id === 'c' ? 1e6 : 9e7 });
  t.same(
    pick(wide('a', '2001:db8:1::1'), wide('b', '2001:db8:1:9::1'), wide('c', '2001:db8:2::1'))[1],
    'c',
    '/48',
  );
  t.end();
});

t.test('V13: a relay that is gone or failed is replaced at once, and the warm one is first', t => {
  const [a, b, c] = ['198.51.1.1', '198.51.2.1', '198.51.3.1'].map((address, index) =>
    relay('abc'[index]!, at(address)),
  );
  const kept: Kept = { relays: ['a', 'b'], changedAt: 0 };
  const gone = chooseRelays(node(), kept, tableOf(b!, c!), options('balanced', 1000));
  t.same(gone.relays, ['b', 'c']);
  t.equal(gone.changedAt, 0, 'and that does not count as a change for load');
  const failed = node({ failed: new Set(['a']) });
  t.same(chooseRelays(failed, kept, tableOf(a!, b!, c!), options('balanced', 1000)).relays, ['b', 'c']);
  t.same(chosen(node(), [relay('me', at('198.51.9.1'))], 'balanced'), [], 'nobody is its own relay');
  t.end();
});

t.test('V8: who has a full relay keeps it, and nobody else gets it', t => {
  const full = relay('a', { ...at('198.51.1.1'), nodes: 10, mostNodes: 10 });
  const free = relay('b', { ...at('198.51.2.1'), spare: 1e6 });
  t.same(chosen(node(), [full, free], 'bandwidth'), ['b']);
  t.same(chosen(node(), [full, free], 'bandwidth', { relays: ['a', 'b'], changedAt: null }), ['a', 'b']);
  t.end();
});

t.test('V8: within ten minutes load changes nothing, then one relay is exchanged', t => {
  const busy = relay('a', { ...at('198.51.1.1'), spare: 5e6, firsts: 1 });
  const idle = [relay('b', at('198.51.2.1')), relay('c', at('198.51.3.1'))];
  const kept: Kept = { relays: ['a', 'b'], changedAt: 0 };
  const later = (now: number): Kept =>
    chooseRelays(node(), kept, tableOf(busy, ...idle), options('balanced', now));
  t.equal(later(CALM_MS - 1), kept);
  const moved = later(CALM_MS);
  t.equal(moved.changedAt, CALM_MS);
  t.not(moved.relays[0], 'a');
  t.equal(moved.relays[1], 'a', 'what is under way goes on over the former one');
  t.end();
});

t.test('V8: nearest looks at source, destination and relay together', t => {
  const [a, b] = [relay('a', at('198.51.1.1')), relay('b', at('198.51.2.1'))];
  const destination = {
    region: '',
    rtts: new Map([
      ['a', 10],
      ['b', 20],
    ]),
  };
  const source = {
    region: '',
    rtts: new Map([
      ['a', 90],
      ['b', 5],
    ]),
  };
  t.same(
    orderFor(source, destination, [a, b], 'nearest').map(({ id }) => id),
    ['b', 'a'],
  );
  t.same(
    orderFor(source, destination, [a, b], 'balanced').map(({ id }) => id),
    ['a', 'b'],
  );
  t.end();
});

t.test('V8: each relay has its reason in words', t => {
  const relays = [
    relay('a', { ...at('198.51.1.1'), region: 'x', spare: 50e6, cpuLoad: 0.1, firsts: 3 }),
    relay('b', { ...at('198.51.2.1'), region: 'y' }),
    relay('c', { ...at('198.51.3.1'), nodes: 4, mostNodes: 4 }),
    relay('d', at('198.51.4.1')),
  ];
  const kept: Kept = { relays: ['a', 'b'], changedAt: 0 };
  const words = (way: RelayChoice): string[] =>
    rankingOf(node({ failed: new Set(['d']), rtts: new Map([['a', 2]]) }), kept, relays, {
      ...{ way, perNode: 1e6, now: 60_000 },
    }).map(({ relay: id, use, words: why }) => `${id} ${use}: ${why}`);
  t.same(words('balanced').slice(0, 2), [
    'a first: 34 % loaded (CPU 10 %, 50 Mbit/s to spare, first choice of 3 boxes). Not changed again for load or distance within the next 9 min.',
    'b second: 0 % loaded (CPU 0 %, 100 Mbit/s to spare, first choice of 0 boxes); apart from the first choice.',
  ]);
  t.ok(words('balanced').includes('c not usable: It serves 4 boxes, and takes no more.'));
  t.ok(words('balanced').includes('d not usable: This box could not reach it lately.'));
  t.match(words('nearest')[0], /^a first: 2.0 ms from this box\./);
  t.match(words('bandwidth')[0], /^a first: 50 Mbit\/s to spare\./);
  t.end();
});
