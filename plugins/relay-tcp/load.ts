// How much of this box is in use: the line's bits per second, the process's share of a core and the machine's load, each
// over the last ten seconds or so. What cannot be read is null, never a guess.
import { cpus, loadavg } from 'node:os';
import type { Clock } from '../../base/clock.ts';
import { kernelTables, readLine, type KernelTables, type LineCounts } from './line.ts';

export interface Machine {
  readonly tables: KernelTables;
  /** Microseconds of processor time that this process has used. */
  processMicros(): number;
  /** Of the last minute, 0 to 1 a core; null: not told here. */
  loadPerCore(): number | null;
}

export const thisMachine: Machine = {
  tables: kernelTables,
  processMicros() {
    const { user, system } = process.cpuUsage();
    return user + system;
  },
  loadPerCore: () =>
    process.platform === 'win32' ? null : Math.min(1, (loadavg()[0] ?? 0) / Math.max(1, cpus().length)),
};

export interface Load {
  /** Bits per second that the line can carry. */
  readonly speed: number | null;
  /** The busier direction, in bits per second. */
  readonly lineUse: number | null;
  /** This process's, in cores. It does its work on one: at 1 it has no more to give. */
  readonly processCpu: number | null;
  /** 0 to 1: the busier of process and machine. */
  readonly cpuLoad: number | null;
}

interface Sample {
  readonly at: number;
  readonly line: LineCounts | null;
  readonly micros: number;
}

/** Figures of a shorter time say little. */
const LEAST_SPAN_MS = 1_000;

export class LoadMeter {
  readonly #clock: Clock;
  readonly #machine: Machine;
  #last: Sample;

  constructor(clock: Clock, machine: Machine = thisMachine) {
    this.#clock = clock;
    this.#machine = machine;
    this.#last = this.#sample();
  }

  /** Since the last call, or since the beginning. */
  read(): Load {
    const [before, now] = [this.#last, this.#sample()];
    const spanMs = now.at - before.at;
    const speed = now.line?.speed ?? null;
    const machine = this.#machine.loadPerCore();
    if (spanMs < LEAST_SPAN_MS) return { speed, lineUse: null, processCpu: null, cpuLoad: machine };
    this.#last = now;
    const processCpu = Math.max(0, (now.micros - before.micros) / 1000 / spanMs);
    const cpuLoad = Math.max(machine ?? 0, Math.min(1, processCpu));
    return { speed, lineUse: lineUse(before.line, now.line, spanMs), processCpu, cpuLoad };
  }

  #sample(): Sample {
    return {
      at: this.#clock.monotonicMs(),
      line: readLine(this.#machine.tables),
      micros: this.#machine.processMicros(),
    };
  }
}

/** Null where the default route moved to another interface, or its counters began anew. */
function lineUse(before: LineCounts | null, now: LineCounts | null, spanMs: number): number | null {
  if (before === null || now?.name !== before.name) return null;
  const [bytesIn, bytesOut] = [now.bytesIn - before.bytesIn, now.bytesOut - before.bytesOut];
  return bytesIn < 0 || bytesOut < 0 ? null : (Math.max(bytesIn, bytesOut) * 8 * 1000) / spanMs;
}
