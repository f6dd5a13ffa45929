// How noisy the machine is: one and the same calculation, timed before each measurement.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { cpus, loadavg, release, totalmem } from 'node:os';
import type { Machine, Noise } from './figures.ts';

const ROUNDS = 20_000_000;

/** Of one core and its caches only: about 25 to 60 ms. */
export function calculationMs(): number {
  const since = performance.now();
  let state = 1;
  for (let round = 0; round < ROUNDS; round += 1) state = (Math.imul(state, 1_664_525) + 1_013_904_223) | 0;
  const took = performance.now() - since;
  // Used, so that no compiler may leave the loop out.
  return state === 0.5 ? NaN : took;
}

export function noNoiseYet(): Noise {
  calculationMs();
  const busiestWaiting = { contender: '', percent: 0 };
  return { calculationMs: [], loadBefore: loadavg()[0] ?? 0, busiestWaiting, heldStill: [] };
}

export function thisMachine(): Machine {
  const name = /^PRETTY_NAME="?([^"\n]*)/m.exec(readFileSync('/etc/os-release', 'utf8'))?.[1] ?? '';
  return {
    model: cpus()[0]?.model.trim() ?? '',
    cpus: cpus().length,
    memoryMb: Math.round(totalmem() / 1e6),
    kernel: release(),
    system: `${name}, ${execFileSync('uname', ['-m'], { encoding: 'utf8' }).trim()}`,
    node: process.version,
    congestion: readFileSync('/proc/sys/net/ipv4/tcp_congestion_control', 'utf8').trim(),
  };
}
