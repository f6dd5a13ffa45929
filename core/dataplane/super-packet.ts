// One super-packet under way: segments of one flow, each the one that follows the last, in memory of its own.
import { checksumOf, folded, pseudoSum, sumOf } from '../../protocol/ip/checksum.ts';
import type { PacketOffload } from '../../protocol/ip/offload.ts';
import { FLAGS_AT, PUSH, TCP_HEADER_BYTES, type FlowPacket } from './flow-packet.ts';
import { checksumAt } from './open-checksum.ts';

const LONGEST = 65_535;
export const SUPER_PACKET_BYTES = LONGEST + 1;
/** The kernel takes a super-packet of so many segments, and no more. */
const MAX_SEGMENTS = 64;
const CHECKSUM_AT = 16;

export class SuperPacket {
  readonly at: number;
  /** Of the whole, once there is more than one segment. */
  readonly offload: PacketOffload = { segment: 0, checksumStart: 0, checksumOffset: 0 };
  readonly #memory: Uint8Array;
  readonly #view: DataView;
  /** None: it is free. */
  segments = 0;
  length = 0;
  /** The checksum of the first was left open. */
  isFirstOpen = false;
  #isIpv4 = false;
  #isTcp = false;
  #protocol = 0;
  #ip = 0;
  #header = 0;
  #next = 0;
  /** A short segment, or one that is to be pushed, is the last. */
  #isGrowing = false;

  /** `at`: where SUPER_PACKET_BYTES of `memory` begin. */
  constructor(memory: Uint8Array, view: DataView, at: number) {
    this.#memory = memory;
    this.#view = view;
    this.at = at;
  }

  /** Addresses, protocol and ports. */
  isFlowOf(packet: FlowPacket): boolean {
    return (
      this.segments > 0 &&
      packet.isIpv4 === this.#isIpv4 &&
      packet.protocol === this.#protocol &&
      this.#isSame(packet.at, packet.isIpv4 ? 12 : 8, packet.ip + 4)
    );
  }

  begin(packet: FlowPacket): void {
    const { at, length } = packet;
    this.#memory.copyWithin(this.at, at, at + length);
    this.segments = 1;
    this.length = length;
    this.isFirstOpen = packet.isOpen;
    this.#isIpv4 = packet.isIpv4;
    this.#isTcp = packet.isTcp;
    this.#protocol = packet.protocol;
    this.#ip = packet.ip;
    this.#header = packet.header;
    this.offload.segment = packet.payload;
    this.#advance(packet);
  }

  /** Is this packet of its flow the next segment, and alike in all but sequence, length and checksum? */
  isFollowedBy(packet: FlowPacket): boolean {
    const { at, payload } = packet;
    return (
      this.#isGrowing &&
      this.segments < MAX_SEGMENTS &&
      payload <= this.offload.segment &&
      this.length + payload <= LONGEST &&
      packet.header === this.#header &&
      this.#isAlikeIp(at) &&
      (!this.#isTcp || (packet.sequence === this.#next && this.#isAlikeTcp(at)))
    );
  }

  append(packet: FlowPacket): void {
    const { at, length, header } = packet;
    this.#memory.copyWithin(this.at + this.length, at + header, at + length);
    if (packet.isPushed) this.#memory[this.at + this.#ip + FLAGS_AT]! |= PUSH;
    this.segments++;
    this.length += length - header;
    this.#advance(packet);
  }

  /** Lengths and checksums of the whole; the flow's own is left open, with the sum of the pseudo-header in its place. */
  complete(): void {
    const view = this.#view;
    const { at, length } = this;
    const ip = this.#ip;
    if (this.#isIpv4) {
      view.setUint16(at + 2, length);
      view.setUint16(at + 10, 0);
      view.setUint16(at + 10, checksumOf(sumOf(view, at, ip)), true);
    } else view.setUint16(at + 4, length - ip);
    if (!this.#isTcp) view.setUint16(at + ip + 4, length - ip);
    const sum = pseudoSum(view, at, this.#isIpv4, this.#protocol, length - ip);
    this.offload.checksumStart = ip;
    this.offload.checksumOffset = checksumAt(this.#protocol);
    view.setUint16(at + ip + this.offload.checksumOffset, folded(sum), true);
  }

  #advance(packet: FlowPacket): void {
    const { payload } = packet;
    if (this.#isTcp) this.#next = (packet.sequence + payload) >>> 0;
    this.#isGrowing = payload === this.offload.segment && !packet.isPushed;
  }

  /** IPv4 but for length, identification and checksum, IPv6 but for the length. */
  #isAlikeIp(at: number): boolean {
    const view = this.#view;
    const first = this.at;
    return this.#isIpv4
      ? view.getUint16(at) === view.getUint16(first) &&
          view.getUint16(at + 6) === view.getUint16(first + 6) &&
          view.getUint16(at + 8) === view.getUint16(first + 8)
      : view.getInt32(at) === view.getInt32(first) && view.getUint16(at + 6) === view.getUint16(first + 6);
  }

  /** But for sequence, flags and checksum: acknowledgement, length and window, urgent pointer, options. */
  #isAlikeTcp(at: number): boolean {
    const view = this.#view;
    const [mine, theirs] = [this.at + this.#ip, at + this.#ip];
    return (
      view.getInt32(theirs + 8) === view.getInt32(mine + 8) &&
      view.getUint8(theirs + FLAGS_AT - 1) === view.getUint8(mine + FLAGS_AT - 1) &&
      view.getUint16(theirs + FLAGS_AT + 1) === view.getUint16(mine + FLAGS_AT + 1) &&
      view.getUint16(theirs + CHECKSUM_AT + 2) === view.getUint16(mine + CHECKSUM_AT + 2) &&
      this.#isSame(at, this.#ip + TCP_HEADER_BYTES, this.#header)
    );
  }

  /** From and to are a multiple of four apart. */
  #isSame(at: number, from: number, to: number): boolean {
    const view = this.#view;
    const first = this.at;
    for (let index = from; index < to; index += 4)
      if (view.getInt32(at + index) !== view.getInt32(first + index)) return false;
    return true;
  }
}
