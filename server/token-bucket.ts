// Token buckets: one, and one per source with a bounded memory.
import type { Clock } from '../base/clock.ts';

export class TokenBucket {
  readonly #clock: Clock;
  #perSecond: number;
  readonly #burst: number;
  #tokens: number;
  #filledAt: number;

  constructor(clock: Clock, perSecond: number, burst: number) {
    this.#clock = clock;
    this.#perSecond = perSecond;
    this.#burst = burst;
    this.#tokens = burst;
    this.#filledAt = clock.monotonicMs();
  }

  /** Takes `count` tokens, or none and answers false. */
  take(count = 1): boolean {
    const now = this.#clock.monotonicMs();
    this.#tokens = Math.min(this.#burst, this.#tokens + ((now - this.#filledAt) * this.#perSecond) / 1000);
    this.#filledAt = now;
    if (this.#tokens < count) return false;
    this.#tokens -= count;
    return true;
  }

  setRate(perSecond: number): void {
    this.take(0);
    this.#perSecond = perSecond;
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

/** What counts as one source: an IPv4 address, or an IPv6 /64 (one home, one bucket). Canonical text in. */
export function sourceOf(address: string): string {
  if (!address.includes(':')) return address;
  const [head = ''] = address.split('::');
  const groups = head === '' ? [] : head.split(':');
  return address.includes('::') && groups.length < 4
    ? expanded(address).slice(0, 4).join(':')
    : groups.slice(0, 4).join(':');
}

function expanded(address: string): string[] {
  const [head = '', tail = ''] = address.split('::');
  const before = head === '' ? [] : head.split(':');
  const behind = tail === '' ? [] : tail.split(':');
  return [...before, ...Array<string>(Math.max(0, 8 - before.length - behind.length)).fill('0'), ...behind];
}
