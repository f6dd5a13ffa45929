// Making the virtual network card: its name, its addresses, and what can go wrong with them.
import { readFileSync, writeFileSync } from 'node:fs';
import type { Counters } from '../base/counters.ts';
import { GinnelError } from '../base/errors.ts';
import type { Log } from '../base/log.ts';
import type { IpAddress } from '../protocol/ip/address.ts';
import { parseInterface, parsePrefix, type Prefix } from '../protocol/ip/prefix.ts';
import { ERRNO, kernelRefused, systemErrors } from './errors.ts';
import type { TunOffloads } from './doors.ts';
import type { Libc } from './libc.ts';
import type { CardControl, NetworkCard } from './network-card.ts';
import type { TunParts } from './tun.ts';

const MAX_NAME_BYTES = 15;

const O_RDWR_NONBLOCK_CLOEXEC = 2 | 0o4000 | 0o2000000;
/** _IOW('T', 202, int); another number on PowerPC. */
const TUNSETIFF = process.arch === 'ppc64' ? 0x800454ca : 0x400454ca;
/** _IOW('T', 203, int). */
const TUNSETPERSIST = process.arch === 'ppc64' ? 0x800454cb : 0x400454cb;
/** _IOW('T', 208, unsigned int). */
const TUNSETOFFLOAD = process.arch === 'ppc64' ? 0x800454d0 : 0x400454d0;
const IFF_TUN_NO_PI = 0x0001 | 0x1000;
const IFF_VNET_HDR = 0x4000;
const TUN_F_CSUM_TSO4_TSO6 = 0x01 | 0x02 | 0x04;
const TUN_F_USO4_USO6 = 0x20 | 0x40;
const IFNAMSIZ = 16;

/** An address of the card, and the network that it is on. */
export interface InterfaceAddress {
  readonly address: IpAddress;
  readonly prefix: Prefix;
}

/** What setting up a card needs, whichever door it belongs to. */
export interface CardParts {
  readonly cards: CardControl;
  readonly counters: Counters;
  readonly log: Log;
}

/** Throws TUN_NAME where the kernel would not take it. */
export function checkCardName(name: string): Uint8Array {
  const bytes = new TextEncoder().encode(name);
  if (bytes.length > MAX_NAME_BYTES || !/^[^\s/:]+$/.test(name) || name === '.' || name === '..') {
    throw systemErrors('TUN_NAME', { name });
  }
  return bytes;
}

export interface AttachedCard {
  readonly fd: number;
  readonly card: NetworkCard;
  /** Each packet has a header of struct virtio_net_hdr before it. */
  readonly hasHeader: boolean;
  readonly offloads: TunOffloads;
}

/** Makes the card, or takes over one that nobody holds. `scratch`: 64 bytes of the arena. */
export function attachCard({ libc, arena, offload }: TunParts, scratch: number, name: string): AttachedCard {
  const nameBytes = checkCardName(name);
  const fd = libc.open('/dev/net/tun', O_RDWR_NONBLOCK_CLOEXEC);
  if (fd < 0) throw tunOpenError(libc.errno());
  arena.memory.fill(0, scratch, scratch + 64);
  arena.memory.set(nameBytes, scratch);
  const attach = (flags: number): boolean => {
    arena.view.setUint16(scratch + IFNAMSIZ, IFF_TUN_NO_PI | flags, true);
    return libc.ioctl(fd, TUNSETIFF, arena.base + scratch) >= 0;
  };
  const hasHeader = offload && attach(IFF_VNET_HDR);
  if (!hasHeader && !attach(0)) {
    const errno = libc.errno();
    libc.close(fd);
    throw tunAttachError(errno, name);
  }
  const has = (flags: number): boolean => hasHeader && libc.ioctl(fd, TUNSETOFFLOAD, flags) >= 0;
  const udp = has(TUN_F_CSUM_TSO4_TSO6 | TUN_F_USO4_USO6);
  const tcp = udp || has(TUN_F_CSUM_TSO4_TSO6);
  // One that was left for us goes with us again.
  setPersistent(libc, fd, false);
  const end = arena.memory.indexOf(0, scratch);
  const given = new TextDecoder().decode(arena.memory.subarray(scratch, end));
  return { fd, card: { name: given, index: libc.ifNameToIndex(given) }, hasHeader, offloads: { tcp, udp } };
}

/** Does the card outlive whoever holds it? False: the kernel did not take it. */
export const setPersistent = (libc: Libc, fd: number, isPersistent: boolean): boolean =>
  libc.ioctl(fd, TUNSETPERSIST, isPersistent ? 1 : 0) >= 0;

export function tunOpenError(errno: number): Error {
  if (errno === ERRNO.ENOENT || errno === ERRNO.ENODEV || errno === ERRNO.ENXIO)
    return systemErrors('TUN_MISSING');
  if (errno === ERRNO.EPERM || errno === ERRNO.EACCES) {
    return systemErrors('NOT_ROOT', { action: 'open /dev/net/tun' });
  }
  return kernelRefused('open /dev/net/tun', 'open', errno);
}

export function tunAttachError(errno: number, name: string): Error {
  if (errno === ERRNO.EPERM) return systemErrors('NOT_ROOT', { action: 'make a virtual network card' });
  if (errno === ERRNO.EBUSY || errno === ERRNO.EEXIST) return systemErrors('TUN_BUSY', { name });
  // A card of that name that is no TUN.
  if (errno === ERRNO.EINVAL) return systemErrors('TUN_BUSY', { name });
  return kernelRefused(`make the virtual network card ${name}`, 'TUNSETIFF', errno);
}

/** Switches it on and gives it its addresses; throws NOT_ROOT, KERNEL_REFUSED. */
export function setUpCard(
  parts: CardParts,
  card: NetworkCard,
  mtu: number,
  addresses: readonly InterfaceAddress[],
): void {
  if (addresses.some(({ address }) => address.family === 6)) allowIpv6(card.name);
  parts.cards.bringUp(card, mtu);
  for (const { address, prefix } of addresses) {
    try {
      parts.cards.addAddress(card, address, prefix.length);
    } catch (error) {
      if (!isIpv6Off(error, parts)) throw error;
    }
  }
}

/** A machine where IPv6 is switched off still has its IPv4: told and counted, not fatal. */
export function isIpv6Off(error: unknown, { log, counters }: CardParts): boolean {
  if (!(error instanceof GinnelError) || error.code !== 'KERNEL_LACKS') return false;
  counters.counter('tun.ipv6-off').value++;
  log.warn(error.message);
  return true;
}

/** Routers and containers often switch IPv6 off for new cards; on our own it may be switched on. */
function allowIpv6(name: string): void {
  const path = `/proc/sys/net/ipv6/conf/${name}/disable_ipv6`;
  try {
    if (readFileSync(path, 'latin1').trim() === '1') writeFileSync(path, '0');
  } catch {
    // No IPv6 in this kernel, or a read-only /proc: adding the address tells, in words.
    return;
  }
}

export function parseAddress(text: string): InterfaceAddress {
  const parsed = parseInterface(text);
  if (!parsed.ok)
    throw systemErrors('ADDRESS_INVALID', { address: text, reason: 'It is no address with a prefix' });
  return parsed.value;
}

export function parseRoute(text: string): Prefix {
  const parsed = parsePrefix(text);
  if (!parsed.ok) throw systemErrors('ADDRESS_INVALID', { address: text, reason: 'It is no network' });
  return parsed.value;
}
