// What `ginnel logs`, `bugreport` and `metrics` show.
import type { LogLine, MetricsShown } from '../../web/daemon-admin.ts';
import { bytesInWords, plain, type Paint } from '../words.ts';

/** `2026-11-26 07:14:58.120 warn  node.paths: the path fell silent  peer=attic`. */
export function logLine({ time, level, part, message, facts }: LogLine, colours: Paint): string {
  const when = time.replace('T', ' ').replace('Z', '');
  const padded = level.padEnd(5);
  const shown = level === 'error' ? colours.bad(padded) : level === 'warn' ? colours.warn(padded) : padded;
  const more = Object.entries(facts).map(([name, value]) => `  ${name}=${valueInWords(value)}`);
  return `${when} ${shown} ${plain(`${part === '' ? '' : `${part}: `}${message}${more.join('')}`)}`;
}

const valueInWords = (value: unknown): string =>
  typeof value === 'string' && /^[\w.:/[\]-]+$/.test(value) ? value : JSON.stringify(value);

export interface ReportShown {
  readonly file: string;
  readonly bytes: number;
  readonly masked: boolean;
}

export const reportScreen = ({ file, bytes, masked }: ReportShown): string =>
  [
    `Written to ${plain(file)} (${bytesInWords(bytes)}). It is readable; look at it before you send it.`,
    'In it:      version, machine, status of this box and its peers, health, NAT report, counters, settings,',
    '            the last log lines.',
    'Not in it:  keys, invites, tokens, passwords, anything that was sent through the network.',
    masked
      ? 'Names of boxes and all addresses are made unrecognisable.'
      : 'It names boxes and addresses; with --mask these are made unrecognisable.',
  ].join('\n');

export function metricsScreen({ address, problem }: Omit<MetricsShown, 'token'>): string {
  if (address === null) return 'Metrics are off. Serve them with: sudo ginnel set metrics 127.0.0.1:9477';
  const served =
    problem === '' ? `Metrics are served at http://${address}/metrics` : notServed(address, problem);
  return `${served}\nThe token that opens them (Authorization: Bearer …): sudo ginnel metrics --token`;
}

const notServed = (address: string, problem: string): string =>
  `Metrics should be served at ${address}, but: ${plain(problem)}. It is tried again by itself.`;
