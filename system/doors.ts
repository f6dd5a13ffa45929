// The doors to the kernel, as the rest of the house sees them. Implementations stand beside this file; no decision lives here.
import type { Socket } from 'node:net';
import type { Endpoint, IpFamily } from '../protocol/address.ts';
import type { PacketOffload } from '../protocol/ip/offload.ts';
import type { GinnelError } from '../base/errors.ts';
import type { Batch, SendResult } from '../core/contract/link.ts';

/** All buffers and kernel structures live in one piece of memory; koffi gets plain numbers. */
export interface Arena {
  readonly memory: Uint8Array;
  readonly view: DataView;
  /** The machine address of `memory[0]`; 0 where no foreign function will ever be called on it. */
  readonly base: number;
  /** An offset into `memory`; throws a GinnelError (ARENA_FULL) when used up. Never given back. */
  allocate(bytes: number, align?: number): number;
}

export interface TunOptions {
  /** `ginnel0`; the kernel picks a number for `ginnel%d`. */
  readonly name: string;
  readonly mtu: number;
  /** `10.77.0.2/16`, `fd6a:…/48`: address and on-link prefix. */
  readonly addresses: readonly string[];
  /** Further prefixes to route into it. */
  readonly routes: readonly string[];
}

export interface TunOffloads {
  /** Checksums left open, and super-packets of TCP (TSO). */
  readonly tcp: boolean;
  /** Super-packets of UDP (USO; Linux 6.2). */
  readonly udp: boolean;
}

/** A virtual network card. Gone, with its addresses and routes, when closed or when the process dies (V1, V2). */
export interface TunDoor {
  readonly name: string;
  readonly mtu: number;
  /**
   * Called for each packet the kernel sends into the card, with 64 bytes of room before and behind it in `bytes`,
   * lent until the call returns and free to be written to; `onTurnEnded` after the last of a turn (a bounded number).
   * `offload`: what the kernel left to do on it.
   */
  onPacket: (bytes: Uint8Array, offset: number, length: number, offload: PacketOffload) => void;
  onTurnEnded: () => void;
  /** Called once, with TUN_LOST, where somebody else deletes the card; it is closed then. */
  onLost: (error: GinnelError) => void;
  /** What it takes and gives beyond single packets with whole checksums. */
  readonly offloads: TunOffloads;
  /**
   * Hands an IP packet to the kernel. `bytes` outside the arena are copied; in the arena, 16 bytes before the packet are
   * written to. `offload`: what is left to do on it, only where `offloads` says so; absent: nothing.
   */
  write(bytes: Uint8Array, offset: number, length: number, offload?: PacketOffload): SendResult;
  setRoutes(routes: readonly string[]): void;
  /**
   * Closes the door but leaves the card, with its addresses and routes, to the process that opens it next by its name.
   * Absent: this door cannot.
   */
  leave?(): void;
  close(): void;
}

/** A remote as seen from one socket: interned, so that the same object stands for the same place. */
export interface UdpRemote {
  readonly endpoint: Endpoint;
  /** The local address that its packets came to (a machine may have several); null before the first one. */
  readonly localAddress: string | null;
}

export interface UdpSendOptions {
  /** Hop limit of this one packet: a first packet that opens our NAT and dies before theirs (P5). */
  readonly ttl?: number;
  /** It arrives in one piece or not at all: no hop may fragment it, this machine neither. */
  readonly dontFragment?: boolean;
}

/** Which of the kernel's abilities a UDP socket uses: it cuts what is sent, puts together what came. */
export interface UdpOffloads {
  readonly cut: boolean;
  readonly coalesce: boolean;
}

/** A UDP socket of one family, read and written on the event loop, in batches where that is possible. */
export interface UdpDoor {
  readonly family: IpFamily;
  readonly localPort: number;
  /** In use now. */
  readonly offloads: UdpOffloads;
  /** `batch` is lent until the call returns. */
  onBatch: (remote: UdpRemote, batch: Batch) => void;
  onTurnEnded: () => void;
  /** The interned remote; the least recently used of too many is forgotten. */
  remote(endpoint: Endpoint): UdpRemote;
  /** Datagrams of a batch leave with `flush()` at the latest: laid up until then, or sent at once. */
  send(remote: UdpRemote, batch: Batch, options?: UdpSendOptions): SendResult;
  flush(): void;
  /** After a change of networks: answers leave from whichever address the route gives, until a remote is heard again. */
  forgetLocalAddresses(): void;
  close(): void;
}

