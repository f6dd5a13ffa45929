// A steady beat of UDP datagrams from one box to another (beat.ts at each end) while a test troubles what is beneath, and
// what the application saw of it: gaps, losses, duplicates, altered ones.
import type { ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Beaten } from './beat.ts';
import { now } from './flow.ts';
import type { Box } from './homes.ts';
import { endOf } from './place.ts';
import { until } from './waiting.ts';

const BEAT = fileURLToPath(new URL('./beat.js', import.meta.url));
const START_MS = 20_000;
const LATE_MS = 500;
let nextPort = 5010;

export interface BeatOptions {
  /** Default 100. */
  readonly perSecond?: number;
  /** Of one datagram's payload; default 200. */
  readonly bytes?: number;
}

export interface Beats {
  readonly sent: number;
  /** Different numbers. */
  readonly received: number;
  /** Those that came again: which, and how long after the first. */
  readonly twice: readonly string[];
  /** Not what was sent. */
  readonly altered: number;
}

export class Beat {
  readonly #sender: ChildProcess;
  readonly #receiver: ChildProcess;
  readonly #arrivals: Beaten[];
  #sent = 0;

  private constructor(sender: ChildProcess, receiver: ChildProcess, arrivals: Beaten[]) {
    this.#sender = sender;
    this.#receiver = receiver;
    this.#arrivals = arrivals;
    linesOf(sender, line => (this.#sent = (JSON.parse(line) as { sent: number }).sent));
  }

  /** Resolves when the first one arrives. */
  static async start(from: Box, to: Box, { perSecond = 100, bytes = 200 }: BeatOptions = {}): Promise<Beat> {
    const arrivals: Beaten[] = [];
    // Each at a port of its own: what a troubled net still holds of an earlier one may come late.
    const place = [to.ip, String(nextPort++)];
    const stdio = ['ignore', 'pipe', 'inherit'] as const;
    const receiver = to.node.place.spawn(process.execPath, [BEAT, 'receive', ...place], {
      stdio: [...stdio],
    });
    let isReady = false;
    linesOf(receiver, line => {
      const told = JSON.parse(line) as Beaten | { ready: true };
      if ('ready' in told) isReady = true;
      else arrivals.push(told);
    });
    await until('the receiver to listen', START_MS, () => isReady);
    const pace = [String(perSecond), String(bytes)];
    const sender = from.node.place.spawn(process.execPath, [BEAT, 'send', ...place, ...pace], {
      stdio: [...stdio],
    });
    const beat = new Beat(sender, receiver, arrivals);
    await until('the first datagram', START_MS, () => arrivals.length > 0);
    return beat;
  }

  get received(): number {
    return this.#arrivals.length;
  }

  /** So many arrived within these times. */
  count(sinceMs: number, untilMs: number): number {
    return this.#arrivals.filter(({ atMs }) => atMs >= sinceMs && atMs < untilMs).length;
  }

  /** The longest time without any, in ms, of what began or went on after `sinceMs`; the one that lasts now counts too. */
  longestGap(sinceMs: number): number {
    const firstAfter = this.#arrivals.findIndex(({ atMs }) => atMs > sinceMs);
    const from = firstAfter === -1 ? this.#arrivals.length - 1 : Math.max(0, firstAfter - 1);
    const times = [...this.#arrivals.slice(from).map(({ atMs }) => atMs), now()];
    return Math.max(...times.slice(1).map((atMs, index) => atMs - times[index]!));
  }

  /** Watches for so long, and on until it flows again. Answers the longest gap. Throws an Error after `boundMs`. */
  async gapAfter(sinceMs: number, watchMs: number, boundMs: number): Promise<number> {
    await until('the time to watch', watchMs + boundMs, () => now() - sinceMs >= watchMs);
    const seen = this.received;
    await until('the beat to go on', boundMs, () => this.received > seen + 10);
    return this.longestGap(sinceMs);
  }

  /** Waits for those on their way, and ends it. */
  async stop(): Promise<Beats> {
    this.#sender.kill('SIGTERM');
    await endOf(this.#sender);
    await pause(LATE_MS);
    this.#receiver.kill('SIGKILL');
    await endOf(this.#receiver);
    const firstAt = new Map<number, number>();
    const twice: string[] = [];
    for (const { number, atMs } of this.#arrivals) {
      const before = firstAt.get(number);
      if (before === undefined) firstAt.set(number, atMs);
      else twice.push(`${number}, ${atMs - before} ms later`);
    }
    return {
      sent: this.#sent,
      received: firstAt.size,
      twice,
      altered: this.#arrivals.filter(({ whole }) => !whole).length,
    };
  }
}

function linesOf(child: ChildProcess, tell: (line: string) => void): void {
  if (child.stdout === null) throw new TypeError('no standard output');
  createInterface({ input: child.stdout }).on('line', tell);
}
