// Inbound data messages: keys by receiver index, open, replay window, allowed source, and up.
import type { Counter } from '../../base/counters.ts';
import { DATA_HEADER_BYTES, DATA_MIN_BYTES } from '../../protocol/wireguard/constants.ts';
import { readUint32 } from '../../protocol/wireguard/messages.ts';
import type { Link } from '../contract/link.ts';
import { Coalescer, COALESCER_BYTES, type SuperPackets } from './coalescer.ts';
import { CHECKSUM_LEFT_OPEN, FAST_HEADER_BYTES } from './fast-profile.ts';
import type { Indices } from './indices.ts';
import { claimedLength, isIpv4, IPV4_SOURCE_AT, IPV6_SOURCE_AT } from './ip-packet.ts';
import type { Keypair } from './keypairs.ts';
import { WHOLE } from '../../protocol/ip/offload.ts';
import { clampMss, isSyn } from './mss.ts';
import type { Setting } from './options.ts';
import { fillChecksum } from './open-checksum.ts';
import { PACKET_ROOM } from './packet-queue.ts';
import type { Peer } from './peer.ts';
import { roomOf } from './room.ts';
import type { Routes } from './routes.ts';
import type { Sessions } from './sessions.ts';
import { bodyOf } from './word.ts';

const MAX_DATAGRAM_BYTES = 65_536;
/** One sealed message that came from outside the memory, and one opened, with room around. */
const OPENED_BYTES = MAX_DATAGRAM_BYTES + PACKET_ROOM + MAX_DATAGRAM_BYTES + PACKET_ROOM;
export const RECEIVER_BYTES = OPENED_BYTES + COALESCER_BYTES;
/** The counter's upper half beyond which it is no exact number; no peer gets there in a century. */
const MAX_COUNTER_HIGH = 2 ** 21 - 1;

export interface ReceiverEvents {
  /** An authenticated message, seen for the first time, came by this link. */
  heard(peer: Peer, link: Link, nowMs: number): void;
  /** The first data in keys that we made as responder: the session is up. */
  confirmed(peer: Peer, nowMs: number): void;
  /** A packet came in the keys of the fast profile. */
  fastReceived(pair: Keypair): void;
  /** A word, which came in these keys. */
  told(peer: Peer, keypair: Keypair, body: Uint8Array): void;
}

export class Receiver {
  readonly #setting: Setting;
  readonly #memory: Uint8Array;
  readonly #view: DataView;
  readonly #sealedAt: number;
  readonly #openedAt: number;
  readonly #indices: Indices;
  readonly #routes: Routes<Peer>;
  readonly #sessions: Sessions;
  readonly #events: ReceiverEvents;
  readonly #coalescer: Coalescer;
  /** Asked at the first packet of a turn; undefined before. */
  #superPackets: SuperPackets | null | undefined;

  /** `base`: where RECEIVER_BYTES of the AEAD's memory begin. */
  constructor(
    setting: Setting,
    base: number,
    indices: Indices,
    routes: Routes<Peer>,
    sessions: Sessions,
    events: ReceiverEvents,
  ) {
    this.#setting = setting;
    this.#memory = setting.aead.memory;
    this.#view = new DataView(this.#memory.buffer, this.#memory.byteOffset, this.#memory.length);
    this.#sealedAt = base;
    this.#openedAt = base + MAX_DATAGRAM_BYTES + PACKET_ROOM;
    this.#indices = indices;
    this.#routes = routes;
    this.#sessions = sessions;
    this.#events = events;
    this.#coalescer = new Coalescer(this.#memory, base + OPENED_BYTES, setting.deliver);
  }

  /** What was put together leaves. */
  turnEnded(): void {
    this.#superPackets = undefined;
    this.#coalescer.flush();
  }

  /** One data message at `bytes[at..at+size)`. */
  receive(link: Link, bytes: Uint8Array, at: number, size: number, now: number): void {
    this.#opened(link, bytes, at, size, now).value++;
  }

