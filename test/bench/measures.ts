// One measurement each: TCP rate with the processor's time, ping, memory, idling.
import { readFile } from 'node:fs/promises';
import { setTimeout as pause } from 'node:timers/promises';
import { cpuSeconds } from '../lab/place.ts';
import type { Contender, Pair } from './contenders.ts';

export interface TcpRun {
  readonly gigabitsPerSecond: number;
  /** User and system seconds of both daemons; null: there is none. */
  readonly cpuSecondsPerGigabyte: number | null;
}

interface IperfReport {
  readonly end: { readonly sum_received: { readonly bytes: number; readonly bits_per_second: number } };
}

export async function tcp(pair: Pair, contender: Contender, seconds: number): Promise<TcpRun> {
  const before = await totalCpu(contender);
  const line = `iperf3 -c ${contender.target} -t ${seconds} -J`;
  const { stdout } = await pair.one.exec(line, { timeoutMs: (seconds + 20) * 1000 });
  const { bytes, bits_per_second: rate } = (JSON.parse(stdout) as IperfReport).end.sum_received;
  const spent = (await totalCpu(contender)) - before;
  return {
    gigabitsPerSecond: rate / 1e9,
    cpuSecondsPerGigabyte: contender.pids.length === 0 ? null : spent / (bytes / 1e9),
  };
}

/** Round trips in ms, with nothing else going on. */
export async function pings(pair: Pair, contender: Contender): Promise<number[]> {
  const { stdout } = await pair.one.exec(`ping -c 50 -i 0.02 ${contender.target}`);
  return [...stdout.matchAll(/time=([\d.]+)/g)].map(match => Number(match[1]));
}

/** Resident megabytes of the larger of its daemons; null: there is none. */
export async function memory({ pids }: Contender): Promise<number | null> {
  if (pids.length === 0) return null;
  const sizes = await Promise.all(
    pids.map(async pid => /VmRSS:\s+(\d+)/.exec(await readFile(`/proc/${pid}/status`, 'utf8'))?.[1]),
  );
  return Math.max(...sizes.map(Number)) / 1000;
}

/** Share of one processor that both daemons take with nothing to do, in percent. */
export async function idleShare(contender: Contender, seconds: number): Promise<number | null> {
  if (contender.pids.length === 0) return null;
  const before = await totalCpu(contender);
  await pause(seconds * 1000);
  return (((await totalCpu(contender)) - before) / seconds) * 100;
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? NaN;
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] ?? NaN)) / 2;
}

async function totalCpu({ pids }: Contender): Promise<number> {
  const each = await Promise.all(pids.map(cpuSeconds));
  return each.reduce((sum, seconds) => sum + seconds, 0);
}
