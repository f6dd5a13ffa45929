// The StunDoor that traversal plugins measure with: the long-lived sockets, fresh ones, and the servers to ask.
import type { IpFamily, Endpoint } from '../../protocol/address.ts';
import { parseEndpoint } from '../../protocol/ip/endpoint.ts';
import type { Welcome } from '../../protocol/location/messages.ts';
import { decodeStun } from '../../protocol/stun/codec.ts';
import type { NetworkDoor, TcpSource, UdpDoor } from '../../system/doors.ts';
import type { StunDoor, StunServer, StunSocket } from '../contract/plugin.ts';
import { StunOverTcp, type StunTcpOptions } from './stun-tcp.ts';
import type { SignedAsk, StunSender, StunTransactions } from './stun-transactions.ts';
import type { DatagramTransport } from './udp-transport.ts';

export interface StunDoorOptions {
  readonly transport: DatagramTransport;
  readonly transactions: StunTransactions;
  readonly network: Pick<NetworkDoor, 'addresses'>;
  /** A UDP socket on any port, for measuring. Throws a GinnelError. */
  readonly openUdp: (family: IpFamily) => UdpDoor;
  /** The same over TCP; absent: this machine has no such ports. */
  readonly openTcp?: ((family: IpFamily) => TcpSource) | undefined;
  readonly tcp: StunTcpOptions;
}

const UNSPECIFIED: Readonly<Record<IpFamily, string>> = { 4: '0.0.0.0', 6: '::' };
const MAX_FRESH = 32;
const MAX_FRESH_TCP = 8;

export class CoreStunDoor implements StunDoor {
  /** Absent: this machine has no such ports. */
  readonly freshTcp?: (family: IpFamily) => Promise<StunOverTcp>;
  readonly #options: StunDoorOptions;
  readonly #fresh = new Set<FreshSocket>();
  readonly #freshTcp = new Set<StunOverTcp>();
  readonly #listeners = new Set<() => void>();
  #servers: readonly StunServer[] = [];

  constructor(options: StunDoorOptions) {
    this.#options = options;
    const { openTcp } = options;
    if (openTcp !== undefined)
      this.freshTcp = family => this.#openFresh(() => this.#openTcp(openTcp, family));
  }

  main(family: IpFamily): StunSocket | null {
    const { transport, transactions } = this.#options;
    const localPort = transport.localPort(family);
    if (localPort === null) return null;
    const sender = this.mainSender(family, localPort);
    return { family, localPort, transact: (ask, signal) => transactions.transact(sender, ask, signal) };
  }

  /** For the keep-alive: the same socket, with a signature. */
  signed(ask: SignedAsk): ReturnType<StunTransactions['transact']> {
    const port = this.#options.transport.localPort(ask.to.family);
    if (port === null) return Promise.resolve({ ok: false, code: 'unreachable' });
    return this.#options.transactions.transact(this.mainSender(ask.to.family, port), ask);
  }

  mainSender(family: IpFamily, port: number): StunSender {
    const { transport } = this.#options;
    let local: Endpoint = { family, address: UNSPECIFIED[family], port };
    return {
      send(to, bytes) {
        const link = to.family === family ? transport.link(to) : null;
        local = link?.local ?? local;
        const sent = link !== null && link.sendOwn(bytes, null) !== 'closed';
        transport.flush();
        return sent;
      },
      local: () => local,
    };
  }

