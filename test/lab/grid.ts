// npm run grid: every kind of home against every other, from a cold first packet.
import { writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { readOrExplain, someOf } from './command-line.ts';
import { KINDS, planFor, sampleGrid, wholeGrid } from './grid-plan.ts';
import { runGrid } from './grid-run.ts';
import type { Outcome } from './grid-run.ts';
import { enterLab } from './wrapper.ts';

const USAGE = `Usage: npm run grid -- [--sample] [--kinds KIND,…] [--json FILE]
  --sample       a telling few
  --kinds LIST   pairs with one of these kinds alone: ${KINDS.join(', ')}
  --json FILE    the outcomes as JSON`;

const { sample, json, kinds } = readOrExplain(USAGE, () => {
  const options = {
    sample: { type: 'boolean', default: false },
    json: { type: 'string' },
    kinds: { type: 'string' },
  } as const;
  const { values } = parseArgs({ options });
  return {
    ...values,
    kinds: values.kinds === undefined ? null : someOf('kinds', values.kinds, KINDS),
  };
});
enterLab(import.meta.url, { refuse });

const begun = performance.now();
const outcomes = await runGrid(chosenPlan(), outcome => {
  process.stdout.write(`${lineOf(outcome)}\n`);
});
if (!sample) process.stdout.write(`\n${table(outcomes)}`);
if (json !== undefined) writeFileSync(resolve(json), `${JSON.stringify(outcomes, null, 2)}\n`);
const right = outcomes.filter(isRight).length;
const minutes = ((performance.now() - begun) / 60_000).toFixed(1);
process.stdout.write(`\n${right} of ${outcomes.length} as expected, in ${minutes} minutes.\n`);
process.exit(right === outcomes.length ? 0 : 1);

function chosenPlan(): ReturnType<typeof wholeGrid> {
  const plan = sample ? sampleGrid() : wholeGrid();
  if (kinds === null) return plan;
  const isOfThem = (name: string): boolean => kinds.includes(name.split('-')[0] ?? '');
  return planFor(plan.trials.filter(({ from, to }) => isOfThem(from) || isOfThem(to)));
}

function lineOf(outcome: Outcome): string {
  const { from, to, expects, firstReplyMs, settledMs, carriedBy, through, family, wrong } = outcome;
  const { state, path, reason } = outcome;
  const settled = settledMs === null || settledMs < 100 ? '' : ` +${settledMs} ms`;
  const carrier = `${carriedBy}${through.length === 0 ? '' : `:${through.join('+')}`}`;
  const way =
    firstReplyMs === null
      ? 'no reply'
      : `${firstReplyMs} ms${settled}, ${carrier}${family === null ? '' : ` IPv${family}`}`;
  const mark = wrong.length === 0 ? 'ok   ' : 'WRONG';
  const words = `${state}${path === null ? '' : ` (${path})`}: ${reason}`;
  const complaint = wrong.length === 0 ? '' : ` [${wrong.join(', ')}]`;
  return `${mark} ${`${from} → ${to}`.padEnd(24)} ${expects.padEnd(8)} ${way.padEnd(40)} ${words}${complaint}`;
}

/** Rows send the first packet; a cell is the time to its reply in ms, `–` none, `!` not as expected, `*` by a relay. */
function table(all: readonly Outcome[]): string {
  const width = Math.max(...KINDS.map(kind => kind.length)) + 2;
  const cell = (from: string, to: string): string => {
    const found = all.find(outcome => outcome.from === `${from}-a` && outcome.to === `${to}-b`);
    if (found === undefined) return ''.padStart(width);
    const marks = `${found.carriedBy === 'relay' ? '*' : ''}${isRight(found) ? '' : '!'}`;
    return `${found.firstReplyMs ?? '–'}${marks}`.padStart(width);
  };
  const head = `${''.padEnd(width)}${KINDS.map(kind => kind.padStart(width)).join('')}\n`;
  return (
    head + KINDS.map(from => `${from.padEnd(width)}${KINDS.map(to => cell(from, to)).join('')}\n`).join('')
  );
}

function refuse(reason: string): never {
  process.stderr.write(`${reason}\n`);
  process.exit(1);
}

function isRight({ wrong }: Outcome): boolean {
  return wrong.length === 0;
}
