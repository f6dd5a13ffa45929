// A way to a node over a stream: to the stream's other end itself (plain TCP), or through it to a third node (V11). The stream
// under it may be another one later: a connection that was lost and came again carries the same links.
import type { Endpoint } from '../../protocol/address.ts';
import type { Batch, LinkTraits, SendResult } from '../contract/link.ts';
import type { StreamPeer } from '../contract/plugin.ts';
import { latinOf } from '../../protocol/stream/frame.ts';
import type { DatagramLink } from '../paths/udp-transport.ts';
import { addressOf, type NodeStream } from './node-stream.ts';

/** A stream cuts nothing: any packet of the card fits. */
const STREAM_MTU = 16_384;
const DIRECT: LinkTraits = { reliable: true, ordered: true, relayed: false };
const RELAYED: LinkTraits = { reliable: true, ordered: true, relayed: true };

export interface LinkOwner {
  /** The stream that stands with the node of that address; null: none. */
  find(address: string): NodeStream | null;
  sent(link: StreamLink): void;
  forget(link: StreamLink): void;
}

export class StreamLink implements DatagramLink {
  readonly id: string;
  readonly transport: 'tcp' | 'relay-tcp';
  readonly traits: LinkTraits;
  /** The stream's other end in frames, as `Stream.address`. */
  readonly through: string;
  /** Its name, where it is a third node; null: it is the peer itself. */
  readonly via: string | null;
  readonly peer: StreamPeer;
  mtu = STREAM_MTU;
  armed = false;
  /** A peer's session uses it: never forgotten. */
  kept = false;
  /** This node asked for it. */
  isWanted = false;
  readonly #owner: LinkOwner;
  readonly #destination: Uint8Array;
  #remote: Endpoint;
  #local: Endpoint | null;
  #isClosed = false;

  constructor(owner: LinkOwner, stream: NodeStream, peer: StreamPeer) {
    this.#owner = owner;
    this.peer = peer;
    this.#destination = addressOf(peer.ip6);
    const isDirect = latinOf(this.#destination) === stream.address;
    this.transport = isDirect ? 'tcp' : 'relay-tcp';
    this.traits = isDirect ? DIRECT : RELAYED;
    this.via = isDirect ? null : stream.name;
    this.through = stream.address;
    this.#remote = stream.remote;
    this.#local = stream.local;
    this.id = isDirect ? `tcp ${peer.ip6}` : `relay-tcp ${stream.node.slice(0, 12)} ${peer.ip6}`;
  }

  /** As the present stream, or the last one, shows it. */
  get remote(): Endpoint {
    return (this.#remote = this.#owner.find(this.through)?.remote ?? this.#remote);
  }

  get local(): Endpoint | null {
    return (this.#local = this.#owner.find(this.through)?.local ?? this.#local);
  }

  send(batch: Batch): SendResult {
    const stream = this.#isClosed ? null : this.#owner.find(this.through);
    if (stream === null) return 'closed';
    if (this.armed) {
      this.armed = false;
      this.#owner.sent(this);
    }
    return stream.send(this.#destination, batch);
  }

  /** There are no hops to count, and nothing is fragmented: an opener has no use here. */
  sendOwn(bytes: Uint8Array, ttl: number | null): SendResult {
    const stream = this.#isClosed ? null : this.#owner.find(this.through);
    if (stream === null) return 'closed';
    if (ttl !== null) return 'sent';
    const { length } = bytes;
    return stream.send(this.#destination, { bytes, offset: 0, length, segment: length });
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#owner.forget(this);
  }
}
