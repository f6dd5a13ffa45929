// What Ginnel set out to reach, as data, and whether a run reached it. Peers are compared with what they had in that
// same run, never with a figure from elsewhere.
import { samplesOf } from './figures.ts';
import type { Report } from './figures.ts';
import { median } from './statistics.ts';

export interface Verdict {
  readonly says: string;
  /** `6.4 ×`, `3.9 s/GB`. */
  readonly measured: string;
  readonly wanted: string;
  readonly isMet: boolean;
}

interface Absolute {
  readonly says: string;
  readonly case: string;
  readonly contender: string;
  readonly figure: string;
  readonly unit: string;
  readonly digits: number;
  readonly atMost?: number;
  readonly atLeast?: number;
}

const AES = 'ginnel-aes';
const CHACHA = 'ginnel-chacha';
const WEBRTC = 'ginnel-webrtc';
const PAGE = 'ginnel-page';

/** How many times a peer's TCP rate. */
const TIMES: Readonly<Record<string, number>> = {
  'wireguard-go': 6,
  nebula: 3,
  openvpn: 4,
  n2n: 4,
  tinc: 5,
};
/** Of a peer's CPU time for the same bytes, at most. */
const CPU_SHARE = 0.35;

const cpu = (contender: string, atMost: number): Absolute => ({
  says: `CPU for a gigabyte, ${contender === AES ? 'AES' : 'ChaCha'}`,
  ...{ case: 'tcp', contender, figure: 'cpuSecondsPerGigabyte', unit: 's/GB', digits: 2, atMost },
});
const packets = (says: string, atLeast: number): Absolute => ({
  says,
  ...{ case: 'udp64', contender: AES, figure: 'packetsPerSecond', unit: '/s', digits: 0, atLeast },
});

const ofPage = (says: string, figure: string, unit: string, digits: number): Omit<Absolute, 'atMost'> => ({
  ...{ says, case: 'page', contender: PAGE, figure, unit, digits },
});

const ABSOLUTE: readonly Absolute[] = [
  cpu(AES, 4),
  cpu(CHACHA, 4.8),
  packets('UDP, 64 bytes, under 1 % lost', 70_000),
  packets('UDP, 64 bytes, under 1 % lost (stretch)', 100_000),
  {
    says: 'ping, idle, median',
    ...{ case: 'ping', contender: AES, figure: 'medianMs', unit: 'ms', digits: 2, atMost: 0.6 },
  },
  {
    says: 'ping, full load, p99',
    ...{ case: 'ping-loaded', contender: AES, figure: 'p99Ms', unit: 'ms', digits: 1, atMost: 10 },
  },
  {
    says: 'memory, idle',
    ...{ case: 'idle', contender: AES, figure: 'memoryMb', unit: 'MB', digits: 0, atMost: 72 },
  },
  {
    says: 'TCP over a WebRTC channel',
    ...{ case: 'webrtc-tcp', contender: WEBRTC, figure: 'gigabitsPerSecond', unit: 'Gbit/s', digits: 2 },
    atLeast: 0.28,
  },
  {
    // What plain UDP may take, and 1 ms more.
    says: 'ping over a WebRTC channel, median',
    ...{ case: 'webrtc-ping', contender: WEBRTC, figure: 'medianMs', unit: 'ms', digits: 2, atMost: 1.6 },
  },
  {
    says: 'memory, idle, with a WebRTC channel',
    ...{ case: 'webrtc-idle', contender: WEBRTC, figure: 'memoryMb', unit: 'MB', digits: 0, atMost: 88 },
  },
  {
    says: 'idle CPU with 1,000 peers',
    ...{
      case: 'peers1000',
      contender: AES,
      figure: 'cpuPercent',
      unit: '% of a core',
      digits: 2,
      atMost: 0.5,
    },
  },
  { ...ofPage('first view of the page with 500 boxes', 'firstViewMs', 'ms', 0), atMost: 300 },
  { ...ofPage('frames of its map', 'framesPerSecond', '/s', 0), atLeast: 30 },
  { ...ofPage('memory that the page adds', 'addedMb', 'MB', 1), atMost: 12 },
  // Unhurt: within what two looks at one and the same differ by.
  { ...ofPage('ping p99 with three windows of the page open', 'p99Ratio', '×', 2), atMost: 1.25 },
];

/** Only what was measured in this run is judged. */
export function verdicts(report: Report): readonly Verdict[] {
  const middle = (testCase: string, contender: string, figure: string): number =>
    median(samplesOf(report, testCase, contender, figure));
  const rate = (contender: string): number => middle('tcp', contender, 'gigabitsPerSecond');
  const cost = (contender: string): number => middle('tcp', contender, 'cpuSecondsPerGigabyte');
  const labelOf = (name: string): string =>
    report.contenders.find(contender => contender.name === name)?.label ?? name;
  const all = [
    ...Object.entries(TIMES).map(([peer, times]) =>
      judged(`TCP against ${labelOf(peer)}`, rate(AES) / rate(peer), {
        atLeast: times,
        unit: '×',
        digits: 1,
      }),
    ),
    ...[AES, CHACHA].flatMap(own =>
      Object.keys(TIMES).map(peer =>
        judged(`CPU (${own === AES ? 'AES' : 'ChaCha'}) against ${labelOf(peer)}`, cost(own) / cost(peer), {
          atMost: CPU_SHARE,
          unit: '×',
          digits: 2,
        }),
      ),
    ),
    ...ABSOLUTE.map(each => judged(each.says, middle(each.case, each.contender, each.figure), each)),
  ];
  return all.filter(verdict => verdict !== null);
}

function judged(
  says: string,
  value: number,
  limit: Pick<Absolute, 'atMost' | 'atLeast' | 'unit' | 'digits'>,
): Verdict | null {
  if (!Number.isFinite(value)) return null;
  const { atMost = Infinity, atLeast = -Infinity, unit, digits } = limit;
  const inWords = (number: number): string =>
    `${number.toLocaleString('en', { minimumFractionDigits: 0, maximumFractionDigits: digits })} ${unit}`;
  return {
    says,
    measured: inWords(value),
    wanted: limit.atMost === undefined ? `≥ ${inWords(atLeast)}` : `≤ ${inWords(atMost)}`,
    isMet: value <= atMost && value >= atLeast,
  };
}
