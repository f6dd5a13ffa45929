import t from 'tap';
import { seededRandom } from '../../../base/random.ts';
import { REPLAY_WINDOW, ReplayWindow } from '../../../core/dataplane/replay-window.ts';

t.test('it is at least as large as stock WireGuard’s', t => {
  t.ok(REPLAY_WINDOW >= 8128);
  t.end();
});

t.test('each counter is taken once, in whatever order', t => {
  const window = new ReplayWindow();
  for (const counter of [0, 1, 9, 8, 7, REPLAY_WINDOW, 2]) t.ok(window.accept(counter), `${counter} is new`);
  for (const counter of [0, 1, 9, 8, 7, REPLAY_WINDOW, 2])
    t.notOk(window.accept(counter), `${counter} again`);
  t.end();
});

t.test('what is older than the window is refused, what is just inside it taken', t => {
  const window = new ReplayWindow();
  const newest = 3 * REPLAY_WINDOW;
  t.ok(window.accept(newest));
  t.notOk(window.accept(newest - REPLAY_WINDOW - 1));
  t.ok(window.accept(newest - REPLAY_WINDOW));
  t.notOk(window.accept(newest - REPLAY_WINDOW));
  t.end();
});

t.test('a leap forgets nothing that it should know, and keeps nothing that it should not', t => {
  for (const leap of [1, 31, 32, 33, REPLAY_WINDOW - 1, REPLAY_WINDOW, REPLAY_WINDOW + 33, 2 ** 40]) {
    const window = new ReplayWindow();
    for (let counter = 0; counter < 100; counter++) window.accept(counter);
    t.ok(window.accept(99 + leap));
    t.notOk(window.accept(99 + leap));
    t.notOk(window.accept(99), `99 after a leap of ${leap}`);
    if (leap > 1) t.ok(window.accept(98 + leap));
  }
  t.end();
});

t.test('the same as a set that remembers everything', t => {
  const window = new ReplayWindow();
  const random = seededRandom(7);
  const seen = new Set<number>();
  let newest = 2 ** 33;
  let differences = 0;
  for (let n = 0; n < 20_000; n++) {
    if (random.below(3) === 0) newest += random.below(500);
    const counter = newest - random.below(REPLAY_WINDOW + 2000);
    const tooOld = seen.size > 0 && counter < Math.max(newest, counter) - REPLAY_WINDOW;
    newest = Math.max(newest, counter);
    if (n === 0 || random.below(10) === 0) {
      if (window.accept(newest) === seen.has(newest)) differences++;
      seen.add(newest);
    }
    if (tooOld || !seen.has(newest)) continue;
    if (window.accept(counter) === seen.has(counter)) differences++;
    seen.add(counter);
  }
  t.equal(differences, 0);
  t.end();
});
