// Fresh TCP connections that have not said a byte: each may wait a while, and only so many of them, so that whoever opens
// connections and says nothing holds neither descriptors nor others up.
import type { Socket } from 'node:net';
import type { Clock, Timer } from '../base/clock.ts';
import type { Counters } from '../base/counters.ts';
import { sourceOf } from '../protocol/ip/source.ts';

export interface TcpLimits {
  /** From the connection to its first byte. */
  readonly silentMs: number;
  /** Silent ones at once, in all. */
  readonly silent: number;
  /** Silent ones of one address (an IPv6 /64), a second after they came: a row of honest ones comes to speak first. */
  readonly silentPerAddress: number;
}

export const TCP_LIMITS: TcpLimits = { silentMs: 10_000, silent: 512, silentPerAddress: 32 };

const GRACE_MS = 1000;

interface Waiting {
  readonly source: string;
  timer: Timer;
}

export class SilentConnections {
  readonly #clock: Clock;
  readonly #counters: Counters;
  readonly #limits: TcpLimits;
  readonly #graceMs: number;
  /** The oldest first. */
  readonly #waiting = new Map<Socket, Waiting>();
  /** Those beyond the grace, the oldest first. */
  readonly #bySource = new Map<string, Set<Socket>>();

  constructor(clock: Clock, counters: Counters, limits: TcpLimits) {
    this.#clock = clock;
    this.#counters = counters;
    this.#limits = limits;
    this.#graceMs = Math.min(GRACE_MS, limits.silentMs);
  }

  get size(): number {
    return this.#waiting.size;
  }

  /** `spoke` is told the first byte, which is still in the stream; never called for one that is closed before. */
  await(socket: Socket, remoteAddress: string, spoke: (firstByte: number) => void): void {
    const timer = this.#clock.after(this.#graceMs, () => this.#graceOver(socket));
    this.#waiting.set(socket, { source: sourceOf(remoteAddress), timer });
    socket.once('close', () => this.#forget(socket));
    if (this.#waiting.size > this.#limits.silent) this.#dropOldest(this.#waiting.keys());
    this.#read(socket, spoke);
  }

  #read(socket: Socket, spoke: (firstByte: number) => void): void {
    if (!this.#waiting.has(socket)) return;
    const first = socket.read(1) as Buffer | null;
    if (first === null) {
      if (!socket.destroyed) socket.once('readable', () => this.#read(socket, spoke));
      return;
    }
    socket.unshift(first);
    this.#forget(socket);
    spoke(first[0]!);
  }

  #graceOver(socket: Socket): void {
    const waiting = this.#waiting.get(socket);
    if (waiting === undefined) return;
    const { silentMs, silentPerAddress } = this.#limits;
    waiting.timer = this.#clock.after(silentMs - this.#graceMs, () => this.#close(socket, 'silent'));
    const same = this.#bySource.get(waiting.source) ?? new Set();
    this.#bySource.set(waiting.source, same.add(socket));
    if (same.size > silentPerAddress) this.#dropOldest(same.keys());
  }

  #dropOldest(from: Iterator<Socket>): void {
    const oldest = from.next();
    if (oldest.done !== true) this.#close(oldest.value, 'too-many-silent');
  }

  #close(socket: Socket, why: 'silent' | 'too-many-silent'): void {
    this.#counters.counter(why).value++;
    this.#forget(socket);
    socket.destroy();
  }

  #forget(socket: Socket): void {
    const waiting = this.#waiting.get(socket);
    if (waiting === undefined) return;
    waiting.timer.cancel();
    this.#waiting.delete(socket);
    const same = this.#bySource.get(waiting.source);
    same?.delete(socket);
    if (same?.size === 0) this.#bySource.delete(waiting.source);
  }
}
