// The relays that this node keeps (V9): those that the location server names, and while fewer than two of them can be
// reached, others that it named to be measured.
import type { NetworkWords, Stream } from '../../core/contract/plugin.ts';
import type { TcpPlace } from '../../protocol/location/messages.ts';
import { KeptRelay, type KeepingParts } from './kept-relay.ts';

type Told = Parameters<Parameters<NetworkWords['onRelays']>[0]>[0];

/** So many connections at least: when one is lost the other is warm. */
const AT_LEAST = 2;

export class Keeper {
  readonly #parts: KeepingParts;
  readonly #changed: () => void;
  readonly #relays = new Map<string, KeptRelay>();
  #told: Told = { keep: [], measure: [] };
  #isReviewing = false;

  constructor(parts: KeepingParts, changed: () => void) {
    this.#parts = parts;
    this.#changed = changed;
  }

  /** How many the server named. */
  get wanted(): number {
    return this.#told.keep.length;
  }

  /** All, also those that are being let go. */
  get relays(): readonly KeptRelay[] {
    return [...this.#relays.values()];
  }

  /** Those whose connection stands, the best first. */
  get standing(): readonly KeptRelay[] {
    return this.relays
      .filter(({ stream, isLeaving }) => stream !== null && !isLeaving)
      .sort((a, b) => (a.stream?.rttMs ?? Infinity) - (b.stream?.rttMs ?? Infinity) || 0);
  }

  isKept(node: string): boolean {
    return this.#relays.has(node);
  }

  placeOf(node: string): TcpPlace | null {
    return this.#relays.get(node)?.place ?? null;
  }

  told(told: Told): void {
    this.#told = told;
    const wanted = new Map(told.keep.map(place => [place.node.record.id, place]));
    for (const relay of this.relays) if (!relay.isStandIn && !wanted.has(relay.node)) relay.leave();
    for (const place of wanted.values()) this.#want(place, false);
    this.#review();
  }

  /** The network is another one: whoever failed may be reached now. */
  networkChanged(): void {
    for (const relay of this.relays) relay.tryNow();
  }

  arrived(stream: Stream): void {
    for (const relay of this.relays) relay.arrived(stream);
  }

  left(stream: Stream): void {
    for (const relay of this.relays) relay.left(stream);
  }

  stop(): void {
    this.#told = { keep: [], measure: [] };
    for (const relay of this.relays) relay.end();
  }

  #want(place: TcpPlace, isStandIn: boolean): void {
    const { id } = place.node.record;
    if (id === this.#parts.streams.node) return;
    let relay = this.#relays.get(id);
    if (relay === undefined) {
      const events = {
        changed: () => this.#review(),
        gone: (one: KeptRelay) => {
          if (this.#relays.get(one.node) === one) this.#relays.delete(one.node);
          this.#changed();
        },
      };
      relay = new KeptRelay(place, this.#parts, events);
      this.#relays.set(id, relay);
    }
    relay.isStandIn = isStandIn;
    relay.want(place);
  }

  /** Something changed: are there enough? What is done about it changes things, too. */
  #review(): void {
    if (this.#isReviewing) return;
    this.#isReviewing = true;
    this.#standIn();
    this.#isReviewing = false;
    this.#changed();
  }

  #standIn(): void {
    const named = this.relays.filter(({ isStandIn, isLeaving }) => !isStandIn && !isLeaving);
    const standing = named.filter(({ state }) => state === 'kept').length;
    const standIns = this.relays.filter(({ isStandIn, isLeaving }) => isStandIn && !isLeaving);
    if (standing >= AT_LEAST || !named.some(({ state }) => state === 'failed')) {
      if (standing >= AT_LEAST || standing === named.length) for (const relay of standIns) relay.leave();
      return;
    }
    const hopeful = standIns.filter(({ state }) => state !== 'failed').length;
    const others = this.#told.measure.filter(place => !this.#relays.has(place.node.record.id));
    for (const place of others.slice(0, AT_LEAST - standing - hopeful)) this.#want(place, true);
  }
}
