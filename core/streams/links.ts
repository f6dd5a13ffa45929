// The ways that stand on streams, found by their ids and by what frames say. Of nodes that nobody here asked for, each stream
// may bring so many and no more: whoever invents sources loses only his own.
import { formatIp } from '../../protocol/ip/address.ts';
import { latinOf } from '../../protocol/stream/frame.ts';
import type { StreamPeer } from '../contract/plugin.ts';
import { addressOf, type NodeStream } from './node-stream.ts';
import { StreamLink, type LinkOwner } from './stream-link.ts';

const MAX_STRANGERS = 256;

export class Links {
  readonly #owner: LinkOwner;
  /** By the stream's other end, then by the link's far end, both as frames name them. */
  readonly #through = new Map<string, Map<string, StreamLink>>();
  readonly #byId = new Map<string, StreamLink>();

  constructor(owner: LinkOwner) {
    this.#owner = owner;
  }

  by(id: string): StreamLink | null {
    return this.#byId.get(id) ?? null;
  }

  /** Null: nobody asked for it, and nothing came from there. */
  find(through: string, address: string): StreamLink | null {
    return this.#through.get(through)?.get(address) ?? null;
  }

  through(address: string): readonly StreamLink[] {
    return [...(this.#through.get(address)?.values() ?? [])];
  }

  count(through: string): number {
    return this.#through.get(through)?.size ?? 0;
  }

  /** Asked for here. */
  wanted(stream: NodeStream, peer: StreamPeer): StreamLink {
    const address = latinOf(addressOf(peer.ip6));
    const link = this.find(stream.address, address) ?? this.#make(stream, address, peer);
    link.isWanted = true;
    return link;
  }

  /** Frames came from there. */
  heard(stream: NodeStream, address: string): StreamLink {
    if (this.count(stream.address) >= MAX_STRANGERS) this.#forgetStranger(stream.address);
    return this.#make(stream, address, { node: '', name: '', ip6: ip6Of(address) });
  }

  forget(link: StreamLink): void {
    this.#byId.delete(link.id);
    const all = this.#through.get(link.through);
    all?.delete(latinOf(addressOf(link.peer.ip6)));
    if (all?.size === 0) this.#through.delete(link.through);
  }

  #make(stream: NodeStream, address: string, peer: StreamPeer): StreamLink {
    const link = new StreamLink(this.#owner, stream, peer);
    const all = this.#through.get(stream.address) ?? new Map<string, StreamLink>();
    this.#through.set(stream.address, all.set(address, link));
    this.#byId.set(link.id, link);
    return link;
  }

  /** The oldest that neither this node nor a session uses. */
  #forgetStranger(through: string): void {
    this.through(through)
      .find(link => !link.isWanted && !link.kept)
      ?.close();
  }
}

const ip6Of = (address: string): string => formatIp(Uint8Array.from(address, letter => letter.charCodeAt(0)));
