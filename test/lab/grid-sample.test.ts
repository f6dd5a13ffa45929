// A telling sample of the grid: each sort of meeting once, from a cold first packet, by the kernel's counters.
import { existsSync } from 'node:fs';
import t from 'tap';
import { GINNEL } from './ginnel.ts';
import { sampleGrid, type Expectation } from './grid-plan.ts';
import { runGrid } from './grid-run.ts';
import { enterLab } from './wrapper.ts';

enterLab(import.meta.url);

const SORTS: Partial<Record<Expectation, string>> = {
  direct: 'P5, V14: met directly within 3 s of the first packet, nothing through the server',
  direct6: 'V12: direct over IPv6 where IPv4 is hopeless or absent',
  tcp: 'V10: by plain TCP to a public box where no UDP passes',
  lan: 'met on the LAN, without the line to the outside',
  relay: 'V7, V11: a reply within 3 s over a relay, where there is no direct way',
};

const skip = existsSync(GINNEL) ? false : 'the ginnel command is not built';

t.test('P5, V7, V10, V11: homes meet as their NATs allow', { skip, timeout: 110_000 }, async t => {
  for (const outcome of await runGrid(sampleGrid())) {
    t.same(outcome.wrong, [], `${outcome.from} → ${outcome.to}: ${SORTS[outcome.expects] ?? ''}`, {
      outcome,
    });
  }
});
