// How late the event loop runs what it should: looked at once a second, over the last minute. (node's own monitor wakes
// the processor fifty times a second.)
import type { Clock, Timer } from '../../base/clock.ts';

const EVERY_MS = 1000;
const KEPT = 60;

export class LoopDelay {
  readonly #clock: Clock;
  #lateMs: number[] = [];
  #timer: Timer;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#timer = this.#look();
  }

  /** In ms, of the last minute. */
  get figures(): { readonly meanMs: number; readonly maxMs: number } {
    const late = this.#lateMs.length === 0 ? [0] : this.#lateMs;
    return { meanMs: late.reduce((sum, one) => sum + one, 0) / late.length, maxMs: Math.max(...late) };
  }

  stop(): void {
    this.#timer.cancel();
  }

  #look(): Timer {
    const due = this.#clock.monotonicMs() + EVERY_MS;
    return this.#clock.after(EVERY_MS, () => {
      this.#lateMs = [...this.#lateMs, Math.max(0, this.#clock.monotonicMs() - due)].slice(-KEPT);
      this.#timer = this.#look();
    });
  }
}
