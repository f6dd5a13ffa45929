// When to try the server again: soon but not all at once after a loss (a server that comes back meets a herd),
// then ever more slowly, up to a minute.
import type { Random } from '../../base/random.ts';

export interface BackoffLimits {
  /** The first retry falls anywhere below it. */
  readonly firstMs: number;
  readonly baseMs: number;
  readonly mostMs: number;
}

export const BACKOFF: BackoffLimits = { firstMs: 2_000, baseMs: 2_000, mostMs: 60_000 };

export class Backoff {
  readonly #random: Random;
  readonly #limits: BackoffLimits;
  #failures = 0;

  constructor(random: Random, limits: BackoffLimits = BACKOFF) {
    this.#random = random;
    this.#limits = limits;
  }

  /** Ms until the next try; each call counts as one more failure. */
  next(): number {
    const failures = this.#failures++;
    if (failures === 0) return this.#random.below(this.#limits.firstMs);
    const ceiling = Math.min(this.#limits.mostMs, this.#limits.baseMs * 2 ** Math.min(failures, 16));
    return ceiling / 2 + this.#random.below(Math.ceil(ceiling / 2));
  }

  reset(): void {
    this.#failures = 0;
  }
}
