// How many handshake messages a second are worth answering, in all and from one source.
import { TokenBucket } from '../../base/token-bucket.ts';

/** One bucket a source, a bounded number of sources. */
export class SourceLimiter {
  readonly #perSecond: number;
  readonly #burst: number;
  readonly #most: number;
  readonly #buckets = new Map<string, TokenBucket>();

  constructor(perSecond: number, burst: number, most: number) {
    this.#perSecond = perSecond;
    this.#burst = burst;
    this.#most = most;
  }

  take(source: string, nowMs: number): boolean {
    let bucket = this.#buckets.get(source);
    if (bucket === undefined) {
      if (this.#buckets.size >= this.#most) this.#forget(nowMs);
      if (this.#buckets.size >= this.#most) return false;
      this.#buckets.set(source, (bucket = new TokenBucket(this.#perSecond, this.#burst, nowMs)));
    }
    return bucket.take(nowMs);
  }

  #forget(nowMs: number): void {
    for (const [source, bucket] of this.#buckets) if (bucket.full(nowMs)) this.#buckets.delete(source);
  }
}

const LOADED_FOR_MS = 1000;

/** Are more handshakes coming than this machine should compute? Stays so for a second after the last excess. */
export class LoadDetector {
  readonly #bucket: TokenBucket;
  #loadedUntil = -Infinity;

  constructor(perSecond: number, nowMs: number) {
    this.#bucket = new TokenBucket(perSecond, perSecond, nowMs);
  }

  /** Call once a handshake message. */
  loaded(nowMs: number): boolean {
    if (!this.#bucket.take(nowMs)) this.#loadedUntil = nowMs + LOADED_FOR_MS;
    return nowMs < this.#loadedUntil;
  }
}
