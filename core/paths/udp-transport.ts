// The direct UDP transport: one long-lived socket per family, one Link per remote place, and the sorting of what
// arrives. It knows nothing of peers; a link is a stranger's until `keep` says otherwise.
import type { Counters, Counter } from '../../base/counters.ts';
import type { Endpoint, IpFamily } from '../../protocol/address.ts';
import { formatEndpoint } from '../../protocol/address.ts';
import { isStun } from '../../protocol/stun/codec.ts';
import type { UdpDoor, UdpRemote } from '../../system/doors.ts';
import type { Batch, Link, LinkTraits, SendResult } from '../contract/link.ts';

/** Where received datagrams go. All bytes are lent until the call returns. */
export interface DatagramEvents {
  /** WireGuard messages. */
  wireguard(link: Link, batch: Batch): void;
  /** One STUN message: a probe, or an answer to a transaction. */
  stun(link: DatagramLink, bytes: Uint8Array, offset: number, length: number): void;
  /** The session sent by a link that was armed. */
  sent(link: DatagramLink): void;
  /** What was received in a turn is through. */
  turnEnded(): void;
}

/** Of connections. */
export interface StreamsEvents extends DatagramEvents {
  closed(link: Link, reason: string): void;
}

export interface DatagramLink extends Link {
  readonly remote: Endpoint;
  /** Set by the driver, as it is found. */
  mtu: number;
  /** Set by the driver: the next `send` tells `sent`, once. */
  armed: boolean;
  /** One datagram of the core's own, not told as `sent`. For this one only: `ttl`, and `whole`: no hop may fragment it. */
  sendOwn(bytes: Uint8Array, ttl: number | null, whole?: boolean): SendResult;
  /** It leaves from a further socket, on this local port; absent: from the long-lived one. */
  readonly socket?: number;
}

/** Sockets beside the long-lived one, each by its local port: what gets through a NAT from one of them goes on there. */
export interface FurtherSockets {
  /** It is the transport's from now on. */
  add(door: UdpDoor): void;
  ports(): readonly number[];
  /** Closes the socket and its links. */
  drop(localPort: number): void;
  /** One datagram to a place that need not become a link; from the long-lived socket where `localPort` is null. */
  send(localPort: number | null, to: Endpoint, bytes: Uint8Array, ttl: number | null): SendResult;
}

/** What the driver needs of a transport of datagrams without connections: UDP, or the in-memory one. */
export interface DatagramTransport {
  readonly name: string;
  readonly families: readonly IpFamily[];
  localPort(family: IpFamily): number | null;
  /** The link to that place, made where there is none, from a further socket where one is named; null: no such socket here. */
  link(to: Endpoint, socket?: number): DatagramLink | null;
  /** Absent: it has none. */
  readonly further?: FurtherSockets;
  /** This one belongs to a peer (or no longer): only strangers' links are forgotten when there are too many. */
  keep(link: Link, kept: boolean): void;
  events: DatagramEvents;
  /** Our addresses changed: what is sent from now on leaves by the routes as they are. */
  addressesChanged(): void;
  /** Hands laid-up datagrams to the kernel. Also happens by itself before the event loop waits. */
  flush(): void;
  close(): void;
}

/** An Ethernet frame's worth of UDP payload over IPv6: what a place carries as far as nobody knows better. */
export const UDP_MTU = 1452;
const MAX_STRANGERS = 512;
const TRAITS: LinkTraits = { reliable: false, ordered: false, relayed: false };

export const silentEvents: DatagramEvents = { wireguard() {}, stun() {}, sent() {}, turnEnded() {} };

export interface UdpTransportOptions {
  readonly doors: readonly UdpDoor[];
  readonly counters: Counters;
}

export class UdpTransport implements DatagramTransport {
  readonly name = 'udp';
  events: DatagramEvents = silentEvents;
  readonly #doors: readonly UdpDoor[];
  readonly #further = new Map<number, UdpDoor>();
  /** Further sockets that something is laid up in. */
  readonly #laidUp = new Set<UdpDoor>();
  readonly #byRemote = new WeakMap<UdpRemote, UdpLink>();
  readonly #kept = new Map<string, UdpLink>();
  /** The oldest first. */
  readonly #strangers = new Map<string, UdpLink>();
  readonly #unknown: Counter;
  readonly #forgotten: Counter;
  #flushPlanned = false;
  #closed = false;

