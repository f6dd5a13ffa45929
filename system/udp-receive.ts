// Receives datagrams in batches: one set of message structures and buffers for all UDP sockets, since a turn of one socket
// ends before that of the next begins.
import type { IpFamily } from '../protocol/address.ts';
import type { Arena } from './doors.ts';
import { layoutOf, setWord, type Layout } from './layout.ts';
import type { Libc } from './libc.ts';
import { readAddress, readPort, readScope, SOCKADDR_BYTES } from './sockaddr.ts';
import type { AddressWords, Remote, RemoteTable } from './udp-remotes.ts';

/** Datagrams taken by one system call. */
export const RECEIVE_MESSAGES = 64;
/** Room of one message: a datagram of an ordinary network card. With UDP_GRO, later: 65,536. */
export const RECEIVE_BYTES = 2048;

const CONTROL_BYTES = 96;
const MSG_TRUNC = 0x20;
const MSG_DONTWAIT = 0x40;
const IPPROTO_IP = 0;
const IPPROTO_IPV6 = 41;
const IP_PKTINFO = 8;
const IPV6_PKTINFO = 50;

export class ReceiveRing {
  readonly #libc: Libc;
  readonly #arena: Arena;
  readonly #layout: Layout;
  readonly #messages: number;
  readonly #names: number;
  readonly #controls: number;
  readonly #buffers: number;
  readonly #words: AddressWords = { w0: 0, w1: 0, w2: 0, w3: 0 };
  #used = RECEIVE_MESSAGES;

  constructor(libc: Libc, arena: Arena) {
    this.#libc = libc;
    this.#arena = arena;
    this.#layout = layoutOf(libc.pointerBytes);
    this.#messages = arena.allocate(RECEIVE_MESSAGES * this.#layout.message.bytes);
    this.#names = arena.allocate(RECEIVE_MESSAGES * SOCKADDR_BYTES);
    this.#controls = arena.allocate(RECEIVE_MESSAGES * CONTROL_BYTES);
    this.#buffers = arena.allocate(RECEIVE_MESSAGES * RECEIVE_BYTES);
    const vectors = arena.allocate(RECEIVE_MESSAGES * this.#layout.iovec.bytes);
    for (let index = 0; index < RECEIVE_MESSAGES; index++) this.#prepare(index, vectors);
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
    setWord(this.#arena, this.#layout, vector + iovec.length, RECEIVE_BYTES);
  }

  /** Takes what is there, at most RECEIVE_MESSAGES datagrams; -1 with errno where there is nothing. */
  receive(fd: number): number {
    const { message } = this.#layout;
    for (let index = 0; index < this.#used; index++) {
      const at = this.#messages + index * message.bytes;
      this.#arena.view.setUint32(at + message.nameLength, SOCKADDR_BYTES, true);
      setWord(this.#arena, this.#layout, at + message.controlLength, CONTROL_BYTES);
    }
    const count = this.#libc.recvmmsg(
      fd,
      this.#arena.base + this.#messages,
      RECEIVE_MESSAGES,
      MSG_DONTWAIT,
      0,
    );
    this.#used = Math.max(0, count);
    return count;
  }

  offset(index: number): number {
    return this.#buffers + index * RECEIVE_BYTES;
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
    this.#noteLocal(index, family, remote);
    return remote;
  }

  #noteLocal(index: number, family: IpFamily, remote: Remote): void {
    const { view } = this.#arena;
    const { message, control } = this.#layout;
    const at = this.#controls + index * CONTROL_BYTES;
    const length = view.getUint32(this.#messages + index * message.bytes + message.controlLength, true);
    if (length < control.data + 12) return;
    const level = view.getInt32(at + control.level, true);
    const type = view.getInt32(at + control.type, true);
    const data = at + control.data;
    if (family === 4 && level === IPPROTO_IP && type === IP_PKTINFO) {
      // struct in_pktinfo: interface, the local address for answers, the address in the header
      remote.setLocal(view.getInt32(data + 4, true), 0, 0, 0);
    } else if (family === 6 && level === IPPROTO_IPV6 && type === IPV6_PKTINFO) {
      const word = (index: number): number => view.getInt32(data + 4 * index, true);
      remote.setLocal(word(0), word(1), word(2), word(3));
    }
  }
}
