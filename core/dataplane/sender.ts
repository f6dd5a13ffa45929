// Outbound, after the route is known: hold, or seal and lay up for the peer's link.
import { DATA_HEADER_BYTES, DATA_MIN_BYTES, PADDING_BYTES } from '../../protocol/wireguard/constants.ts';
import { writeDataHeader } from '../../protocol/wireguard/messages.ts';
import type { Link } from '../contract/link.ts';
import { CHECKSUM_LEFT_OPEN, FAST_HEADER_BYTES } from './fast-profile.ts';
import type { Keypair } from './keypairs.ts';
import { fillChecksum } from './open-checksum.ts';
import type { Setting } from './options.ts';
import { clampMss, isSyn } from './mss.ts';
import type { Outbox } from './outbox.ts';
import type { Peer } from './peer.ts';
import { roomOf } from './room.ts';
import type { Sessions } from './sessions.ts';
import { TooBig } from './too-big.ts';

const PATH_ASKED_EVERY_MS = 1000;

export interface SenderEvents {
  /** A session is wanted. */
  initiate(peer: Peer, nowMs: number): void;
  /** A packet left in stock keys. */
  stockSent(peer: Peer, keypair: Keypair, nowMs: number): void;
}

export class Sender {
  readonly #setting: Setting;
  readonly #memory: Uint8Array;
  readonly #outbox: Outbox;
  readonly #sessions: Sessions;
  readonly #events: SenderEvents;
  readonly #tooBig: TooBig;
  /** What padding overwrote. */
  readonly #padded = new Uint8Array(PADDING_BYTES);

  constructor(setting: Setting, outbox: Outbox, sessions: Sessions, events: SenderEvents) {
    this.#setting = setting;
    this.#memory = setting.aead.memory;
    this.#outbox = outbox;
    this.#sessions = sessions;
    this.#events = events;
    this.#tooBig = new TooBig(setting);
  }

