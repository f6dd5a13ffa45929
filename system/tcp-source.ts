// Many TCP connections from one local port, for NATs that have to be got through by simultaneous open (P7). Node's own sockets
// send their first SYN with the ordinary TTL, and tell an ICMP error as the end; so these are the kernel's, and become Node's
// once they stand.
import { Socket } from 'node:net';
import type { Counters } from '../base/counters.ts';
import { formatEndpoint, type Endpoint, type IpFamily } from '../protocol/address.ts';
import type { Arena, TcpSource, TcpSourceOptions } from './doors.ts';
import { ERRNO, errnoName, kernelRefused, systemErrors } from './errors.ts';
import type { Libc } from './libc.ts';
import type { Readiness, Watch } from './poll.ts';
import { domainOf, readPort, SOCKADDR_BYTES, sockaddrBytes, wordsOf, writeSockaddr } from './sockaddr.ts';

/** Of one port, on their way at once. */
const MAX_WAITING = 320;

const SOCK_STREAM_NONBLOCK_CLOEXEC = 1 | 0o4000 | 0o2000000;
const SOL_SOCKET = 1;
const SO_REUSEADDR = 2;
const SO_ERROR = 4;
const SO_LINGER = 13;
const IPPROTO_TCP = 6;
const TCP_INFO = 11;
const SYN_SENT = 2;
const ORDINARY_TTL = -1;
/** How a family calls its hop limit, and the least that an incoming packet, or the one that an ICMP error quotes, may have left. */
const HOPS: Readonly<
  Record<IpFamily, { readonly level: number; readonly ttl: number; readonly least: number }>
> = {
  4: { level: 0, ttl: 2, least: 21 },
  6: { level: 41, ttl: 16, least: 73 },
};
const IPV6_V6ONLY = 26;
/** In the scratch: an address, then a value, then its length. */
const VALUE = 32;
const LENGTH = 48;

export function createTcpSourceOpener(
  libc: Libc,
  arena: Arena,
  readiness: Readiness,
  counters: Counters,
): (options: TcpSourceOptions) => TcpSource {
  const kernel = new Kernel(libc, arena, arena.allocate(64));
  const scope = counters.scope('tcp-source');
  return options => {
    const holder = kernel.open(options.family, options.address ?? '', 0);
    return new Source(kernel, readiness, scope, options, holder);
  };
}

interface Attempt {
  readonly to: Endpoint;
  readonly fd: number;
  readonly watch: Watch;
}

class Source implements TcpSource {
  readonly family: IpFamily;
  readonly localPort: number;
  onOpen: (socket: Socket, to: Endpoint) => void = socket => void socket.destroy();
  onFailed: (to: Endpoint, reason: string) => void = () => undefined;
  readonly #kernel: Kernel;
  readonly #readiness: Readiness;
  readonly #counters: Counters;
  readonly #address: string;
  /** Bound and never connected: the port stays ours while nothing else holds it. */
  readonly #holder: number;
  readonly #attempts = new Map<string, Attempt>();
  #isClosed = false;

  constructor(
    kernel: Kernel,
    readiness: Readiness,
    counters: Counters,
    { family, address = '' }: TcpSourceOptions,
    holder: number,
  ) {
    this.family = family;
    this.#kernel = kernel;
    this.#readiness = readiness;
    this.#counters = counters;
    this.#address = address;
    this.#holder = holder;
    this.localPort = kernel.portOf(holder);
  }

  get waiting(): number {
    return this.#attempts.size;
  }

