// UDP sockets through the kernel's batch calls, on the event loop. A datagram's local address is noted with its sender, and
// answers leave from it: a router has several addresses, and a NAT lets in only what comes from the one it knows.
//
// ICMP errors are not asked for (no IP_RECVERR): anybody on the way can forge them, and paths find out by probing.
import type { Counters } from '../base/counters.ts';
import type { Batch, SendResult } from '../core/contract/link.ts';
import type { Endpoint, IpFamily } from '../protocol/address.ts';
import type { Arena, UdpDoor, UdpOffloads, UdpOptions, UdpRemote, UdpSendOptions } from './doors.ts';
import { ERRNO, errnoName, kernelRefused, systemErrors } from './errors.ts';
import type { Libc } from './libc.ts';
import type { Readiness, Watch } from './poll.ts';
import { domainOf, readPort, SOCKADDR_BYTES, sockaddrBytes, wordsOf, writeSockaddr } from './sockaddr.ts';
import { COALESCED_ROOM, PLAIN_ROOM, ReceiveRing } from './udp-receive.ts';
import { Remote, RemoteTable } from './udp-remotes.ts';
import { SendRing, type SendingSocket } from './udp-send.ts';

/** System calls that one turn may spend on receiving; then the event loop has its turn. */
const RECEIVES_PER_TURN = 2;
const RECEIVE_BUFFER_BYTES = 4 * 1024 * 1024;
/** A few batches. More would only wait in front of a slow uplink: half a second of it at 10 Mbit/s as it is. */
const SEND_BUFFER_BYTES = 512 * 1024;
const MAX_QUEUED_ERRORS = 64;

const SOCK_DGRAM_NONBLOCK_CLOEXEC = 2 | 0o4000 | 0o2000000;
const SOL_SOCKET = 1;
const SO_ERROR = 4;
const SO_SNDBUF = 7;
const SO_RCVBUF = 8;
const SO_SNDBUFFORCE = 32;
const SO_RCVBUFFORCE = 33;
const IPPROTO_IP = 0;
const IPPROTO_UDP = 17;
const IPPROTO_IPV6 = 41;
const UDP_SEGMENT = 103;
const UDP_GRO = 104;
const IP_PKTINFO = 8;
const IP_MTU_DISCOVER = 10;
const IPV6_MTU_DISCOVER = 23;
const IPV6_V6ONLY = 26;
const IPV6_RECVPKTINFO = 49;
const PMTUDISC_DONT = 0;
/** Don't Fragment, whatever ICMP said of the way before. */
const PMTUDISC_PROBE = 3;
const MSG_ERRQUEUE_DONTWAIT = 0x2000 | 0x40;

/** Opens UDP sockets that share one set of buffers. */
export interface UdpOpener {
  open(options: UdpOptions): UdpDoor;
}

export function createUdpOpener(
  libc: Libc,
  arena: Arena,
  readiness: Readiness,
  counters: Counters,
  offloads: UdpOffloads = { cut: true, coalesce: true },
): UdpOpener {
  const scope = counters.scope('udp');
  let ring: ReceiveRing | null = null;
  const sendRings: Partial<Record<IpFamily, SendRing>> = {};
  const scratch = arena.allocate(64);
  return {
    open(options) {
      const sendRing = (sendRings[options.family] ??= new SendRing(libc, arena, options.family, scope));
      const socket = openSocket(libc, arena, scratch, options, offloads);
      const receiveRing = (ring ??= new ReceiveRing(
        libc,
        arena,
        socket.coalesces ? COALESCED_ROOM : PLAIN_ROOM,
      ));
      return new UdpSocket(
        { libc, arena, scratch, readiness, counters: scope, receiveRing, sendRing },
        options.family,
        socket,
      );
    },
  };
}

interface UdpParts {
  readonly libc: Libc;
  readonly arena: Arena;
  readonly scratch: number;
  readonly readiness: Readiness;
  readonly counters: Counters;
  readonly receiveRing: ReceiveRing;
  readonly sendRing: SendRing;
}

class UdpSocket implements UdpDoor {
  readonly family: IpFamily;
  readonly localPort: number;
  onBatch: (remote: UdpRemote, batch: Batch) => void = () => undefined;
  onTurnEnded: () => void = () => undefined;
  readonly #parts: UdpParts;
  readonly #remotes: RemoteTable;
  readonly #watch: Watch;
  readonly #batch: Batch;
  readonly #counts;
  readonly #sending: SendingSocket;
  readonly #coalesces: boolean;
  #fd: number;

