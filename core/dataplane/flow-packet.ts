// What the coalescer looks at in one packet: which flow it belongs to, and whether it may be a part of a super-packet.
import { folded, pseudoSum, sumOf } from '../../protocol/ip/checksum.ts';
import { PROTOCOL } from '../../protocol/ip/header.ts';
import { IPV4_HEADER_BYTES, IPV6_HEADER_BYTES, isIpv4 } from './ip-packet.ts';
import { checksumAt } from './open-checksum.ts';

export const TCP_HEADER_BYTES = 20;
export const UDP_HEADER_BYTES = 8;
/** Behind the start of TCP's header. */
export const FLAGS_AT = 13;
export const PUSH = 0x08;
const ACK = 0x10;
/** An IPv4 header without options. */
const PLAIN_IPV4 = 0x45;
/** More fragments, or not the first: there are no ports to read. */
const FRAGMENT = 0x3fff;

/** One packet of TCP or UDP; the object is used again for each. */
export class FlowPacket {
  readonly #memory: Uint8Array;
  readonly #view: DataView;
  at = 0;
  length = 0;
  isIpv4 = false;
  protocol = 0;
  /** Bytes of the IP header, and of both headers. */
  ip = 0;
  header = 0;
  /** Its checksum was left open. */
  isOpen = false;

  constructor(memory: Uint8Array, view: DataView) {
    this.#memory = memory;
    this.#view = view;
  }

  get payload(): number {
    return this.length - this.header;
  }

  get isTcp(): boolean {
    return this.protocol === PROTOCOL.TCP;
  }

  get sequence(): number {
    return this.#view.getUint32(this.at + this.ip + 4);
  }

  get isPushed(): boolean {
    return this.isTcp && (this.#memory[this.at + this.ip + FLAGS_AT]! & PUSH) !== 0;
  }

  /** The IP packet of that very length at `memory[at]`. False: no flow of TCP or UDP that could be told from others. */
  read(at: number, length: number, isOpen: boolean): boolean {
    const memory = this.#memory;
    this.at = at;
    this.length = length;
    this.isOpen = isOpen;
    this.isIpv4 = isIpv4(memory, at);
    this.ip = this.isIpv4 ? IPV4_HEADER_BYTES : IPV6_HEADER_BYTES;
    if (this.isIpv4 && (memory[at] !== PLAIN_IPV4 || (this.#view.getUint16(at + 6) & FRAGMENT) !== 0))
      return false;
    this.protocol = memory[at + (this.isIpv4 ? 9 : 6)]!;
    if (this.protocol === PROTOCOL.TCP) this.header = this.ip + TCP_HEADER_BYTES;
    else if (this.protocol === PROTOCOL.UDP) this.header = this.ip + UDP_HEADER_BYTES;
    else return false;
    return length >= this.header;
  }

  /** Is it plain data whose checksum holds (or was left open)? Only such packets are put together. */
  isPart(): boolean {
    return (this.isTcp ? this.#isTcpData() : this.#isUdpData()) && (this.isOpen || this.#isSumRight());
  }

  #isTcpData(): boolean {
    const bytes = (this.#memory[this.at + this.ip + 12]! >> 4) * 4;
    this.header = this.ip + bytes;
    return (
      bytes >= TCP_HEADER_BYTES &&
      this.payload > 0 &&
      (this.#memory[this.at + this.ip + FLAGS_AT]! & ~PUSH) === ACK
    );
  }

  /** One without a checksum stays so. */
  #isUdpData(): boolean {
    const view = this.#view;
    const udp = this.at + this.ip;
    const isSummed = this.isOpen || view.getUint16(udp + checksumAt(PROTOCOL.UDP)) !== 0;
    return this.payload > 0 && isSummed && view.getUint16(udp + 4) === this.length - this.ip;
  }

  #isSumRight(): boolean {
    const { at, ip, length, protocol } = this;
    const sum = pseudoSum(this.#view, at, this.isIpv4, protocol, length - ip);
    return folded(sumOf(this.#view, at + ip, length - ip, sum)) === 0xffff;
  }
}
