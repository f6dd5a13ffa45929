// npm run grid: every kind of home against every other, from a cold first packet.
import { readFileSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { COTURN_TOOLS } from './coturn.ts';
import { positive, readOrExplain, someOf } from './command-line.ts';
import { KINDS, planFor, sampleGrid, webrtcGrid, wholeGrid } from './grid-plan.ts';
import { runGrid } from './grid-run.ts';
import type { Outcome } from './grid-run.ts';
import { cellsOf, FOREIGN_PER_SECOND, MOST_SKEW_MS, planPunch, PUNCH_KINDS } from './punch-plan.ts';
import type { PunchSettings } from './punch-plan.ts';
import { runPunch } from './punch-run.ts';
import type { PunchReport } from './punch-run.ts';
import { punchLine, punchWords } from './punch-words.ts';
import { PARTS, writeTraversal } from './traversal-page.ts';
import { enterLab } from './wrapper.ts';

const USAGE = `Usage: npm run grid -- [--sample | --webrtc] [--kinds KIND,…] [--json FILE]
       npm run grid -- --punch [--tries N] [--cells KIND:KIND,…] [--tcp] [--noise one|both] [--skew MS]
                       [--json FILE] [--from FILE,…] [--write-docs PART]
  --sample       a telling few
  --webrtc       with data channels alone: the plugin webrtc and a TURN server, no other plugin
  --kinds LIST   pairs with one of these kinds alone: ${KINDS.join(', ')}
  --json FILE    the outcomes as JSON
  --punch        how often, how fast and by which method homes get through to each other
  --tries N      of each cell; default 1
  --cells LIST   these alone, such as prc:seq1,sym:prc; \`noisy\`, \`birthday\`, \`itself\`: sets of them;
                 default: all of ${PUNCH_KINDS.join(', ')}
  --tcp          no UDP passes at any of the homes
  --noise WHICH  another user opens ${FOREIGN_PER_SECOND} flows a second behind the second router, or behind both
  --skew MS      one end begins so much later; \`each\`: from 0 to ${MOST_SKEW_MS} ms in turn; default: any time up to that
  --at-once N    tries under way at once; default 3
  --from LIST    reads what such runs wrote by --json, and runs nothing
  --write-docs   puts what was seen in that part of docs/traversal.md: ${PARTS.join(', ')}`;

const options = readOrExplain(USAGE, () => {
  const { values } = parseArgs({
    options: {
      sample: { type: 'boolean', default: false },
      webrtc: { type: 'boolean', default: false },
      json: { type: 'string' },
      kinds: { type: 'string' },
      punch: { type: 'boolean', default: false },
      tries: { type: 'string', default: '1' },
      cells: { type: 'string', default: 'all' },
      tcp: { type: 'boolean', default: false },
      noise: { type: 'string', default: 'none' },
      skew: { type: 'string' },
      'at-once': { type: 'string', default: '3' },
      from: { type: 'string' },
      'write-docs': { type: 'string' },
    },
  });
  return {
    ...values,
    kinds: values.kinds === undefined ? null : someOf('kinds', values.kinds, KINDS),
    cells: cellsOf(values.cells),
    parts: values['write-docs'] === undefined ? [] : someOf('write-docs', values['write-docs'], PARTS),
    punching: {
      tries: positive('tries', values.tries),
      transport: values.tcp ? ('tcp' as const) : ('udp' as const),
      noise: someOf('noise', values.noise, ['none', 'one', 'both'] as const)[0] ?? 'none',
      skewMs: skewOf(values.skew),
      atOnce: positive('at-once', values['at-once']),
    },
  };
});
if (options.from === undefined)
  enterLab(import.meta.url, {
    refuse,
    ...(options.webrtc ? { tools: { turnserver: COTURN_TOOLS.turnserver } } : {}),
  });
const isRight = options.punch ? await punch() : await meetings();
process.exit(isRight ? 0 : 1);

async function meetings(): Promise<boolean> {
  const begun = performance.now();
  const outcomes = await runGrid(chosenPlan(), outcome => {
    process.stdout.write(`${lineOf(outcome)}\n`);
  });
  if (!options.sample) process.stdout.write(`\n${table(outcomes)}`);
  writeJson(outcomes);
  const right = outcomes.filter(isAsExpected).length;
  process.stdout.write(`\n${right} of ${outcomes.length} as expected, in ${minutesSince(begun)} minutes.\n`);
  return right === outcomes.length;
}

async function punch(): Promise<boolean> {
  const begun = performance.now();
  const reports = options.from === undefined ? [await punchNow()] : options.from.split(',').map(readReport);
  process.stdout.write(`\n${punchWords(reports)}`);
  for (const part of options.parts) writeTraversal(part, reports);
  process.stdout.write(`\nIn ${minutesSince(begun)} minutes.\n`);
  return reports.every(({ outcomes }) => outcomes.every(outcome => outcome.isRight));
}

async function punchNow(): Promise<PunchReport> {
  const report = await runPunch(planPunch(options.cells, options.punching), options.punching, outcome => {
    process.stdout.write(`${punchLine(outcome)}\n`);
  });
  writeJson(report);
  return report;
}

/** Our own words, from a run before. */
function readReport(file: string): PunchReport {
  return JSON.parse(readFileSync(resolve(file), 'utf8')) as PunchReport;
}

function skewOf(text: string | undefined): PunchSettings['skewMs'] {
  if (text === undefined) return null;
  return text === 'each' ? text : Number(text);
}

function writeJson(outcomes: unknown): void {
  if (options.json !== undefined)
    writeFileSync(resolve(options.json), `${JSON.stringify(outcomes, null, 2)}\n`);
}

function minutesSince(begun: number): string {
  return ((performance.now() - begun) / 60_000).toFixed(1);
}

function chosenPlan(): ReturnType<typeof wholeGrid> {
  const plan = options.sample ? sampleGrid() : options.webrtc ? webrtcGrid() : wholeGrid();
  const { kinds } = options;
  if (kinds === null) return plan;
  const isOfThem = (name: string): boolean => kinds.includes(name.split('-')[0] ?? '');
  const trials = plan.trials.filter(({ from, to }) => isOfThem(from) || isOfThem(to));
  return { ...planFor(trials), isWebrtcAlone: plan.isWebrtcAlone };
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

/** Rows send the first packet; a cell is the time to its reply in ms, `–` none, `!` not as expected, `*` by a relay or TURN. */
function table(all: readonly Outcome[]): string {
  const width = Math.max(...KINDS.map(kind => kind.length)) + 2;
  const cell = (from: string, to: string): string => {
    const found = all.find(outcome => outcome.from === `${from}-a` && outcome.to === `${to}-b`);
    if (found === undefined) return ''.padStart(width);
    const marks = `${found.carriedBy === 'relay' || found.carriedBy === 'server' ? '*' : ''}${isAsExpected(found) ? '' : '!'}`;
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

function isAsExpected({ wrong }: Outcome): boolean {
  return wrong.length === 0;
}
