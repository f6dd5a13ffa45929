// Whose frames are forwarded: so many nodes that keep a connection here. Those beyond are turned away, the newest first;
// a node that merely talks with this one over its connection takes nobody's place.
import type { Clock, Timer } from '../../base/clock.ts';
import type { Counters } from '../../base/counters.ts';
import type { Stream } from '../../core/contract/plugin.ts';

/** A node that just came may be a direct peer: its first link shows within this time. */
export const GRACE_MS = 5_000;

export class ServedNodes {
  readonly #clock: Clock;
  readonly #closed: { value: number };
  /** Has anything been forwarded from or to it? */
  readonly #hasRelayed: (stream: Stream) => boolean;
  /** In the order in which they came. */
  readonly #taken = new Set<Stream>();
  /** Since when. */
  readonly #beyond = new Map<Stream, number>();
  #most: number;
  #reviewing: Timer | null = null;

  constructor(clock: Clock, counters: Counters, most: number, hasRelayed: (stream: Stream) => boolean) {
    this.#clock = clock;
    this.#closed = counters.counter('nodes.closed');
    this.#most = most;
    this.#hasRelayed = hasRelayed;
  }

  set most(most: number) {
    this.#most = most;
    const [...taken] = this.#taken;
    for (const stream of taken.slice(most).reverse()) this.#putBeyond(stream);
    this.#fill();
  }

  get most(): number {
    return this.#most;
  }

  /** How many keep a connection to be reached through this node. */
  get count(): number {
    let count = 0;
    for (const stream of this.#taken) if (!this.#isPeerOnly(stream)) count++;
    return count;
  }

  arrived(stream: Stream): void {
    if (stream.isOurs) return;
    if (this.#makeRoom()) this.#taken.add(stream);
    else this.#putBeyond(stream);
  }

  left(stream: Stream): void {
    this.#beyond.delete(stream);
    if (this.#taken.delete(stream)) this.#fill();
  }

  /** May its frames pass? What this node opened itself, to other relays, takes no place. */
  admits(stream: Stream): boolean {
    if (stream.isOurs || this.#taken.has(stream)) return true;
    if (stream.isClosed || !this.#makeRoom()) return false;
    this.#beyond.delete(stream);
    this.#taken.add(stream);
    return true;
  }

  stop(): void {
    this.#reviewing?.cancel();
    this.#reviewing = null;
    this.#taken.clear();
    this.#beyond.clear();
  }

  #isPeerOnly(stream: Stream): boolean {
    return stream.links > 0 && !this.#hasRelayed(stream);
  }

  #makeRoom(): boolean {
    if (this.#taken.size < this.#most) return true;
    for (const stream of this.#taken) {
      if (!this.#isPeerOnly(stream)) continue;
      this.#putBeyond(stream);
      return true;
    }
    return false;
  }

  #putBeyond(stream: Stream): void {
    this.#taken.delete(stream);
    this.#beyond.set(stream, this.#clock.monotonicMs());
    this.#reviewing ??= this.#clock.after(GRACE_MS, () => this.#review());
  }

  /** Whoever waited longest comes first. */
  #fill(): void {
    for (const stream of [...this.#beyond.keys()]) {
      if (this.#taken.size >= this.#most) return;
      if (this.#isPeerOnly(stream)) continue;
      this.#beyond.delete(stream);
      this.#taken.add(stream);
    }
  }

  #review(): void {
    this.#reviewing = null;
    this.#fill();
    const now = this.#clock.monotonicMs();
    for (const [stream, since] of [...this.#beyond].reverse()) {
      if (this.#isPeerOnly(stream) || now - since < GRACE_MS) continue;
      this.#beyond.delete(stream);
      this.#closed.value++;
      stream.close();
    }
    if (this.#beyond.size > 0) this.#reviewing = this.#clock.after(GRACE_MS, () => this.#review());
  }
}
