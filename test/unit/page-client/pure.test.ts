// The page's pure parts: the map's places, the table's order, figures in words, addresses, answers line by line.
import t from 'tap';
import { formatIn } from '../../../web/client/pure/format.ts';
import { layoutOf, radiusOf, widthOf } from '../../../web/client/pure/layout.ts';
import { jsonLines } from '../../../web/client/pure/ndjson.ts';
import { counted, found, ordered } from '../../../web/client/pure/peers.ts';
import { HEIGHT, plotOf, roundUp, WIDTH } from '../../../web/client/pure/plot.ts';
import { hashOf, routeOf } from '../../../web/client/pure/route.ts';
import type { Peer } from '../../../web/client/pure/wire.ts';
import { madeUpPeers } from '../../support/made-up-peers.ts';

const peersOf = (count: number): readonly Peer[] => madeUpPeers(count).at(Date.now()).peers;
const distance = ({ x, y }: { x: number; y: number }): number => Math.hypot(x, y);

t.test('the map: the quicker the nearer, all within it, and the same again', async t => {
  const peers = peersOf(500);
  const nodes = layoutOf(peers, {});
  t.equal(nodes.length, 500);
  t.ok(nodes.every(node => distance(node) <= 1.0001));
  t.same(layoutOf([...peers].reverse(), {}), nodes, 'in whatever order they are told');
  t.ok(radiusOf(5) < radiusOf(50) && radiusOf(50) < radiusOf(5000));
  const offline = nodes.filter(({ state }) => state === 'offline');
  const lan = nodes.filter(({ rttMs }) => rttMs !== null && rttMs < 2);
  t.ok(Math.min(...offline.map(distance)) > Math.max(...lan.map(distance)));
});

t.test('the map: who is reached by a relay hangs on it, and a relay that is no box is drawn too', async t => {
  const peers = peersOf(8);
  const nodes = layoutOf(peers, { 'peer-4': { in: 1000, out: 500 } });
  const relay = nodes.find(({ name }) => name === 'office-vps');
  const studio = nodes.find(({ name }) => name === 'studio');
  t.equal(studio?.through, relay?.id);
  t.equal(relay?.relays, true);
  t.equal(studio?.rate, 1500);
  const alone = layoutOf(
    peers.filter(({ name }) => name === 'studio'),
    {},
  );
  t.same(
    alone.map(({ name, isHelper }) => [name, isHelper]),
    [
      ['studio', false],
      ['office-vps', true],
    ],
  );
});

t.test('the map: lines grow with traffic, within bounds', async t => {
  const widths = [0, 1e3, 1e6, 1e9, 1e15].map(widthOf);
  t.same(
    widths,
    [...widths].sort((a, b) => a - b),
  );
  t.ok(widths[0]! >= 1 && widths.at(-1)! <= 8);
});

t.test('the table: found by what is typed, in order, those without a figure last', async t => {
  const peers = peersOf(30);
  t.same(
    found(peers, 'GRANDMA 10.77').every(({ name }) => name.startsWith('grandma')),
    true,
  );
  for (const descending of [false, true]) {
    const sorted = ordered(peers, { by: 'latency', descending }).map(({ path }) => path?.rttMs ?? null);
    const known = sorted.filter(ms => ms !== null);
    t.same(sorted.slice(0, known.length), known);
    t.same(
      known,
      [...known].sort((a, b) => (descending ? b - a : a - b)),
    );
  }
  const counts = counted(peers);
  t.equal(counts.direct + counts.relayed + counts.other + counts.offline, counts.all);
});

t.test('figures in words, in both languages', async t => {
  const [en, zh] = [formatIn('en'), formatIn('zh-CN')];
  t.equal(en.bytes(1_200_000), '1.2 MB');
  t.equal(en.bytes(0), '0 B');
  const noon = new Date(2026, 0, 5, 12).getTime();
  t.equal(en.time(noon, noon + 3_600_000).replace(/\s/, ' '), '12:00:00 PM', 'today: the time of day');
  t.match(en.time(noon, noon + 86_400_000), /^Jan 5, 2026/, 'of another day: with the day');
  t.equal(en.rate(92_000_000), '92 Mbit/s');
  t.equal(en.ms(22.4), '22 ms');
  t.equal(en.ms(null), '–');
  t.equal(en.ago(7200), '2 hours ago');
  t.equal(en.until(86_400_000 * 3, 0), 'in 3 days');
  t.equal(zh.ago(7200), '2小时前');
  t.match(zh.ms(22.4), /^22/);
});

t.test('addresses within the page, there and back', async t => {
  t.same(routeOf(''), { screen: 'overview' });
  t.same(routeOf(hashOf('peers', 'a/b <i>')), { screen: 'peer', peer: 'a/b <i>' });
  t.same(routeOf('#/network/audit'), { screen: 'network', section: 'audit' });
  t.same(routeOf('#/settings/nothing'), { screen: 'settings', part: 'box' });
  t.same(routeOf('#/what/ever/else'), { screen: 'unknown' });
  t.same(
    routeOf('#/peers/%E0%A4%A'),
    { screen: 'peer', peer: '%E0%A4%A' },
    'what cannot be decoded is taken as it is',
  );
});

t.test('answers line by line, however the network cuts them', async t => {
  const bytes = new TextEncoder().encode('{"a":1}\n\n{"b":"ü"}\n{"c":3}');
  for (const size of [1, 3, 100]) {
    const lines: unknown[] = [];
    for await (const line of jsonLines(inPieces(bytes, size))) lines.push(line);
    t.same(lines, [{ a: 1 }, { b: 'ü' }, { c: 3 }], `${size} bytes at a time`);
  }
  await t.rejects(async () => {
    for await (const line of jsonLines(inPieces(new TextEncoder().encode('no\n'), 9))) t.fail(String(line));
  }, SyntaxError);
});

t.test('history as a plot: broken where nothing answered, and where the path became another', async t => {
  const at = (i: number): number => 1_000_000 + i * 1000;
  const samples = [10, 12, null, 40, 44].map((rttMs, i) => ({
    ...{ at: at(i), rttMs, loss: rttMs === null ? 1 : 0 },
    ...{ class: i < 3 ? ('relay' as const) : ('direct' as const), label: '' },
  }));
  const changes = [{ at: at(3), from: 'a', to: 'b', reason: '', reasonCode: '', reasonFacts: {} }];
  const plot = plotOf({ everyMs: 1000, samples, changes });
  t.same(
    plot?.runs.map(({ isRelayed }) => isRelayed),
    [true, false],
  );
  t.same([plot?.losses.length, plot?.changes.length, plot?.least, plot?.most], [1, 1, 10, 44]);
  const numbers = plot?.runs
    .flatMap(({ d }) => d.match(/[\d.]+ [\d.]+/g) ?? [])
    .map(pair => pair.split(' ').map(Number));
  t.ok(numbers?.every(([x = -1, y = -1]) => x >= 0 && x <= WIDTH && y >= 0 && y <= HEIGHT));
  t.equal(plotOf({ everyMs: 1000, samples: [], changes: [] }), null);
  t.same([0.3, 7, 12, 51, 500].map(roundUp), [0.5, 10, 20, 100, 500]);
});

async function* inPieces(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let i = 0; i < bytes.length; i += size) yield bytes.subarray(i, i + size);
}
