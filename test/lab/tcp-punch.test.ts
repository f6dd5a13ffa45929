// TCP simultaneous open through the kernel's own NATs (P7): ports predicted by Ginnel's STUN over TCP, 20 ms one way, and one
// end that starts later than the other.
import t from 'tap';
import { PunchEnd, startStun, tryOnce } from './tcp-punch.ts';
import { buildLab } from './topology.ts';
import { enterLab } from './wrapper.ts';

enterLab(import.meta.url);

const PAIRS = [
  ['prc', 'prc'],
  ['seq1', 'prc'],
  ['seq1', 'seq2'],
  ['naive', 'naive'],
  ['prc+rst', 'prc+rst'],
] as const;
const SKEWS_MS = [0, 25, 50, 100];
/** The other end's opener has left by then. */
const HOLD_BACK_MS = 120;

const lab = await buildLab({ homes: PAIRS.flat().map(kind => ({ kind })), delayMs: 20 });
t.teardown(() => lab.stop());
await startStun(lab);
const ends = await Promise.all(lab.homes.map((home, index) => PunchEnd.start(home, `end${index}`)));

for (const [index, pair] of PAIRS.entries())
  t.test(`P7: ${pair.join(' and ')} meet over TCP, whoever starts later`, async t => {
    const [one, other] = [ends[2 * index]!, ends[2 * index + 1]!];
    for (const skewMs of SKEWS_MS) {
      const sign = index % 2 === 0 ? 1 : -1;
      const { offerer, answerer, forecasts } = await tryOnce(one, other, {
        ...{ skewMs: sign * skewMs, holdBackMs: HOLD_BACK_MS },
      });
      t.match(offerer, { ok: true, heard: `tcp from end${2 * index + 1}` }, `${skewMs} ms`, { forecasts });
      t.match(answerer, { ok: true, heard: `tcp from end${2 * index}` }, `${skewMs} ms`, { forecasts });
      // Where an opener dies, a router says so: that ends no attempt.
      const refused = [offerer, answerer].map(({ counts }) => counts['punch.refused'] ?? 0);
      t.same(refused, [0, 0], `${skewMs} ms: openers went before all else`);
    }
  });

t.test('P7: who is refused tries again a round trip later, until both NATs are open', async t => {
  const [one, other] = [ends[8]!, ends[9]!];
  const { offerer, answerer } = await tryOnce(one, other, { skewMs: 100, holdBackMs: 0, withoutLow: true });
  t.match([offerer.ok, answerer.ok], [true, true]);
  const { 'punch.refused': refused = 0, 'punch.sent': sent = 0 } = offerer.counts;
  // 100 ms at 40 ms a round trip.
  t.ok(refused >= 1 && refused <= 5, `refused ${refused} times`);
  t.ok(sent <= refused + 1, `sent ${sent} times`);
});
