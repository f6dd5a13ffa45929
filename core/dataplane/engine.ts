// The data plane's face: IP packets on one side, links on the other, sessions (WireGuard) between.
// Who is a peer and by which path it is reached is decided elsewhere and told here.
import type { PacketOffload } from '../../protocol/ip/offload.ts';
import type { AeadName } from './aead.ts';
import type { Batch, Link } from '../contract/link.ts';

/** The peer's WireGuard public key, base64: the key under which everything about a peer is kept. */
export type PeerId = string;

export interface PeerConfig {
  readonly id: PeerId;
  /** X25519, 32 bytes. */
  readonly publicKey: Uint8Array;
  readonly presharedKey?: Uint8Array;
  /** What it may send from, and what is sent to it: `10.77.0.3/32`. */
  readonly allowedIps: readonly string[];
  /** WireGuard's persistent keepalive in ms; 0: none (paths keep Ginnel peers alive by probes). */
  readonly keepaliveMs: number;
  /** It is a Ginnel node: the fast profile is offered to it. Default: any WireGuard, which gets stock messages only. */
  readonly isGinnel?: boolean;
}

/** How a session stands, for status and for path decisions. */
export interface SessionStatus {
  readonly established: boolean;
  /** What it seals with now, and whether by the fast profile; null: no keys. */
  readonly cipher: AeadName | null;
  readonly isFast: boolean;
  /** Monotonic ms of the last completed handshake; null: none yet. */
  readonly handshakeAt: number | null;
  readonly bytesIn: number;
  readonly bytesOut: number;
  /** Monotonic ms. */
  readonly lastReceivedAt: number | null;
  readonly lastSentAt: number | null;
  /** The last packet of the card, not a word or keep-alive; null: none yet. */
  readonly lastPacketSentAt: number | null;
}

export interface EngineEvents {
  /** An authenticated message of this peer came over this link (also the first one over a link not known before: roaming). */
  heard(peer: PeerId, link: Link, nowMs: number): void;
  /** The session wants to send and has no path. Told at most once a second a peer. */
  needsPath(peer: PeerId): void;
  /** A packet to an overlay address that no peer has (V10). The packet is held, bounded, until the route is told. */
  needsRoute(destination: string): void;
  /** A session came up or was lost. */
  sessionChanged(peer: PeerId, established: boolean): void;
  /**
   * Someone who knows our key, and proved to have this one, wants a session, and no such peer is set. `initiation` is a
   * copy: after `setPeer` hand it to `inbound` once more, and it is answered. At most 10 a second are told.
   */
  unknownPeer(publicKey: Uint8Array, link: Link, initiation: Uint8Array): void;
  /** A word of this peer (`Engine.tell`), which came inside the session. The body is a copy. Must not throw. */
  told(peer: PeerId, body: Uint8Array): void;
  /** A datagram that is no WireGuard message. The batch holds it alone; lent until the call returns. */
  notMine(link: Link, batch: Batch): void;
}

export interface Engine {
  /**
   * Adds a peer or changes it; sessions survive a change of allowed IPs. An allowed IP that another peer had moves here.
   * False, and nothing is changed, for a public key of low order or equal to our own. TypeError: an `id` that is not
   * the base64 of `publicKey`, a key of a wrong length, or an allowed IP that is no prefix.
   */
  setPeer(peer: PeerConfig): boolean;
  removePeer(id: PeerId): void;
  /** The prefixes of the virtual network: only for addresses in them is a route asked. TypeError: no prefix. */
  setOverlay(prefixes: readonly string[]): void;
  /** The path by which the peer's session sends from now on; null: none, hold a bounded few. */
  setPath(id: PeerId, link: Link | null): void;
  /** Nobody has that address: held packets are dropped and counted. */
  routeUnknown(destination: string): void;
  /**
   * One IP packet from the TUN, at `bytes[offset..offset+length)`, with at least 64 bytes of room before and
   * 64 after it; it may be written to. `offload`: what is left to do on it (it may be a super-packet, which is cut
   * here); absent: nothing. What was sealed leaves with `flush()`.
   */
  outbound(bytes: Uint8Array, offset: number, length: number, offload?: PacketOffload): void;
  /** Ends a turn: what was sealed leaves, and what was opened reaches the card. */
  flush(): void;
  /** WireGuard messages from a link. What they carried, and what they are answered with, leaves with `flush()`. */
  inbound(link: Link, batch: Batch): void;
  /** Brings the session up even without a packet to send; does nothing while one is up. */
  wake(id: PeerId): void;
  /**
   * Says something to the other Ginnel node inside the established session (at most 1,200 bytes: `word.ts`); it leaves at
   * once, may be lost, and is never repeated. False where no session or no path is there: none is made for its sake.
   */
  tell(id: PeerId, body: Uint8Array): boolean;
  status(id: PeerId): SessionStatus | null;
  close(): void;
}
