// The last hour of the paths to peers: what is kept of whom, for how long, and that it stays small.
import t from 'tap';
import type { PeerStatus } from '../../../core/admin.ts';
import { LOOK_EVERY_MS, MOST_CHANGES, MOST_PEERS, PathHistory } from '../../../web/page/history.ts';
import { cellar, till } from '../../support/fake-admins.ts';

const AT = Date.UTC(2026, 0, 1);
const at = (look: number): number => AT + look * LOOK_EVERY_MS;

const NO_CODE = { reasonCode: '', reasonFacts: {} };

t.test('paths are sampled, and each change of path is told with its reason', t => {
  const history = new PathHistory();
  const ways: PeerStatus[] = [
    { ...till, id: 'a', state: 'trying', path: null, reason: 'sought' },
    { ...till, id: 'a' },
    { ...till, id: 'a' },
    { ...cellar, id: 'a' },
  ];
  ways.forEach((peer, look) => history.note({ peers: [peer] }, at(look)));
  const { everyMs, samples, changes } = history.of('a', at(4));
  t.equal(everyMs, 15_000);
  t.same(
    samples.map(({ rttMs, class: kind, label }) => [rttMs, kind, label]),
    [
      [null, 'none', ''],
      [61.2, 'relay', 'via office-vps'],
      [61.2, 'relay', 'via office-vps'],
      [22.4, 'direct', 'direct UDP'],
    ],
  );
  t.same(changes, [
    { at: at(1), from: '', to: 'via office-vps', reason: 'both ends have random symmetric NATs', ...NO_CODE },
    { at: at(3), from: 'via office-vps', to: 'direct UDP', reason: 'the shortest that answers', ...NO_CODE },
  ]);
  t.same(history.of('nobody', at(4)), { everyMs: 15_000, samples: [], changes: [] });
  t.end();
});

t.test('peers that are offline or idle cost nothing', t => {
  const history = new PathHistory();
  const quiet = (['offline', 'idle'] as const).map(state => ({ ...cellar, id: state, state }));
  history.note({ peers: quiet }, AT);
  t.equal(history.size, 0);
  t.end();
});

t.test('an hour is kept, and no more, whatever flaps', t => {
  const history = new PathHistory();
  for (let look = 0; look < 1000; look++) {
    const path = { ...cellar.path!, label: `via ${look}` };
    history.note({ peers: [{ ...cellar, path }] }, at(look));
  }
  const { samples, changes } = history.of(cellar.id, at(999));
  t.equal(samples.length, 240);
  t.match(samples[0], { at: at(760), label: 'via 760' });
  t.match(samples.at(-1), { at: at(999), label: 'via 999' });
  t.equal(changes.length, MOST_CHANGES);
  const later = history.of(cellar.id, at(999) + 3_600_000);
  t.same([later.samples, later.changes], [[], []], 'and by then all of it is over');
  t.end();
});

t.test('of more peers than are kept, the same ones stay; who is asked for gets a place', t => {
  const history = new PathHistory();
  const named = (n: number): PeerStatus => ({ ...cellar, id: `peer-${n}`, lastHeardSecondsAgo: n });
  const all = Array.from({ length: 500 }, (_, n) => named(499 - n));
  history.note({ peers: all }, at(0));
  t.equal(history.size, MOST_PEERS);
  t.equal(history.of('peer-63', at(0)).samples.length, 1, 'those that were heard last');
  t.equal(history.of('peer-499', at(0)).samples.length, 0);
  history.note({ peers: all }, at(1));
  t.equal(history.size, MOST_PEERS);
  t.equal(history.of('peer-499', at(1)).samples.length, 1, 'it was asked for');
  const lengths = all.map(({ id }) => history.of(id, at(1)).samples.length);
  t.equal(lengths.filter(length => length === 2).length, MOST_PEERS - 1, 'one gave way, and no more');
  history.note({ peers: [named(300)] }, at(2));
  t.equal(history.size, MOST_PEERS);
  t.equal(history.of('peer-300', at(2)).samples.length, 1, 'where few are in touch, they are kept');
  t.end();
});
