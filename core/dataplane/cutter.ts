// Cuts what the kernel handed over whole: a super-packet (TSO, USO) into packets, in place. The header of each slides over
// the tail of the one before, which was taken by then; payload is never moved. Checksums that were left open are filled in.
import { checksumOf, sumOf } from '../../protocol/ip/checksum.ts';
import { PROTOCOL } from '../../protocol/ip/header.ts';
import type { PacketOffload } from '../../protocol/ip/offload.ts';
import { isIpv4 } from './ip-packet.ts';
import { checksumAt, fillChecksum, ipHeaderBytes, protocolOf } from './open-checksum.ts';

/**
 * Takes one packet of the super-packet; lent until it returns. It may write one byte before it; what stands behind it is the
 * next one's payload. `isOpen`: its TCP or UDP checksum was left open.
 */
export type TakePacket = (bytes: Uint8Array, offset: number, length: number, isOpen: boolean) => void;

const UDP_HEADER_BYTES = 8;
const TCP_FLAGS_AT = 13;
/** FIN and PSH stand in the last segment only, CWR in the first only (RFC 3168, 6.1.2). */
const LAST_ONLY = 0x09;
const FIRST_ONLY = 0x80;

export class Cutter {
  #bytes: Uint8Array = new Uint8Array(0);
  #view: DataView = new DataView(this.#bytes.buffer);
  #leavesOpen = false;

  /**
   * False, with nothing taken, where the packet is not what the offload says of it. `mayLeaveOpen`: checksums of TCP and
   * UDP need not be filled in.
   */
  cut(
    bytes: Uint8Array,
    offset: number,
    length: number,
    offload: PacketOffload,
    mayLeaveOpen: boolean,
    take: TakePacket,
  ): boolean {
    this.#leavesOpen = mayLeaveOpen;
    if (bytes !== this.#bytes) {
      this.#bytes = bytes;
      this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    }
    if (offload.segment === 0) return this.#whole(offset, length, offload, take);
    const v4 = isIpv4(bytes, offset);
    const ip = ipHeaderBytes(bytes, offset);
    if (length < ip + UDP_HEADER_BYTES || ip < 20) return false;
    const protocol = protocolOf(bytes, offset);
    const header = ip + this.#transportHeader(protocol, offset + ip);
    if (header === ip || header > length) return false;
    this.#cut(offset, length, offload.segment, v4, ip, header, protocol, take);
    return true;
  }

  /** One packet, of which at most the checksum was left open. */
  #whole(
    offset: number,
    length: number,
    { checksumStart, checksumOffset }: PacketOffload,
    take: TakePacket,
  ): boolean {
    const at = checksumStart + checksumOffset;
    if (checksumStart === 0) take(this.#bytes, offset, length, false);
    else if (at + 2 > length) return false;
    else if (this.#leavesOpen && this.#isCommon(offset, checksumStart, checksumOffset))
      take(this.#bytes, offset, length, true);
    else {
      const sum = checksumOf(sumOf(this.#view, offset + checksumStart, length - checksumStart));
      // UDP's zero says that there is no checksum; a sum that is zero is written as its other zero.
      this.#view.setUint16(offset + at, sum === 0 ? 0xffff : sum, true);
      take(this.#bytes, offset, length, false);
    }
    return true;
  }

  /** Is it the checksum of TCP or UDP, where the other end will look for it? */
  #isCommon(offset: number, checksumStart: number, checksumOffset: number): boolean {
    const bytes = this.#bytes;
    return (
      checksumStart === ipHeaderBytes(bytes, offset) &&
      checksumOffset === checksumAt(protocolOf(bytes, offset))
    );
  }

  /** 0: neither TCP nor UDP, or broken. */
  #transportHeader(protocol: number, at: number): number {
    if (protocol === PROTOCOL.UDP) return UDP_HEADER_BYTES;
    const bytes = protocol === PROTOCOL.TCP ? (this.#bytes[at + 12]! >> 4) * 4 : 0;
    return bytes >= 20 ? bytes : 0;
  }

  #cut(
    offset: number,
    length: number,
    most: number,
    v4: boolean,
    ip: number,
    header: number,
    protocol: number,
    take: TakePacket,
  ): void {
    const view = this.#view;
    const bytes = this.#bytes;
    const isTcp = protocol === PROTOCOL.TCP;
    const end = offset + length;
    const flags = bytes[offset + ip + TCP_FLAGS_AT]!;
    let sequence = isTcp ? view.getUint32(offset + ip + 4) : 0;
    let identification = view.getUint16(offset + 4);
    let before = offset;
    let payload = offset + header;
    do {
      const size = Math.min(most, end - payload);
      const at = payload - header;
      if (at !== offset) bytes.copyWithin(at, before, before + header);
      if (v4) this.#setIpv4(at, ip, header + size, identification);
      else view.setUint16(at + 4, header - ip + size);
      if (isTcp) {
        const isLast = payload + size === end;
        view.setUint32(at + ip + 4, sequence);
        bytes[at + ip + TCP_FLAGS_AT] =
          flags & (isLast ? 0xff : ~LAST_ONLY) & (at === offset ? 0xff : ~FIRST_ONLY);
      } else view.setUint16(at + ip + 4, UDP_HEADER_BYTES + size);
      if (!this.#leavesOpen) fillChecksum(bytes, view, at, header + size);
      take(bytes, at, header + size, this.#leavesOpen);
      sequence = (sequence + size) >>> 0;
      identification = (identification + 1) & 0xffff;
      before = at;
      payload += most;
    } while (payload < end);
  }

  #setIpv4(at: number, ip: number, length: number, identification: number): void {
    const view = this.#view;
    view.setUint16(at + 2, length);
    view.setUint16(at + 4, identification);
    view.setUint16(at + 10, 0);
    view.setUint16(at + 10, checksumOf(sumOf(view, at, ip)), true);
  }
}
