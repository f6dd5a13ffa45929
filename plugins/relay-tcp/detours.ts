// Ways to nodes that hold no connection here: the location server is asked which relays they keep, or where their own door
// is, and a connection goes there (V11: a route over two). Frames wait for the answer, few and not for long.
import type { Clock } from '../../base/clock.ts';
import type { Counters } from '../../base/counters.ts';
import type { NetworkRoute, NetworkWords, Stream } from '../../core/contract/plugin.ts';
import type { TcpPlace } from '../../protocol/location/messages.ts';
import { TokenBucket } from '../../base/token-bucket.ts';
import { addressOf } from './keys.ts';

export interface DetourParts {
  readonly clock: Clock;
  readonly counters: Counters;
  readonly network: Pick<NetworkWords, 'route'>;
  /** This node's own id. */
  readonly self: string;
  /** A connection to that node: the one that stands, or a new one. Null: it cannot be reached. */
  readonly visit: (place: TcpPlace) => Promise<Stream | null>;
  readonly isConnected: (place: TcpPlace) => boolean;
  readonly pass: (from: Stream, frame: Uint8Array, next: Stream) => void;
}

interface Held {
  readonly from: Stream;
  readonly frame: Uint8Array;
}

interface Detour {
  readonly destination: string;
  /** Null: none found, or none yet. */
  next: Stream | null;
  isAsking: boolean;
  askedAt: number;
  knownUntil: number;
  held: Held[];
  heldBytes: number;
}

const FOUND_MS = 10_000;
const NOT_FOUND_MS = 2_000;
const MAX_DETOURS = 1_024;
const MAX_HELD_FRAMES = 64;
const MAX_HELD_BYTES = 128 * 1024;
const MAX_HELD_IN_ALL = 2 * 1024 * 1024;
/** What waited longer is of no use to anybody: its sender has sent it anew. */
const MAX_WAIT_MS = 3_000;
/** Look-ups that one connection, and all together, may cause in a second, and at once. */
const LOOKUPS_EACH = [4, 16] as const;
const LOOKUPS_IN_ALL = [50, 100] as const;

export class Detours {
  readonly #parts: DetourParts;
  readonly #counts: ReturnType<typeof countsOf>;
  readonly #detours = new Map<string, Detour>();
  readonly #each = new WeakMap<Stream, TokenBucket>();
  readonly #inAll: TokenBucket;
  #heldBytes = 0;
  #isOver = false;

  constructor(parts: DetourParts) {
    this.#parts = parts;
    this.#counts = countsOf(parts.counters);
    this.#inAll = new TokenBucket(...LOOKUPS_IN_ALL, parts.clock.monotonicMs());
  }

  take(from: Stream, frame: Uint8Array, destination: string): void {
    const detour = this.#fresh(from, destination);
    if (detour === null) this.#counts.lookups.value++;
    else if (detour.next !== null) this.#parts.pass(from, frame, detour.next);
    else if (detour.isAsking) this.#hold(detour, from, frame);
    else this.#refuse(from, frame);
  }

  /** A node has connected: what waited for it goes to it, and what goes through it goes by this. */
  arrived(stream: Stream): void {
    for (const one of this.#detours.values()) if (one.next?.address === stream.address) one.next = stream;
    const detour = this.#detours.get(stream.address);
    if (detour === undefined) return;
    detour.next = stream;
    this.#release(detour);
  }

  stop(): void {
    this.#isOver = true;
    this.#detours.clear();
    this.#heldBytes = 0;
  }

  /** What is known of the way, being asked for anew where that is old; null: nothing, and no more may be asked now. */
  #fresh(from: Stream, destination: string): Detour | null {
    const known = this.#detours.get(destination);
    if (known?.next?.isClosed === true) {
      known.next = null;
      known.knownUntil = 0;
    }
    const now = this.#parts.clock.monotonicMs();
    if (known !== undefined && (known.isAsking || now < known.knownUntil)) return known;
    if (!this.#mayAsk(from, now)) return known?.next === null ? null : (known ?? null);
    const detour = known ?? this.#add(destination);
    if (detour === null) return null;
    detour.isAsking = true;
    detour.askedAt = now;
    void this.#ask(detour, from);
    return detour;
  }

  #mayAsk(from: Stream, now: number): boolean {
    let own = this.#each.get(from);
    if (own === undefined) this.#each.set(from, (own = new TokenBucket(...LOOKUPS_EACH, now)));
    return own.take(now) && this.#inAll.take(now);
  }

