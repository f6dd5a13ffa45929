// All TCP connections between this node and others: opened by us, or by them at the box's one TCP door. Says whom a frame
// is for (V11): this node, which gets it by a link; or another, for whoever forwards. One connection a node is enough.
import type { Socket } from 'node:net';
import type { Clock } from '../../base/clock.ts';
import type { Counters } from '../../base/counters.ts';
import type { Log } from '../../base/log.ts';
import { TokenBucket } from '../../base/token-bucket.ts';
import type { Endpoint } from '../../protocol/address.ts';
import { canonicalIp, familyOf, formatIp } from '../../protocol/ip/address.ts';
import type { SignedNode, TcpPlace } from '../../protocol/location/messages.ts';
import { startNoise } from '../../protocol/noise/handshake-state.ts';
import type { DhKeyPair, Primitives } from '../../protocol/primitives.ts';
import { isStun } from '../../protocol/stun/codec.ts';
import { destinationOf, FRAME_HEAD, latinOf, type FrameHead } from '../../protocol/stream/frame.ts';
import { STREAM_VERSION } from '../../protocol/stream/handshake.ts';
import type { Link } from '../contract/link.ts';
import type { Stream, StreamDoor, StreamPeer } from '../contract/plugin.ts';
import { isWireguard, silentEvents, type StreamsEvents } from '../paths/udp-transport.ts';
import { beginWith, type BeginOptions, type Begun } from './beginning.ts';
import { dial, type Connect } from './dialling.ts';
import { FramePool } from './frame-pool.ts';
import { addressOf, NodeStream, type StreamOwner } from './node-stream.ts';
import { StreamLink, type LinkOwner } from './stream-link.ts';

/** Beginnings of others: each costs key agreement. */
const BEGINNINGS = { perSecond: 50, burst: 200, atOnce: 128 };
/** Links to nodes that nobody here asked for, through one stream. */
const MAX_STRANGERS = 4096;
const CROSSING_MS = 5_000;

export interface StreamsOptions {
  readonly clock: Clock;
  readonly counters: Counters;
  readonly log: Log;
  readonly primitives: Primitives;
  /** This node's id. */
  readonly node: string;
  readonly control: DhKeyPair;
  /** The location server's control key. */
  readonly serverKey: Uint8Array;
  /** This node as the server signed it; null: it is not registered yet. */
  readonly self: () => SignedNode | null;
  readonly doubt: (node: SignedNode) => string | null;
  readonly connect: Connect;
  readonly lendReads: StreamOwner['lendReads'];
  /** Frames come from a node with that virtual IPv6 address, for the first time by this stream. */
  readonly heardOf: (ip6: string) => void;
}

type Taker = (from: Stream, frame: Uint8Array) => void;

export class Streams implements StreamDoor, StreamOwner, LinkOwner {
  events: StreamsEvents = { ...silentEvents, closed() {} };
  readonly clock: Clock;
  readonly counters: Counters;
  readonly pool = new FramePool();
  readonly #options: StreamsOptions;
  /** By the other end's address in frames. */
  readonly #streams = new Map<string, NodeStream>();
  readonly #opening = new Map<string, Promise<Stream>>();
  readonly #links = new Map<string, StreamLink>();
  /** By stream and source, as frames name them. */
  readonly #byFrame = new Map<string, StreamLink>();
  readonly #listeners = new Set<(stream: Stream, isOpen: boolean) => void>();
  readonly #ended = new AbortController();
  readonly #knocks: TokenBucket;
  #knocking = 0;
  #taker: Taker | null = null;
  #self: Uint8Array = new Uint8Array(16);
  #selfAddress = '';

  constructor(options: StreamsOptions) {
    this.#options = options;
    this.clock = options.clock;
    this.counters = options.counters;
    this.#knocks = new TokenBucket(BEGINNINGS.perSecond, BEGINNINGS.burst, options.clock.monotonicMs());
  }

  /** This node's virtual IPv6 address: frames for it are its own. */
  setAddress(ip6: string): void {
    this.#self = addressOf(ip6);
    this.#selfAddress = latinOf(this.#self);
  }

  get node(): string {
    return this.#options.node;
  }

  get self(): Uint8Array {
    return this.#self;
  }