  constructor({ doors, counters }: UdpTransportOptions) {
    this.#doors = doors;
    this.#unknown = counters.counter('udp.unknown-datagram');
    this.#forgotten = counters.counter('udp.link-forgotten');
    for (const door of doors) this.#listen(door);
  }

  get families(): readonly IpFamily[] {
    return this.#doors.map(door => door.family);
  }

  localPort(family: IpFamily): number | null {
    return this.#door(family)?.localPort ?? null;
  }

  readonly further: FurtherSockets = {
    add: door => this.#add(door),
    ports: () => [...this.#further.keys()],
    drop: localPort => this.#drop(localPort),
    send: (localPort, to, bytes, ttl) => this.#sendOnce(localPort, to, bytes, ttl),
  };

  link(to: Endpoint, socket?: number): UdpLink | null {
    const door = this.#socket(to.family, socket ?? null);
    if (door === undefined) return null;
    const key = this.#keyOf(door, to);
    return this.#kept.get(key) ?? this.#strangers.get(key) ?? this.#open(door, door.remote(to), key);
  }

  keep(link: Link, kept: boolean): void {
    if (!(link instanceof UdpLink)) return;
    const [from, to] = kept ? [this.#strangers, this.#kept] : [this.#kept, this.#strangers];
    const { key } = link;
    if (from.get(key) !== link) return;
    from.delete(key);
    to.set(key, link);
  }

  addressesChanged(): void {
    for (const door of [...this.#doors, ...this.#further.values()]) door.forgetLocalAddresses();
  }

  flush(): void {
    this.#flushPlanned = false;
    if (this.#closed) return;
    for (const door of this.#doors) door.flush();
    for (const door of this.#laidUp) door.flush();
    this.#laidUp.clear();
  }

  /** Closes the links and the sockets. Idempotent. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    for (const link of [...this.#kept.values(), ...this.#strangers.values()]) link.close();
    for (const door of [...this.#doors, ...this.#further.values()]) door.close();
    this.#further.clear();
  }

  /** Whoever sends outside a turn need not know of `flush`. */
  planFlush(): void {
    if (this.#flushPlanned) return;
    this.#flushPlanned = true;
    queueMicrotask(() => this.#flushPlanned && this.flush());
  }

  /** What was sent by that one has to be flushed. */
  laidUp(door: UdpDoor): void {
    if (this.#further.has(door.localPort)) this.#laidUp.add(door);
  }

  forget(link: UdpLink): void {
    const { key } = link;
    for (const links of [this.#kept, this.#strangers]) if (links.get(key) === link) links.delete(key);
  }

  #door(family: IpFamily): UdpDoor | undefined {
    return this.#doors.find(door => door.family === family);
  }

  #socket(family: IpFamily, localPort: number | null): UdpDoor | undefined {
    if (this.#closed) return undefined;
    return localPort === null ? this.#door(family) : this.#further.get(localPort);
  }

  #keyOf(door: UdpDoor, to: Endpoint): string {
    const place = formatEndpoint(to);
    return this.#further.get(door.localPort) === door ? `${place} from ${door.localPort}` : place;
  }

  #add(door: UdpDoor): void {
    if (this.#closed) {
      door.close();
      return;
    }
    this.#further.set(door.localPort, door);
    this.#listen(door);
  }

  #drop(localPort: number): void {
    const door = this.#further.get(localPort);
    if (door === undefined) return;
    for (const link of [...this.#kept.values(), ...this.#strangers.values()])
      if (link.socket === localPort) link.close();
    this.#further.delete(localPort);
    this.#laidUp.delete(door);
    door.close();
  }

  #sendOnce(localPort: number | null, to: Endpoint, bytes: Uint8Array, ttl: number | null): SendResult {
    const door = this.#socket(to.family, localPort);
    if (door === undefined) return 'closed';
    this.planFlush();
    this.laidUp(door);
    const batch = { bytes, offset: 0, length: bytes.length, segment: bytes.length };
    return door.send(door.remote(to), batch, ttl === null ? {} : { ttl });
  }

  #listen(door: UdpDoor): void {
    door.onBatch = (remote, batch) => this.#received(door, remote, batch);
    door.onTurnEnded = () => {
      this.events.turnEnded();
      this.flush();
    };
  }

  #received(door: UdpDoor, remote: UdpRemote, batch: Batch): void {
    const link = this.#linkOf(door, remote);
    const { bytes, offset, length, segment } = batch;
    // Equal-sized datagrams of one sender come together: the first tells what all of a WireGuard batch are.
    if (isWireguard(bytes, offset, Math.min(segment, length))) {
      this.events.wireguard(link, batch);
      return;
    }
    for (let at = 0; at < length; at += segment) {
      const size = Math.min(segment, length - at);
      if (isWireguard(bytes, offset + at, size))
        this.events.wireguard(link, { bytes, offset: offset + at, length: size, segment: size });
      else if (isStun(bytes, offset + at, size)) this.events.stun(link, bytes, offset + at, size);
      else this.#unknown.value++;
    }
  }

  #linkOf(door: UdpDoor, remote: UdpRemote): UdpLink {
    const cached = this.#byRemote.get(remote);
    if (cached !== undefined && !cached.closed) return cached;
    const key = this.#keyOf(door, remote.endpoint);
    const known = this.#kept.get(key) ?? this.#strangers.get(key);
    if (known === undefined) return this.#open(door, remote, key);
    known.moveTo(remote);
    this.#byRemote.set(remote, known);
    return known;
  }

  #open(door: UdpDoor, remote: UdpRemote, key: string): UdpLink {
    const isFurther = this.#further.get(door.localPort) === door;
    const link = new UdpLink(this, door, remote, { key, isFurther });
    this.#byRemote.set(remote, link);
    this.#strangers.set(key, link);
    if (this.#strangers.size > MAX_STRANGERS) this.#forgetStranger();
    return link;
  }

  #forgetStranger(): void {
    const oldest = this.#strangers.values().next();
    if (oldest.done === true) return;
    oldest.value.close();
    this.#forgotten.value++;
  }
}

export class UdpLink implements DatagramLink {
  readonly id: string;
  readonly key: string;
  readonly socket?: number;
  readonly transport = 'udp';
  readonly traits = TRAITS;
  readonly remote: Endpoint;
  mtu = UDP_MTU;
  armed = false;
  closed = false;
  readonly #owner: UdpTransport;
  readonly #door: UdpDoor;
  #place: UdpRemote;

  /** `key`: what tells it from the other links of its owner. */
  constructor(
    owner: UdpTransport,
    door: UdpDoor,
    place: UdpRemote,
    { key, isFurther }: { readonly key: string; readonly isFurther: boolean },
  ) {
    this.#owner = owner;
    this.#door = door;
    this.#place = place;
    this.remote = place.endpoint;
    this.key = key;
    this.id = `udp ${key}`;
    if (isFurther) this.socket = door.localPort;
  }

  get local(): Endpoint | null {
    const address = this.#place.localAddress;
    return address === null ? null : { family: this.#door.family, address, port: this.#door.localPort };
  }

  send(batch: Batch): SendResult {
    if (this.closed) return 'closed';
    if (this.armed) {
      this.armed = false;
      this.#owner.events.sent(this);
    }
    this.#owner.planFlush();
    if (this.socket !== undefined) this.#owner.laidUp(this.#door);
    return this.#door.send(this.#place, batch);
  }

  sendOwn(bytes: Uint8Array, ttl: number | null, whole = false): SendResult {
    if (this.closed) return 'closed';
    this.#owner.planFlush();
    this.#owner.laidUp(this.#door);
    const batch = { bytes, offset: 0, length: bytes.length, segment: bytes.length };
    const options = { ...(ttl === null ? {} : { ttl }), dontFragment: whole };
    return this.#door.send(this.#place, batch, options);
  }

  /** The door forgot the place and met it again: the new object stands for it from now on. */
  moveTo(place: UdpRemote): void {
    this.#place = place;
  }

  close(): void {
    this.closed = true;
    this.#owner.forget(this);
  }
}

/** A type byte from 1 to 4 and three zero bytes: no STUN message that carries anything looks so. */
export const isWireguard = (bytes: Uint8Array, offset: number, length: number): boolean =>
  length >= 32 &&
  bytes[offset]! >= 1 &&
  bytes[offset]! <= 4 &&
  bytes[offset + 1] === 0 &&
  bytes[offset + 2] === 0 &&
  bytes[offset + 3] === 0;
