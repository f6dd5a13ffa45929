// The reference transport: datagrams between places in one process, as a well-behaved network would carry them.
// What every transport has to hold is shown on this one (test/contract/transport.ts).
import { formatEndpoint, type Endpoint, type IpFamily } from '../../protocol/address.ts';
import { isStun } from '../../protocol/stun/codec.ts';
import type { Batch, Link, LinkTraits, SendResult } from '../contract/link.ts';
import {
  isWireguard,
  silentEvents,
  UDP_MTU,
  type DatagramEvents,
  type DatagramLink,
  type DatagramTransport,
} from './udp-transport.ts';

const TRAITS: LinkTraits = { reliable: true, ordered: true, relayed: false };

/** All places of one little world. Datagrams arrive a microtask later, in order. */
export class MemoryNetwork {
  readonly #places = new Map<string, MemoryTransport>();

  open(at: Endpoint): MemoryTransport {
    const transport = new MemoryTransport(this, at);
    this.#places.set(formatEndpoint(at), transport);
    return transport;
  }

  carry(from: Endpoint, to: Endpoint, bytes: Uint8Array): void {
    queueMicrotask(() => this.#places.get(formatEndpoint(to))?.arrive(from, bytes));
  }

  leave(at: Endpoint): void {
    this.#places.delete(formatEndpoint(at));
  }
}

export class MemoryTransport implements DatagramTransport {
  readonly name = 'memory';
  readonly families: readonly IpFamily[];
  events: DatagramEvents = silentEvents;
  readonly at: Endpoint;
  readonly #network: MemoryNetwork;
  readonly #links = new Map<string, MemoryLink>();

  constructor(network: MemoryNetwork, at: Endpoint) {
    this.#network = network;
    this.at = at;
    this.families = [at.family];
  }

  localPort(family: IpFamily): number | null {
    return family === this.at.family ? this.at.port : null;
  }

  link(to: Endpoint): MemoryLink | null {
    if (to.family !== this.at.family) return null;
    const key = formatEndpoint(to);
    let link = this.#links.get(key);
    if (link === undefined) this.#links.set(key, (link = new MemoryLink(this, to)));
    return link;
  }

  carry(to: Endpoint, bytes: Uint8Array): void {
    this.#network.carry(this.at, to, bytes);
  }

  arrive(from: Endpoint, bytes: Uint8Array): void {
    const link = this.link(from);
    if (link === null) return;
    const batch = { bytes, offset: 0, length: bytes.length, segment: bytes.length };
    if (isWireguard(bytes, 0, bytes.length)) this.events.wireguard(link, batch);
    else if (isStun(bytes)) this.events.stun(link, bytes, 0, bytes.length);
    this.events.turnEnded();
  }

  forget(link: Link & { readonly remote: Endpoint }): void {
    this.#links.delete(formatEndpoint(link.remote));
  }

  keep(): void {
    // Nothing is ever forgotten here.
  }

  addressesChanged(): void {
    // The one address never changes.
  }

  flush(): void {
    // Nothing is laid up.
  }

  close(): void {
    for (const link of [...this.#links.values()]) link.close();
    this.#network.leave(this.at);
  }
}

export class MemoryLink implements DatagramLink {
  readonly id: string;
  readonly transport = 'memory';
  readonly traits = TRAITS;
  readonly remote: Endpoint;
  readonly local: Endpoint;
  mtu = UDP_MTU;
  armed = false;
  readonly #owner: MemoryTransport;
  #isClosed = false;

  constructor(owner: MemoryTransport, remote: Endpoint) {
    this.#owner = owner;
    this.remote = remote;
    this.local = owner.at;
    this.id = `memory ${formatEndpoint(remote)}`;
  }

  send({ bytes, offset, length, segment }: Batch): SendResult {
    if (this.#isClosed) return 'closed';
    if (this.armed) {
      this.armed = false;
      this.#owner.events.sent(this);
    }
    for (let at = 0; at < length; at += segment)
      this.#owner.carry(this.remote, bytes.slice(offset + at, offset + Math.min(at + segment, length)));
    return 'sent';
  }

  sendOwn(bytes: Uint8Array, ttl: number | null): SendResult {
    if (this.#isClosed) return 'closed';
    // One hop lies between two places here.
    if (ttl === null || ttl > 1) this.#owner.carry(this.remote, bytes.slice());
    return 'sent';
  }

  close(): void {
    this.#isClosed = true;
    this.#owner.forget(this);
  }
}
