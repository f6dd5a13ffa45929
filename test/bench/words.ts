// A run as text: the terminal's table, and the Markdown that goes into docs/performance.md.
import { grids } from './columns.ts';
import type { Grid } from './columns.ts';
import type { Failure, Report } from './figures.ts';
import { samplesOf } from './figures.ts';
import { median, percentile, spread } from './statistics.ts';
import { verdicts } from './targets.ts';

export function terminalText(report: Report): string {
  return (
    [contendersGrid(report), ...grids(report), targetsGrid(report)]
      .map(grid => `${grid.title}\n${aligned(grid.rows)}`)
      .join('\n\n') + `\n\n${[...outcomes(report), ...noiseWords(report)].join('\n')}\n`
  );
}

export function markdown(report: Report): string {
  const { machine } = report;
  const head = [
    `Measured ${report.startedAt.slice(0, 16).replace('T', ' ')} UTC in ${report.minutes.toFixed(0)} minutes by \`${report.command}\`: ${machine.model}, ${machine.cpus} processors, ${(machine.memoryMb / 1000).toFixed(0)} GB, ${machine.system}, Linux ${machine.kernel}, TCP by ${machine.congestion}, Node ${machine.node}.`,
    ...noiseWords(report),
  ];
  const parts = [contendersGrid(report), ...grids(report), targetsGrid(report)].map(
    ({ title, rows }) => `### ${title}\n\n${markdownTable(rows)}`,
  );
  const left = outcomes(report).map(line => `- ${line}`);
  return [head.join(' '), ...parts, ...(left.length === 0 ? [] : [left.join('\n')])].join('\n\n');
}

function contendersGrid({ contenders }: Report): Grid {
  return {
    title: 'Contenders',
    rows: [
      ['', 'version', 'of', 'set up'],
      ...contenders.map(({ label, version, date, setUp }) => [label, version, date, setUp]),
    ],
  };
}

function targetsGrid(report: Report): Grid {
  return {
    title: 'Targets',
    rows: [
      ['', 'measured', 'wanted', 'reached'],
      ...verdicts(report).map(({ says, measured, wanted, isMet }) => [
        says,
        measured,
        wanted,
        isMet ? 'yes' : 'NO',
      ]),
    ],
  };
}

function outcomes({ failures, notYet, contenders }: Report): string[] {
  const labelOf = (name: string): string => contenders.find(each => each.name === name)?.label ?? name;
  const told = (what: string, all: readonly Failure[]): string[] => {
    const byReason = new Map<string, string[]>();
    for (const { contender, reason, case: name } of all) {
      const key = `${labelOf(contender)}: ${reason.split('\n')[0] ?? ''}`;
      byReason.set(key, [...(byReason.get(key) ?? []), name]);
    }
    return [...byReason].map(([key, names]) => `${what} (${[...new Set(names)].join(', ')}): ${key}`);
  };
  return [...told('Not yet', notYet), ...told('Failed', failures)];
}

/** Sentences on how much the machine itself wavered, and who was held still. */
export function noiseWords(report: Report): string[] {
  const { calculationMs, loadBefore, busiestWaiting, heldStill } = report.noise;
  const calculation = spread(calculationMs);
  const veth = spread(samplesOf(report, 'tcp', 'veth', 'gigabitsPerSecond'));
  return [
    'Medians; both ends and what loads them share the processors.',
    ...(calculation === null
      ? []
      : [
          `How noisy the machine was: one and the same calculation took ${median(calculationMs).toFixed(1)} ms (${calculation.least.toFixed(1)} to ${calculation.most.toFixed(1)}, p90 ${percentile(calculationMs, 90).toFixed(1)}; ${calculationMs.length} times).`,
        ]),
    ...(veth === null
      ? []
      : [
          `TCP over the bare veth had ${veth.least.toFixed(1)} to ${veth.most.toFixed(1)} Gbit/s, a spread of ${veth.percent.toFixed(0)} %.`,
        ]),
    `The load before the run was ${loadBefore.toFixed(2)}; of those that waited while another was measured and were not held still, none took more than ${busiestWaiting.percent.toFixed(1)} % of a core${busiestWaiting.contender === '' ? '' : ` (${busiestWaiting.contender})`}${heldStill.length === 0 ? '; none was held still' : `; held still by SIGSTOP while others were measured: ${heldStill.join(', ')}`}.`,
  ];
}

function aligned(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, index) => Math.max(...rows.map(row => row[index]?.length ?? 0)));
  const line = (row: readonly string[]): string =>
    row.map((cell, index) => cell.padEnd((widths[index] ?? 0) + 2)).join('');
  return rows.map(row => `  ${line(row)}`.trimEnd()).join('\n');
}

function markdownTable(rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  const [head = [], ...rest] = rows;
  return [line(head), `|${'---|'.repeat(head.length)}`, ...rest.map(line)].join('\n');
}
