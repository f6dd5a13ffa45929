// One TCP connection with another node, once both know each other: frames out, frames in, its round trip, and its end.
// Whom a frame is for, and what becomes of it, is streams.ts's.
import type { Socket } from 'node:net';
import type { Clock, Timer } from '../../base/clock.ts';
import type { Counters } from '../../base/counters.ts';
import type { Endpoint } from '../../protocol/address.ts';
import { parseIp } from '../../protocol/ip/address.ts';
import type { SignedNode } from '../../protocol/location/messages.ts';
import {
  FIRST_HOPS,
  FRAME_HEAD,
  destinationBytes,
  isAfter,
  latinOf,
  readdress,
  sourceBytes,
  sourceOf,
  writeHead,
  type FrameHead,
  type FrameKind,
} from '../../protocol/stream/frame.ts';
import type { Batch, Link, SendResult } from '../contract/link.ts';
import type { Stream, StreamPeer } from '../contract/plugin.ts';
import type { FramePool } from './frame-pool.ts';
import { FrameReader } from './frame-reader.ts';

/** What may wait for a slow reader; beyond it frames are dropped, as a full socket would. */
const BACKLOG_BYTES = 1024 * 1024;
/** Answers and questions of the connection itself are left out sooner. */
const CONTROL_BACKLOG_BYTES = 128 * 1024;
/** An idle connection is asked this often whether it lives, and has so long to answer. */
const PING_EVERY_MS = 10_000;
const PONG_WITHIN_MS = 5_000;
const RETIRED_MS = 5_000;
const SMOOTHING = 1 / 4;
const REFUSALS_KEPT = 256;
const REFUSE_EVERY_MS = 1_000;

/** What all connections of a node share. */
export interface StreamOwner {
  readonly clock: Clock;
  readonly counters: Counters;
  /** This node's address in frames, 16 bytes. */
  readonly self: Uint8Array;
  readonly pool: FramePool;
  /** The same connection, read by that function; bytes are lent until it returns. */
  lendReads(socket: Socket, received: (bytes: Uint8Array) => void): Socket;
  /** Lent until the call returns. */
  frame(from: NodeStream, frame: Uint8Array, head: FrameHead): void;
  /** What came in one piece is through. */
  turnEnded(): void;
  linkThrough(stream: NodeStream, peer: StreamPeer): Link;
  linksThrough(stream: NodeStream): number;
  closed(stream: NodeStream, reason: string): void;
}

export interface StreamEnds {
  readonly node: SignedNode;
  readonly isOurs: boolean;
  /** The other end forwards for others: frames from it may have another source. */
  readonly forwards: boolean;
  readonly remote: Endpoint;
  readonly local: Endpoint | null;
}

export class NodeStream implements Stream {
  readonly node: string;
  readonly name: string;
  readonly address: string;
  readonly addressBytes: Uint8Array;
  readonly isOurs: boolean;
  readonly remote: Endpoint;
  readonly local: Endpoint | null;
  /** The other end forwards for others: frames from it may have another source. */
  forwards: boolean;
  /** Monotonic ms. */
  readonly begunAt: number;
  rttMs: number | null = null;
  lastUsedAt: number;
  #socket: Socket;
  /** What the kernel has not taken yet, in the order in which it goes. */
  readonly #leaving: Uint8Array[] = [];
  #backlog = 0;
  #isRetired = false;
  readonly #owner: StreamOwner;
  readonly #reader: FrameReader;
  /** Destination → when its sender was last told that it is not to be had. */
  readonly #refused = new Map<string, number>();
  #sent = 0;
  #seen = 0;
  #pingedAt: number | null = null;
  #heardAt: number;
  #timer: Timer;
  #isCorked = false;
  #isClosed = false;

  constructor(socket: Socket, { node, isOurs, forwards, remote, local }: StreamEnds, owner: StreamOwner) {
    this.node = node.record.id;
    this.name = node.record.name;
    this.addressBytes = addressOf(node.record.ip6);
    this.address = latinOf(this.addressBytes);
    this.isOurs = isOurs;
    this.forwards = forwards;
    this.remote = remote;
    this.local = local;
    this.#socket = socket;
    this.#owner = owner;
    this.#heardAt = this.lastUsedAt = this.begunAt = owner.clock.monotonicMs();
    this.#reader = new FrameReader((frame, head) => this.#frame(frame, head), owner.pool);
    this.#timer = owner.clock.after(PING_EVERY_MS, () => this.#look());
  }

