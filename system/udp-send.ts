// Lays datagrams up and sends them in batches. One ring for each family: the sockets of a family share it, and a socket that
// finds another's datagrams in it sends those first. Where the kernel cuts by itself (UDP_SEGMENT), a batch is one message.
import type { Counters } from '../base/counters.ts';
import type { Batch, SendResult } from '../core/contract/link.ts';
import type { IpFamily } from '../protocol/address.ts';
import type { Arena } from './doors.ts';
import { ERRNO } from './errors.ts';
import { layoutOf, setWord, type Layout } from './layout.ts';
import type { Libc } from './libc.ts';
import { SOCKADDR_BYTES, sockaddrBytes, writeSockaddr, writeWords } from './sockaddr.ts';
import type { Remote } from './udp-remotes.ts';

/** Datagrams sent by one system call. */
export const SEND_MESSAGES = 64;
const SEND_BYTES = 2 * 65536;
/** A batch in the arena of so many bytes is sent from where it lies: a system call costs less than the copy. */
const LENT_BYTES = 16 * 1024;
/** The largest datagram that UDP over IPv4 can carry. */
export const MAX_DATAGRAM = 65507;
/** Room for the source address, and the hop limit or UDP_SEGMENT. */
const CONTROL_BYTES = 96;
/** The kernel cuts a message into no more. */
const MAX_SEGMENTS = 64;
const MAX_INTERRUPTIONS = 8;

const IPPROTO_IP = 0;
const IPPROTO_UDP = 17;
const IPPROTO_IPV6 = 41;
const UDP_SEGMENT = 103;
const IP_TTL = 2;
const IP_PKTINFO = 8;
const IPV6_PKTINFO = 50;
const IPV6_HOPLIMIT = 52;
const MSG_DONTWAIT = 0x40;
/** What the kernel answers where the source address is no longer one of this machine. */
const SOURCE_GONE: ReadonlySet<number> = new Set([ERRNO.EINVAL, ERRNO.EADDRNOTAVAIL, ERRNO.ENETUNREACH]);
/** What the kernel answers where it cannot cut: no checksums by this card, or segments that are too large for this way. */
const CANNOT_CUT: ReadonlySet<number> = new Set([ERRNO.EIO, ERRNO.EINVAL, ERRNO.EMSGSIZE]);

/** A socket that sends; `cuts` while the kernel cuts its batches. */
export interface SendingSocket {
  readonly fd: number;
  cuts: boolean;
}

export class SendRing {
  readonly #libc: Libc;
  readonly #arena: Arena;
  readonly #family: IpFamily;
  readonly #layout: Layout;
  readonly #messages: number;
  readonly #vectors: number;
  readonly #names: number;
  readonly #controls: number;
  readonly #buffer: number;
  readonly #remotes: (Remote | null)[] = new Array<Remote | null>(SEND_MESSAGES).fill(null);
  readonly #ttls = new Uint8Array(SEND_MESSAGES);
  /** Where the kernel cuts a message; 0: it is one datagram. */
  readonly #segments = new Uint16Array(SEND_MESSAGES);
  readonly #lengths = new Uint32Array(SEND_MESSAGES);
  readonly #starts = new Uint32Array(SEND_MESSAGES);
  readonly #counts;
  #socket: SendingSocket | null = null;
  #count = 0;
  #top = 0;