  /** The oldest makes room; one that is being asked for does not. */
  #add(destination: string): Detour | null {
    if (this.#detours.size >= MAX_DETOURS) {
      const oldest = [...this.#detours.values()].find(({ isAsking }) => !isAsking);
      if (oldest === undefined) return null;
      this.#detours.delete(oldest.destination);
    }
    const times = { askedAt: 0, knownUntil: 0 };
    const detour: Detour = { destination, next: null, isAsking: false, ...times, held: [], heldBytes: 0 };
    this.#detours.set(destination, detour);
    return detour;
  }

  async #ask(detour: Detour, from: Stream): Promise<void> {
    const found = await this.#search(detour.destination, from).catch(() => null);
    if (this.#isOver) return;
    detour.isAsking = false;
    // It may have connected by itself meanwhile.
    if (found !== null || detour.next?.isClosed === true) detour.next = found;
    const now = this.#parts.clock.monotonicMs();
    detour.knownUntil = now + (detour.next === null ? NOT_FOUND_MS : FOUND_MS);
    this.#counts[detour.next === null ? 'notFound' : 'found'].value++;
    this.#release(detour);
  }

  async #search(destination: string, from: Stream): Promise<Stream | null> {
    const route = await this.#parts.network.route({ address: addressOf(destination) });
    for (const place of this.#placesOf(route, from)) {
      if (this.#isOver) return null;
      const stream = await this.#parts.visit(place);
      if (stream !== null && !stream.isClosed) return stream;
    }
    return null;
  }

  /** Its own door first, then relays; those that are connected before others. Never this node, nor whence it came. */
  #placesOf({ node, tcp, relays }: NetworkRoute, from: Stream): readonly TcpPlace[] {
    const own = tcp.length > 0 ? [{ node, places: tcp }] : [];
    const others = relays.filter(place => ![this.#parts.self, from.node].includes(place.node.record.id));
    const connected = others.filter(place => this.#parts.isConnected(place));
    return [...own, ...connected, ...others.filter(place => !connected.includes(place))];
  }

  #hold(detour: Detour, from: Stream, frame: Uint8Array): void {
    const bytes = frame.length;
    const isFull =
      detour.held.length >= MAX_HELD_FRAMES ||
      detour.heldBytes + bytes > MAX_HELD_BYTES ||
      this.#heldBytes + bytes > MAX_HELD_IN_ALL;
    if (isFull) {
      this.#counts.held.value++;
      return;
    }
    // A copy: it may lie in a piece of the connection that is much larger.
    detour.held.push({ from, frame: new Uint8Array(frame) });
    detour.heldBytes += bytes;
    this.#heldBytes += bytes;
  }

  #release(detour: Detour): void {
    const { held, next } = detour;
    this.#heldBytes -= detour.heldBytes;
    detour.held = [];
    detour.heldBytes = 0;
    const isLate = this.#parts.clock.monotonicMs() - detour.askedAt > MAX_WAIT_MS;
    for (const { from, frame } of held) {
      if (next === null) this.#refuse(from, frame);
      else if (isLate) this.#counts.held.value++;
      else this.#parts.pass(from, frame, next);
    }
  }

  #refuse(from: Stream, frame: Uint8Array): void {
    this.#counts.unknown.value++;
    if (!from.isClosed) from.refuse(frame);
  }
}

const countsOf = (counters: Counters) => ({
  found: counters.counter('detours.found'),
  notFound: counters.counter('detours.not-found'),
  lookups: counters.counter('dropped.lookups'),
  held: counters.counter('dropped.held'),
  unknown: counters.counter('dropped.unknown'),
});
