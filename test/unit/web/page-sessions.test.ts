// Sessions by clocks that jump, stand at 1970, or go back; over restarts; and tokens that were copied.
import t from 'tap';
import { ManualClock } from '../../../base/clock.ts';
import { seededRandom } from '../../../base/random.ts';
import type { ScopedStore } from '../../../base/store.ts';
import { Sessions } from '../../../web/page/sessions.ts';
import { memoryStore } from '../../support/memory-store.ts';

const DAY = 86_400_000;
const IN_2026 = Date.UTC(2026, 0, 1);

const opened = (clock: ManualClock, store: ScopedStore, seed = 1): Promise<Sessions> =>
  Sessions.open({ clock, store, random: seededRandom(seed), failed: error => t.fail(String(error)) });

t.test('a week of silence ends it, use does not, and ninety days end it all the same', async t => {
  const clock = new ManualClock();
  const sessions = await opened(clock, memoryStore());
  const { token } = await sessions.begin('192.168.1.9', '');
  clock.advance(6.9 * DAY);
  t.ok(sessions.find(token));
  clock.advance(6.9 * DAY);
  t.ok(sessions.find(token), 'it was used meanwhile');
  clock.advance(7.1 * DAY);
  t.notOk(sessions.find(token));
  const other = await sessions.begin('192.168.1.9', '');
  let days = 0;
  for (; sessions.find(other.token) !== null && days < 200; days++) clock.advance(DAY);
  t.equal(days, 91, 'a stolen one that is used all the time ends too');
});

t.test(
  'the wall clock may stand at 1970 or jump: nobody is signed out by it, and nothing lives for ever',
  async t => {
    const clock = new ManualClock(0);
    const sessions = await opened(clock, memoryStore());
    const { token } = await sessions.begin('192.168.1.9', '');
    clock.setWall(IN_2026);
    t.ok(sessions.find(token), 'from 1970 to now');
    clock.setWall(0);
    t.ok(sessions.find(token), 'and back');
    t.match(sessions.list('')[0], { lastSeen: 0 });
    clock.setWall(IN_2026);
    t.match(
      sessions.list('')[0],
      { since: IN_2026, lastSeen: IN_2026 },
      'times are told by the clock of now',
    );
    for (let day = 0; day < 8; day++) {
      clock.advance(DAY);
      clock.setWall(0);
    }
    t.notOk(sessions.find(token), 'a clock that is set back each day keeps none');
  },
);

t.test('a restart signs nobody out; the time that the box was off counts, where it can be known', async t => {
  for (const [left, came, isThere] of [
    [IN_2026, IN_2026 + DAY, true],
    [IN_2026, IN_2026 + 8 * DAY, false],
    [IN_2026, 0, true],
    [0, IN_2026, true],
    [IN_2026, IN_2026 - 400 * DAY, true],
  ] as const) {
    const [store, before] = [memoryStore(), new ManualClock(left)];
    const first = await opened(before, store);
    const { token } = await first.begin('192.168.1.9', 'Firefox');
    await first.close();
    const after = new ManualClock(came);
    const second = await opened(after, store);
    t.equal(second.find(token) !== null, isThere, `${left} ${came}`);
    after.advance(7.1 * DAY);
    t.notOk(second.find(token), 'and it goes on growing old');
  }
});

t.test('what it aged before a restart is not forgotten', async t => {
  const store = memoryStore();
  let clock = new ManualClock(0);
  let sessions = await opened(clock, store);
  const { token } = await sessions.begin('192.168.1.9', '');
  for (let boot = 0; boot < 8; boot++) {
    clock.advance(DAY);
    await sessions.close();
    clock = new ManualClock(0);
    sessions = await opened(clock, store);
  }
  t.notOk(sessions.find(token), 'a box that wakes in 1970 each day');
});

t.test(
  'the token changes every day; what was under way keeps its answer; an old copy ends the session',
  async t => {
    const clock = new ManualClock();
    const sessions = await opened(clock, memoryStore());
    const { token, session } = await sessions.begin('192.168.1.9', '');
    t.equal(await sessions.renewed(session), null);
    clock.advance(1.1 * DAY);
    const next = await sessions.renewed(session);
    t.ok(next !== null && next !== token);
    t.ok(sessions.find(token), 'a moment longer');
    t.ok(sessions.find(next ?? ''));
    clock.advance(61_000);
    t.ok(sessions.find(next ?? ''));
    t.notOk(sessions.find(token), 'whoever shows the old one has a copy');
    t.notOk(sessions.find(next ?? ''), 'so nobody keeps it');
  },
);

t.test('there are never more than a bound; the one that is silent longest goes', async t => {
  const clock = new ManualClock();
  const sessions = await opened(clock, memoryStore());
  const tokens: string[] = [];
  for (let n = 0; n < 40; n++) {
    tokens.push((await sessions.begin('192.168.1.9', '')).token);
    clock.advance(1);
  }
  t.equal(sessions.list('').length, 32);
  t.notOk(sessions.find(tokens[0] ?? ''));
  t.ok(sessions.find(tokens[39] ?? ''));
});

t.test('what the store has that is none is nobody', async t => {
  for (const kept of [
    null,
    7,
    { v: 2, at: 1, sessions: [] },
    { v: 1, at: 1, sessions: [null, { id: 'x' }] },
  ]) {
    const store = memoryStore();
    await store.put('sessions', kept);
    t.same((await opened(new ManualClock(), store)).list(''), []);
  }
});