  constructor(libc: Libc, arena: Arena, family: IpFamily, counters: Counters) {
    this.#libc = libc;
    this.#arena = arena;
    this.#family = family;
    this.#layout = layoutOf(libc.pointerBytes);
    this.#messages = arena.allocate(SEND_MESSAGES * this.#layout.message.bytes);
    this.#vectors = arena.allocate(SEND_MESSAGES * this.#layout.iovec.bytes);
    this.#names = arena.allocate(SEND_MESSAGES * SOCKADDR_BYTES);
    this.#controls = arena.allocate(SEND_MESSAGES * CONTROL_BYTES);
    this.#buffer = arena.allocate(SEND_BYTES);
    this.#counts = {
      sent: counters.counter('sent'),
      busy: counters.counter('dropped.busy'),
      tooLarge: counters.counter('dropped.too-large'),
      refused: counters.counter('dropped.refused'),
      sourceGone: counters.counter('source-gone'),
      cut: counters.counter('cut-by-kernel'),
      uncut: counters.counter('kernel-cannot-cut'),
    };
    for (let index = 0; index < SEND_MESSAGES; index++) this.#prepare(index);
  }

  #prepare(index: number): void {
    const { message, iovec } = this.#layout;
    const at = this.#message(index);
    const pointer = (field: number, offset: number): void =>
      setWord(this.#arena, this.#layout, field, this.#arena.base + offset);
    pointer(at + message.name, this.#names + index * SOCKADDR_BYTES);
    this.#arena.view.setUint32(at + message.nameLength, sockaddrBytes(this.#family), true);
    pointer(at + message.iov, this.#vectors + index * iovec.bytes);
    setWord(this.#arena, this.#layout, at + message.iovCount, 1);
    pointer(at + message.control, this.#controls + index * CONTROL_BYTES);
  }

  /** Lays the datagrams of a batch up; they leave with `flush`, or now where there are many. `ttl` 0: the usual one. */
  add(socket: SendingSocket, remote: Remote, batch: Batch, ttl: number): SendResult {
    if (socket !== this.#socket) {
      this.#flush();
      this.#socket = socket;
    }
    if (ttl !== 0 || !socket.cuts || remote.uncuttable || !isCuttable(batch))
      return this.#addApart(remote, batch, ttl);
    if (batch.length >= LENT_BYTES && batch.bytes.buffer === this.#arena.memory.buffer)
      return this.#sendLent(remote, batch);
    const room = this.#makeRoom(batch.length);
    const target = this.#copy(batch.bytes, batch.offset, batch.length);
    this.#lay(remote, target, batch.length, 0, batch.segment);
    return room;
  }

  /** From where it lies, and now, with all that is laid up before it. */
  #sendLent(remote: Remote, { bytes, offset, length, segment }: Batch): SendResult {
    this.#makeRoom(0);
    this.#lay(remote, bytes.byteOffset + offset, length, 0, segment);
    return this.#flush();
  }

  /** Sends what this socket has laid up. */
  flush(socket: SendingSocket): SendResult {
    return socket === this.#socket ? this.#flush() : 'sent';
  }

  #addApart(remote: Remote, batch: Batch, ttl: number): SendResult {
    let result: SendResult = 'sent';
    const end = batch.offset + batch.length;
    for (let from = batch.offset; from < end; from += batch.segment) {
      const length = Math.min(batch.segment, end - from);
      if (length > MAX_DATAGRAM) {
        this.#counts.tooLarge.value++;
        result = 'busy';
        continue;
      }
      if (this.#makeRoom(length) !== 'sent') result = 'busy';
      this.#lay(remote, this.#copy(batch.bytes, from, length), length, ttl, 0);
    }
    return result;
  }

  #makeRoom(bytes: number): SendResult {
    return this.#count === SEND_MESSAGES || this.#top + bytes > SEND_BYTES ? this.#flush() : 'sent';
  }

  /** Returns where the copy lies. */
  #copy(bytes: Uint8Array, from: number, length: number): number {
    const { memory } = this.#arena;
    const target = this.#buffer + this.#top;
    if (bytes.buffer === memory.buffer)
      memory.copyWithin(target, bytes.byteOffset + from, bytes.byteOffset + from + length);
    else memory.set(bytes.subarray(from, from + length), target);
    this.#top += length;
    return target;
  }

  #lay(remote: Remote, at: number, length: number, ttl: number, segment: number): void {
    const index = this.#count++;
    this.#pointTo(index, at, length);
    writeSockaddr(this.#arena, this.#names + index * SOCKADDR_BYTES, this.#family, remote);
    this.#remotes[index] = remote;
    this.#ttls[index] = ttl;
    this.#segments[index] = segment;
    this.#starts[index] = at;
    this.#lengths[index] = length;
    this.#writeControl(index, remote);
  }

  #pointTo(index: number, target: number, length: number): void {
    const { iovec } = this.#layout;
    const vector = this.#vectors + index * iovec.bytes;
    setWord(this.#arena, this.#layout, vector + iovec.base, this.#arena.base + target);
    setWord(this.#arena, this.#layout, vector + iovec.length, length);
  }

  #writeControl(index: number, remote: Remote): void {
    const ttl = this.#ttls[index]!;
    const start = this.#controls + index * CONTROL_BYTES;
    let at = start;
    if (remote.hasLocal) at = this.#family === 4 ? this.#source4(at, remote) : this.#source6(at, remote);
    if (ttl > 0) {
      const data =
        this.#family === 4
          ? this.#head(at, IPPROTO_IP, IP_TTL, 4)
          : this.#head(at, IPPROTO_IPV6, IPV6_HOPLIMIT, 4);
      this.#arena.view.setInt32(data, ttl, true);
      at = this.#next(data, 4);
    }
    const segment = this.#segments[index]!;
    if (segment > 0) {
      const data = this.#head(at, IPPROTO_UDP, UDP_SEGMENT, 2);
      this.#arena.view.setUint16(data, segment, true);
      at = this.#next(data, 2);
    }
    const { message } = this.#layout;
    setWord(this.#arena, this.#layout, this.#message(index) + message.controlLength, at - start);
  }

  #source4(at: number, remote: Remote): number {
    const data = this.#head(at, IPPROTO_IP, IP_PKTINFO, 12);
    // No interface: the route decides it, the address only says whose it is.
    this.#arena.view.setInt32(data, 0, true);
    this.#arena.view.setInt32(data + 4, remote.local.w0, true);
    this.#arena.view.setInt32(data + 8, 0, true);
    return this.#next(data, 12);
  }

  #source6(at: number, remote: Remote): number {
    const data = this.#head(at, IPPROTO_IPV6, IPV6_PKTINFO, 20);
    writeWords(this.#arena, data, remote.local);
    this.#arena.view.setInt32(data + 16, remote.scope, true);
    return this.#next(data, 20);
  }

  #head(at: number, level: number, type: number, bytes: number): number {
    const { control } = this.#layout;
    setWord(this.#arena, this.#layout, at, control.data + bytes);
    this.#arena.view.setInt32(at + control.level, level, true);
    this.#arena.view.setInt32(at + control.type, type, true);
    return at + control.data;
  }

  #next(data: number, bytes: number): number {
    return data + this.#layout.control.align(bytes);
  }

  #message(index: number): number {
    return this.#messages + index * this.#layout.message.bytes;
  }

  #flush(): SendResult {
    const count = this.#count;
    let [done, interruptions] = [0, 0];
    let result: SendResult = 'sent';
    while (done < count) {
      const sent = this.#send(done, count - done);
      if (sent > 0) {
        for (let end = done + sent; done < end; done++) this.#counts.sent.value += this.#datagrams(done);
        continue;
      }
      const errno = this.#libc.errno();
      if (errno === ERRNO.EINTR && interruptions++ < MAX_INTERRUPTIONS) continue;
      if (isFull(errno)) {
        while (done < count) this.#counts.busy.value += this.#datagrams(done++);
        result = 'busy';
        break;
      }
      if (SOURCE_GONE.has(errno) && this.#withoutSource(done)) continue;
      if (CANNOT_CUT.has(errno) && this.#segments[done]! > 0) result = this.#cutHere(done, errno);
      // One datagram that cannot go must not hold up the others.
      else (errno === ERRNO.EMSGSIZE ? this.#counts.tooLarge : this.#counts.refused).value++;
      done++;
    }
    this.#count = this.#top = 0;
    return result;
  }

  #send(index: number, count: number): number {
    const fd = this.#socket?.fd ?? -1;
    return this.#libc.sendmmsg(fd, this.#arena.base + this.#message(index), count, MSG_DONTWAIT);
  }

  #datagrams(index: number): number {
    const segment = this.#segments[index]!;
    if (segment === 0) return 1;
    this.#counts.cut.value++;
    return Math.ceil(this.#lengths[index]! / segment);
  }

  /** The kernel could not cut this message: its datagrams go one by one, and so do all later ones on that way. */
  #cutHere(index: number, errno: number): SendResult {
    this.#counts.uncut.value++;
    const remote = this.#remotes[index];
    if (errno === ERRNO.EIO && this.#socket !== null) this.#socket.cuts = false;
    else if (remote) remote.uncuttable = true;
    const [segment, length, start] = [this.#segments[index]!, this.#lengths[index]!, this.#starts[index]!];
    this.#segments[index] = 0;
    if (remote) this.#writeControl(index, remote);
    let result: SendResult = 'sent';
    for (let at = 0; at < length; at += segment) {
      this.#pointTo(index, start + at, Math.min(segment, length - at));
      if (this.#send(index, 1) > 0) {
        this.#counts.sent.value++;
        continue;
      }
      if (isFull(this.#libc.errno())) {
        this.#counts.busy.value++;
        result = 'busy';
      } else this.#counts.refused.value++;
    }
    return result;
  }

  /** The address it should leave from may have gone from this machine: try once more from whichever there is. */
  #withoutSource(index: number): boolean {
    const remote = this.#remotes[index];
    if (!remote?.hasLocal) return false;
    this.#counts.sourceGone.value++;
    remote.forgetLocal();
    for (let later = index; later < this.#count; later++) {
      if (this.#remotes[later] === remote) this.#writeControl(later, remote);
    }
    return true;
  }
}

const isFull = (errno: number): boolean =>
  errno === ERRNO.EAGAIN || errno === ERRNO.ENOBUFS || errno === ERRNO.EINTR;

const isCuttable = ({ length, segment }: Batch): boolean =>
  length > segment && length <= MAX_DATAGRAM && length <= segment * MAX_SEGMENTS;
