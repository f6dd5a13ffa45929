// Time is handed in everywhere, so that a 30-second wait is tested in a millisecond.

export interface Timer {
  cancel(): void;
}

export interface Clock {
  /** Milliseconds that only ever grow; fit for intervals, not for dates. */
  monotonicMs(): number;
  /** Milliseconds since 1970 by the machine's clock, which may be wrong (a router without a battery starts in 1970). */
  wallMs(): number;
  /** Calls `fire` once after `delayMs`. The timer does not keep the process alive. */
  after(delayMs: number, fire: () => void): Timer;
}

export const systemClock: Clock = {
  monotonicMs: () => performance.now(),
  wallMs: () => Date.now(),
  after(delayMs, fire) {
    const handle = setTimeout(fire, delayMs).unref();
    return { cancel: () => clearTimeout(handle) };
  },
};

/** A clock that a test moves by hand; timers fire in order while it moves. */
export class ManualClock implements Clock {
  #now = 0;
  #wallOffset: number;
  #timers: { at: number; fire: () => void }[] = [];

  constructor(wallMs = Date.UTC(2026, 0, 1)) {
    this.#wallOffset = wallMs;
  }

  monotonicMs(): number {
    return this.#now;
  }

  wallMs(): number {
    return this.#wallOffset + this.#now;
  }

  setWall(wallMs: number): void {
    this.#wallOffset = wallMs - this.#now;
  }

  after(delayMs: number, fire: () => void): Timer {
    const timer = { at: this.#now + Math.max(0, delayMs), fire };
    this.#timers.push(timer);
    return { cancel: () => void (this.#timers = this.#timers.filter(other => other !== timer)) };
  }

  advance(ms: number): void {
    const end = this.#now + ms;
    for (;;) {
      const next = this.#timers.reduce<{ at: number; fire: () => void } | null>(
        (first, timer) => (timer.at <= end && (first === null || timer.at < first.at) ? timer : first),
        null,
      );
      if (next === null) break;
      this.#timers = this.#timers.filter(timer => timer !== next);
      this.#now = Math.max(this.#now, next.at);
      next.fire();
    }
    this.#now = end;
  }
}
