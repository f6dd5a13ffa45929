// Nodes that are joined in memory: streams that carry whole frames as bytes, with a rate, a delay, a queue that fills up
// and a reader that may pause. Each end checks what a node checks: heads, numbers, and whose frames it is brought.
import type { Clock } from '../../base/clock.ts';
import { GinnelError } from '../../base/errors.ts';
import type { Batch, Link, SendResult } from '../../core/contract/link.ts';
import type { Stream, StreamDoor, StreamPeer } from '../../core/contract/plugin.ts';
import type { Endpoint } from '../../protocol/address.ts';
import { parseIp } from '../../protocol/ip/address.ts';
import type { SignedNode, TcpPlace } from '../../protocol/location/messages.ts';
import {
  destinationOf,
  FIRST_HOPS,
  FRAME_HEAD,
  isAfter,
  latinOf,
  readdress,
  readHead,
  sourceOf,
  writeHead,
  type FrameHead,
} from '../../protocol/stream/frame.ts';
import { madeUpNode } from './made-up-node.ts';

export interface Received {
  readonly source: string;
  readonly payload: Uint8Array;
  readonly hops: number;
}

export interface MemoryLine {
  readonly bytesPerSecond: number;
  readonly delayMs: number;
  /** Bytes that may wait to be sent. */
  readonly capacity: number;
}

const LINE: MemoryLine = { bytesPerSecond: Infinity, delayMs: 1, capacity: 256 * 1024 };

export class MemoryNetwork {
  readonly clock: Clock;
  readonly nodes = new Map<string, MemoryNode>();
  /** Of connections opened from now on. */
  line = LINE;

  constructor(clock: Clock) {
    this.clock = clock;
  }

  node(name: string, ip6 = `fd11:2233:4455::${(this.nodes.size + 1).toString(16)}`): MemoryNode {
    const node = new MemoryNode(this, name, ip6);
    this.nodes.set(node.node, node);
    return node;
  }
}

type Taker = Parameters<StreamDoor['serve']>[0];
type Changed = Parameters<StreamDoor['onChange']>[0];

export class MemoryNode implements StreamDoor {
  readonly node: string;
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly address: string;
  readonly signed: SignedNode;
  readonly peer: StreamPeer;
  readonly endpoint: Endpoint;
  readonly network: MemoryNetwork;
  readonly streams = new Set<MemoryStream>();
  /** Data for this node itself. */
  readonly received: Received[] = [];
  /** Destinations that were not to be had, by their address. */
  readonly unreachable: string[] = [];
  /** What a node would have ended the connection for. */
  readonly breaches: string[] = [];
  /** Does its TCP door answer? */
  isReachable = true;
  /** May it bring frames of others? */
  isRelay = false;
  opened = 0;
  #taker: Taker | null = null;
  readonly #listeners = new Set<Changed>();

  constructor(network: MemoryNetwork, name: string, ip6: string) {
    const made = madeUpNode(name);
    const ip = parseIp(ip6);
    if (!ip.ok) throw new TypeError(ip6);
    this.network = network;
    this.name = name;
    this.bytes = ip.value.bytes;
    this.address = latinOf(this.bytes);
    this.signed = { record: { ...made.record, ip6 }, assignment: { ...made.assignment, ip6 } };
    this.node = made.record.id;
    this.peer = { node: this.node, name, ip6 };
    this.endpoint = { family: 4, address: `203.0.113.${network.nodes.size + 1}`, port: 7443 };
  }

  get place(): TcpPlace {
    return { node: this.signed, places: [this.endpoint] };
  }

  get all(): Iterable<MemoryStream> {
    return this.streams;
  }

  get listeners(): number {
    return this.#listeners.size + (this.#taker === null ? 0 : 1);
  }

  find(address: string): MemoryStream | null {
    for (const stream of this.streams) if (stream.address === address) return stream;
    return null;
  }