  fresh(family: IpFamily): Promise<StunSocket & { close(): void }> {
    return this.#openFresh(() => {
      refuseMoreThan(MAX_FRESH, this.#fresh.size);
      const socket = new FreshSocket(this.#options.openUdp(family), this.#options.transactions, () =>
        this.#fresh.delete(socket),
      );
      this.#fresh.add(socket);
      return socket;
    });
  }

  /** What `freshTcp` gave, by its port: for what is to leave from it. Null: closed since. */
  tcpOn(localPort: number): StunOverTcp | null {
    return [...this.#freshTcp].find(socket => socket.localPort === localPort) ?? null;
  }

  #openTcp(open: (family: IpFamily) => TcpSource, family: IpFamily): StunOverTcp {
    refuseMoreThan(MAX_FRESH_TCP, this.#freshTcp.size);
    const socket = new StunOverTcp(open(family), this.#options.tcp, () => this.#freshTcp.delete(socket));
    this.#freshTcp.add(socket);
    return socket;
  }

  #openFresh<T>(open: () => T): Promise<T> {
    try {
      return Promise.resolve(open());
    } catch (error) {
      return Promise.reject(error instanceof Error ? error : new TypeError(String(error)));
    }
  }

  /** Takes over the fresh socket on that port: closing it changes nothing any more. Null: there is none. */
  adopt(family: IpFamily, localPort: number): UdpDoor | null {
    for (const socket of this.#fresh)
      if (socket.family === family && socket.localPort === localPort) return socket.give();
    return null;
  }

  servers(): readonly StunServer[] {
    return this.#servers;
  }

  localAddresses(): readonly { readonly family: IpFamily; readonly address: string }[] {
    return this.#options.network.addresses().map(({ family, address }) => ({ family, address }));
  }

  onChange(changed: () => void): () => void {
    this.#listeners.add(changed);
    return () => void this.#listeners.delete(changed);
  }

  /** The servers a welcome names: the address by which we came first. */
  welcomed({ stun }: Pick<Welcome, 'stun'>, server: Endpoint): void {
    const found = [{ endpoint: { ...server, port: stun.port }, secondPort: stun.secondPort }];
    for (const text of stun.alternates) {
      const parsed = parseEndpoint(
        text.includes(':') && !text.includes('.') && !text.startsWith('[') ? `[${text}]` : text,
        stun.port,
      );
      if (parsed.ok) found.push({ endpoint: parsed.value, secondPort: stun.secondPort });
    }
    const isOther = JSON.stringify(found) !== JSON.stringify(this.#servers);
    this.#servers = found;
    if (isOther) this.changed();
  }

  changed(): void {
    for (const listener of this.#listeners) listener();
  }

  close(): void {
    for (const socket of [...this.#fresh, ...this.#freshTcp]) socket.close();
    this.#listeners.clear();
  }
}

function refuseMoreThan(most: number, open: number): void {
  if (open >= most) throw new TypeError(`a plugin holds ${most} fresh sockets open: it must close them`);
}

class FreshSocket implements StunSocket {
  readonly family: IpFamily;
  readonly localPort: number;
  readonly #door: UdpDoor;
  readonly #transactions: StunTransactions;
  readonly #closed: () => void;
  readonly #sender: StunSender;
  #isOpen = true;
  #localAddress: string | null = null;

  constructor(door: UdpDoor, transactions: StunTransactions, closed: () => void) {
    this.family = door.family;
    this.localPort = door.localPort;
    this.#door = door;
    this.#transactions = transactions;
    this.#closed = closed;
    this.#sender = { send: (to, bytes) => this.#send(to, bytes), local: () => this.#local() };
    door.onBatch = (remote, { bytes, offset, length, segment }) => {
      this.#localAddress = remote.localAddress;
      for (let at = 0; at < length; at += segment) {
        const message = decodeStun(bytes, offset + at, Math.min(segment, length - at));
        if (message.ok) transactions.received(message.value, remote.endpoint, this.#sender);
      }
    };
  }

  transact(ask: SignedAsk, signal?: AbortSignal): ReturnType<StunTransactions['transact']> {
    if (!this.#isOpen) return Promise.resolve({ ok: false, code: 'aborted' });
    return this.#transactions.transact(this.#sender, ask, signal);
  }

  close(): void {
    if (this.#isOpen) this.give().close();
  }

  /** It is somebody else's now. */
  give(): UdpDoor {
    this.#isOpen = false;
    this.#transactions.abort(this.#sender);
    this.#door.onBatch = () => undefined;
    this.#closed();
    return this.#door;
  }

  #send(to: Endpoint, bytes: Uint8Array): boolean {
    if (!this.#isOpen || to.family !== this.family) return false;
    const batch = { bytes, offset: 0, length: bytes.length, segment: bytes.length };
    const result = this.#door.send(this.#door.remote(to), batch);
    this.#door.flush();
    return result !== 'closed';
  }

  #local(): Endpoint {
    return {
      family: this.family,
      address: this.#localAddress ?? UNSPECIFIED[this.family],
      port: this.localPort,
    };
  }
}
