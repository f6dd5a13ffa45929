// When the server's clock may be believed: a router without a battery starts in 1970, and what expires must not do so by
// such a clock.
import type { Clock } from '../base/clock.ts';

/** Nobody runs this before it was written. */
const EARLIEST = Date.UTC(2026, 0, 1);
const DAY_MS = 86_400_000;

export class ServerTime {
  readonly #clock: Clock;
  /** The latest time found in what was stored. */
  #floor = EARLIEST;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  now(): number {
    return Math.max(0, Math.floor(this.#clock.wallMs()));
  }

  /** False where the clock is before 2026, or a day behind what was written with it. */
  isRight(): boolean {
    return this.wasRight(this.now());
  }

  /** Was that time written by a clock that could be believed? */
  wasRight(time: number): boolean {
    return time >= EARLIEST && time >= this.#floor - DAY_MS;
  }

  /** Something was stored at that time. */
  note(time: number): void {
    if (time > this.#floor) this.#floor = time;
  }
}
