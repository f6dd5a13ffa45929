// Tries at a secret, slowed down: each address after a few wrong ones, and all together by a delay that has an end, so that
// nobody can lock the owner out. One is computed at a time: a small box keeps its memory and threads for other things.
import type { Clock } from '../../base/clock.ts';
import { FailureCounts } from '../../base/failure-counts.ts';
import { pageErrors } from './errors.ts';

/** Wrong ones of one source before it has to wait: then one a minute. */
const SOURCE_FREE = 5;
/** Wrong ones over all before everybody waits a little, and the most they wait. */
const ALL_FREE = 5;
const FIRST_DELAY_MS = 250;
const LAST_DELAY_MS = 4_000;
const MOST_COUNTED = 14;
/** Delayed, waiting or being computed: what comes on top is refused, to come again. */
const MOST_TRIES = 24;
const BUSY_SECONDS = 5;
const ALL = 'all';

export class Attempts {
  readonly #clock: Clock;
  readonly #bySource: FailureCounts;
  readonly #overAll: FailureCounts;
  readonly #trying = new Set<string>();
  #turns: Promise<unknown> = Promise.resolve();

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#bySource = new FailureCounts(clock, SOURCE_FREE);
    this.#overAll = new FailureCounts(clock, MOST_COUNTED);
  }

  /**
   * Does `judge`, in turn, unless that source is to wait. It counts as wrong until it is known to be right, so that many at
   * once gain nothing. Error: PAGE_TRIES, and those of `judge`, which then counts as wrong.
   */
  async try(source: string, judge: () => Promise<boolean>): Promise<boolean> {
    this.#refuse(source);
    this.#bySource.change(source, 1);
    this.#trying.add(source);
    try {
      await this.#delay();
      const isRight = await this.inTurn(judge);
      if (isRight) this.#bySource.forget(source);
      else this.#overAll.change(ALL, 1);
      return isRight;
    } finally {
      this.#trying.delete(source);
    }
  }

  inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#turns.then(work);
    this.#turns = done.catch(() => undefined);
    return done;
  }

  #refuse(source: string): void {
    const waitMs = this.#bySource.untilBelow(source, SOURCE_FREE);
    if (waitMs > 0)
      throw pageErrors('PAGE_TRIES', {
        problem: 'Too many wrong tries came from this address',
        seconds: Math.ceil(waitMs / 1000),
      });
    // One at a time for each, so that no single one fills the queue.
    if (this.#trying.has(source) || this.#trying.size >= MOST_TRIES)
      throw pageErrors('PAGE_TRIES', { problem: 'Others are being checked', seconds: BUSY_SECONDS });
  }

  /** The same whether it will turn out right or wrong. */
  #delay(): Promise<void> {
    const over = Math.floor(this.#overAll.of(ALL)) - ALL_FREE;
    if (over < 0) return Promise.resolve();
    const delayMs = Math.min(LAST_DELAY_MS, FIRST_DELAY_MS * 2 ** over);
    return new Promise(resolve => this.#clock.after(delayMs, resolve));
  }
}
