// What the machine's networks are, and the notice that they changed: rtnetlink's multicast groups tell that something did,
// a look at the addresses and default routes tells whether it matters.
import { readFileSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import type { Clock, Timer } from '../base/clock.ts';
import type { Counters } from '../base/counters.ts';
import type { IpFamily } from '../protocol/address.ts';
import { formatIp } from '../protocol/ip/address.ts';
import type { Arena, NetworkDoor, NetworkInterface } from './doors.ts';
import { kernelRefused } from './errors.ts';
import type { Libc } from './libc.ts';
import { AF_NETLINK, SOCK_RAW_NONBLOCK_CLOEXEC } from './netlink.ts';
import type { Readiness, Watch } from './poll.ts';

/** A change is told so much later, together with those that came with it: at most four notices a second. */
export const SETTLE_MS = 250;
const MAX_MESSAGES_PER_TURN = 64;
const BUFFER_BYTES = 16384;
/** RTMGRP_LINK, _IPV4_IFADDR, _IPV4_ROUTE, _IPV6_IFADDR, _IPV6_ROUTE */
const GROUPS = 0x1 | 0x10 | 0x40 | 0x100 | 0x400;

export interface NetworkParts {
  readonly libc: Libc;
  readonly arena: Arena;
  readonly readiness: Readiness;
  readonly clock: Clock;
  readonly counters: Counters;
}

export function createNetworkOpener(parts: NetworkParts): () => NetworkDoor {
  let buffer: number | null = null;
  return () => {
    buffer ??= parts.arena.allocate(BUFFER_BYTES);
    return new Network(parts, buffer, openNotices(parts, buffer));
  };
}

class Network implements NetworkDoor {
  readonly #parts: NetworkParts;
  readonly #buffer: number;
  readonly #watch: Watch;
  readonly #listeners = new Set<() => void>();
  #fd: number;
  #timer: Timer | null = null;
  #known = picture();

  constructor(parts: NetworkParts, buffer: number, fd: number) {
    this.#parts = parts;
    this.#buffer = buffer;
    this.#fd = fd;
    const drain = (): boolean => this.#drain();
    this.#watch = parts.readiness.watch(fd, { readable: drain, failed: drain });
  }

  addresses(): readonly NetworkInterface[] {
    return readAddresses();
  }

  gateway(family: IpFamily): string | null {
    return bestRoute(defaultRoutes(family))?.gateway ?? null;
  }

  onChange(changed: () => void): () => void {
    const listener = (): void => changed();
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  close(): void {
    if (this.#fd < 0) return;
    this.#timer?.cancel();
    this.#watch.close();
    this.#parts.libc.close(this.#fd);
    this.#fd = -1;
    this.#listeners.clear();
  }

  /** What the notices say is not read: even an overflow (ENOBUFS) says that something changed. */
  #drain(): boolean {
    if (this.#fd < 0) return false;
    const { libc, arena, clock, counters } = this.#parts;
    for (let messages = 0; messages < MAX_MESSAGES_PER_TURN; messages++) {
      if (libc.recv(this.#fd, arena.base + this.#buffer, BUFFER_BYTES, 0) <= 0) break;
    }
    counters.counter('network.notices').value++;
    this.#timer ??= clock.after(SETTLE_MS, () => this.#settled());
    return true;
  }

  #settled(): void {
    this.#timer = null;
    const now = picture();
    if (now === this.#known) return;
    this.#known = now;
    this.#parts.counters.counter('network.changes').value++;
    for (const listener of [...this.#listeners]) listener();
  }
}

function openNotices({ libc, arena }: NetworkParts, buffer: number): number {
  const fd = libc.socket(AF_NETLINK, SOCK_RAW_NONBLOCK_CLOEXEC, 0);
  if (fd < 0) throw kernelRefused('watch the networks', 'socket', libc.errno());
  // struct sockaddr_nl: family, padding, port (0: any), groups
  arena.memory.fill(0, buffer, buffer + 12);
  arena.view.setUint16(buffer, AF_NETLINK, true);
  arena.view.setUint32(buffer + 8, GROUPS, true);
  if (libc.bind(fd, arena.base + buffer, 12) === 0) return fd;
  const errno = libc.errno();
  libc.close(fd);
  throw kernelRefused('watch the networks', 'bind', errno);
}

/** All that makes a difference, as text. */
function picture(): string {
  return JSON.stringify([readAddresses(), defaultRoutes(4), defaultRoutes(6)]);
}

/** Link-local IPv6 addresses are left out: without a zone they are no use to a peer. */
function readAddresses(): NetworkInterface[] {
  return Object.entries(networkInterfaces()).flatMap(([name, infos = []]) =>
    infos
      .filter(info => !info.internal && !info.address.startsWith('fe80:'))
      .map(info => ({
        name,
        family: info.family === 'IPv4' ? (4 as const) : (6 as const),
        address: info.address,
        prefixLength: Number(info.cidr?.split('/')[1] ?? (info.family === 'IPv4' ? 32 : 128)),
      })),
  );
}

// ---- default routes

interface DefaultRoute {
  readonly card: string;
  /** Null: straight into the card, as PPP does. */
  readonly gateway: string | null;
  readonly metric: number;
}

const RTF_UP = 0x1;
const RTF_REJECT = 0x200;

const bestRoute = (routes: readonly DefaultRoute[]): DefaultRoute | undefined =>
  routes.reduce<DefaultRoute | undefined>(
    (best, route) => (best === undefined || route.metric < best.metric ? route : best),
    undefined,
  );

function defaultRoutes(family: IpFamily): DefaultRoute[] {
  return family === 4 ? defaultRoutes4() : defaultRoutes6();
}

/** /proc/net/route: card, destination, gateway, flags, references, use, metric, mask, …; addresses in native hex. */
function defaultRoutes4(): DefaultRoute[] {
  return table('/proc/net/route')
    .filter(([, destination, , flags, , , , mask]) => {
      const bits = Number.parseInt(flags ?? '0', 16);
      return (
        destination === '00000000' &&
        mask === '00000000' &&
        (bits & RTF_UP) !== 0 &&
        (bits & RTF_REJECT) === 0
      );
    })
    .map(([card = '', , gateway = '', , , , metric = '0']) => ({
      card,
      gateway: nonZero(formatIp(Buffer.from(gateway, 'hex').reverse())),
      metric: Number(metric),
    }));
}

/** /proc/net/ipv6_route: destination, its length, source, its length, next hop, metric, references, use, flags, card. */
function defaultRoutes6(): DefaultRoute[] {
  return table('/proc/net/ipv6_route')
    .filter(([destination = '', length, , , , , , , flags = '0', card]) => {
      const bits = Number.parseInt(flags, 16);
      return /^0+$/.test(destination) && length === '00' && (bits & RTF_REJECT) === 0 && card !== 'lo';
    })
    .map(([, , , , gateway = '', metric = '0', , , , card = '']) => ({
      card,
      gateway: withZone(nonZero(formatIp(Buffer.from(gateway, 'hex'))), card),
      metric: Number.parseInt(metric, 16),
    }));
}

const nonZero = (address: string): string | null =>
  address === '0.0.0.0' || address === '::' ? null : address;

/** A router announces itself by its link-local address, which means nothing without its card. */
const withZone = (address: string | null, card: string): string | null =>
  address?.startsWith('fe80:') === true ? `${address}%${card}` : address;

/** The rows of a table in /proc, none where this kernel has it not. */
function table(path: string): string[][] {
  let text: string;
  try {
    text = readFileSync(path, 'latin1');
  } catch {
    return [];
  }
  return text
    .split('\n')
    .filter(line => line !== '')
    .map(line => line.trim().split(/\s+/));
}
