// struct sockaddr_in and sockaddr_in6 in the arena, by their words and as endpoints.
import type { IpFamily } from '../protocol/address.ts';
import { parseIp } from '../protocol/ip/address.ts';
import type { Arena } from './doors.ts';
import { systemErrors } from './errors.ts';
import type { AddressWords } from './udp-remotes.ts';

export const AF_INET = 2;
export const AF_INET6 = 10;
/** Bytes of a sockaddr_in6, the larger of the two. */
export const SOCKADDR_BYTES = 28;

const PORT = 2;
const ADDRESS_4 = 4;
const ADDRESS_6 = 8;
const SCOPE_6 = 24;

export const domainOf = (family: IpFamily): number => (family === 4 ? AF_INET : AF_INET6);
export const sockaddrBytes = (family: IpFamily): number => (family === 4 ? 16 : SOCKADDR_BYTES);

/** Writes a whole sockaddr. */
export function writeSockaddr(
  arena: Arena,
  at: number,
  family: IpFamily,
  to: AddressWords & { readonly port: number; readonly scope: number },
): void {
  const { view } = arena;
  view.setUint16(at, domainOf(family), true);
  view.setUint16(at + PORT, to.port);
  if (family === 4) {
    view.setInt32(at + ADDRESS_4, to.w0, true);
    return;
  }
  view.setUint32(at + 4, 0, true);
  writeWords(arena, at + ADDRESS_6, to);
  view.setUint32(at + SCOPE_6, to.scope, true);
}

export function writeWords(arena: Arena, at: number, words: AddressWords): void {
  const { view } = arena;
  view.setInt32(at, words.w0, true);
  view.setInt32(at + 4, words.w1, true);
  view.setInt32(at + 8, words.w2, true);
  view.setInt32(at + 12, words.w3, true);
}

export const readPort = (arena: Arena, at: number): number => arena.view.getUint16(at + PORT);

export const readScope = (arena: Arena, at: number, family: IpFamily): number =>
  family === 4 ? 0 : arena.view.getUint32(at + SCOPE_6, true);

/** Reads the address of a sockaddr into `into`. */
export function readAddress(arena: Arena, at: number, family: IpFamily, into: AddressWords): void {
  const { view } = arena;
  if (family === 4) {
    into.w0 = view.getInt32(at + ADDRESS_4, true);
    into.w1 = into.w2 = into.w3 = 0;
    return;
  }
  into.w0 = view.getInt32(at + ADDRESS_6, true);
  into.w1 = view.getInt32(at + ADDRESS_6 + 4, true);
  into.w2 = view.getInt32(at + ADDRESS_6 + 8, true);
  into.w3 = view.getInt32(at + ADDRESS_6 + 12, true);
}

/** An address as words; throws ADDRESS_INVALID where it is none of that family. */
export function wordsOf(address: string, family: IpFamily): AddressWords {
  const parsed = parseIp(address);
  if (!parsed.ok || parsed.value.family !== family) {
    throw systemErrors('ADDRESS_INVALID', { address, reason: `It is no IPv${family} address` });
  }
  const { bytes } = parsed.value;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const word = (index: number): number => (4 * index < bytes.length ? view.getInt32(4 * index, true) : 0);
  return { w0: word(0), w1: word(1), w2: word(2), w3: word(3) };
}
