// What the machine's networks are, and the notice that they changed: rtnetlink's multicast groups tell that something did,
// a look at the addresses and default routes tells whether it matters.
import type { Clock, Timer } from '../base/clock.ts';
import type { Counters } from '../base/counters.ts';
import type { IpFamily } from '../protocol/address.ts';
import type { Arena, NetworkDoor, NetworkInterface } from './doors.ts';
import { kernelRefused } from './errors.ts';
import type { Libc } from './libc.ts';
import { AF_NETLINK, SOCK_RAW_NONBLOCK_CLOEXEC } from './netlink.ts';
import { defaultGateway, networkPicture, readAddresses } from './network-picture.ts';
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
  #known = networkPicture();

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
    return defaultGateway(family);
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
    const now = networkPicture();
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
