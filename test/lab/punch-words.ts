// A run of punching in words: a line for each try, then each cell with its success, times and ways, and what left the boxes.
import { PUNCH_KINDS } from './punch-plan.ts';
import type { Cell, PunchExpectation } from './punch-plan.ts';
import type { BoxReport, PunchReport } from './punch-run.ts';
import type { Cost, PunchOutcome } from './punch-try.ts';
import type { Left, Sent } from './watch.ts';

/** How the tries of a cell went that went as expected. */
export type Way = PunchExpectation;

/** All tries of one cell. */
export interface CellResult {
  readonly cell: Cell;
  readonly expects: PunchExpectation;
  readonly tries: number;
  readonly right: number;
  /** Of those that became direct, sorted, in ms. */
  readonly times: readonly number[];
  /** By what they met, the most frequent first, and in words with how often. */
  readonly way: Way;
  readonly methods: readonly string[];
  /** What guessing cost at each end, middle and most of all tries; empty: there was none. */
  readonly costs: readonly string[];
}

export function resultsOf(reports: readonly Pick<PunchReport, 'outcomes'>[]): CellResult[] {
  const outcomes = reports.flatMap(report => report.outcomes);
  const byCell = new Map<string, PunchOutcome[]>();
  for (const outcome of outcomes) {
    const key = `${outcome.cell.from} ${outcome.cell.to}`;
    byCell.set(key, [...(byCell.get(key) ?? []), outcome]);
  }
  return [...byCell.values()].flatMap(tries => {
    const [first] = tries;
    if (first === undefined) return [];
    const times = tries.flatMap(({ directMs }) => directMs ?? []).sort((a, b) => a - b);
    const { cell, expects } = first;
    const ways = waysOf(tries);
    return [
      {
        ...{ cell, expects, times, tries: tries.length, right: tries.filter(isRight).length },
        way: ways[0]?.way ?? expects,
        costs: costsOf(tries),
        methods: ways.map(({ way, count }) => `${way} ${count}`),
      },
    ];
  });
}

function waysOf(tries: readonly PunchOutcome[]): { readonly way: Way; readonly count: number }[] {
  const counts = new Map<Way, number>();
  for (const { method } of tries) if (method !== null) counts.set(method, (counts.get(method) ?? 0) + 1);
  return [...counts].map(([way, count]) => ({ way, count })).sort((a, b) => b.count - a.count);
}

function costsOf(tries: readonly PunchOutcome[]): string[] {
  const costs = tries.flatMap(({ cost }) => (cost === null ? [] : [cost]));
  if (costs.length === 0) return [];
  return ([0, 1] as const).map(end => {
    const words = (figure: keyof Cost): string => {
      const sorted = costs.map(cost => cost[end][figure]).sort((a, b) => a - b);
      return `${middleOf(sorted) ?? 0} (${sorted.at(-1) ?? 0})`;
    };
    return `${words('probes')} probes, ${words('entries')} router entries`;
  });
}

/** `predict 10/10, 0.6 s`. */
export function cellText({ way, right, tries, times }: CellResult): string {
  const middle = middleOf(times);
  return `${way} ${right}/${tries}${middle === null ? '' : `, ${(middle / 1000).toFixed(1)} s`}`;
}

/** Null: there are none. */
export function middleOf(sorted: readonly number[]): number | null {
  return sorted[Math.floor((sorted.length - 1) / 2)] ?? null;
}

export function punchLine(outcome: PunchOutcome): string {
  const { from, to, expects, directMs, carriedBy, path, reason, skewMs } = outcome;
  const mark = outcome.isRight ? 'ok   ' : 'WRONG';
  const time = directMs === null ? 'never direct' : `${directMs} ms`;
  return `${mark} ${`${from} → ${to}`.padEnd(26)} ${expects.padEnd(9)} ${time.padEnd(13)} ${carriedBy.padEnd(7)} skew ${skewMs.join('/')} ${outcome.method ?? ''} (${path}) ${reason}`;
}

export function punchWords(reports: readonly PunchReport[]): string {
  const results = resultsOf(reports);
  const cells = results.map(({ cell, expects, tries, right, times, costs }) => {
    const name = `${cell.from} × ${cell.to}`.padEnd(22);
    const middle = middleOf(times);
    const time =
      middle === null ? '' : `, direct after ${middle} ms (median), ${times.at(-1) ?? 0} ms at most`;
    return `${name} ${expects.padEnd(9)} ${right} of ${tries}${time}${costs.map(cost => `; ${cost}`).join('')}\n`;
  });
  const count = results.reduce((sum, { tries }) => sum + tries, 0);
  const all = results.reduce((sum, { right }) => sum + right, 0);
  return `${table(results)}${cells.join('')}\n${leftWords(reports.flatMap(({ boxes }) => boxes)).join('\n')}\n${all} of ${count} as expected.\n`;
}

/** Rows begin; a cell is how many of its tries went as expected. */
function table(results: readonly CellResult[]): string {
  const known = (kind: string): boolean => results.some(({ cell }) => cell.from === kind || cell.to === kind);
  const kinds = PUNCH_KINDS.filter(known);
  if (results.length < kinds.length * kinds.length) return '';
  const width = 10;
  const cell = (from: string, to: string): string => {
    const found = results.find(result => result.cell.from === from && result.cell.to === to);
    return (found === undefined ? '' : `${found.right}/${found.tries}`).padStart(width);
  };
  const head = `${''.padEnd(width)}${kinds.map(kind => kind.padStart(width)).join('')}\n`;
  const rows = kinds.map(from => `${from.padEnd(width)}${kinds.map(to => cell(from, to)).join('')}\n`);
  return `${head}${rows.join('')}\n`;
}

/** The busiest box of each sort. */
export function leftWords(boxes: readonly BoxReport[]): string[] {
  const words = (name: string, of: (left: Left) => Sent): string => {
    const most = (figure: keyof Sent): string => {
      const [box] = [...boxes].sort((a, b) => of(b.left)[figure] - of(a.left)[figure]);
      return box === undefined ? '0' : `${of(box.left)[figure]} (${box.name})`;
    };
    return `${name}: at most ${most('mostPerSecond')} in a second, ${most('mostPerSecondToOne')} in a second to one address, ${most('mostToOne')} to one address in all.`;
  };
  return [
    words('Probes that left a box', left => left.probes),
    words('First packets of TCP', left => left.calls),
  ];
}

function isRight(outcome: PunchOutcome): boolean {
  return outcome.isRight;
}
