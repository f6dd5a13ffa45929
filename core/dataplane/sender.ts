// Outbound, after the route is known: hold, or seal and lay up for the peer's link.
import { DATA_HEADER_BYTES, DATA_MIN_BYTES, PADDING_BYTES } from '../../protocol/wireguard/constants.ts';
import { writeDataHeader } from '../../protocol/wireguard/messages.ts';
import type { Link } from '../contract/link.ts';
import type { Keypair } from './keypairs.ts';
import type { Setting } from './options.ts';
import type { Outbox } from './outbox.ts';
import type { Peer } from './peer.ts';
import type { Sessions } from './sessions.ts';

const PATH_ASKED_EVERY_MS = 1000;

export class Sender {
  readonly #setting: Setting;
  readonly #memory: Uint8Array;
  readonly #outbox: Outbox;
  readonly #sessions: Sessions;
  readonly #initiate: (peer: Peer, nowMs: number) => void;

  constructor(
    setting: Setting,
    outbox: Outbox,
    sessions: Sessions,
    initiate: (peer: Peer, nowMs: number) => void,
  ) {
    this.#setting = setting;
    this.#memory = setting.aead.memory;
    this.#outbox = outbox;
    this.#sessions = sessions;
    this.#initiate = initiate;
  }

  /** One IP packet with room around it; see `Engine.outbound`. */
  send(peer: Peer, bytes: Uint8Array, offset: number, length: number, now: number): void {
    const keypair = peer.usable(this.#setting.timings, now);
    if (keypair === null || peer.link === null) {
      peer.held.hold(bytes, offset, length);
      this.#pursue(peer, now);
      return;
    }
    if (this.#seal(peer, keypair, peer.link, bytes, offset, length, now))
      this.#setting.counts.out.packets.value++;
  }

  /** A word for the other node itself (`wordOf`); false where there is no session or no path. */
  tell(peer: Peer, word: Uint8Array, now: number): boolean {
    const keypair = peer.usable(this.#setting.timings, now);
    if (keypair === null || peer.link === null) return false;
    const isSealed = this.#seal(peer, keypair, peer.link, word, 0, word.length, now);
    if (isSealed) this.#setting.counts.out.words.value++;
    return isSealed;
  }

  keepalive(peer: Peer, now: number): void {
    const keypair = peer.usable(this.#setting.timings, now);
    if (keypair === null || peer.link === null) this.#pursue(peer, now);
    else if (this.#seal(peer, keypair, peer.link, this.#memory, 0, 0, now))
      this.#setting.counts.out.keepalives.value++;
  }

  /** Path and session are there: what was held leaves. True where there was something. */
  release(peer: Peer, now: number): boolean {
    if (peer.held.size === 0) return false;
    peer.held.release((bytes, offset, length) => this.send(peer, bytes, offset, length, now));
    return true;
  }

  askPath(peer: Peer, now: number): void {
    if (now - peer.pathAskedAt < PATH_ASKED_EVERY_MS) return;
    peer.pathAskedAt = now;
    this.#setting.events.needsPath(peer.config.id);
  }

  #pursue(peer: Peer, now: number): void {
    if (peer.usable(this.#setting.timings, now) === null) this.#initiate(peer, now);
    else this.askPath(peer, now);
  }

  /** False: it could not leave, which was counted. */
  #seal(
    peer: Peer,
    keypair: Keypair,
    link: Link,
    bytes: Uint8Array,
    offset: number,
    length: number,
    now: number,
  ): boolean {
    const counts = this.#setting.counts.out;
    const padded = this.#padded(length, link);
    const size = DATA_MIN_BYTES + padded;
    if (size > link.mtu) {
      counts['too-long'].value++;
      return false;
    }
    const target = this.#outbox.place(link, size);
    if (target < 0) {
      counts['no-room'].value++;
      return false;
    }
    const payloadAt = target + DATA_HEADER_BYTES;
    const source = this.#within(bytes, offset, padded, payloadAt, length);
    if (padded > length) this.#memory.fill(0, source + length, source + padded);
    const counter = keypair.sendCounter++;
    writeDataHeader(this.#memory, target, keypair.remoteIndex, counter);
    keypair.send.seal(counter, payloadAt, source, padded);
    peer.bytesOut += size;
    this.#sessions.sent(peer, keypair, length === 0, now);
    return true;
  }

  /** Where the packet lies in the AEAD's memory; one from elsewhere is copied to where it is sealed. */
  #within(bytes: Uint8Array, offset: number, padded: number, payloadAt: number, length: number): number {
    const memory = this.#memory;
    if (bytes.buffer === memory.buffer) {
      const source = bytes.byteOffset - memory.byteOffset + offset;
      if (source >= 0 && source + padded <= memory.length) return source;
    }
    memory.set(bytes.subarray(offset, offset + length), payloadAt);
    return payloadAt;
  }

  /** To a multiple of 16, but not beyond the card's MTU nor what the link carries. */
  #padded(length: number, link: Link): number {
    const full = Math.ceil(length / PADDING_BYTES) * PADDING_BYTES;
    const most = Math.min(this.#setting.mtu, link.mtu - DATA_MIN_BYTES);
    return full <= most ? full : Math.max(length, most);
  }
}
