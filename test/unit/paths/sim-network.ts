// A network in memory: hosts behind NATs, delay, loss and hop limits, all in simulated time.
import type { ManualClock } from '../../../base/clock.ts';
import type { Random } from '../../../base/random.ts';
import { formatEndpoint, type Endpoint, type IpFamily } from '../../../protocol/address.ts';
import type { Batch, SendResult } from '../../../core/contract/link.ts';
import type {
  NetworkDoor,
  NetworkInterface,
  UdpDoor,
  UdpOptions,
  UdpRemote,
  UdpSendOptions,
} from '../../../system/doors.ts';
import type { SimNat } from './sim-nat.ts';

export interface SimPacket {
  readonly from: Endpoint;
  readonly to: Endpoint;
  readonly bytes: Uint8Array;
  readonly ttl: number;
  readonly dontFragment?: boolean;
}

const HEADER_BYTES: Readonly<Record<IpFamily, number>> = { 4: 28, 6: 48 };

export class SimNetwork {
  oneWayMs = 20;
  /** 0 to 1. */
  loss = 0;
  /** Of the internet in between; nobody is told of what is too large. */
  mtu = 1500;
  carriesFragments = true;
  /** Every packet that crossed the internet. */
  crossed: SimPacket[] = [];
  keepsRecord = false;
  readonly clock: ManualClock;
  readonly random: Random;
  readonly #hosts: SimHost[] = [];

  constructor(clock: ManualClock, random: Random) {
    this.clock = clock;
    this.random = random;
  }

  host(address: string, nat: SimNat | null, prefixLength = 24): SimHost {
    const host = new SimHost(this, address, nat, prefixLength);
    this.#hosts.push(host);
    return host;
  }

  send(host: SimHost, packet: SimPacket): void {
    const neighbour = this.#hosts.find(
      other => other.nat === host.nat && other.address === packet.to.address && host.nat !== null,
    );
    if (neighbour !== undefined) {
      this.#later(0.3, () => neighbour.deliver(packet));
      return;
    }
    const now = this.clock.monotonicMs();
    let { from, ttl } = packet;
    for (let nat = host.nat; nat !== null; nat = nat.parent) {
      const mapped = nat.out(from, packet.to, now);
      if (mapped === null || --ttl <= 0) return;
      from = mapped;
    }
    if (--ttl <= 0 || isInner(packet.to.address)) return;
    const outer = { ...packet, from, ttl };
    if (this.keepsRecord) this.crossed.push(outer);
    if (this.random.below(10_000) < this.loss * 10_000) return;
    const isTooLarge = packet.bytes.length + HEADER_BYTES[from.family] > this.mtu;
    if (isTooLarge && (packet.dontFragment === true || !this.carriesFragments)) return;
    this.#later(this.oneWayMs, () => this.#arrive(outer));
  }

  #arrive(packet: SimPacket): void {
    const now = this.clock.monotonicMs();
    for (const host of this.#hosts) {
      const chain: SimNat[] = [];
      for (let nat = host.nat; nat !== null; nat = nat.parent) chain.unshift(nat);
      const isHere = chain.length === 0 || chain[0]!.kind === 'firewall' ? host.address : chain[0]!.wan;
      if (isHere !== packet.to.address) continue;
      let to: Endpoint | null = packet.to;
      for (const nat of chain) to = to === null ? null : nat.in(to.port, packet.from, now);
      if (to?.address === host.address) host.deliver({ ...packet, to });
      return;
    }
  }

  #later(delayMs: number, act: () => void): void {
    this.clock.after(delayMs, act);
  }
}

const isInner = (address: string): boolean => /^(10|192\.168|100\.64)\./.test(address);

export class SimHost {
  readonly address: string;
  readonly nat: SimNat | null;
  readonly doors = new Map<number, SimDoor>();
  readonly network: NetworkDoor;
  readonly #net: SimNetwork;
  #nextPort = 50_000;
  #changed = new Set<() => void>();

  constructor(net: SimNetwork, address: string, nat: SimNat | null, prefixLength: number) {
    this.#net = net;
    this.address = address;
    this.nat = nat;
    const family: IpFamily = address.includes(':') ? 6 : 4;
    const own: NetworkInterface = { name: 'eth0', family, address, prefixLength };
    this.network = {
      addresses: () => [own],
      gateway: () => null,
      onChange: changed => {
        this.#changed.add(changed);
        return () => void this.#changed.delete(changed);
      },
      close: () => this.#changed.clear(),
    };
  }

  openUdp({ family, port }: UdpOptions): SimDoor {
    const door = new SimDoor(this, family, port === 0 ? this.#nextPort++ : port);
    this.doors.set(door.localPort, door);
    return door;
  }

  /** Routes or addresses of this machine changed. */
  changed(): void {
    for (const changed of this.#changed) changed();
  }

  send(packet: SimPacket): void {
    this.#net.send(this, packet);
  }

  deliver(packet: SimPacket): void {
    this.doors.get(packet.to.port)?.deliver(packet);
  }
}

export class SimDoor implements UdpDoor {
  readonly family: IpFamily;
  readonly localPort: number;
  readonly offloads = { cut: false, coalesce: false };
  onBatch: (remote: UdpRemote, batch: Batch) => void = () => undefined;
  onTurnEnded: () => void = () => undefined;
  readonly #host: SimHost;
  readonly #remotes = new Map<string, UdpRemote>();

  constructor(host: SimHost, family: IpFamily, port: number) {
    this.#host = host;
    this.family = family;
    this.localPort = port;
  }

  remote(endpoint: Endpoint): UdpRemote {
    const key = formatEndpoint(endpoint);
    let remote = this.#remotes.get(key);
    if (remote === undefined)
      this.#remotes.set(key, (remote = { endpoint, localAddress: this.#host.address }));
    return remote;
  }

  send(remote: UdpRemote, batch: Batch, options: UdpSendOptions = {}): SendResult {
    const from = { family: this.family, address: this.#host.address, port: this.localPort };
    for (let at = 0; at < batch.length; at += batch.segment) {
      const size = Math.min(batch.segment, batch.length - at);
      const bytes = batch.bytes.slice(batch.offset + at, batch.offset + at + size);
      this.#host.send({
        from,
        to: remote.endpoint,
        bytes,
        ttl: options.ttl ?? 64,
        dontFragment: options.dontFragment ?? false,
      });
    }
    return 'sent';
  }

  deliver({ from, bytes }: SimPacket): void {
    this.onBatch(this.remote(from), { bytes, offset: 0, length: bytes.length, segment: bytes.length });
    this.onTurnEnded();
  }

  forgetLocalAddresses(): void {
    this.#remotes.clear();
  }

  flush(): void {
    return;
  }

  close(): void {
    this.#host.doors.delete(this.localPort);
  }
}
