// One measurement each, from the first place to the second: iperf3, ping, the processor's time, memory.
import { readFile } from 'node:fs/promises';
import { setTimeout as pause } from 'node:timers/promises';
import { cpuSeconds, endOf } from '../lab/place.ts';
import type { Place } from '../lab/place.ts';
import { until } from '../lab/waiting.ts';
import type { Running } from './contender.ts';
import type { Figures } from './figures.ts';
import { median, percentile } from './statistics.ts';

export interface Ends {
  readonly one: Place;
  readonly other: Place;
}

interface Sum {
  readonly bytes: number;
  readonly seconds: number;
  readonly bits_per_second: number;
}

interface IperfReport {
  readonly end: {
    readonly sum_received: Sum;
    readonly sum_received_bidir_reverse?: Sum;
    readonly sum?: Sum & { readonly packets: number; readonly lost_packets: number };
  };
}

const GRACE_S = 20;

/** `flags`: iperf3's own, such as `-P 8`. Seconds of CPU are those of both daemons, user and system. */
export async function tcp(ends: Ends, running: Running, seconds: number, flags = ''): Promise<Figures> {
  const before = await totalCpu(running.pids);
  const { end } = await iperf(ends, `-c ${running.target} -t ${seconds} ${flags}`, seconds);
  const cpu = (await totalCpu(running.pids)) - before;
  const sums = [end.sum_received, end.sum_received_bidir_reverse].filter(sum => sum !== undefined);
  const bytes = sums.reduce((total, sum) => total + sum.bytes, 0);
  const gigabitsPerSecond = sums.reduce((total, sum) => total + sum.bits_per_second, 0) / 1e9;
  return running.pids.length === 0
    ? { gigabitsPerSecond }
    : { gigabitsPerSecond, cpuSecondsPerGigabyte: cpu / (bytes / 1e9) };
}

export interface Datagrams {
  readonly arrivedPerSecond: number;
  readonly lostShare: number;
}

export async function udp(
  ends: Ends,
  target: string,
  bytes: number,
  perSecond: number,
  seconds: number,
): Promise<Datagrams> {
  const line = `-u -c ${target} -t ${seconds} -l ${bytes} -b ${perSecond * bytes * 8} -w 208K`;
  const { sum } = (await iperf(ends, line, seconds)).end;
  if (sum === undefined) throw new Error('iperf3 told no sum of its datagrams');
  const arrived = sum.packets - sum.lost_packets;
  return { arrivedPerSecond: arrived / sum.seconds, lostShare: sum.lost_packets / sum.packets };
}

/** Round trips in ms: their median and the one that 99 of 100 do not exceed. */
export async function pings(ends: Ends, target: string, count: number): Promise<Figures> {
  const line = `ping -c ${count} -i 0.01 -W 2 ${target}`;
  const { stdout } = await ends.one.exec(line, { mayFail: true, timeoutMs: 60_000 });
  const times = [...stdout.matchAll(/time=([\d.]+)/g)].map(match => Number(match[1]));
  if (times.length < count / 2) throw new Error(`of ${count} pings ${times.length} came back`);
  return { medianMs: median(times), p99Ms: percentile(times, 99) };
}

/** Resident megabytes of the larger of the daemons. */
export async function memoryMb(pids: readonly number[]): Promise<number> {
  const sizes = await Promise.all(
    pids.map(async pid => /VmRSS:\s+(\d+)/.exec(await readFile(`/proc/${pid}/status`, 'utf8'))?.[1]),
  );
  return Math.max(...sizes.map(Number)) / 1000;
}

/** What all of them take with nothing to do, in percent of one core. */
export async function idlePercent(pids: readonly number[], seconds: number): Promise<number> {
  const before = await totalCpu(pids);
  await pause(seconds * 1000);
  return (((await totalCpu(pids)) - before) / seconds) * 100;
}

export async function totalCpu(pids: readonly number[]): Promise<number> {
  const each = await Promise.all(pids.map(cpuSeconds));
  return each.reduce((sum, seconds) => sum + seconds, 0);
}

/** A server for this one run, so that one that broke off is nobody else's trouble. */
async function iperf({ one, other }: Ends, line: string, seconds: number): Promise<IperfReport> {
  const server = other.spawn('iperf3', ['-s', '-1'], { stdio: 'ignore' });
  try {
    await until('iperf3', 10_000, async () =>
      (await readFile(`/proc/${server.pid ?? 0}/net/tcp6`, 'utf8')).includes(':1451 '),
    );
    const { stdout } = await one.exec(`iperf3 -J ${line}`, { timeoutMs: (seconds + GRACE_S) * 1000 });
    return JSON.parse(stdout) as IperfReport;
  } finally {
    server.kill('SIGKILL');
    await endOf(server);
  }
}
