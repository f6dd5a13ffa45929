// Token buckets: how many handshake messages a second are worth answering, in all and from one source.
import { parseIp } from '../../protocol/ip/address.ts';
import { formatPrefix, networkOf } from '../../protocol/ip/prefix.ts';

export class TokenBucket {
  readonly #perSecond: number;
  readonly #burst: number;
  #tokens: number;
  #at: number;

  constructor(perSecond: number, burst: number, nowMs: number) {
    this.#perSecond = perSecond;
    this.#burst = burst;
    this.#tokens = burst;
    this.#at = nowMs;
  }

  take(nowMs: number): boolean {
    this.#refill(nowMs);
    if (this.#tokens < 1) return false;
    this.#tokens -= 1;
    return true;
  }

  /** Nothing taken lately: it may be forgotten. */
  full(nowMs: number): boolean {
    this.#refill(nowMs);
    return this.#tokens >= this.#burst;
  }

  #refill(nowMs: number): void {
    this.#tokens = Math.min(this.#burst, this.#tokens + ((nowMs - this.#at) * this.#perSecond) / 1000);
    this.#at = nowMs;
  }
}

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

/** Who counts as one source: an IPv4 address, or an IPv6 /64, since one home may use all addresses of it. */
export function sourceOf(address: string): string {
  const ip = parseIp(address);
  if (!ip.ok || ip.value.family === 4) return address;
  return formatPrefix(networkOf(ip.value, 64));
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
