// relay-tcp: ways through other nodes. As a relay it forwards for others (V11); as a node it keeps connections to relays
// (V9), by which it is reached and reaches others where nothing direct leads. The core opens, checks and owns connections.
import { setMaxListeners } from 'node:events';
import type { Candidate } from '../../core/contract/candidate.ts';
import type { Link } from '../../core/contract/link.ts';
import type {
  PluginContext,
  PluginReport,
  Stream,
  StreamPeer,
  TransportPlugin,
} from '../../core/contract/plugin.ts';
import { relayErrors } from './errors.ts';
import type { Machine } from './load.ts';
import { NodeSide } from './node-side.ts';
import { Places } from './places.ts';
import { RelaySide } from './relay-side.ts';
import { readSettings, type RelaySettings } from './settings.ts';
import { Visits } from './visits.ts';

const NAME = 'relay-tcp';
const DIAL_TIMEOUT_MS = 5_000;

/** `machine`: where the load is read. */
export function createPlugin(context: PluginContext, machine?: Machine): TransportPlugin {
  return new RelayTcp(context, machine);
}

class RelayTcp implements TransportPlugin {
  readonly name = NAME;
  readonly traits = {
    reliable: true,
    ordered: true,
    relayed: true,
    inbound: true,
    needsSignalling: false,
  } as const;
  readonly #context: PluginContext;
  readonly #ended = new AbortController();
  readonly #listeners = new Set<() => void>();
  readonly #places: Places;
  readonly #visits: Visits;
  readonly #node: NodeSide;
  readonly #relay: RelaySide;
  #settings: RelaySettings;
  #isStarted = false;
  #unsubscribes: (() => void)[] = [];