  async open(to: TcpPlace, signal: AbortSignal): Promise<MemoryStream> {
    const other = this.network.nodes.get(to.node.record.id);
    this.opened++;
    await new Promise<void>((resolve, reject) => {
      const end = (): void => reject(new GinnelError('ABORTED', 'aborted'));
      if (signal.aborted) end();
      signal.addEventListener('abort', end, { once: true });
      // A place that does not answer says so after a second, as a refused connection behind a long line would.
      const waitMs = other?.isReachable === true ? 2 * this.network.line.delayMs : 1_000;
      this.network.clock.after(waitMs, resolve);
    });
    const standing = other === undefined ? null : this.find(other.address);
    if (standing !== null) return standing;
    if (other?.isReachable !== true || other === this)
      throw new GinnelError('STREAM_UNREACHABLE', 'no answer');
    return this.connect(other);
  }

  /** At once. */
  connect(other: MemoryNode): MemoryStream {
    const ours = new MemoryStream(this, other, true);
    const theirs = new MemoryStream(other, this, false);
    ours.other = theirs;
    theirs.other = ours;
    other.came(theirs);
    this.came(ours);
    return ours;
  }

  /** The newer connection takes over from the older one; nobody is told that that one goes. */
  came(stream: MemoryStream): void {
    const older = this.find(stream.address);
    if (older !== null) this.streams.delete(older);
    older?.retire();
    this.streams.add(stream);
    this.#tell(stream, true);
  }

  went(stream: MemoryStream): void {
    if (this.streams.delete(stream)) this.#tell(stream, false);
  }