  /** Idempotent. */
  close(): void {
    this.#ended.abort();
    for (const stream of [...this.#streams.values()]) stream.close();
  }

  // ---- beginnings

  open(to: TcpPlace, signal: AbortSignal): Promise<Stream> {
    const { id, ip6 } = to.node.record;
    const standing = this.#streams.get(latinOf(addressOf(ip6)));
    if (standing !== undefined) return Promise.resolve(standing);
    const opening = this.#opening.get(id) ?? this.#open(to);
    return unless(signal, opening);
  }

  /** For all who want it: that one of them waits no longer ends it for nobody else. It ends by its own time limits. */
  #open(to: TcpPlace): Promise<Stream> {
    const { connect } = this.#options;
    const { id } = to.node.record;
    const opening = dial({ ...this.#beginning(), connect }, to, this.#ended.signal)
      .then(dialled => this.#begun(dialled.socket, dialled, true))
      .finally(() => this.#opening.delete(id));
    this.#opening.set(id, opening);
    return opening;
  }

  /** A connection to the box's TCP door that begins as a stream does; nothing of it was read. */
  accept(socket: Socket): void {
    socket.on('error', () => undefined);
    const mayKnock = this.#knocking < BEGINNINGS.atOnce && this.#knocks.take(this.clock.monotonicMs());
    if (!mayKnock || this.#ended.signal.aborted || this.#options.self() === null) {
      this.#count('turned-away');
      socket.destroy();
      return;
    }
    this.#knocking++;
    this.#accept(socket)
      .catch((error: unknown) => {
        this.#count('refused');
        this.#options.log.debug('a stream was refused', { reason: String(error) });
        socket.destroy();
      })
      .finally(() => this.#knocking--);
  }

  async #accept(socket: Socket): Promise<void> {
    const { serverKey, doubt, primitives } = this.#options;
    const equal = (one: Uint8Array, other: Uint8Array): boolean => primitives.equal(one, other);
    const options = { ...this.#beginning(), serverKey, doubt, equal };
    const begun = await beginWith(options, socket, this.#ended.signal);
    if (begun !== null) this.#begun(socket, begun, false);
    else {
      this.#count('door-checks');
      socket.end();
    }
  }

  #beginning(): BeginOptions {
    const { primitives, control, clock, self } = this.#options;
    const node = self();
    const hello = { v: STREAM_VERSION, forwards: this.#taker !== null, ...(node === null ? {} : { node }) };
    return { keys: { startNoise, primitives, localStatic: control }, clock, hello };
  }

  #begun(socket: Socket, { node, forwards, rest }: Begun, isOurs: boolean): NodeStream {
    const remote = endpointOf(socket.remoteAddress, socket.remotePort);
    if (remote === null || this.#ended.signal.aborted) {
      socket.destroy();
      throw new Error('it hung up');
    }
    const local = endpointOf(socket.localAddress, socket.localPort);
    const stream = new NodeStream(socket, { node, isOurs, forwards, remote, local }, this);
    this.#count(isOurs ? 'opened' : 'accepted');
    stream.begin(rest);
    const older = this.#streams.get(stream.address);
    if (older !== undefined && this.#isPreferred(older, stream)) {
      stream.retire();
      return older;
    }
    this.#streams.set(stream.address, stream);
    // What stands on the older one goes on by this one.
    older?.retire();
    this.#tell(stream, true);
    return stream;
  }

  /** Where both ends connect at the same moment, both keep the one that the smaller address opened; else the newer counts. */
  #isPreferred(older: NodeStream, newer: NodeStream): boolean {
    const areCrossing = older.isOurs !== newer.isOurs && newer.begunAt - older.begunAt < CROSSING_MS;
    return areCrossing && older.isOurs === this.#selfAddress < older.address;
  }

  // ---- streams

  get all(): Iterable<NodeStream> {
    return this.#streams.values();
  }

  find(address: string): NodeStream | null {
    return this.#streams.get(address) ?? null;
  }

  serve(taker: Taker): () => void {
    this.#taker = taker;
    return () => {
      if (this.#taker === taker) this.#taker = null;
    };
  }

  onChange(changed: (stream: Stream, isOpen: boolean) => void): () => void {
    this.#listeners.add(changed);
    return () => void this.#listeners.delete(changed);
  }

  /** It is out of the network. */
  dismiss(id: string): void {
    for (const stream of [...this.#streams.values()]) if (stream.node === id) stream.close();
  }

  closed(stream: NodeStream, reason: string): void {
    if (this.#streams.get(stream.address) !== stream) return;
    this.#streams.delete(stream.address);
    this.#count('closed');
    this.#options.log.debug('a stream ended', { node: stream.name, reason });
    for (const link of [...this.#links.values()])
      if (link.through === stream.address) this.#lost(link, reason);
    this.#tell(stream, false);
  }

  /** The link stays for the next connection with that node; whoever uses it hears that it is silent now. */
  #lost(link: StreamLink, reason: string): void {
    this.events.closed(link, reason);
  }

  #tell(stream: NodeStream, isOpen: boolean): void {
    for (const changed of [...this.#listeners]) changed(stream, isOpen);
  }

  // ---- links

  linkThrough(stream: NodeStream, peer: StreamPeer): StreamLink {
    return this.#linkOf(stream, latinOf(addressOf(peer.ip6)), peer);
  }

  linksThrough(stream: NodeStream): number {
    return [...this.#links.values()].filter(({ through }) => through === stream.address).length;
  }

  /** By its id; null: there is none. */
  linkBy(id: string): StreamLink | null {
    return this.#links.get(id) ?? null;
  }

  keep(link: Link, kept: boolean): void {
    if (link instanceof StreamLink) link.kept = kept;
  }

  sent(link: StreamLink): void {
    this.events.sent(link);
  }

  forget(link: StreamLink): void {
    this.#links.delete(link.id);
    this.#byFrame.delete(link.through + latinOf(addressOf(link.peer.ip6)));
  }

  #linkOf(stream: NodeStream, source: string, peer: StreamPeer | null): StreamLink {
    const key = stream.address + source;
    const known = this.#byFrame.get(key);
    if (known !== undefined) return known;
    if (this.#byFrame.size >= MAX_STRANGERS) this.#forgetOldest();
    const link = new StreamLink(this, stream, peer ?? { node: '', name: '', ip6: ip6Of(source) });
    if (peer === null) this.#options.heardOf(link.peer.ip6);
    this.#byFrame.set(key, link);
    this.#links.set(link.id, link);
    return link;
  }

  #forgetOldest(): void {
    for (const link of this.#byFrame.values())
      if (!link.kept) {
        link.close();
        return;
      }
  }

  lendReads(socket: Socket, received: (bytes: Uint8Array) => void): Socket {
    return this.#options.lendReads(socket, received);
  }

  // ---- frames

  frame(from: NodeStream, frame: Uint8Array, head: FrameHead): void {
    const destination = destinationOf(frame, 0);
    if (destination === this.#selfAddress) this.#own(from, frame, head);
    else if (head.kind !== 'data') this.#count('frame.stray');
    else if (this.#taker !== null) this.#taker(from, frame);
    else {
      this.#count('frame.not-served');
      from.refuse(frame);
    }
  }

  #own(from: NodeStream, frame: Uint8Array, head: FrameHead): void {
    const source = String.fromCharCode(...frame.subarray(12, 28));
    if (head.kind === 'unreachable') {
      const link = this.#byFrame.get(from.address + source);
      this.#count('frame.unreachable');
      if (link !== undefined) this.events.closed(link, `${from.name} has no way to it`);
      return;
    }
    from.used();
    const link = this.#linkOf(from, source, null);
    const batch = { bytes: frame, offset: FRAME_HEAD, length: head.length, segment: head.segment };
    const size = Math.min(head.segment, head.length);
    if (isWireguard(frame, FRAME_HEAD, size)) this.events.wireguard(link, batch);
    else if (isStun(frame, FRAME_HEAD, size)) this.events.stun(link, frame, FRAME_HEAD, size);
    else this.#count('frame.unknown');
  }

  turnEnded(): void {
    this.events.turnEnded();
  }

  #count(name: string): void {
    this.counters.counter(name).value++;
  }
}

/** What `work` comes to, or the signal's reason where that is aborted first. */
function unless<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = (): void => reject(new Error('it is not waited for any more', { cause: signal.reason }));
    if (signal.aborted) abort();
    signal.addEventListener('abort', abort, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
}

const ip6Of = (address: string): string => formatIp(Uint8Array.from(address, letter => letter.charCodeAt(0)));

/** IPv4 over a dual-stack listener shows as `::ffff:192.0.2.1`. */
function endpointOf(text: string | undefined, port: number | undefined): Endpoint | null {
  const address = canonicalIp((text ?? '').replace(/%.*$/, '').replace(/^::ffff:(?=\d+\.)/, ''));
  return address === null || port === undefined ? null : { family: familyOf(address), address, port };
}
