// A telling sample of the punching grid: each method once, from a cold first packet, beside another user's traffic where
// ports are predicted; the kernel's counters say which way the packets go.
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
const SETTINGS: PunchSettings = { tries: 1, transport: 'udp', noise: 'one', skewMs: null, atOnce: 1 };

const skip = existsSync(GINNEL) ? false : 'the ginnel command is not built';

t.test(
  'P2, P3, P5, P6: homes meet through ports that are predicted or guessed',
  { skip, timeout: 110_000 },
  async t => {
    const { outcomes, boxes } = await runPunch(planPunch(CELLS, SETTINGS), SETTINGS);
    for (const outcome of outcomes) {
      t.comment(punchLine(outcome));
      const way = outcome.expects === 'relay' ? 'others' : 'udp';
      t.equal(outcome.carriedBy, way, `${outcome.from} → ${outcome.to}: ${outcome.expects}`, { outcome });
    }
    const { node, volleys } = BUDGET;
    const most = node.burst + node.perSecond + volleys.burst + volleys.perSecond;
    for (const { name, left } of boxes)
      t.ok(
        left.probes.mostPerSecond <= most,
        `${name}: ${left.probes.mostPerSecond} probes in a second at most`,
      );
  },
);
