// Who may connect now: so many from one address, so many in all, and after a start at a ramp, so that a herd of returning
// nodes is let in row by row.
import type { Clock } from '../base/clock.ts';
import type { ServerLimits } from './limits.ts';
import { sourceOf } from '../protocol/ip/source.ts';
import { TokenBucket, TokenBuckets } from './token-bucket.ts';

const DOUBLED_EVERY_MS = 10_000;

export class Admission {
  readonly #clock: Clock;
  readonly #limits: ServerLimits;
  readonly #startedAt: number;
  readonly #handshakes: TokenBucket;
  readonly #handshakesBySource: TokenBuckets;
  readonly #bySource = new Map<string, number>();
  #connections = 0;

  constructor(clock: Clock, limits: ServerLimits) {
    this.#clock = clock;
    this.#limits = limits;
    this.#startedAt = clock.monotonicMs();
    this.#handshakes = new TokenBucket(clock, limits.handshakesPerSecond, limits.handshakeBurst);
    const { handshakesPerAddressPerSecond, handshakesPerAddressBurst } = limits;
    this.#handshakesBySource = new TokenBuckets(
      clock,
      handshakesPerAddressPerSecond,
      handshakesPerAddressBurst,
    );
  }

  /** Counts a connection; the answer gives it back (once), null refuses it. */
  connect(address: string): (() => void) | null {
    const all = this.connectForOthers();
    const own = all === null ? null : this.claim(address);
    if (own === null) all?.();
    return own === null ? null : once(() => [own, all].forEach(release => release?.()));
  }

  /** A proxy's connection: it counts for whom it is (`claim`), once that is known, and among all at once. */
  connectForOthers(): (() => void) | null {
    if (this.#connections >= this.#limits.connections) return null;
    this.#connections++;
    return once(() => this.#connections--);
  }

  /** Counts it for one address. */
  claim(address: string): (() => void) | null {
    const source = sourceOf(address);
    const open = this.#bySource.get(source) ?? 0;
    if (open >= this.#limits.connectionsPerAddress) return null;
    this.#bySource.set(source, open + 1);
    return once(() => this.#release(source));
  }

  /** May one more handshake, of this address, be answered now? */
  handshake(address: string): boolean {
    if (!this.#handshakesBySource.take(sourceOf(address))) return false;
    const { handshakesPerSecond, handshakesPerSecondMost } = this.#limits;
    const doublings = (this.#clock.monotonicMs() - this.#startedAt) / DOUBLED_EVERY_MS;
    this.#handshakes.setRate(
      Math.min(handshakesPerSecondMost, handshakesPerSecond * 2 ** Math.min(doublings, 30)),
    );
    return this.#handshakes.take();
  }

  #release(source: string): void {
    const open = (this.#bySource.get(source) ?? 1) - 1;
    if (open === 0) this.#bySource.delete(source);
    else this.#bySource.set(source, open);
  }
}

function once(work: () => void): () => void {
  let done = false;
  return () => {
    if (!done) work();
    done = true;
  };
}
