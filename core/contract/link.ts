// Links: open ways to one remote place. A link carries datagrams (WireGuard messages) and probes, and knows nothing of peers:
// who is at the other end is for the session or a probe to say.
import type { Endpoint } from '../../protocol/address.ts';

/**
 * One or many equal-sized datagrams laid end to end in `bytes[offset .. offset+length)`, cut every `segment` bytes;
 * the last may be shorter. The bytes are lent until the call returns: whoever wants them longer copies them.
 * The object itself may be used again by its maker, too.
 */
export interface Batch {
  bytes: Uint8Array;
  offset: number;
  length: number;
  segment: number;
}

/** `busy`: not sent, for now (a full socket); the caller drops and counts. `closed`: never again. */
export type SendResult = 'sent' | 'busy' | 'closed';

export interface LinkTraits {
  /** Nothing is lost on it (TCP): its loss figures say nothing. */
  readonly reliable: boolean;
  readonly ordered: boolean;
  /** A third machine carries it (a relay or TURN). */
  readonly relayed: boolean;
}

/** How a remote place is shown and compared; `lan` where both ends share a network. */
export type PathClass = 'lan' | 'direct' | 'turn' | 'relay';

export interface Link {
  /** For logs and people: `udp 192.0.2.1:4444`. Unique among the open links. */
  readonly id: string;
  /** The transport that opened it: `udp`, `tcp`, `relay-tcp`, `webrtc`. */
  readonly transport: string;
  readonly traits: LinkTraits;
  /** The far end's address, where there is one. */
  readonly remote: Endpoint | null;
  /** The near end's address, where it is known. */
  readonly local: Endpoint | null;
  /** It is a TURN server that relays. */
  readonly throughTurn?: boolean;
  /** The name of the node that forwards; absent or null: none does, or it is not known. */
  readonly via?: string | null;
  /** The largest datagram it carries in one piece, in bytes, as far as known: it may become another. */
  readonly mtu: number;
  /** Never throws, never waits. */
  send(batch: Batch): SendResult;
  /** Idempotent. */
  close(): void;
}