  serve(taker: Taker): () => void {
    this.#taker = taker;
    return () => {
      if (this.#taker === taker) this.#taker = null;
    };
  }

  onChange(changed: Changed): () => void {
    this.#listeners.add(changed);
    return () => void this.#listeners.delete(changed);
  }

  /** The process is gone. */
  crash(): void {
    this.isReachable = false;
    for (const stream of [...this.streams]) stream.close();
  }

  take(from: MemoryStream, frame: Uint8Array, head: FrameHead): void {
    const destination = destinationOf(frame, 0);
    if (destination !== this.address) {
      if (head.kind !== 'data') return;
      if (this.#taker === null) from.refuse(frame);
      else this.#taker(from, frame);
      return;
    }
    const source = sourceOf(frame, 0);
    if (head.kind === 'unreachable') this.unreachable.push(source);
    else this.received.push({ source, payload: frame.slice(FRAME_HEAD), hops: head.hops });
  }

  #tell(stream: MemoryStream, isOpen: boolean): void {
    for (const listener of [...this.#listeners]) listener(stream, isOpen);
  }
}

export class MemoryStream implements Stream {
  readonly node: string;
  readonly name: string;
  readonly address: string;
  readonly isOurs: boolean;
  readonly remote: Endpoint;
  readonly owner: MemoryNode;
  other!: MemoryStream;
  rttMs: number | null = null;
  backlog = 0;
  isClosed = false;
  lastUsedAt: number;
  isPaused = false;
  readonly #line: MemoryLine;
  readonly #links = new Map<string, Link>();
  readonly #queue: Uint8Array[] = [];
  readonly #head: FrameHead = { kind: 'data', hops: 0, segment: 0, length: 0, number: 0 };
  #isSending = false;
  #isRetired = false;
  #sent = 0;
  #lastNumber = 0;
  #freeAt = 0;

  constructor(owner: MemoryNode, other: MemoryNode, isOurs: boolean) {
    this.owner = owner;
    this.node = other.node;
    this.name = other.name;
    this.address = other.address;
    this.remote = other.endpoint;
    this.isOurs = isOurs;
    this.#line = owner.network.line;
    this.lastUsedAt = owner.network.clock.monotonicMs();
    // As the first ping would.
    owner.network.clock.after(2 * this.#line.delayMs, () => (this.rttMs ??= 2 * this.#line.delayMs));
  }

  get links(): number {
    return this.#links.size;
  }

  forward(frame: Uint8Array): SendResult {
    readdress(frame, 0, ++this.#sent);
    return this.#put(frame);
  }

  refuse(frame: Uint8Array): void {
    const head = {
      kind: 'unreachable',
      hops: FIRST_HOPS,
      segment: 0,
      length: 0,
      number: ++this.#sent,
    } as const;
    const answer = new Uint8Array(FRAME_HEAD);
    writeHead(answer, 0, head, frame.slice(28, 44), frame.slice(12, 28));
    this.#put(answer);
  }

  pause(): void {
    this.isPaused = true;
  }

  resume(): void {
    this.isPaused = false;
    this.other.pump();
  }

  link(peer: StreamPeer): Link {
    const known = this.#links.get(peer.node);
    if (known !== undefined) return known;
    const ip = parseIp(peer.ip6);
    const destination = ip.ok ? ip.value.bytes : new Uint8Array(16);
    const link: Link = {
      id: `relay-tcp ${peer.name} via ${this.name}`,
      transport: 'relay-tcp',
      traits: { reliable: true, ordered: true, relayed: true },
      remote: this.remote,
      local: null,
      mtu: 65_000,
      send: batch => this.send(destination, batch),
      close: () => void this.#links.delete(peer.node),
    };
    this.#links.set(peer.node, link);
    return link;
  }

  send(destination: Uint8Array, { bytes, offset, length, segment }: Batch): SendResult {
    this.lastUsedAt = this.owner.network.clock.monotonicMs();
    const frame = new Uint8Array(FRAME_HEAD + length);
    const head = { kind: 'data', hops: FIRST_HOPS, segment, length, number: ++this.#sent } as const;
    writeHead(frame, 0, head, this.owner.bytes, destination);
    frame.set(bytes.subarray(offset, offset + length), FRAME_HEAD);
    return this.#put(frame);
  }

  /** Whatever a hostile node may write; its number fits unless one is given. */
  sendRaw(frame: Uint8Array, number = this.#sent + 1): SendResult {
    this.#sent = number;
    new DataView(frame.buffer, frame.byteOffset).setUint32(8, number);
    return this.#put(frame);
  }

  /** What is on its way still arrives. */
  retire(): void {
    this.#isRetired = true;
    this.owner.network.clock.after(5_000, () => this.close());
  }

  close(): void {
    if (this.isClosed) return;
    this.isClosed = true;
    this.#queue.length = 0;
    this.#links.clear();
    this.owner.went(this);
    this.other.close();
  }

  #put(frame: Uint8Array): SendResult {
    if (this.isClosed) return 'closed';
    // A socket that has been ended takes no more: the connection breaks.
    if (this.#isRetired) {
      this.close();
      return 'sent';
    }
    if (this.backlog + frame.length > this.#line.capacity) return 'busy';
    this.backlog += frame.length;
    this.#queue.push(frame);
    this.pump();
    return 'sent';
  }

  pump(): void {
    const [frame] = this.#queue;
    if (frame === undefined || this.#isSending || this.other.isPaused || this.isClosed) return;
    this.#isSending = true;
    const { clock } = this.owner.network;
    const now = clock.monotonicMs();
    this.#freeAt = Math.max(now, this.#freeAt) + (frame.length / this.#line.bytesPerSecond) * 1000;
    clock.after(
      this.#freeAt - now + (this.#line.bytesPerSecond === Infinity ? this.#line.delayMs : 0),
      () => {
        this.#isSending = false;
        if (this.isClosed) return;
        this.#queue.shift();
        this.backlog -= frame.length;
        this.other.arrive(frame);
        this.pump();
      },
    );
  }

  arrive(frame: Uint8Array): void {
    const head = readHead(frame, 0, this.#head);
    const problem = head.ok ? this.#problemOf(frame, head.value) : head.code;
    if (problem !== null || !head.ok) this.owner.breaches.push(problem ?? '');
    else {
      this.#lastNumber = head.value.number;
      if (destinationOf(frame, 0) === this.owner.address)
        this.lastUsedAt = this.owner.network.clock.monotonicMs();
      this.owner.take(this, frame, head.value);
    }
  }

  #problemOf(frame: Uint8Array, { length, number, kind }: FrameHead): string | null {
    if (frame.length !== FRAME_HEAD + length) return 'frame.length';
    if (!isAfter(number, this.#lastNumber)) return 'frame.replayed';
    const isOwn = sourceOf(frame, 0) === this.address || this.other.owner.isRelay || kind !== 'data';
    return isOwn ? null : 'frame.source';
  }
}