export interface UdpOptions {
  readonly family: IpFamily;
  /** 0: any. */
  readonly port: number;
  /** Bind to this address only; absent: all. */
  readonly address?: string;
}

/** A wish for the connections to a TCP port whose first byte is of one's own kind; others may have the rest of them. */
export interface TcpClaim {
  /** 0: any that is free; others share it once it is known. */
  readonly port: number;
  /** An address of this machine; absent or empty: all. */
  readonly address?: string;
  /** Whom it is for, as an error says it: `the location server`. */
  readonly name: string;
  /** By which setting a person chooses another port: `tcp-port`. */
  readonly setting: string;
  /** Of several claims that want it, the one made first has it. */
  wants(firstByte: number): boolean;
  /** Takes a connection over. Nothing of its stream is missing; its errors are counted already and need no listener. */
  take(socket: Socket, firstByte: number): void;
}

export interface ClaimedPort {
  readonly port: number;
  /** Nothing is handed in any more; the port is free when nobody else claims it. Connections taken over stay. */
  close(): Promise<void>;
}

export interface TcpConnectOptions {
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
}

/** The box's TCP ports: one listener may serve several, told apart by the first byte of a connection. */
export interface TcpPortsDoor {
  /** Errors: TCP_PORT_TAKEN (by another program), TCP_PORT_FORBIDDEN, ADDRESS_UNAVAILABLE. */
  claim(claim: TcpClaim): Promise<ClaimedPort>;
  /** The same connection, read by that function into memory that is lent until it returns (tcp-reading.ts). */
  lendReads(socket: Socket, received: (bytes: Uint8Array) => void): Socket;
  /** A connected socket, nothing held back (TCP_NODELAY). Errors: TCP_UNREACHABLE; what `signal` was aborted with. */
  connect(to: Endpoint, options: TcpConnectOptions): Promise<Socket>;
}

/**
 * One local TCP port from which many connections are opened at once, and nobody is waited for: for NATs, which then see one
 * inner port (P7). Two such ports that connect to each other at the same time meet (simultaneous open).
 */
export interface TcpSource {
  readonly family: IpFamily;
  readonly localPort: number;
  /** A connection stands; from now on it is the taker's. Nothing was read of it. */
  onOpen: (socket: Socket, to: Endpoint) => void;
  /** It came to nothing: `refused` (an RST, or ICMP), or what the kernel calls it (`ETIMEDOUT`). */
  onFailed: (to: Endpoint, reason: string) => void;
  /**
   * Sends a SYN there now, which dies after so many hops where `ttl` is given; its successors do not. One that waits for an
   * answer there begins anew. `under-way`: an answer is here already. `busy`: too many at once, or the kernel refused.
   */
  connect(to: Endpoint, options?: { readonly ttl?: number }): 'sent' | 'under-way' | 'busy';
  /** How many wait for an answer. */
  readonly waiting: number;
  /** Idempotent. What is under way ends; what was handed over stays. */
  close(): void;
}

export interface TcpSourceOptions {
  readonly family: IpFamily;
  /** Bind to this address only; absent: all. */
  readonly address?: string;
}

export interface NetworkInterface {
  readonly name: string;
  readonly family: IpFamily;
  readonly address: string;
  readonly prefixLength: number;
}

/** The machine's addresses and the notice that they, or the routes, changed. */
export interface NetworkDoor {
  addresses(): readonly NetworkInterface[];
  /** The default gateway of a family, where there is one; a link-local one with its zone: `fe80::1%eth0`. */
  gateway(family: IpFamily): string | null;
  /** Called (at most four times a second) after a change. Returns the way to stop that. */
  onChange(changed: () => void): () => void;
  close(): void;
}

/** `tuntap` is the slower one, for machines that koffi has no binary for. */
export type DoorKind = 'koffi' | 'tuntap';

/** Why it is the slower one, and what a person could do, in words. */
export interface Slowness {
  readonly because: string;
  readonly todo: string;
}

export interface Doors {
  readonly kind: DoorKind;
  /** Null: it is the fast one. */
  readonly slowness: Slowness | null;
  readonly arena: Arena;
  openTun(options: TunOptions): TunDoor;
  openUdp(options: UdpOptions): UdpDoor;
  /** Absent: this door cannot. */
  openTcpSource?(options: TcpSourceOptions): TcpSource;
  openNetwork(): NetworkDoor;
}
