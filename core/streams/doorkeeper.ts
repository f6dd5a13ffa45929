// Who may begin a stream here now. A beginning costs key agreement, so there is a limit for all, and before it one for each
// source: a stranger who knocks without end turns away himself.
import type { Clock } from '../../base/clock.ts';
import { TokenBucket } from '../../base/token-bucket.ts';
import { sourceOf } from '../../protocol/ip/source.ts';

const OF_ALL = { perSecond: 50, burst: 200, atOnce: 128 };
/** Many homes may stand behind one carrier's address. */
const OF_ONE = { perSecond: 5, burst: 40, atOnce: 32 };
const SOURCES_KEPT = 1024;

interface Source {
  readonly bucket: TokenBucket;
  knocking: number;
}

export class Doorkeeper {
  readonly #clock: Clock;
  readonly #bucket: TokenBucket;
  readonly #sources = new Map<string, Source>();
  #knocking = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#bucket = new TokenBucket(OF_ALL.perSecond, OF_ALL.burst, clock.monotonicMs());
  }

  /** The way to say that it has begun, or was refused; null: not now. */
  admit(address: string): (() => void) | null {
    const now = this.#clock.monotonicMs();
    const source = this.#source(sourceOf(address), now);
    if (source.knocking >= OF_ONE.atOnce || this.#knocking >= OF_ALL.atOnce) return null;
    if (!source.bucket.take(now) || !this.#bucket.take(now)) return null;
    source.knocking++;
    this.#knocking++;
    return () => {
      source.knocking--;
      this.#knocking--;
    };
  }

  #source(key: string, now: number): Source {
    const known = this.#sources.get(key);
    if (known !== undefined) return known;
    if (this.#sources.size >= SOURCES_KEPT) this.#forgetOne();
    const fresh = { bucket: new TokenBucket(OF_ONE.perSecond, OF_ONE.burst, now), knocking: 0 };
    this.#sources.set(key, fresh);
    return fresh;
  }

  #forgetOne(): void {
    for (const [key, { knocking }] of this.#sources)
      if (knocking === 0) {
        this.#sources.delete(key);
        return;
      }
  }
}
