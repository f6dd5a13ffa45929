// Puts packets of one TCP flow that follow each other together again before they reach the card: one super-packet, one
// system call. Nothing waits for it: what a batch brought is handed on at its end, in the order in which it came.
import { checksumOf, folded, pseudoSum, sumOf } from '../../protocol/ip/checksum.ts';
import { PROTOCOL } from '../../protocol/ip/header.ts';
import { WHOLE } from '../../protocol/ip/offload.ts';
import type { PacketOffload } from '../../protocol/ip/offload.ts';
import { IPV4_HEADER_BYTES, IPV6_HEADER_BYTES, isIpv4 } from './ip-packet.ts';
import { leaveOpen } from './open-checksum.ts';
import { PACKET_ROOM } from './packet-queue.ts';

const SUPER_PACKET_BYTES = 65_535;
export const COALESCER_BYTES = PACKET_ROOM + SUPER_PACKET_BYTES + 1 + PACKET_ROOM;
/** The kernel takes a super-packet of so many segments, and no more. */
const MAX_SEGMENTS = 64;
const TCP_HEADER_BYTES = 20;
const CHECKSUM_AT = 16;
const FLAGS_AT = 13;
const ACK = 0x10;
const PUSH = 0x08;

export type Deliver = (bytes: Uint8Array, offset: number, length: number, offload: PacketOffload) => void;

export class Coalescer {
  readonly #memory: Uint8Array;
  readonly #view: DataView;
  readonly #at: number;
  readonly #deliver: Deliver;
  readonly #offload: PacketOffload = { segment: 0, checksumStart: 0, checksumOffset: CHECKSUM_AT };
  readonly #lone: PacketOffload = { ...WHOLE };
  /** Of the super-packet under way; no segments: there is none. */
  #segments = 0;
  #length = 0;
  #isIpv4 = false;
  #ip = 0;
  #header = 0;
  #next = 0;
  /** A short segment, or one that is to be pushed, is the last. */
  #isGrowing = false;
  #isFirstOpen = false;

  /** `base`: where COALESCER_BYTES of `memory` begin. */
  constructor(memory: Uint8Array, base: number, deliver: Deliver) {
    this.#memory = memory;
    this.#view = new DataView(memory.buffer, memory.byteOffset, memory.length);
    this.#at = base + PACKET_ROOM;
    this.#deliver = deliver;
  }