  connect(to: Endpoint, { ttl }: { readonly ttl?: number } = {}): 'sent' | 'under-way' | 'busy' {
    if (to.family !== this.family)
      throw new TypeError(`an IPv${this.family} port connects to no IPv${to.family} place`);
    if (this.#isClosed) return 'busy';
    const key = formatEndpoint(to);
    const older = this.#attempts.get(key);
    if (older !== undefined && this.#kernel.stateOf(older.fd) !== SYN_SENT) return 'under-way';
    if (older !== undefined) this.#drop(key, older);
    if (this.#attempts.size >= MAX_WAITING) return 'busy';
    return this.#begin(key, to, ttl ?? null) ? 'sent' : 'busy';
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    for (const [key, attempt] of [...this.#attempts]) this.#drop(key, attempt);
    this.#kernel.close(this.#holder);
  }

  #begin(key: string, to: Endpoint, ttl: number | null): boolean {
    const fd = this.#kernel.openOrNone(this.family, this.#address, this.localPort);
    if (fd < 0) return this.#count('not-opened');
    const errno = this.#kernel.connect(fd, to, ttl);
    if (errno !== 0 && errno !== ERRNO.EINPROGRESS) {
      this.#kernel.close(fd);
      return this.#count('not-sent');
    }
    try {
      const watch = this.#readiness.watchConnect(fd, () => this.#settled(key));
      this.#attempts.set(key, { to, fd, watch });
    } catch {
      this.#kernel.close(fd);
      return this.#count('not-watched');
    }
    this.#count('sent');
    return true;
  }

  #settled(key: string): void {
    const attempt = this.#attempts.get(key);
    if (attempt === undefined) return;
    const { to, fd } = attempt;
    this.#attempts.delete(key);
    const errno = this.#kernel.errorOf(fd);
    const socket = errno === 0 ? this.#handOver(fd) : null;
    if (socket !== null) {
      this.#count('opened');
      this.onOpen(socket, to);
      return;
    }
    if (errno !== 0) this.#kernel.close(fd);
    this.#count('failed');
    this.onFailed(to, isRefusal(errno) ? 'refused' : errnoName(errno));
  }

  /** Null: it is gone already; the descriptor is closed either way, or the socket's. */
  #handOver(fd: number): Socket | null {
    this.#kernel.makeOrdinary(fd, this.family);
    let socket: Socket;
    try {
      socket = new Socket({ fd, readable: true, writable: true });
    } catch {
      this.#kernel.close(fd);
      return null;
    }
    socket.on('error', () => this.#count('errors'));
    socket.setNoDelay(true);
    socket.setKeepAlive(true, 30_000);
    return socket;
  }

  #drop(key: string, { fd, watch }: Attempt): void {
    this.#attempts.delete(key);
    watch.close();
    this.#kernel.close(fd);
  }

  #count(name: string): false {
    this.#counters.counter(name).value++;
    return false;
  }
}

/** The other end, or a router, says no; with ICMP also from the way there. All of it may be another the next time. */
const isRefusal = (errno: number): boolean =>
  errno === ERRNO.ECONNREFUSED ||
  errno === ERRNO.ECONNRESET ||
  errno === ERRNO.EHOSTUNREACH ||
  errno === ERRNO.ENETUNREACH;

/** The calls, with their arguments in one piece of the arena. */
class Kernel {
  readonly #libc: Libc;
  readonly #arena: Arena;
  readonly #scratch: number;

  constructor(libc: Libc, arena: Arena, scratch: number) {
    this.#libc = libc;
    this.#arena = arena;
    this.#scratch = scratch;
  }

