// Which figures a table shows, from which case, and how: shared by the terminal and the page.
import { samplesOf } from './figures.ts';
import type { Measured, Report } from './figures.ts';
import { median } from './statistics.ts';

interface Column {
  readonly head: string;
  readonly case: string;
  readonly figure: string;
  readonly digits: number;
  /** Least and most are shown too. */
  readonly withEnds?: boolean;
}

export interface Grid {
  readonly title: string;
  readonly rows: readonly (readonly string[])[];
}

const column = (head: string, testCase: string, figure: string, digits: number): Column => ({
  head,
  case: testCase,
  figure,
  digits,
});
const rate = (head: string, testCase: string): Column => column(head, testCase, 'gigabitsPerSecond', 2);
const cost = (head: string, testCase: string): Column => column(head, testCase, 'cpuSecondsPerGigabyte', 1);

const GRIDS: readonly (readonly [title: string, columns: readonly Column[]])[] = [
  [
    'In short',
    [
      { ...rate('TCP Gbit/s', 'tcp'), withEnds: true },
      { ...cost('CPU s/GB', 'tcp'), withEnds: true },
      column('ping ms', 'ping', 'medianMs', 2),
      column('ping p99 ms', 'ping', 'p99Ms', 2),
      column('memory MB', 'idle', 'memoryMb', 0),
      column('after load', 'tcp', 'memoryMb', 0),
      column('idle CPU %', 'idle', 'cpuPercent', 2),
    ],
  ],
  [
    'Other loads',
    [
      rate('8 streams Gbit/s', 'tcp8'),
      cost('CPU s/GB', 'tcp8'),
      rate('reverse Gbit/s', 'reverse'),
      rate('both ways Gbit/s', 'both'),
      column('UDP 64 B /s', 'udp64', 'packetsPerSecond', 0),
      column('UDP 1,200 B /s', 'udp1200', 'packetsPerSecond', 0),
      column('loaded ping ms', 'ping-loaded', 'medianMs', 2),
      column('p99 ms', 'ping-loaded', 'p99Ms', 1),
    ],
  ],
  [
    'Other lines and places',
    [
      rate('no GSO Gbit/s', 'nogso'),
      cost('CPU s/GB', 'nogso'),
      rate('1 % loss, 20 ms Gbit/s', 'lossy'),
      rate('for a LAN Gbit/s', 'lan'),
      cost('CPU s/GB', 'lan'),
    ],
  ],
  [
    'Many peers',
    [
      column('10 peers: idle CPU %', 'peers10', 'cpuPercent', 2),
      column('memory MB', 'peers10', 'memoryMb', 0),
      rate('TCP Gbit/s', 'peers10'),
      column('1,000 peers: idle CPU %', 'peers1000', 'cpuPercent', 2),
      column('memory MB', 'peers1000', 'memoryMb', 0),
      rate('TCP Gbit/s', 'peers1000'),
    ],
  ],
  [
    'Three WebSocket clients busy on the same loop',
    [
      rate('TCP Gbit/s', 'ws'),
      cost('CPU s/GB', 'ws'),
      column('loaded ping ms', 'ws', 'medianMs', 2),
      column('p99 ms', 'ws', 'p99Ms', 1),
      column('answers /s', 'ws', 'answersPerSecond', 0),
    ],
  ],
  [
    'The page',
    [
      column('first view, 500 boxes, ms', 'page', 'firstViewMs', 0),
      column('frames /s', 'page', 'framesPerSecond', 0),
      column('longest frame ms', 'page', 'longestFrameMs', 0),
      column('ping p99 ms, alone', 'page', 'p99AloneMs', 2),
      column('with three windows', 'page', 'p99BesideMs', 2),
      column('memory MB, page off', 'page', 'withoutPageMb', 0),
      column('added by the page', 'page', 'addedMb', 1),
      column('after a visit', 'page', 'addedVisitedMb', 1),
    ],
  ],
];

/** One grid for each title that was measured at all; the first row is the head. */
export function grids(report: Report): readonly Grid[] {
  return GRIDS.flatMap(([title, columns]) => {
    const measured = columns.filter(({ case: name }) => wasAsked(report, name));
    if (measured.length === 0) return [];
    const rows = report.contenders
      .map(contender => [contender.label, ...measured.map(each => cell(report, contender, each))])
      .filter(([, ...cells]) => cells.some(text => text !== ''));
    return [{ title, rows: [['', ...measured.map(({ head }) => head)], ...rows] }];
  });
}

function wasAsked({ samples, failures, notYet }: Report, name: string): boolean {
  return name in samples || [...failures, ...notYet].some(outcome => outcome.case === name);
}

function cell(report: Report, { name }: Measured, shown: Column): string {
  const values = samplesOf(report, shown.case, name, shown.figure);
  const isHere = (outcome: { contender: string; case: string }): boolean =>
    outcome.contender === name && outcome.case === shown.case;
  if (values.length > 0) return inWords(values, shown);
  if (report.failures.some(isHere)) return 'failed';
  if (report.notYet.some(isHere)) return 'not yet';
  return report.samples[shown.case]?.[name] === undefined ? '' : '–';
}

function inWords(values: readonly number[], { digits, withEnds = false }: Column): string {
  const show = (value: number): string =>
    value.toLocaleString('en', { minimumFractionDigits: digits, maximumFractionDigits: digits });
  const ends = ` (${show(Math.min(...values))}–${show(Math.max(...values))})`;
  return `${show(median(values))}${withEnds && values.length > 1 ? ends : ''}`;
}
