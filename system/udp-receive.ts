// Receives datagrams in batches: one set of message structures and buffers for all UDP sockets, since a turn of one socket
// ends before that of the next begins.
import type { IpFamily } from '../protocol/address.ts';
import type { Arena } from './doors.ts';
import { layoutOf, setWord, type Layout } from './layout.ts';
import type { Libc } from './libc.ts';
import { readAddress, readPort, readScope, SOCKADDR_BYTES } from './sockaddr.ts';
import type { AddressWords, Remote, RemoteTable } from './udp-remotes.ts';

/** How many messages one system call takes, and the room for each. */
export interface ReceiveRoom {
  readonly messages: number;
  readonly bytes: number;
}

/** A message is a datagram of an ordinary network card. */
export const PLAIN_ROOM: ReceiveRoom = { messages: 64, bytes: 2048 };
/** A message is a run of equal-sized datagrams of one sender, which the kernel put together (UDP_GRO). */
export const COALESCED_ROOM: ReceiveRoom = { messages: 48, bytes: 65_536 };
/** While messages are runs, so many at once: more would leave the CPU's cache before they are opened. */
const LONG_MESSAGES = 12;
/** On the average, to count as runs. */
const LONG_BYTES = 8192;

const CONTROL_BYTES = 96;
const MSG_TRUNC = 0x20;
const MSG_DONTWAIT = 0x40;
const IPPROTO_IP = 0;
const IPPROTO_UDP = 17;
const IPPROTO_IPV6 = 41;
const UDP_GRO = 104;
/** IP_PKTINFO, IPV6_PKTINFO. */
const PKTINFO: Readonly<Record<IpFamily, number>> = { 4: 8, 6: 50 };

export class ReceiveRing {
  readonly #libc: Libc;
  readonly #arena: Arena;
  readonly #layout: Layout;
  readonly #messages: number;
  readonly #names: number;
  readonly #controls: number;
  readonly #buffers: number;
  readonly #words: AddressWords = { w0: 0, w1: 0, w2: 0, w3: 0 };
  readonly room: ReceiveRoom;
  #used: number;
  #most: number;
  #isDrained = true;

  constructor(libc: Libc, arena: Arena, room: ReceiveRoom) {
    this.#libc = libc;
    this.#arena = arena;
    this.room = room;
    this.#used = this.#most = room.messages;
    this.#layout = layoutOf(libc.pointerBytes);
    this.#messages = arena.allocate(room.messages * this.#layout.message.bytes);
    this.#names = arena.allocate(room.messages * SOCKADDR_BYTES);
    this.#controls = arena.allocate(room.messages * CONTROL_BYTES);
    this.#buffers = arena.allocate(room.messages * room.bytes);
    const vectors = arena.allocate(room.messages * this.#layout.iovec.bytes);
    for (let index = 0; index < room.messages; index++) this.#prepare(index, vectors);
  }

  #prepare(index: number, vectors: number): void {
    const { message, iovec } = this.#layout;
    const at = this.#messages + index * message.bytes;
    const vector = vectors + index * iovec.bytes;
    const pointer = (field: number, offset: number): void =>
      setWord(this.#arena, this.#layout, field, this.#arena.base + offset);
    pointer(at + message.name, this.#names + index * SOCKADDR_BYTES);
    pointer(at + message.iov, vector);
    pointer(at + message.control, this.#controls + index * CONTROL_BYTES);
    setWord(this.#arena, this.#layout, at + message.iovCount, 1);
    pointer(vector + iovec.base, this.offset(index));
    setWord(this.#arena, this.#layout, vector + iovec.length, this.room.bytes);
  }

  /** Takes what is there, `room.messages` at most; -1 with errno where there is nothing. */
  receive(fd: number): number {
    const { message } = this.#layout;
    for (let index = 0; index < this.#used; index++) {
      const at = this.#messages + index * message.bytes;
      this.#arena.view.setUint32(at + message.nameLength, SOCKADDR_BYTES, true);
      setWord(this.#arena, this.#layout, at + message.controlLength, CONTROL_BYTES);
    }
    const count = this.#libc.recvmmsg(fd, this.#arena.base + this.#messages, this.#most, MSG_DONTWAIT, 0);
    this.#used = Math.max(0, count);
    this.#fit();
    return count;
  }

  /** Was that all there is for now? */
  get isDrained(): boolean {
    return this.#isDrained;
  }

  #fit(): void {
    this.#isDrained = this.#used < this.#most;
    let bytes = 0;
    for (let index = 0; index < this.#used; index++) bytes += this.length(index);
    const areRuns = bytes > this.#used * LONG_BYTES;
    this.#most = areRuns ? Math.min(LONG_MESSAGES, this.room.messages) : this.room.messages;
  }

  offset(index: number): number {
    return this.#buffers + index * this.room.bytes;
  }

  length(index: number): number {
    const { message } = this.#layout;
    return this.#arena.view.getUint32(this.#messages + index * message.bytes + message.length, true);
  }

  /** Was the datagram larger than its room? */
  truncated(index: number): boolean {
    const { message } = this.#layout;
    const flags = this.#arena.view.getInt32(this.#messages + index * message.bytes + message.flags, true);
    return (flags & MSG_TRUNC) !== 0;
  }

  /** The interned sender; the local address the datagram came to is noted in it. */
  sender(index: number, family: IpFamily, remotes: RemoteTable): Remote {
    const name = this.#names + index * SOCKADDR_BYTES;
    readAddress(this.#arena, name, family, this.#words);
    const port = readPort(this.#arena, name);
    const remote = remotes.heard(this.#words, port, readScope(this.#arena, name, family));
    const data = this.#find(index, family === 4 ? IPPROTO_IP : IPPROTO_IPV6, PKTINFO[family]);
    if (data >= 0) this.#noteLocal(data, family, remote);
    return remote;
  }

  /** The size of each datagram in the message but the last, which may be shorter. */
  segment(index: number): number {
    const data = this.#find(index, IPPROTO_UDP, UDP_GRO);
    const size = data < 0 ? 0 : this.#arena.view.getInt32(data, true);
    return size > 0 ? size : this.length(index);
  }

  #noteLocal(data: number, family: IpFamily, remote: Remote): void {
    const word = (index: number): number => this.#arena.view.getInt32(data + 4 * index, true);
    // struct in_pktinfo: interface, the local address for answers, the address in the header
    if (family === 4) remote.setLocal(word(1), 0, 0, 0);
    else remote.setLocal(word(0), word(1), word(2), word(3));
  }

  /** Where the data of a control message of that kind begins; -1 where there is none. */
  #find(index: number, level: number, type: number): number {
    const { view } = this.#arena;
    const { message, control } = this.#layout;
    const start = this.#controls + index * CONTROL_BYTES;
    const end = start + view.getUint32(this.#messages + index * message.bytes + message.controlLength, true);
    for (let at = start; at + control.data <= end;) {
      if (
        view.getInt32(at + control.level, true) === level &&
        view.getInt32(at + control.type, true) === type
      )
        return at + control.data;
      const length = view.getUint32(at, true);
      if (length < control.data) break;
      at += control.align(length);
    }
    return -1;
  }
}
