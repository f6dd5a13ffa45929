// A telling sample of the grid: each sort of meeting once, from a cold first packet, by the kernel's counters.
import { existsSync } from 'node:fs';
import t from 'tap';
import { GINNEL } from './ginnel.ts';
import { sampleGrid } from './grid-plan.ts';
import { runGrid } from './grid-run.ts';
import { enterLab } from './wrapper.ts';

enterLab(import.meta.url);

const SORTS = {
  direct: 'P5, V14: met directly within 3 s of the first packet, nothing through the server',
  direct6: 'V12: direct over IPv6 where IPv4 is hopeless or absent',
  lan: 'met on the LAN, without the line to the outside',
  apart: 'no direct path with STUN alone, and the reason in words',
};

const skip = existsSync(GINNEL) ? false : 'the ginnel command is not built';

t.test('homes meet as their NATs allow', { skip, timeout: 110_000 }, async t => {
  for (const outcome of await runGrid(sampleGrid())) {
    t.equal(outcome.isAsExpected, true, `${outcome.from} → ${outcome.to}: ${SORTS[outcome.expects]}`, {
      outcome,
    });
  }
});