  constructor(context: PluginContext, machine?: Machine) {
    const { clock, network, signal, streams } = context;
    // Each try to connect listens.
    setMaxListeners(0, this.#ended.signal);
    this.#context = context;
    this.#settings = readSettings(context.settings);
    this.#places = new Places(clock, network);
    const isKept = (node: string): boolean => this.#node.keeper.isKept(node);
    const wasUsed = (stream: Stream): boolean => this.#relay.wasUsed(stream);
    this.#visits = new Visits({ clock, streams, signal: this.#ended.signal, isKept, wasUsed });
    this.#node = new NodeSide(context, this.#visits, this.#ended.signal, () => this.#changed());
    this.#relay = new RelaySide(context, this.#settings, this.#visits, machine);
    const end = (): void => this.#end();
    if (signal.aborted) end();
    else signal.addEventListener('abort', end, { once: true });
  }

  start(signal: AbortSignal): Promise<void> {
    if (signal.aborted || this.#ended.signal.aborted) return Promise.resolve();
    this.#isStarted = true;
    if (this.#settings.isRegionBad) this.#context.log.warn(relayErrors('RELAY_BAD_REGION').message);
    const { streams, stun } = this.#context;
    this.#unsubscribes = [
      streams.onChange((stream, isOpen) => this.#streamChanged(stream, isOpen)),
      stun.onChange(() => this.#node.keeper.networkChanged()),
    ];
    this.#relay.start();
    this.#node.start();
    return Promise.resolve();
  }

  stop(): Promise<void> {
    this.#end();
    return Promise.resolve();
  }

  reconfigure(settings: Readonly<Record<string, unknown>>): Promise<void> {
    this.#settings = readSettings(settings);
    if (this.#isStarted && !this.#ended.signal.aborted) this.#relay.set(this.#settings);
    return Promise.resolve();
  }

  report(): PluginReport {
    const code = this.#code();
    const { nodes, mostNodes, bitsPerSecond, line } = this.#relay.figures;
    const forwards = { serving: this.#relay.isServing, nodes, mostNodes, bitsPerSecond, line };
    const facts = { ...forwards, relays: this.#relays(), forwardedBytes: this.#count('forwarded.bytes') };
    const drops = { dropped: this.#drops() };
    return { state: code === '' ? 'ready' : 'limited', code, facts: { ...facts, ...drops } };
  }

  candidates(): readonly Candidate[] {
    return this.#standing().map(({ remote, node }) => ({
      kind: 'relay',
      transport: NAME,
      endpoint: remote,
      relay: node,
      foundBy: NAME,
    }));
  }

  async dial(candidate: Candidate, peer: StreamPeer, signal: AbortSignal): Promise<Link> {
    const { relay } = candidate;
    if (relay === undefined) throw relayErrors('RELAY_NOT_KNOWN', { relay: 'of no name' });
    // It keeps a connection here: that one leads to it.
    if (relay === this.#context.streams.node) return this.#standingTo(peer.node, relay).link(peer);
    const stream = this.#standingWith(relay) ?? (await this.#visit(relay, peer, signal));
    return stream.link(peer);
  }

  ownWays(peer: StreamPeer): readonly Link[] {
    return this.#standing()
      .filter(({ node }) => node !== peer.node)
      .map(stream => stream.link(peer));
  }

  onChange(changed: () => void): () => void {
    this.#listeners.add(changed);
    return () => void this.#listeners.delete(changed);
  }

  // ---- connections

  #streamChanged(stream: Stream, isOpen: boolean): void {
    if (isOpen) {
      this.#visits.arrived(stream);
      this.#node.arrived(stream);
      this.#relay.arrived(stream);
      return;
    }
    this.#visits.left(stream);
    this.#relay.left(stream);
    this.#node.left(stream);
  }

  #standing(): readonly Stream[] {
    return this.#node.keeper.standing.flatMap(({ stream }) => (stream === null ? [] : [stream]));
  }

  #standingWith(node: string): Stream | null {
    for (const stream of this.#context.streams.all)
      if (stream.node === node && !stream.isClosed) return stream;
    return null;
  }

  #standingTo(node: string, relay: string): Stream {
    const stream = this.#standingWith(node);
    if (stream === null) throw relayErrors('RELAY_NOT_KNOWN', { relay });
    return stream;
  }

  async #visit(relay: string, peer: StreamPeer, signal: AbortSignal): Promise<Stream> {
    const place = this.#node.keeper.placeOf(relay) ?? (await this.#places.of(relay, peer.node));
    if (place === null) throw relayErrors('RELAY_NOT_KNOWN', { relay });
    try {
      return await this.#visits.open(place, DIAL_TIMEOUT_MS, signal);
    } catch (error) {
      this.#places.forget(relay);
      throw error;
    }
  }

  #changed(): void {
    for (const listener of [...this.#listeners]) listener();
  }

  /** Whichever comes first, `stop` or the signal. */
  #end(): void {
    if (this.#ended.signal.aborted) return;
    this.#ended.abort();
    for (const unsubscribe of this.#unsubscribes) unsubscribe();
    this.#unsubscribes = [];
    if (!this.#isStarted) return;
    this.#node.stop();
    this.#relay.stop();
    this.#visits.stop();
  }

  // ---- the report

  #code(): string {
    const { keeper } = this.#node;
    const standing = keeper.standing.length;
    const hasFailed = keeper.relays.some(({ state, isLeaving }) => state === 'failed' && !isLeaving);
    if (hasFailed && standing === 0) return 'RELAY_UNREACHABLE';
    if (hasFailed && standing === 1) return 'RELAY_ONLY_ONE';
    return this.#settings.isRegionBad ? 'RELAY_BAD_REGION' : '';
  }

  #relays(): object[] {
    const names = new Map(this.#node.keeper.relays.map(({ node, place }) => [node, place.node.record.name]));
    return this.#node.inUse.map(words => ({ ...words, name: names.get(words.node) ?? null }));
  }

  #count(name: string): number {
    return this.#context.counters.counter(name).value;
  }

  /** Of this process, by what was wrong. */
  #drops(): Record<string, number> {
    const all = Object.entries(this.#context.counters.snapshot());
    const drops = all.flatMap(([name, value]): [string, number][] => {
      const reason = name.split(`${NAME}.dropped.`)[1];
      return reason === undefined || value === 0 ? [] : [[reason, value]];
    });
    return Object.fromEntries(drops);
  }
}