  /** From now on frames come; `rest`: what came behind the handshake. */
  begin(rest: Uint8Array): void {
    if (rest.length > 0) this.#received(rest);
    if (this.#isClosed) return;
    const socket = this.#owner.lendReads(this.#socket, bytes => this.#received(bytes));
    this.#socket = socket;
    socket.on('error', error => this.#end(error.message));
    socket.on('close', () => this.#end('it hung up'));
    socket.setNoDelay(true);
    this.ping();
    socket.resume();
  }

  /** In buffers, which small frames do not fill. */
  get backlog(): number {
    return this.#backlog;
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  // ---- out

  /** A batch of this node's own for the node with that address, which may be the other end itself. */
  send(destination: Uint8Array, { bytes, offset, length, segment }: Batch): SendResult {
    if (this.#isClosed || this.#isRetired) return 'closed';
    if (this.#backlog > BACKLOG_BYTES) return 'busy';
    const frame = this.#owner.pool.take(FRAME_HEAD + length);
    this.#writeHead(frame, 'data', FIRST_HOPS, segment, length, destination);
    frame.set(bytes.subarray(offset, offset + length), FRAME_HEAD);
    this.lastUsedAt = this.#owner.clock.monotonicMs();
    this.#write(frame, FRAME_HEAD + length);
    return 'sent';
  }

  forward(frame: Uint8Array): SendResult {
    if (this.#isClosed || this.#isRetired) return 'closed';
    if (this.#backlog > BACKLOG_BYTES) return 'busy';
    const copy = this.#owner.pool.take(frame.length);
    copy.set(frame);
    readdress(copy, 0, this.#nextNumber());
    this.#write(copy, frame.length);
    return 'sent';
  }

  refuse(frame: Uint8Array): void {
    const now = this.#owner.clock.monotonicMs();
    const destination = destinationBytes(frame);
    const key = latinOf(destination);
    if (now - (this.#refused.get(key) ?? -Infinity) < REFUSE_EVERY_MS || !this.#mayControl) return;
    if (this.#refused.size >= REFUSALS_KEPT) this.#refused.clear();
    this.#refused.set(key, now);
    const answer = this.#owner.pool.take(FRAME_HEAD);
    const head = { kind: 'unreachable', hops: 1, segment: 0, length: 0, number: this.#nextNumber() } as const;
    writeHead(answer, 0, head, destination, sourceBytes(frame));
    this.#write(answer, FRAME_HEAD);
  }

  ping(): void {
    if (!this.#mayControl || this.#pingedAt !== null) return;
    this.#pingedAt = this.#owner.clock.monotonicMs();
    this.#control('ping');
  }

  /** A frame on it was for this node itself. */
  used(): void {
    this.lastUsedAt = this.#heardAt;
  }

  get links(): number {
    return this.#owner.linksThrough(this);
  }

  link(peer: StreamPeer): Link {
    return this.#owner.linkThrough(this, peer);
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  /** Another connection with the same node takes over: nothing more is sent, and what is on its way still arrives. */
  retire(): void {
    this.#isRetired = true;
    this.#timer.cancel();
    this.#socket.end();
    this.#timer = this.#owner.clock.after(RETIRED_MS, () => this.#end('another one took over'));
  }

  close(): void {
    this.#end('closed here');
  }

  /** This node forwards for others from now on, or no longer. */
  tellForwards(forwards: boolean): void {
    this.#control('forwards', forwards ? 1 : 0);
  }

  /** A reader that takes nothing is not answered either. */
  get #mayControl(): boolean {
    return !this.#isClosed && !this.#isRetired && this.#backlog <= CONTROL_BACKLOG_BYTES;
  }

  #control(kind: FrameKind, hops = 1): void {
    if (!this.#mayControl) return;
    const frame = this.#owner.pool.take(FRAME_HEAD);
    this.#writeHead(frame, kind, hops, 0, 0, this.addressBytes);
    this.#write(frame, FRAME_HEAD);
  }

  /** All that is sent before the loop goes on leaves in one system call; nothing waits any longer. */
  #write(frame: Uint8Array, length: number): void {
    const socket = this.#socket;
    if (!this.#isCorked) {
      this.#isCorked = true;
      socket.cork();
      queueMicrotask(this.#uncork);
    }
    this.#leaving.push(frame);
    this.#backlog += frame.length;
    socket.write(frame.subarray(0, length), this.#written);
  }

  /** One is called for each, in their order; where it failed, the buffer may still be looked at, and is let go. */
  readonly #written = (error?: Error | null): void => {
    const frame = this.#leaving.shift();
    if (frame === undefined) return;
    this.#backlog -= frame.length;
    if (!error) this.#owner.pool.give(frame);
  };

  readonly #uncork = (): void => {
    this.#isCorked = false;
    this.#socket.uncork();
  };

  #writeHead(
    frame: Uint8Array,
    kind: FrameKind,
    hops: number,
    segment: number,
    length: number,
    destination: Uint8Array,
  ): void {
    const head = { kind, hops, segment, length, number: this.#nextNumber() };
    writeHead(frame, 0, head, this.#owner.self, destination);
  }

  #nextNumber(): number {
    return (this.#sent = (this.#sent + 1) >>> 0);
  }

  // ---- in

  #received(bytes: Uint8Array): void {
    if (this.#isClosed) return;
    this.#heardAt = this.#owner.clock.monotonicMs();
    const read = this.#reader.add(bytes);
    this.#owner.turnEnded();
    if (read.ok) return;
    this.#count(read.code);
    this.#end('it sent something that is no frame');
  }

  #frame(frame: Uint8Array, head: FrameHead): void {
    if (this.#isClosed) return;
    if (!isAfter(head.number, this.#seen)) this.#count('frame.replayed');
    else if (!this.forwards && sourceOf(frame, 0) !== this.address && head.kind !== 'unreachable')
      this.#count('frame.source');
    else {
      this.#seen = head.number;
      this.#take(frame, head);
    }
  }

  #take(frame: Uint8Array, head: FrameHead): void {
    if (head.kind === 'ping') this.#control('pong');
    else if (head.kind === 'pong') this.#pong();
    else if (head.kind === 'forwards') this.forwards = head.hops === 1;
    else this.#owner.frame(this, frame, head);
  }

  #pong(): void {
    if (this.#pingedAt === null) return;
    const rtt = this.#heardAt - this.#pingedAt;
    this.#pingedAt = null;
    this.rttMs = this.rttMs === null ? rtt : this.rttMs + (rtt - this.rttMs) * SMOOTHING;
  }

  // ---- time, and the end

  /** Whatever comes proves that it lives, the answer to a ping or anything else. */
  #look(): void {
    const { clock } = this.#owner;
    if (this.#pingedAt !== null && this.#heardAt <= this.#pingedAt) {
      this.#count('silent');
      this.#end('it fell silent');
      return;
    }
    this.#pingedAt = null;
    this.ping();
    this.#timer = clock.after(PONG_WITHIN_MS, () => this.#lookAgain());
  }

  /** An answered question is asked again only after a while. */
  #lookAgain(): void {
    const isAsked = this.#pingedAt !== null && this.#heardAt <= this.#pingedAt;
    if (isAsked) this.#look();
    else this.#timer = this.#owner.clock.after(PING_EVERY_MS - PONG_WITHIN_MS, () => this.#look());
  }

  #end(reason: string): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#timer.cancel();
    this.#reader.end();
    this.#socket.destroy();
    this.#owner.closed(this, reason);
  }

  #count(name: string): void {
    this.#owner.counters.counter(name).value++;
  }
}

/** TypeError: no IPv6 address. */
export function addressOf(ip6: string): Uint8Array {
  const ip = parseIp(ip6);
  if (!ip.ok || ip.value.family !== 6) throw new TypeError(`no IPv6 address: ${ip6}`);
  return ip.value.bytes;
}
