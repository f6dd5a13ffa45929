// What the bench makes of its samples: middles, ends, the highest rate, dates of versions, its own command line.
import t from 'tap';
import { addFigures, samplesOf } from '../../bench/figures.ts';
import { commandOf, readOptions } from '../../bench/options.ts';
import { pageWith } from '../../bench/page.ts';
import { highestRate } from '../../bench/rate-search.ts';
import type { RateTry } from '../../bench/rate-search.ts';
import { median, percentile, spread } from '../../bench/statistics.ts';
import { dateInEntries } from '../../bench/versions.ts';
import { madeUpRun } from './made-up-run.ts';

t.test('the median is the middle one, or lies between the two middle ones', async t => {
  t.equal(median([3, 1, 2]), 2);
  t.equal(median([4, 1, 2, 3]), 2.5);
  t.ok(Number.isNaN(median([])));
});

t.test('the 99th percentile of 200 is exceeded by two', async t => {
  const values = Array.from({ length: 200 }, (_, index) => index + 1);
  t.equal(percentile(values, 99), 198);
  t.equal(percentile([7], 99), 7);
  t.ok(Number.isNaN(percentile([], 99)));
});

t.test('a spread is told in percent of the median', async t => {
  t.same(spread([10, 12, 11]), { least: 10, most: 12, percent: (2 / 11) * 100 });
  t.equal(spread([]), null);
});

t.test('figures of several rounds stand side by side', async t => {
  const report = madeUpRun();
  addFigures(report, 'ping', 'tinc', { medianMs: 1 });
  addFigures(report, 'ping', 'tinc', { medianMs: 2 });
  t.same(samplesOf(report, 'ping', 'tinc', 'medianMs'), [1, 2]);
  t.same(samplesOf(report, 'ping', 'nobody', 'medianMs'), []);
});

/** A line that carries so many a second and loses the rest. */
const lineOf =
  (capacity: number, tried: number[]) =>
  async (rate: number): Promise<RateTry> => {
    tried.push(rate);
    const arrivedPerSecond = Math.min(rate, capacity);
    return { arrivedPerSecond, lostShare: 1 - arrivedPerSecond / rate };
  };

t.test('the highest rate is the last one under 1 % lost; a bad try gets a second chance', async t => {
  const tried: number[] = [];
  const best = await highestRate([10, 20, 50, 70], lineOf(30, tried));
  t.same(best, { arrivedPerSecond: 20, lostShare: 0 });
  t.same(tried, [10, 20, 50, 50], 'and no higher one is tried');
});

t.test('one unlucky try ends nothing', async t => {
  const losses = [0, 0.3, 0, 0.3, 0.3];
  const best = await highestRate([10, 20, 30], async rate => ({
    arrivedPerSecond: rate,
    lostShare: losses.shift() ?? 1,
  }));
  t.same(best, { arrivedPerSecond: 20, lostShare: 0 });
});

t.test('a sender that cannot keep up ends the search with what arrived', async t => {
  const tried: number[] = [];
  const attempt = async (rate: number): Promise<RateTry> => {
    tried.push(rate);
    return { arrivedPerSecond: Math.min(rate, 25), lostShare: 0 };
  };
  t.same(await highestRate([10, 20, 50, 70], attempt), { arrivedPerSecond: 25, lostShare: 0 });
  t.same(tried, [10, 20, 50]);
});

t.test('where the lowest rate loses too much there is none', async t => {
  t.equal(await highestRate([10, 20], lineOf(5, [])), null);
});

t.test('a version is of the day when its upstream version was first packaged', async t => {
  const changelog = `tinc (1.0.36-2) unstable; urgency=medium

  * Something.

 -- A B <a@example.net>  Sun, 06 Oct 2019 15:44:37 +0200

tinc (1.0.36-1) unstable; urgency=medium

 -- A B <a@example.net>  Mon, 26 Aug 2019 20:36:43 +0200

tinc (1.0.35-2) unstable; urgency=low

 -- A B <a@example.net>  Thu, 08 Nov 2018 21:23:28 +0100
`;
  t.equal(dateInEntries(changelog, '1.0.36-2+b2'), '2019-08-26');
  t.equal(dateInEntries(changelog, '2.0-1'), null);
});

t.test('the command line names what there is, and nothing else', async t => {
  const known = { cases: [{ name: 'tcp' }, { name: 'ping' }], contenders: [{ name: 'tinc' }] };
  t.match(readOptions(['--case', 'tcp', '--case', 'ping', '--only', 'tinc', '--rounds', '2'], known), {
    case: ['tcp', 'ping'],
    only: ['tinc'],
    rounds: 2,
    seconds: 4,
  });
  for (const [wrong, message] of [
    [['--case', 'tpc'], '--case knows tcp, ping, not "tpc"'],
    [['--only', 'tink'], '--only knows tinc, not "tink"'],
    [['--rounds', '0'], '--rounds wants a number above zero, not "0"'],
    [['--rounds', '1.5'], '--rounds wants a whole number, not "1.5"'],
    [['--sekonds', '3'], /--sekonds/],
    [['--door', 'front'], '--door knows koffi, tuntap, not "front"'],
  ] as const)
    t.throws(() => readOptions(wrong, known), { message }, wrong.join(' '));
});

t.test('the command that is told leaves out where the results go', async t => {
  const known = { cases: [{ name: 'tcp' }], contenders: [] };
  const told = (args: string[]) => commandOf(readOptions(args, known));
  t.equal(told(['--json', '/some/where', '--write-docs', '--remark', 'x']), 'npm run bench');
  t.equal(
    told(['--quick', '--rounds', '2', '--case', 'tcp']),
    'npm run bench -- --quick --rounds 2 --case tcp',
  );
});

t.test('a run replaces the run before on the page, and nothing else of it', async t => {
  const page = 'before\n<!-- last run: begin -->\nold\n<!-- last run: end -->\nafter\n';
  const once = pageWith(page, 'new');
  t.equal(once, 'before\n<!-- last run: begin -->\nnew\n<!-- last run: end -->\nafter\n');
  t.equal(pageWith(once, 'new'), once);
  t.throws(() => pageWith('no marks', 'new'), /marks|needs/);
});
