// Whose frames are forwarded: so many nodes that keep a connection here. Those beyond are turned away, the newest first;
// a node that merely talks with this one over its connection takes nobody's place.
import type { Clock, Timer } from '../../base/clock.ts';
import type { Counters } from '../../base/counters.ts';
import type { Stream } from '../../core/contract/plugin.ts';

/** A node that just came may be a direct peer: its first link shows within this time. */
export const GRACE_MS = 5_000;
/** Found to be full, it is for so long: whoever is refused sends on, and each frame would ask all connections. */
const FULL_MS = 1_000;

export class ServedNodes {
  readonly #clock: Clock;
  readonly #closed: { value: number };
  /** Has anything been forwarded from or to it? */
  readonly #hasRelayed: (stream: Stream) => boolean;
  /** By address, in the order in which they came. */
  readonly #taken = new Map<string, Stream>();
  /** Likewise, and since when. */
  readonly #beyond = new Map<string, { readonly stream: Stream; readonly since: number }>();
  #most: number;
  #fullUntil = -Infinity;
  #reviewing: Timer | null = null;

  constructor(clock: Clock, counters: Counters, most: number, hasRelayed: (stream: Stream) => boolean) {
    this.#clock = clock;
    this.#closed = counters.counter('nodes.closed');
    this.#most = most;
    this.#hasRelayed = hasRelayed;
  }

  set most(most: number) {
    this.#most = most;
    this.#fullUntil = -Infinity;
    const beyond = [...this.#taken.values()].slice(most);
    for (const stream of beyond) this.#putBeyond(stream);
    this.#fill();
  }

  /** How many keep a connection to be reached through this node. */
  get count(): number {
    let count = 0;
    for (const stream of this.#taken.values()) if (!this.#isPeerOnly(stream)) count++;
    return count;
  }

  /** Perhaps in the place of an older connection with the same node. */
  arrived(stream: Stream): void {
    const { address, isOurs } = stream;
    if (this.#taken.has(address)) this.#taken.set(address, stream);
    else if (isOurs) this.#beyond.delete(address);
    else if (this.#makeRoom()) this.#take(stream);
    else this.#putBeyond(stream);
  }

  left(stream: Stream): void {
    const { address } = stream;
    if (this.#beyond.get(address)?.stream === stream) this.#beyond.delete(address);
    if (this.#taken.get(address) !== stream) return;
    this.#taken.delete(address);
    this.#fullUntil = -Infinity;
    this.#fill();
  }

  /** May its frames pass? What this node opened itself, to other relays, takes no place. */
  admits(stream: Stream): boolean {
    if (stream.isOurs || this.#taken.has(stream.address)) return true;
    if (stream.isClosed || this.#clock.monotonicMs() < this.#fullUntil || !this.#makeRoom()) return false;
    this.#take(stream);
    return true;
  }

  stop(): void {
    this.#reviewing?.cancel();
    this.#reviewing = null;
    this.#taken.clear();
    this.#beyond.clear();
  }

  #isPeerOnly(stream: Stream): boolean {
    return !this.#hasRelayed(stream) && stream.links > 0;
  }

  #take(stream: Stream): void {
    this.#beyond.delete(stream.address);
    this.#taken.set(stream.address, stream);
  }

  #makeRoom(): boolean {
    if (this.#taken.size < this.#most) return true;
    for (const stream of this.#taken.values()) {
      if (!this.#isPeerOnly(stream)) continue;
      this.#putBeyond(stream);
      return true;
    }
    this.#fullUntil = this.#clock.monotonicMs() + FULL_MS;
    return false;
  }

  #putBeyond(stream: Stream): void {
    this.#taken.delete(stream.address);
    this.#beyond.set(stream.address, { stream, since: this.#clock.monotonicMs() });
    this.#reviewing ??= this.#clock.after(GRACE_MS, () => this.#review());
  }

  /** Whoever waited longest comes first. */
  #fill(): void {
    for (const { stream } of [...this.#beyond.values()]) {
      if (this.#taken.size >= this.#most) return;
      if (!this.#isPeerOnly(stream)) this.#take(stream);
    }
  }

  #review(): void {
    this.#reviewing = null;
    this.#fill();
    const now = this.#clock.monotonicMs();
    for (const { stream, since } of [...this.#beyond.values()].reverse()) {
      if (this.#isPeerOnly(stream) || now - since < GRACE_MS) continue;
      this.#beyond.delete(stream.address);
      this.#closed.value++;
      stream.close();
    }
    if (this.#beyond.size > 0) this.#reviewing = this.#clock.after(GRACE_MS, () => this.#review());
  }
}