  constructor(parts: UdpParts, family: IpFamily, socket: OpenedSocket) {
    this.#parts = parts;
    this.family = family;
    this.localPort = socket.port;
    this.#fd = socket.fd;
    this.#sending = { fd: socket.fd, cuts: socket.cuts };
    this.#coalesces = socket.coalesces;
    this.#remotes = new RemoteTable(family);
    this.#batch = { bytes: parts.arena.memory, offset: 0, length: 0, segment: 0 };
    this.#counts = {
      received: parts.counters.counter('received'),
      together: parts.counters.counter('put-together-by-kernel'),
      truncated: parts.counters.counter('dropped.truncated'),
      errors: parts.counters.counter('errors'),
    };
    this.#watch = parts.readiness.watch(socket.fd, {
      readable: () => this.#turn(),
      failed: () => this.#drainErrors(),
    });
  }

  get offloads(): UdpOffloads {
    return { cut: this.#sending.cuts, coalesce: this.#coalesces };
  }

  remote(endpoint: Endpoint): UdpRemote {
    if (endpoint.family !== this.family) {
      throw new TypeError(`an IPv${this.family} socket has no IPv${endpoint.family} remotes`);
    }
    const remote = this.#remotes.heard(wordsOf(endpoint.address, this.family), endpoint.port, 0);
    this.#remotes.know(remote);
    return remote;
  }

  send(remote: UdpRemote, batch: Batch, options?: UdpSendOptions): SendResult {
    if (this.#fd < 0) return 'closed';
    if (!(remote instanceof Remote) || remote.family !== this.family) {
      throw new TypeError('a remote of another kind of socket');
    }
    if (!(batch.segment > 0)) throw new TypeError('a batch needs a segment size');
    this.#remotes.know(remote);
    if (options?.dontFragment === true) return this.#sendWhole(remote, batch, options);
    return this.#parts.sendRing.add(this.#sending, remote, batch, options?.ttl ?? 0);
  }

  /** The option is the socket's: what was laid up before goes first, and the next one finds it as it was. */
  #sendWhole(remote: Remote, batch: Batch, { ttl = 0 }: UdpSendOptions): SendResult {
    const { libc, arena, scratch, sendRing } = this.#parts;
    this.flush();
    if (!setMtuDiscovery(libc, arena, scratch, this.#fd, this.family, PMTUDISC_PROBE)) return 'busy';
    sendRing.add(this.#sending, remote, batch, ttl);
    this.flush();
    setMtuDiscovery(libc, arena, scratch, this.#fd, this.family, PMTUDISC_DONT);
    return 'sent';
  }

  flush(): void {
    if (this.#fd >= 0) this.#parts.sendRing.flush(this.#sending);
  }

  forgetLocalAddresses(): void {
    for (const remote of this.#remotes) {
      remote.forgetLocal();
      remote.uncuttable = false;
    }
  }

  close(): void {
    if (this.#fd < 0) return;
    this.flush();
    this.#watch.close();
    this.#parts.libc.close(this.#fd);
    this.#fd = -1;
  }

  #turn(): void {
    for (let call = 0; call < RECEIVES_PER_TURN && this.#fd >= 0; call++) {
      const count = this.#parts.receiveRing.receive(this.#fd);
      if (count < 0) this.#noteError();
      for (let index = 0; index < count && this.#fd >= 0; index++) this.#deliver(index);
      if (this.#parts.receiveRing.isDrained) break;
    }
    if (this.#fd >= 0) this.onTurnEnded();
  }

  #deliver(index: number): void {
    const { receiveRing } = this.#parts;
    if (receiveRing.truncated(index)) {
      this.#counts.truncated.value++;
      return;
    }
    const batch = this.#batch;
    batch.offset = receiveRing.offset(index);
    batch.length = receiveRing.length(index);
    batch.segment = receiveRing.segment(index);
    const datagrams = batch.length > batch.segment ? Math.ceil(batch.length / batch.segment) : 1;
    this.#counts.received.value += datagrams;
    if (datagrams > 1) this.#counts.together.value++;
    this.onBatch(receiveRing.sender(index, this.family, this.#remotes), batch);
  }

  #noteError(): void {
    const errno = this.#parts.libc.errno();
    if (errno !== ERRNO.EAGAIN && errno !== ERRNO.EINTR) this.#counts.errors.value++;
  }

  /** Takes pending errors off the socket, so that it can be watched again. */
  #drainErrors(): boolean {
    if (this.#fd < 0) return false;
    const { libc, arena, scratch } = this.#parts;
    this.#counts.errors.value++;
    arena.view.setUint32(scratch + 8, 4, true);
    if (libc.getsockopt(this.#fd, SOL_SOCKET, SO_ERROR, arena.base + scratch, arena.base + scratch + 8) < 0) {
      return false;
    }
    for (let taken = 0; taken < MAX_QUEUED_ERRORS; taken++) {
      if (libc.recv(this.#fd, arena.base + scratch, 0, MSG_ERRQUEUE_DONTWAIT) < 0) break;
    }
    return true;
  }
}

interface OpenedSocket {
  readonly fd: number;
  readonly port: number;
  readonly cuts: boolean;
  readonly coalesces: boolean;
}

function openSocket(
  libc: Libc,
  arena: Arena,
  scratch: number,
  options: UdpOptions,
  offloads: UdpOffloads,
): OpenedSocket {
  const fd = libc.socket(domainOf(options.family), SOCK_DGRAM_NONBLOCK_CLOEXEC, 0);
  if (fd < 0) throw socketError(libc.errno(), options.family);
  try {
    setOptions(libc, arena, scratch, fd, options.family);
    const has = (option: number, value: number): boolean => {
      arena.view.setInt32(scratch, value, true);
      return libc.setsockopt(fd, IPPROTO_UDP, option, arena.base + scratch, 4) === 0;
    };
    // Segment size 0 changes nothing: it only tells whether the kernel (4.18, 5.0) knows the option.
    const cuts = offloads.cut && has(UDP_SEGMENT, 0);
    const coalesces = offloads.coalesce && has(UDP_GRO, 1);
    return { fd, port: bindTo(libc, arena, scratch, fd, options), cuts, coalesces };
  } catch (error) {
    libc.close(fd);
    throw error;
  }
}

function socketError(errno: number, family: IpFamily): Error {
  return errno === ERRNO.EAFNOSUPPORT
    ? systemErrors('KERNEL_LACKS', { feature: `IPv${family}`, call: 'socket', errno: errnoName(errno) })
    : kernelRefused('open a UDP socket', 'socket', errno);
}

function setOptions(libc: Libc, arena: Arena, scratch: number, fd: number, family: IpFamily): void {
  const set = (level: number, name: number, value: number): boolean => {
    arena.view.setInt32(scratch, value, true);
    return libc.setsockopt(fd, level, name, arena.base + scratch, 4) === 0;
  };
  const need = (what: string, done: boolean): void => {
    if (!done) throw kernelRefused(`set ${what} on a UDP socket`, 'setsockopt', libc.errno());
  };
  // FORCE needs CAP_NET_ADMIN; without it the system's limit holds.
  if (!set(SOL_SOCKET, SO_RCVBUFFORCE, RECEIVE_BUFFER_BYTES))
    set(SOL_SOCKET, SO_RCVBUF, RECEIVE_BUFFER_BYTES);
  if (!set(SOL_SOCKET, SO_SNDBUFFORCE, SEND_BUFFER_BYTES)) set(SOL_SOCKET, SO_SNDBUF, SEND_BUFFER_BYTES);
  // Don't Fragment stays off: a tunnel that is too large for a hop works in fragments, where DF would lose it in silence
  // (home routers and carriers often drop the ICMP that should tell).
  if (family === 4) {
    need('IP_PKTINFO', set(IPPROTO_IP, IP_PKTINFO, 1));
    need('IP_MTU_DISCOVER', setMtuDiscovery(libc, arena, scratch, fd, family, PMTUDISC_DONT));
  } else {
    need('IPV6_V6ONLY', set(IPPROTO_IPV6, IPV6_V6ONLY, 1));
    need('IPV6_RECVPKTINFO', set(IPPROTO_IPV6, IPV6_RECVPKTINFO, 1));
    need('IPV6_MTU_DISCOVER', setMtuDiscovery(libc, arena, scratch, fd, family, PMTUDISC_DONT));
  }
}

function setMtuDiscovery(
  libc: Libc,
  arena: Arena,
  scratch: number,
  fd: number,
  family: IpFamily,
  value: number,
): boolean {
  arena.view.setInt32(scratch, value, true);
  const [level, name] = family === 4 ? [IPPROTO_IP, IP_MTU_DISCOVER] : [IPPROTO_IPV6, IPV6_MTU_DISCOVER];
  return libc.setsockopt(fd, level, name, arena.base + scratch, 4) === 0;
}

function bindTo(libc: Libc, arena: Arena, scratch: number, fd: number, options: UdpOptions): number {
  const { family, port, address = family === 4 ? '0.0.0.0' : '::' } = options;
  writeSockaddr(arena, scratch, family, { ...wordsOf(address, family), port, scope: 0 });
  if (libc.bind(fd, arena.base + scratch, sockaddrBytes(family)) < 0) {
    const errno = libc.errno();
    if (errno === ERRNO.EADDRINUSE) throw systemErrors('PORT_TAKEN', { port });
    if (errno === ERRNO.EADDRNOTAVAIL) throw systemErrors('ADDRESS_UNAVAILABLE', { address });
    if (errno === ERRNO.EACCES) throw systemErrors('PORT_FORBIDDEN', { port });
    throw kernelRefused(`bind a UDP socket to ${address} port ${port}`, 'bind', errno);
  }
  arena.view.setUint32(scratch + 32, SOCKADDR_BYTES, true);
  if (libc.getsockname(fd, arena.base + scratch, arena.base + scratch + 32) < 0) {
    throw kernelRefused('tell the port of a UDP socket', 'getsockname', libc.errno());
  }
  return readPort(arena, scratch);
}
