// The server's token buckets: one, and one per source with a bounded memory.
import type { Clock } from '../base/clock.ts';
import { TokenBucket as Bucket } from '../base/token-bucket.ts';

/** A bucket that looks at the clock itself. */
export class TokenBucket {
  readonly #clock: Clock;
  readonly #bucket: Bucket;

  constructor(clock: Clock, perSecond: number, burst: number) {
    this.#clock = clock;
    this.#bucket = new Bucket(perSecond, burst, clock.monotonicMs());
  }

  /** Takes `count` tokens, or none and answers false. */
  take(count = 1): boolean {
    return this.#bucket.take(this.#clock.monotonicMs(), count);
  }

  setRate(perSecond: number): void {
    this.#bucket.setRate(perSecond, this.#clock.monotonicMs());
  }
}

const MAX_SOURCES = 10_000;

/** A bucket per key; the one longest unused of too many is forgotten. */
export class TokenBuckets {
  readonly #make: () => TokenBucket;
  readonly #buckets = new Map<string, TokenBucket>();

  constructor(clock: Clock, perSecond: number, burst: number) {
    this.#make = () => new TokenBucket(clock, perSecond, burst);
  }

  take(key: string): boolean {
    const bucket = this.#buckets.get(key) ?? this.#make();
    this.#buckets.delete(key);
    this.#buckets.set(key, bucket);
    if (this.#buckets.size > MAX_SOURCES) {
      for (const oldest of this.#buckets.keys()) {
        this.#buckets.delete(oldest);
        break;
      }
    }
    return bucket.take();
  }
}