  /** One IP packet of that very length at `memory[at]`, with room around it. `isOpen`: its checksum was left open. */
  take(at: number, length: number, isOpen: boolean): void {
    const v4 = isIpv4(this.#memory, at);
    const ip = v4 ? IPV4_HEADER_BYTES : IPV6_HEADER_BYTES;
    const header = this.#headerOf(at, length, v4, ip, isOpen);
    if (header === 0) this.#pass(at, length, isOpen);
    else if (this.#follows(at, length, v4, ip, header)) this.#append(at, length, header);
    else this.#begin(at, length, v4, ip, header, isOpen);
  }

  /** Hands on what is there. */
  flush(): void {
    if (this.#segments === 0) return;
    const segments = this.#segments;
    this.#segments = 0;
    if (segments > 1) this.#complete();
    if (segments > 1) this.#deliver(this.#memory, this.#at, this.#length, this.#offload);
    else this.#deliverOne(this.#at, this.#length, this.#isFirstOpen);
  }

  #pass(at: number, length: number, isOpen: boolean): void {
    this.flush();
    this.#deliverOne(at, length, isOpen);
  }

  #deliverOne(at: number, length: number, isOpen: boolean): void {
    const rest = isOpen && leaveOpen(this.#memory, this.#view, at, length, this.#lone) ? this.#lone : WHOLE;
    this.#deliver(this.#memory, at, length, rest);
  }

  /** Bytes of both headers where the packet is plain TCP data whose checksum holds (or was left open); else 0. */
  #headerOf(at: number, length: number, v4: boolean, ip: number, isOpen: boolean): number {
    const memory = this.#memory;
    if (length <= ip + TCP_HEADER_BYTES) return 0;
    // IPv4: no options, not a fragment. IPv6: no extension header.
    if (v4 && (memory[at] !== 0x45 || (this.#view.getUint16(at + 6) & 0x3fff) !== 0)) return 0;
    if (memory[at + (v4 ? 9 : 6)] !== PROTOCOL.TCP) return 0;
    const tcp = (memory[at + ip + 12]! >> 4) * 4;
    const header = ip + tcp;
    if (tcp < TCP_HEADER_BYTES || header >= length) return 0;
    if ((memory[at + ip + FLAGS_AT]! & ~PUSH) !== ACK) return 0;
    if (isOpen) return header;
    const sum = pseudoSum(this.#view, at, v4, PROTOCOL.TCP, length - ip);
    return folded(sumOf(this.#view, at + ip, length - ip, sum)) === 0xffff ? header : 0;
  }

  /** Is it the next segment of the super-packet under way, and alike in all but sequence, length and checksum? */
  #follows(at: number, length: number, v4: boolean, ip: number, header: number): boolean {
    const size = length - header;
    return (
      this.#segments > 0 &&
      this.#isGrowing &&
      this.#segments < MAX_SEGMENTS &&
      size <= this.#offload.segment &&
      this.#length + size <= SUPER_PACKET_BYTES &&
      v4 === this.#isIpv4 &&
      header === this.#header &&
      this.#view.getUint32(at + ip + 4) === this.#next &&
      this.#isAlike(at, ip, header)
    );
  }

  /** IPv4 but for length, identification and checksum, IPv6 but for the length; TCP but for sequence, flags, checksum. */
  #isAlike(at: number, ip: number, header: number): boolean {
    const view = this.#view;
    const first = this.#at;
    const sameIp = this.#isIpv4
      ? view.getUint16(at) === view.getUint16(first) &&
        view.getUint16(at + 6) === view.getUint16(first + 6) &&
        view.getUint16(at + 8) === view.getUint16(first + 8) &&
        this.#isSame(at, 12, ip)
      : view.getInt32(at) === view.getInt32(first) &&
        view.getUint16(at + 6) === view.getUint16(first + 6) &&
        this.#isSame(at, 8, ip);
    return (
      sameIp &&
      view.getInt32(at + ip) === view.getInt32(first + ip) &&
      this.#isSame(at, ip + 8, ip + FLAGS_AT - 1) &&
      view.getUint8(at + ip + FLAGS_AT - 1) === view.getUint8(first + ip + FLAGS_AT - 1) &&
      view.getUint16(at + ip + FLAGS_AT + 1) === view.getUint16(first + ip + FLAGS_AT + 1) &&
      view.getUint16(at + ip + CHECKSUM_AT + 2) === view.getUint16(first + ip + CHECKSUM_AT + 2) &&
      this.#isSame(at, ip + TCP_HEADER_BYTES, header)
    );
  }

  /** Both a multiple of four apart. */
  #isSame(at: number, from: number, to: number): boolean {
    const view = this.#view;
    const first = this.#at;
    for (let index = from; index < to; index += 4)
      if (view.getInt32(at + index) !== view.getInt32(first + index)) return false;
    return true;
  }

  #begin(at: number, length: number, v4: boolean, ip: number, header: number, isOpen: boolean): void {
    this.flush();
    this.#memory.copyWithin(this.#at, at, at + length);
    this.#segments = 1;
    this.#length = length;
    this.#isIpv4 = v4;
    this.#ip = ip;
    this.#header = header;
    this.#isFirstOpen = isOpen;
    this.#offload.segment = length - header;
    this.#advance(at, ip, length - header);
  }

  #append(at: number, length: number, header: number): void {
    this.#memory.copyWithin(this.#at + this.#length, at + header, at + length);
    this.#memory[this.#at + this.#ip + FLAGS_AT]! |= this.#memory[at + this.#ip + FLAGS_AT]! & PUSH;
    this.#segments++;
    this.#length += length - header;
    this.#advance(at, this.#ip, length - header);
  }

  #advance(at: number, ip: number, size: number): void {
    this.#next = (this.#view.getUint32(at + ip + 4) + size) >>> 0;
    this.#isGrowing = size === this.#offload.segment && (this.#memory[at + ip + FLAGS_AT]! & PUSH) === 0;
  }

  /** Lengths and checksums of the whole; TCP's is left open, with the sum of the pseudo-header in its place. */
  #complete(): void {
    const view = this.#view;
    const [at, ip, length] = [this.#at, this.#ip, this.#length];
    if (this.#isIpv4) {
      view.setUint16(at + 2, length);
      view.setUint16(at + 10, 0);
      view.setUint16(at + 10, checksumOf(sumOf(view, at, ip)), true);
    } else view.setUint16(at + 4, length - ip);
    const sum = pseudoSum(view, at, this.#isIpv4, PROTOCOL.TCP, length - ip);
    view.setUint16(at + ip + CHECKSUM_AT, folded(sum), true);
    this.#offload.checksumStart = ip;
  }
}
