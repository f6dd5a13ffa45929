// IP packets for tests: whole, with right checksums, and a look at whether those of others are right.
import { internetChecksum, pseudoHeader, readIpHeader } from '../../../protocol/ip/header.ts';

export interface Wanted {
  readonly source: string;
  readonly destination: string;
  readonly protocol: number;
  readonly payload: Uint8Array;
  readonly dontFragment?: boolean;
  /** IPv4 options, a multiple of 4 bytes. */
  readonly options?: Uint8Array;
}

const CHECKSUM_AT: Readonly<Record<number, number>> = { 6: 16, 17: 6, 58: 2 };

export function packet(wanted: Wanted): Uint8Array {
  const { source, destination, protocol, payload, dontFragment = false, options } = wanted;
  const v6 = source.includes(':');
  const header = v6 ? 40 : 20 + (options?.length ?? 0);
  const bytes = new Uint8Array(header + payload.length);
  const view = new DataView(bytes.buffer);
  if (v6) {
    bytes[0] = 0x60;
    view.setUint16(4, payload.length);
    bytes[6] = protocol;
    bytes[7] = 64;
    bytes.set(bytesOf(source), 8);
    bytes.set(bytesOf(destination), 24);
  } else {
    bytes[0] = 0x40 | (header / 4);
    view.setUint16(2, bytes.length);
    view.setUint16(4, 0xabcd);
    bytes[6] = dontFragment ? 0x40 : 0;
    bytes[8] = 64;
    bytes[9] = protocol;
    bytes.set(bytesOf(source), 12);
    bytes.set(bytesOf(destination), 16);
    if (options !== undefined) bytes.set(options, 20);
    view.setUint16(10, internetChecksum(bytes.subarray(0, header)));
  }
  bytes.set(payload, header);
  const field = CHECKSUM_AT[protocol];
  if (field !== undefined) view.setUint16(header + field, sumOf(bytes));
  return bytes;
}

/** Of the packet's payload with its pseudo-header; 0 where the checksum within is right. */
export function sumOf(bytes: Uint8Array): number {
  const read = readIpHeader(bytes);
  if (!read.ok) throw new TypeError(read.code);
  const { source, destination, protocol, headerLength, totalLength } = read.value;
  const body = bytes.subarray(headerLength, totalLength);
  const pseudo = pseudoHeader(source, destination, protocol, body.length);
  return protocol === 1 ? internetChecksum(body) : internetChecksum(pseudo, body);
}

/** `10.77.0.1`, or an IPv6 address with all its eight groups. */
export function bytesOf(address: string): Uint8Array {
  if (!address.includes(':')) return Uint8Array.from(address.split('.').map(Number));
  const bytes = new Uint8Array(16);
  const view = new DataView(bytes.buffer);
  address.split(':').forEach((group, index) => view.setUint16(2 * index, Number.parseInt(group, 16)));
  return bytes;
}

/** A TCP segment's header: no payload, these options. */
export function tcp(flags: number, options: readonly number[]): Uint8Array {
  const header = new Uint8Array(20 + options.length);
  const view = new DataView(header.buffer);
  view.setUint16(0, 40_000);
  view.setUint16(2, 445);
  view.setUint32(4, 0x12345678);
  header[12] = (header.length / 4) << 4;
  header[13] = flags;
  view.setUint16(14, 64_240);
  header.set(options, 20);
  return header;
}
