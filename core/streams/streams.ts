// All TCP connections between this node and others: opened by us, or by them at the box's one TCP door. Says whom a frame
// is for (V11): this node, which gets it by a link; or another, for whoever forwards. One connection a node is enough.
import type { Socket } from 'node:net';
import type { Clock } from '../../base/clock.ts';
import type { Counters } from '../../base/counters.ts';
import type { Log } from '../../base/log.ts';
import { TokenBucket } from '../../base/token-bucket.ts';
import { formatEndpoint } from '../../protocol/address.ts';
import { tcpAddress, tcpEndpoint } from '../../protocol/ip/endpoint.ts';
import type { SignedNode, TcpPlace } from '../../protocol/location/messages.ts';
import { startNoise } from '../../protocol/noise/handshake-state.ts';
import type { DhKeyPair, Primitives } from '../../protocol/primitives.ts';
import { isStun } from '../../protocol/stun/codec.ts';
import { destinationOf, FRAME_HEAD, latinOf, sourceOf, type FrameHead } from '../../protocol/stream/frame.ts';
import { STREAM_VERSION } from '../../protocol/stream/handshake.ts';
import type { Link } from '../contract/link.ts';
import type { Stream, StreamDoor, StreamPeer } from '../contract/plugin.ts';
import { isWireguard, silentEvents, type StreamsEvents } from '../paths/udp-transport.ts';
import { beginAs, beginWith, type AcceptOptions, type BeginOptions, type Begun } from './beginning.ts';
import { dial, type Connect } from './dialling.ts';
import { Doorkeeper } from './doorkeeper.ts';
import { streamErrors } from './errors.ts';
import { FramePool } from './frame-pool.ts';
import { addressOf, NodeStream, type StreamOwner } from './node-stream.ts';
import { Links } from './links.ts';
import { punch, type PunchAsk } from './punching.ts';
import { StreamLink, type LinkOwner } from './stream-link.ts';

