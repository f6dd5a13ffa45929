// How often something failed lately, per key: one failure is forgotten a minute. Memory is bounded; the key longest
// untouched is forgotten first.
import type { Clock } from './clock.ts';

const FORGET_MS = 60_000;
const MAX_KEYS = 10_000;

interface Count {
  /** Not whole: what is left of the oldest fades. */
  readonly failures: number;
  readonly at: number;
}

export class FailureCounts {
  readonly #clock: Clock;
  readonly #counts = new Map<string, Count>();
  /** More are not counted, so that the end of them is never far. */
  readonly #most: number;

  constructor(clock: Clock, most: number) {
    this.#clock = clock;
    this.#most = most;
  }

  get size(): number {
    return this.#counts.size;
  }

  of(key: string): number {
    const count = this.#counts.get(key);
    if (count === undefined) return 0;
    return Math.max(0, count.failures - (this.#clock.monotonicMs() - count.at) / FORGET_MS);
  }

  /** Milliseconds until there are fewer than `limit`. */
  untilBelow(key: string, limit: number): number {
    return Math.max(0, (this.of(key) - limit + 1) * FORGET_MS);
  }

  change(key: string, by: 1 | -1): void {
    const failures = Math.min(this.#most, Math.max(0, this.of(key) + by));
    this.#counts.delete(key);
    if (failures > 0) this.#counts.set(key, { failures, at: this.#clock.monotonicMs() });
    for (const oldest of this.#counts.keys()) {
      if (this.#counts.size <= MAX_KEYS) break;
      this.#counts.delete(oldest);
    }
  }

  forget(key: string): void {
    this.#counts.delete(key);
  }
}
