// One TCP connection between two virtual addresses that is kept busy while a test troubles the network beneath it, and
// how long it stood still.
import type { ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { Place } from './place.ts';
import { until } from './waiting.ts';

const STREAM = fileURLToPath(new URL('./stream.js', import.meta.url));
const PORT = 5002;
const START_MS = 20_000;
/** It flows again when for so long no pause was longer than `STEADY_PAUSE_MS`. */
const STEADY_MS = 2000;
const STEADY_PAUSE_MS = 700;

/** Milliseconds of the kernel's monotonic clock: the same in every process of the machine. */
export const now = (): number => Number(process.hrtime.bigint() / 1_000_000n);

interface Arrival {
  readonly bytes: number;
  readonly atMs: number;
}

export class Flow {
  readonly #ends: readonly ChildProcess[];
  readonly #arrivals: Arrival[];

  private constructor(ends: readonly ChildProcess[], arrivals: Arrival[]) {
    this.#ends = ends;
    this.#arrivals = arrivals;
  }

  /** Resolves when bytes arrive. */
  static async start(from: Place, to: Place, ip: string): Promise<Flow> {
    const arrivals: Arrival[] = [];
    const address = [ip, String(PORT)];
    const receiver = to.spawn(process.execPath, [STREAM, 'receive', ...address], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    if (receiver.stdout === null) throw new TypeError('no standard output');
    createInterface({ input: receiver.stdout }).on('line', line =>
      arrivals.push(JSON.parse(line) as Arrival),
    );
    await until('the receiver to listen', START_MS, () => arrivals.length > 0);
    const sender = from.spawn(process.execPath, [STREAM, 'send', ...address], { stdio: 'inherit' });
    const flow = new Flow([sender, receiver], arrivals);
    await until('the first bytes', START_MS, () => flow.bytes > 0);
    return flow;
  }

  get bytes(): number {
    return this.#arrivals.at(-1)?.bytes ?? 0;
  }

  /** The connection stands: neither end has given up. */
  get isWhole(): boolean {
    return this.#ends.every(({ exitCode, signalCode }) => exitCode === null && signalCode === null);
  }

  /**
   * Waits until it has flowed steadily for a while after `sinceMs`, and answers its longest pause from then on, in ms.
   * Throws an Error after `boundMs`.
   */
  async longestPause(sinceMs: number, boundMs: number): Promise<number> {
    await until('the stream to flow again', boundMs, () => this.#isSteadySince(sinceMs));
    return Math.max(...this.#pauses(sinceMs).map(({ ms }) => ms));
  }

  stop(): void {
    for (const end of this.#ends) end.kill('SIGKILL');
  }

  #isSteadySince(sinceMs: number): boolean {
    const pauses = this.#pauses(sinceMs);
    const lastLong = pauses.findLast(({ ms }) => ms > STEADY_PAUSE_MS);
    const last = pauses.at(-1);
    return last !== undefined && last.endMs - Math.max(sinceMs, lastLong?.endMs ?? 0) >= STEADY_MS;
  }

  /** Between one arrival and the next, those that end after `sinceMs`. */
  #pauses(sinceMs: number): { readonly ms: number; readonly endMs: number }[] {
    return this.#arrivals
      .map(({ atMs }, at) => ({ ms: atMs - (this.#arrivals[at - 1]?.atMs ?? atMs), endMs: atMs }))
      .filter(({ endMs }) => endMs > sinceMs);
  }
}