/** Look-ups of nodes that were heard through relays, and words that one is not to be had there. */
const STRANGERS = { perSecond: 2, burst: 20 };
const UNREACHABLE = { perSecond: 50, burst: 200 };
/** A network's own prefix, in bytes of an address. */
const PREFIX_BYTES = 6;
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
  readonly #links = new Links(this);
  /** Another connection with the same node took over: what is on its way still arrives. */
  readonly #retired = new Set<NodeStream>();
  readonly #listeners = new Set<(stream: Stream, isOpen: boolean) => void>();
  readonly #ended = new AbortController();
  readonly #doorkeeper: Doorkeeper;
  readonly #strangers: TokenBucket;
  readonly #unreachable: TokenBucket;
  #taker: Taker | null = null;
  #self: Uint8Array = new Uint8Array(16);
  #selfAddress = '';

  constructor(options: StreamsOptions) {
    this.#options = options;
    this.clock = options.clock;
    this.counters = options.counters;
    const now = options.clock.monotonicMs();
    this.#doorkeeper = new Doorkeeper(options.clock);
    this.#strangers = new TokenBucket(STRANGERS.perSecond, STRANGERS.burst, now);
    this.#unreachable = new TokenBucket(UNREACHABLE.perSecond, UNREACHABLE.burst, now);
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
    for (const stream of [...this.#streams.values(), ...this.#retired]) stream.close();
  }

  // ---- beginnings

  open(to: TcpPlace, signal: AbortSignal): Promise<Stream> {
    const { id, ip6 } = to.node.record;
    const standing = this.#streams.get(latinOf(addressOf(ip6)));
    if (standing !== undefined) return Promise.resolve(standing);
    const doubt = this.#options.doubt(to.node);
    if (doubt !== null) return Promise.reject(refusal(to, doubt));
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

  /**
   * The connection that both ends open at once through their NATs (P7). One that stands between them stays until this one
   * takes over. Rejects with STREAM_REFUSED, STREAM_UNREACHABLE, or the signal's reason; `ask.port` is closed at the end.
   */
  async punch(ask: PunchAsk, signal: AbortSignal): Promise<Stream> {
    const doubt = this.#options.doubt(ask.node);
    if (doubt !== null || !this.#isReady) {
      ask.port.close();
      throw refusal({ node: ask.node, places: [] }, doubt ?? 'this node is on no network');
    }
    const isOurs = ask.role === 'offerer';
    const begin = async (socket: Socket, until: AbortSignal): Promise<Begun> => {
      const begun = isOurs
        ? await beginAs(this.#beginning(), socket, ask.node, until)
        : await beginWith(this.#accepting(), socket, until);
      if (begun === null) throw new Error('it is the location server');
      return begun;
    };
    const { clock, counters } = this;
    const until = AbortSignal.any([signal, this.#ended.signal]);
    const punched = await punch({ clock, counters, begin }, ask, until);
    return this.#begun(punched.socket, punched, isOurs);
  }

  /** A connection to the box's TCP door that begins as a stream does; nothing of it was read. */
  accept(socket: Socket): void {
    socket.on('error', () => undefined);
    const leave = this.#isReady ? this.#doorkeeper.admit(tcpAddress(socket.remoteAddress) ?? '') : null;
    if (leave === null) {
      this.#count('turned-away');
      socket.destroy();
      return;
    }
    this.#accept(socket)
      .catch((error: unknown) => {
        this.#count('refused');
        this.#options.log.debug('a stream was refused', { reason: String(error) });
        socket.destroy();
      })
      .finally(leave);
  }

  get #isReady(): boolean {
    return !this.#ended.signal.aborted && this.#options.self() !== null;
  }

  async #accept(socket: Socket): Promise<void> {
    const begun = await beginWith(this.#accepting(), socket, this.#ended.signal);
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

  #accepting(): AcceptOptions {
    const { serverKey, doubt, primitives } = this.#options;
    const equal = (one: Uint8Array, other: Uint8Array): boolean => primitives.equal(one, other);
    return { ...this.#beginning(), serverKey, doubt, equal };
  }

  #begun(socket: Socket, { node, forwards, rest }: Begun, isOurs: boolean): NodeStream {
    const remote = tcpEndpoint(socket.remoteAddress, socket.remotePort);
    if (remote === null || this.#ended.signal.aborted) {
      socket.destroy();
      throw new Error('it hung up');
    }
    const local = tcpEndpoint(socket.localAddress, socket.localPort);
    const stream = new NodeStream(socket, { node, isOurs, forwards, remote, local }, this);
    this.#count(isOurs ? 'opened' : 'accepted');
    const older = this.#streams.get(stream.address);
    if (older !== undefined && this.#isPreferred(older, stream)) {
      stream.begin(rest);
      this.#retire(stream);
      return older;
    }
    this.#streams.set(stream.address, stream);
    // What stands on the older one goes on by this one.
    if (older !== undefined) this.#retire(older);
    stream.begin(rest);
    if (stream.isClosed) throw new Error('it said nothing that makes sense');
    // What this node does may be another thing since the beginning.
    stream.tellForwards(this.#taker !== null);
    this.#tell(stream, true);
    return stream;
  }

  #retire(stream: NodeStream): void {
    if (stream.isClosed) return;
    this.#retired.add(stream);
    stream.retire();
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
    this.#setTaker(taker);
    return () => {
      if (this.#taker === taker) this.#setTaker(null);
    };
  }

  #setTaker(taker: Taker | null): void {
    const isOther = (taker === null) !== (this.#taker === null);
    this.#taker = taker;
    if (isOther) for (const stream of this.#streams.values()) stream.tellForwards(taker !== null);
  }

  onChange(changed: (stream: Stream, isOpen: boolean) => void): () => void {
    this.#listeners.add(changed);
    return () => void this.#listeners.delete(changed);
  }

  /** It is out of the network. */
  dismiss(id: string): void {
    for (const stream of [...this.#streams.values(), ...this.#retired])
      if (stream.node === id) stream.close();
  }

  /** Its links stay for the next connection with that node; whoever uses them hears that they are silent now. */
  closed(stream: NodeStream, reason: string): void {
    this.#retired.delete(stream);
    if (this.#streams.get(stream.address) !== stream) return;
    this.#streams.delete(stream.address);
    this.#count('closed');
    this.#options.log.debug('a stream ended', { node: stream.name, reason });
    for (const link of this.#links.through(stream.address)) this.events.closed(link, reason);
    this.#tell(stream, false);
  }

  #tell(stream: NodeStream, isOpen: boolean): void {
    for (const changed of [...this.#listeners]) changed(stream, isOpen);
  }

  // ---- links

  linkThrough(stream: NodeStream, peer: StreamPeer): StreamLink {
    return this.#links.wanted(stream, peer);
  }

  linksThrough(stream: NodeStream): number {
    return this.#links.count(stream.address);
  }

  /** By its id; null: there is none. */
  linkBy(id: string): StreamLink | null {
    return this.#links.by(id);
  }

  keep(link: Link, kept: boolean): void {
    if (link instanceof StreamLink) link.kept = kept;
  }

  sent(link: StreamLink): void {
    this.events.sent(link);
  }

  forget(link: StreamLink): void {
    this.#links.forget(link);
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
    const source = sourceOf(frame, 0);
    if (head.kind === 'unreachable') {
      this.#unreachableThere(from, source);
      return;
    }
    const size = Math.min(head.segment, head.length);
    const isSession = isWireguard(frame, FRAME_HEAD, size);
    if (!isSession && !isStun(frame, FRAME_HEAD, size)) {
      this.#count('frame.unknown');
      return;
    }
    from.used();
    const link = this.#links.find(from.address, source) ?? this.#heardOf(from, source);
    if (link === null) this.#count('frame.outside');
    else if (isSession)
      this.events.wireguard(link, {
        ...{ bytes: frame, offset: FRAME_HEAD },
        ...{ length: head.length, segment: head.segment },
      });
    else this.events.stun(link, frame, FRAME_HEAD, size);
  }

  /** Null: no address of this network. */
  #heardOf(from: NodeStream, source: string): StreamLink | null {
    if (source.slice(0, PREFIX_BYTES) !== this.#selfAddress.slice(0, PREFIX_BYTES)) return null;
    const link = this.#links.heard(from, source);
    if (this.#strangers.take(this.clock.monotonicMs())) this.#options.heardOf(link.peer.ip6);
    else this.#count('strangers.too-many');
    return link;
  }

  #unreachableThere(from: NodeStream, source: string): void {
    this.#count('frame.unreachable');
    const link = this.#links.find(from.address, source);
    if (link !== null && link.via !== null && this.#unreachable.take(this.clock.monotonicMs()))
      this.events.closed(link, `${from.name} has no way to it`);
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

const refusal = ({ node, places }: TcpPlace, reason: string): Error =>
  streamErrors('STREAM_REFUSED', {
    ...{ name: node.record.name, reason },
    places: places.map(formatEndpoint).join(', '),
  });
