// A telling sample of the punching grid: each method once, from a cold first packet; the kernel's counters say which way
// the packets go. Guessing misses now and then by its nature: what missed is tried once more between fresh boxes, and how
// often each gets through is what `npm run grid -- --punch` measures.
import { existsSync } from 'node:fs';
import t from 'tap';
import { BUDGET } from '../../core/paths/budget.ts';
import { GINNEL } from './ginnel.ts';
import { planPunch } from './punch-plan.ts';
import type { PunchSettings } from './punch-plan.ts';
import { runPunch } from './punch-run.ts';
import { punchLine } from './punch-words.ts';
import { enterLab } from './wrapper.ts';

enterLab(import.meta.url);

const CELLS = [
  { from: 'carrier', to: 'seq1' },
  { from: 'seq1', to: 'seq5' },
  { from: 'onrouter', to: 'seqd1' },
  { from: 'sym', to: 'prcnp' },
  { from: 'sym', to: 'seq1' },
];
const SETTINGS: PunchSettings = { tries: 1, transport: 'udp', noise: 'none', skewMs: null, atOnce: 1 };

const skip = existsSync(GINNEL) ? false : 'the ginnel command is not built';

t.test(
  'P2, P3, P5, P6: homes meet through ports that are predicted or guessed',
  { skip, timeout: 110_000 },
  async t => {
    const first = await runPunch(planPunch(CELLS, SETTINGS), SETTINGS);
    const missed = first.outcomes.filter(({ isRight }) => !isRight);
    const again =
      missed.length === 0
        ? { outcomes: [], boxes: [] }
        : await runPunch(
            planPunch(
              missed.map(({ cell }) => cell),
              SETTINGS,
            ),
            SETTINGS,
          );
    for (const outcome of [...first.outcomes.filter(({ isRight }) => isRight), ...again.outcomes]) {
      t.comment(punchLine(outcome));
      const way = outcome.expects === 'relay' ? 'others' : 'udp';
      t.equal(outcome.carriedBy, way, `${outcome.from} → ${outcome.to}: ${outcome.expects}`, { outcome });
    }
    for (const outcome of missed) t.comment(`missed at first: ${punchLine(outcome)}`);
    const { node, volleys } = BUDGET;
    const most = node.burst + node.perSecond + volleys.burst + volleys.perSecond;
    for (const { name, left } of [...first.boxes, ...again.boxes])
      t.ok(
        left.probes.mostPerSecond <= most,
        `${name}: ${left.probes.mostPerSecond} probes in a second at most`,
      );
  },
);