  /** Every message ends in one of the counters. */
  #opened(link: Link, bytes: Uint8Array, at: number, size: number, now: number): Counter {
    const counts = this.#setting.counts.in;
    if (size < DATA_MIN_BYTES || size > MAX_DATAGRAM_BYTES) return counts.malformed;
    const entry = this.#indices.find(readUint32(bytes, at + 4));
    if (entry === undefined || entry.keypair === null) return counts['unknown-index'];
    const { keypair } = entry;
    if (now - keypair.createdAt >= this.#setting.timings.rejectAfterMs) return counts.expired;
    const counterHigh = readUint32(bytes, at + 12);
    if (counterHigh > MAX_COUNTER_HIGH) return counts.malformed;
    const counter = counterHigh * 2 ** 32 + readUint32(bytes, at + 8);
    const sealed = this.#within(bytes, at, size) + DATA_HEADER_BYTES;
    // The byte before a packet of the fast profile lies so that the packet itself is where a stock one would be.
    const target = this.#openedAt - (keypair.isFast ? FAST_HEADER_BYTES : 0);
    const length = keypair.receive.open(counter, target, sealed, size - DATA_HEADER_BYTES);
    if (length < 0) return counts.tag;
    if (!keypair.replay.accept(counter)) return counts.replay;
    return this.#authenticated(entry.peer, keypair, link, size, length, now);
  }

  #authenticated(
    peer: Peer,
    keypair: Keypair,
    link: Link,
    size: number,
    length: number,
    now: number,
  ): Counter {
    this.#sessions.received(peer, size, now);
    this.#events.heard(peer, link, now);
    if (this.#sessions.used(peer, keypair.session, now)) this.#events.confirmed(peer, now);
    this.#sessions.renewLate(peer, now);
    if (length === 0) return this.#setting.counts.in.keepalives;
    this.#sessions.dataReceived(peer, now);
    return keypair.isFast
      ? this.#fastDelivered(peer, keypair, length)
      : this.#delivered(peer, keypair, length, false);
  }

  #fastDelivered(peer: Peer, keypair: Keypair, length: number): Counter {
    const counts = this.#setting.counts.in;
    this.#events.fastReceived(keypair);
    const mark = this.#memory[this.#openedAt - FAST_HEADER_BYTES]!;
    if (length <= FAST_HEADER_BYTES || mark > CHECKSUM_LEFT_OPEN) return counts['not-ip'];
    counts.fast.value++;
    return this.#delivered(peer, keypair, length - FAST_HEADER_BYTES, mark === CHECKSUM_LEFT_OPEN);
  }

  #delivered(peer: Peer, keypair: Keypair, length: number, isOpen: boolean): Counter {
    const counts = this.#setting.counts.in;
    const memory = this.#memory;
    const at = this.#openedAt;
    const claimed = claimedLength(memory, at, length);
    if (claimed === 0) return this.#told(peer, keypair, length);
    if (claimed > length) return counts['too-long'];
    const owner = isIpv4(memory, at)
      ? this.#routes.find4(memory, at + IPV4_SOURCE_AT)
      : this.#routes.find6(memory, at + IPV6_SOURCE_AT);
    if (owner !== peer) return counts.source;
    if (isSyn(memory, at) && clampMss(memory, at, claimed, roomOf(peer, this.#setting.mtu), isOpen))
      counts['mss-lowered'].value++;
    if (this.#superPackets === undefined) this.#superPackets = this.#setting.superPackets?.() ?? null;
    if (this.#superPackets !== null) this.#coalescer.take(at, claimed, isOpen, this.#superPackets);
    else {
      if (isOpen) fillChecksum(memory, this.#view, at, claimed);
      this.#setting.deliver(memory, at, claimed, WHOLE);
    }
    return counts.packets;
  }

  /** What is no IP packet may be a word for this node itself. */
  #told(peer: Peer, keypair: Keypair, length: number): Counter {
    const counts = this.#setting.counts.in;
    const body = bodyOf(this.#memory, this.#openedAt, length);
    if (body === null) return counts['not-ip'];
    this.#events.told(peer, keypair, body);
    return counts.words;
  }

  /** Where the datagram lies in the AEAD's memory; one from elsewhere is copied in. */
  #within(bytes: Uint8Array, at: number, size: number): number {
    const memory = this.#memory;
    if (bytes.buffer === memory.buffer) {
      const source = bytes.byteOffset - memory.byteOffset + at;
      if (source >= 0 && source + size <= memory.length) return source;
    }
    memory.set(bytes.subarray(at, at + size), this.#sealedAt);
    return this.#sealedAt;
  }
}