  /** May packets to this peer leave now with their checksums open? */
  leavesOpen(peer: Peer, now: number): boolean {
    return peer.link !== null && peer.usable(this.#setting.timings, now)?.sealing.isFast === true;
  }

  /** A SYN asks for no larger segments than the path carries. */
  clamp(peer: Peer, bytes: Uint8Array, offset: number, length: number, isOpen: boolean): void {
    if (!isSyn(bytes, offset)) return;
    if (clampMss(bytes, offset, length, roomOf(peer, this.#setting.mtu), isOpen))
      this.#setting.counts.out['mss-lowered'].value++;
  }

  /** One IP packet with room around it; see `Engine.outbound`. `isOpen`: its checksum was left open. */
  send(peer: Peer, bytes: Uint8Array, offset: number, length: number, isOpen: boolean, now: number): void {
    const keypair = peer.usable(this.#setting.timings, now);
    if (keypair === null || peer.link === null) {
      if (isOpen) fillChecksum(bytes, this.#viewOf(bytes), offset, length);
      peer.held.hold(bytes, offset, length);
      this.#pursue(peer, now);
      return;
    }
    const pair = keypair.sealing;
    if (!this.#seal(peer, pair, peer.link, bytes, offset, length, isOpen, now)) return;
    peer.lastPacketSentAt = now;
    const counts = this.#setting.counts.out;
    counts.packets.value++;
    if (pair.isFast) counts.fast.value++;
    else this.#events.stockSent(peer, pair, now);
  }

  /** A word for the other node itself (`wordOf`), in stock keys; false where there is no session or no path. */
  tell(peer: Peer, word: Uint8Array, now: number): boolean {
    const keypair = peer.usable(this.#setting.timings, now);
    if (keypair === null || peer.link === null) return false;
    const isSealed = this.#seal(peer, keypair, peer.link, word, 0, word.length, false, now);
    if (isSealed) this.#setting.counts.out.words.value++;
    return isSealed;
  }

  keepalive(peer: Peer, now: number): void {
    const keypair = peer.usable(this.#setting.timings, now);
    if (keypair === null || peer.link === null) this.#pursue(peer, now);
    else if (this.#seal(peer, keypair, peer.link, this.#memory, 0, 0, false, now))
      this.#setting.counts.out.keepalives.value++;
  }

  /** Path and session are there: what was held leaves. True where there was something. */
  release(peer: Peer, now: number): boolean {
    if (peer.held.size === 0) return false;
    peer.held.release((bytes, offset, length) => {
      this.clamp(peer, bytes, offset, length, false);
      this.send(peer, bytes, offset, length, false, now);
    });
    return true;
  }

  askPath(peer: Peer, now: number): void {
    if (now - peer.pathAskedAt < PATH_ASKED_EVERY_MS) return;
    peer.pathAskedAt = now;
    this.#setting.events.needsPath(peer.config.id);
  }

  #pursue(peer: Peer, now: number): void {
    if (peer.usable(this.#setting.timings, now) === null) this.#events.initiate(peer, now);
    else this.askPath(peer, now);
  }

  /** False: it could not leave, which was counted. */
  #seal(
    peer: Peer,
    pair: Keypair,
    link: Link,
    bytes: Uint8Array,
    offset: number,
    length: number,
    isOpen: boolean,
    now: number,
  ): boolean {
    const counts = this.#setting.counts.out;
    // The fast profile puts a byte before the packet, and pads nothing.
    const lead = pair.isFast ? FAST_HEADER_BYTES : 0;
    const payload = pair.isFast ? lead + length : this.#lengthPadded(length, link);
    const size = DATA_MIN_BYTES + payload;
    if (size > link.mtu && !this.#tooBig.goesAnyhow(bytes, offset, length)) {
      this.#tooBig.take(peer, bytes, offset, length, isOpen, now, (at, piece) =>
        this.send(peer, bytes, at, piece, false, now),
      );
      return false;
    }
    const target = this.#outbox.place(link, size);
    if (target < 0) {
      counts['no-room'].value++;
      return false;
    }
    const payloadAt = target + DATA_HEADER_BYTES;
    const source = this.#within(bytes, offset - lead, payload, payloadAt, lead, length);
    const padding = pair.isFast ? 0 : payload - length;
    if (pair.isFast) this.#memory[source] = isOpen ? CHECKSUM_LEFT_OPEN : 0;
    else this.#pad(source + length, padding);
    const counter = pair.sendCounter++;
    writeDataHeader(this.#memory, target, pair.remoteIndex, counter);
    pair.send.seal(counter, payloadAt, source, payload);
    if (source !== payloadAt) this.#unpad(source + length, padding);
    peer.bytesOut += size;
    this.#sessions.sent(peer, pair.session, length === 0, now);
    return true;
  }

  /** Where the plaintext lies in the AEAD's memory; a packet from elsewhere is copied to where it is sealed. */
  #within(
    bytes: Uint8Array,
    offset: number,
    payload: number,
    payloadAt: number,
    lead: number,
    length: number,
  ): number {
    const memory = this.#memory;
    if (bytes.buffer === memory.buffer) {
      const source = bytes.byteOffset - memory.byteOffset + offset;
      if (source >= 0 && source + payload <= memory.length) return source;
    }
    memory.set(bytes.subarray(offset + lead, offset + lead + length), payloadAt + lead);
    return payloadAt;
  }

  /** Zeros behind the packet. What stood there may be the next packet's payload: it is kept. */
  #pad(at: number, bytes: number): void {
    for (let index = 0; index < bytes; index++) {
      this.#padded[index] = this.#memory[at + index]!;
      this.#memory[at + index] = 0;
    }
  }

  #unpad(at: number, bytes: number): void {
    for (let index = 0; index < bytes; index++) this.#memory[at + index] = this.#padded[index]!;
  }

  #viewOf(bytes: Uint8Array): DataView {
    return new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  }

  /** To a multiple of 16, but not beyond the card's MTU nor what the link carries. */
  #lengthPadded(length: number, link: Link): number {
    const full = Math.ceil(length / PADDING_BYTES) * PADDING_BYTES;
    const most = Math.min(this.#setting.mtu, link.mtu - DATA_MIN_BYTES);
    return full <= most ? full : Math.max(length, most);
  }
}
