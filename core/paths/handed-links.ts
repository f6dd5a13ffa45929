// Links that transport plugins hold themselves and hand in: found by their ids, sorted like what comes by UDP. A link that
// takes over from another of the same id carries on for it: whoever uses it notices nothing.
import type { Counter, Counters } from '../../base/counters.ts';
import type { Endpoint } from '../../protocol/address.ts';
import { isStun } from '../../protocol/stun/codec.ts';
import type { Batch, Link, LinkTraits, SendResult } from '../contract/link.ts';
import type { LinkDoor, LinkInlet } from '../contract/plugin.ts';
import { isWireguard, silentEvents, type DatagramLink, type StreamsEvents } from './udp-transport.ts';

export interface HandedLinksOptions {
  readonly counters: Counters;
  /** May something be sent there at all? */
  readonly isPlace: (endpoint: Endpoint) => boolean;
}

/** Of all plugins together; what is more is refused. */
export const MAX_HANDED = 1024;
/** What probes say of where they came from; nobody looks at that on a link of this sort. */
const NOWHERE: Endpoint = { family: 4, address: '0.0.0.0', port: 9 };

export class HandedLinks implements LinkDoor {
  events: StreamsEvents = { ...silentEvents, closed() {} };
  readonly #options: HandedLinksOptions;
  readonly #byId = new Map<string, HandedLink>();
  readonly #unknown: Counter;
  #isTurnEndPlanned = false;

  constructor(options: HandedLinksOptions) {
    this.#options = options;
    this.#unknown = options.counters.counter('links.unknown-datagram');
  }

  isPlace(endpoint: Endpoint): boolean {
    return this.#options.isPlace(endpoint);
  }

  opened(link: Link): LinkInlet {
    const known = this.#byId.get(link.id);
    if (known === undefined && this.#byId.size >= MAX_HANDED) {
      this.#options.counters.counter('links.too-many').value++;
      link.close();
      return { received() {}, closed() {} };
    }
    const handed = known ?? new HandedLink(this, link);
    if (known === undefined) this.#byId.set(link.id, handed);
    else handed.goOnBy(link);
    return {
      // What is still on its way by the one before arrives, too.
      received: batch => this.#received(handed, batch),
      closed: reason => this.#closed(handed, link, reason),
    };
  }

  /** By its id; null: there is none. */
  linkBy(id: string): DatagramLink | null {
    return this.#byId.get(id) ?? null;
  }

  /** Its maker closed it, or the core did. */
  forget(link: HandedLink): void {
    if (this.#byId.get(link.id) === link) this.#byId.delete(link.id);
  }

  #closed(handed: HandedLink, link: Link, reason: string): void {
    if (!handed.isOf(link)) return;
    handed.end();
    this.events.closed(handed, reason);
  }

  #received(handed: HandedLink, { bytes, offset, length, segment }: Batch): void {
    if (handed.isClosed || segment < 1) return;
    const size = Math.min(segment, length);
    if (isWireguard(bytes, offset, size)) this.events.wireguard(handed, { bytes, offset, length, segment });
    else if (isStun(bytes, offset, size) && length === size) this.events.stun(handed, bytes, offset, size);
    else {
      this.#unknown.value++;
      return;
    }
    this.#planTurnEnd();
  }

  #planTurnEnd(): void {
    if (this.#isTurnEndPlanned) return;
    this.#isTurnEndPlanned = true;
    setImmediate(() => {
      this.#isTurnEndPlanned = false;
      this.events.turnEnded();
    });
  }
}

class HandedLink implements DatagramLink {
  readonly id: string;
  readonly transport: string;
  readonly throughTurn: boolean;
  mtu: number;
  armed = false;
  readonly #owner: HandedLinks;
  #link: Link;
  #isClosed = false;

  constructor(owner: HandedLinks, link: Link) {
    this.#owner = owner;
    this.#link = link;
    this.id = link.id;
    this.transport = link.transport;
    this.throughTurn = link.throughTurn === true;
    this.mtu = link.mtu;
  }

  get traits(): LinkTraits {
    return this.#link.traits;
  }

  get remote(): Endpoint {
    return this.#link.remote ?? NOWHERE;
  }

  get local(): Endpoint | null {
    return this.#link.local;
  }

  get via(): string | null {
    return this.#link.via ?? null;
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  isOf(link: Link): boolean {
    return !this.#isClosed && this.#link === link;
  }

  goOnBy(link: Link): void {
    this.#link = link;
    this.mtu = link.mtu;
  }

  send(batch: Batch): SendResult {
    if (this.#isClosed) return 'closed';
    if (this.armed) {
      this.armed = false;
      this.#owner.events.sent(this);
    }
    return this.#link.send(batch);
  }

  /** There are no hops to count: an opener has no use here. */
  sendOwn(bytes: Uint8Array, ttl: number | null): SendResult {
    if (this.#isClosed) return 'closed';
    if (ttl !== null) return 'sent';
    const { length } = bytes;
    return this.#link.send({ bytes, offset: 0, length, segment: length });
  }

  /** Its maker says that it is over. */
  end(): void {
    this.#isClosed = true;
    this.#owner.forget(this);
  }

  close(): void {
    if (this.#isClosed) return;
    this.end();
    this.#link.close();
  }
}