  /** A socket bound to that port, which others of ours may share; 0: any. Throws KERNEL_REFUSED, KERNEL_LACKS, ADDRESS_*. */
  open(family: IpFamily, address: string, port: number): number {
    const fd = this.#socket(family);
    if (fd < 0) throw socketError(this.#libc.errno(), family);
    const errno = this.#bind(fd, family, address, port);
    if (errno === 0) return fd;
    this.#libc.close(fd);
    if (errno === ERRNO.EADDRNOTAVAIL) throw systemErrors('ADDRESS_UNAVAILABLE', { address });
    throw kernelRefused('bind a TCP socket', 'bind', errno);
  }

  /** The same; -1 where it cannot be had now. */
  openOrNone(family: IpFamily, address: string, port: number): number {
    const fd = this.#socket(family);
    if (fd < 0 || this.#bind(fd, family, address, port) === 0) return fd;
    this.#libc.close(fd);
    return -1;
  }

  /** 0, or errno. Only the first SYN has that TTL: what is sent again later, or answers a SYN that came, gets there. */
  connect(fd: number, to: Endpoint, ttl: number | null): number {
    const { level, ttl: option, least } = HOPS[to.family];
    if (ttl !== null) {
      // The router at which it dies says so, which would end the attempt: an error about a packet with so little left is ignored.
      this.#set(fd, level, least, ttl);
      this.#set(fd, level, option, ttl);
    }
    const { base } = this.#arena;
    writeSockaddr(this.#arena, this.#scratch, to.family, {
      ...wordsOf(to.address, to.family),
      port: to.port,
      scope: 0,
    });
    const outcome = this.#libc.connect(fd, base + this.#scratch, sockaddrBytes(to.family));
    const errno = outcome < 0 ? this.#libc.errno() : 0;
    if (ttl !== null) this.#set(fd, level, option, ORDINARY_TTL);
    return errno;
  }

  /** A connection that stands gets what any has. */
  makeOrdinary(fd: number, family: IpFamily): void {
    this.#set(fd, HOPS[family].level, HOPS[family].least, 0);
    this.#linger(fd, false);
  }

  portOf(fd: number): number {
    const { view, base } = this.#arena;
    view.setUint32(this.#scratch + LENGTH, SOCKADDR_BYTES, true);
    if (this.#libc.getsockname(fd, base + this.#scratch, base + this.#scratch + LENGTH) < 0)
      throw kernelRefused('tell the port of a TCP socket', 'getsockname', this.#libc.errno());
    return readPort(this.#arena, this.#scratch);
  }

  /** Takes the pending error off it: an errno, 0 for none. */
  errorOf(fd: number): number {
    return this.#get(fd, SOL_SOCKET, SO_ERROR, 4)
      ? this.#arena.view.getInt32(this.#scratch + VALUE, true)
      : ERRNO.EIO;
  }

  /** `tcpi_state`. */
  stateOf(fd: number): number {
    return this.#get(fd, IPPROTO_TCP, TCP_INFO, 1) ? this.#arena.view.getUint8(this.#scratch + VALUE) : 0;
  }

  close(fd: number): void {
    this.#libc.close(fd);
  }

  #socket(family: IpFamily): number {
    return this.#libc.socket(domainOf(family), SOCK_STREAM_NONBLOCK_CLOEXEC, 0);
  }

  #bind(fd: number, family: IpFamily, address: string, port: number): number {
    this.#set(fd, SOL_SOCKET, SO_REUSEADDR, 1);
    if (family === 6) this.#set(fd, HOPS[6].level, IPV6_V6ONLY, 1);
    // One that is given up says so at once (RST), and does not hold the port.
    this.#linger(fd, true);
    const any = family === 4 ? '0.0.0.0' : '::';
    writeSockaddr(this.#arena, this.#scratch, family, { ...wordsOf(address || any, family), port, scope: 0 });
    const done = this.#libc.bind(fd, this.#arena.base + this.#scratch, sockaddrBytes(family));
    return done < 0 ? this.#libc.errno() : 0;
  }

  #linger(fd: number, abrupt: boolean): void {
    const { view, base } = this.#arena;
    view.setInt32(this.#scratch + VALUE, abrupt ? 1 : 0, true);
    view.setInt32(this.#scratch + VALUE + 4, 0, true);
    this.#libc.setsockopt(fd, SOL_SOCKET, SO_LINGER, base + this.#scratch + VALUE, 8);
  }

  #set(fd: number, level: number, name: number, value: number): void {
    this.#arena.view.setInt32(this.#scratch + VALUE, value, true);
    this.#libc.setsockopt(fd, level, name, this.#arena.base + this.#scratch + VALUE, 4);
  }

  #get(fd: number, level: number, name: number, bytes: number): boolean {
    const { view, base } = this.#arena;
    view.setUint32(this.#scratch + LENGTH, bytes, true);
    return (
      this.#libc.getsockopt(fd, level, name, base + this.#scratch + VALUE, base + this.#scratch + LENGTH) ===
      0
    );
  }
}

function socketError(errno: number, family: IpFamily): Error {
  return errno === ERRNO.EAFNOSUPPORT
    ? systemErrors('KERNEL_LACKS', { feature: `IPv${family}`, call: 'socket', errno: errnoName(errno) })
    : kernelRefused('open a TCP socket', 'socket', errno);
}
