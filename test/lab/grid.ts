// npm run grid: every kind of home against every other, from a cold first packet.
import { writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { readOrExplain } from './command-line.ts';
import { KINDS, sampleGrid, wholeGrid } from './grid-plan.ts';
import { runGrid } from './grid-run.ts';
import type { Outcome } from './grid-run.ts';
import { enterLab } from './wrapper.ts';

const USAGE = `Usage: npm run grid -- [--sample] [--json FILE]
  --sample       a telling few
  --json FILE    the outcomes as JSON`;

const { values: options } = readOrExplain(USAGE, () =>
  parseArgs({ options: { sample: { type: 'boolean', default: false }, json: { type: 'string' } } }),
);
enterLab(import.meta.url, { refuse });

const outcomes = await runGrid(options.sample ? sampleGrid() : wholeGrid(), outcome => {
  process.stdout.write(`${lineOf(outcome)}\n`);
});
if (!options.sample) process.stdout.write(`\n${table(outcomes)}`);
if (options.json !== undefined)
  writeFileSync(resolve(options.json), `${JSON.stringify(outcomes, null, 2)}\n`);
const wrong = outcomes.filter(({ isAsExpected }) => !isAsExpected);
process.stdout.write(`\n${outcomes.length - wrong.length} of ${outcomes.length} as expected.\n`);
process.exit(wrong.length === 0 ? 0 : 1);

function lineOf(outcome: Outcome): string {
  const { from, to, expects, firstReplyMs, carriedBy, family, state, path, reason } = outcome;
  const mark = outcome.isAsExpected ? 'ok   ' : 'WRONG';
  const way =
    firstReplyMs === null
      ? 'no reply'
      : `${firstReplyMs} ms, ${carriedBy}${family === null ? '' : ` IPv${family}`}`;
  return `${mark} ${`${from} → ${to}`.padEnd(24)} ${expects.padEnd(8)} ${way.padEnd(24)} ${state}${path === null ? '' : ` (${path})`}: ${reason}`;
}

/** Rows send the first packet; a cell is the time to its reply in ms, `–` none, `!` not as expected. */
function table(all: readonly Outcome[]): string {
  const width = Math.max(...KINDS.map(kind => kind.length)) + 1;
  const cell = (from: string, to: string) => {
    const found = all.find(outcome => outcome.from === `${from}-a` && outcome.to === `${to}-b`);
    return `${found?.firstReplyMs ?? '–'}${found?.isAsExpected === true ? '' : '!'}`.padStart(width);
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
