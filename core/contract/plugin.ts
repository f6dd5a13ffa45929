// What a plugin is written against. A plugin's folder holds `plugin.json` (read without running anything) and an entry
// module that exports `createPlugin(context)`.
import type { Clock } from '../../base/clock.ts';
import type { Counters } from '../../base/counters.ts';
import type { Log } from '../../base/log.ts';
import type { Random } from '../../base/random.ts';
import type { Endpoint } from '../../protocol/address.ts';
import type { Registration, RelaysTold, SignedNode, TcpPlace } from '../../protocol/location/messages.ts';
import type { StunMessage } from '../../protocol/stun/message.ts';
import type { Primitives } from '../../protocol/primitives.ts';
import type { Candidate } from './candidate.ts';
import type { Batch, Link, LinkTraits, SendResult } from './link.ts';
import type { NatReport } from './nat-report.ts';
import type { Puncher } from './punch.ts';

/** Raised when a plugin written against the old number would break. */
export const CONTRACT = 1;

/** `plugin.json`. */
export interface PluginManifest {
  /** `nat-stun`: the folder's name. */
  readonly name: string;
  readonly version: string;
  readonly kind: 'traversal' | 'transport';
  readonly contract: number;
  /** The module, beside the manifest: `index.js`. */
  readonly entry: string;
  /** One sentence on what it does for the user. */
  readonly purpose: string;
  /** On unless the owner says otherwise. */
  readonly enabled: boolean;
  /** JSON Schema of its settings, with defaults: flat, and of the few keywords that `settings-schema.ts` of the host allows. */
  readonly settings: Readonly<Record<string, unknown>>;
  /** npm packages with native parts that must load: where one can't, the plugin is unavailable. */
  readonly nativePackages: readonly string[];
}

/** `limited`: it works, but not all of it can here. */
export type PluginState = 'ready' | 'limited' | 'unavailable';

export interface PluginReport {
  readonly state: PluginState;
  /** Stable, with words in docs: `STUN_NO_SERVER`. Empty when ready. */
  readonly code: string;
  readonly facts: Readonly<Record<string, unknown>>;
}

export interface Plugin {
  /** Settles when it works (or is known to be limited); the host waits 10 s. */
  start(signal: AbortSignal): Promise<void>;
  /** Called once, also after a failed start; the host waits 5 s. */
  stop(): Promise<void>;
  /** New settings without a restart; absent: the host stops and starts it. */
  reconfigure?(settings: Readonly<Record<string, unknown>>): Promise<void>;
  report(): PluginReport;
}

/** A small store that only this plugin sees. Values are JSON. */
export interface PluginStore {
  get(key: string): Promise<unknown>;
  put(key: string, value: unknown): Promise<void>;
  delete(key: string): Promise<void>;
}

export interface PluginContext {
  readonly settings: Readonly<Record<string, unknown>>;
  readonly log: Log;
  readonly clock: Clock;
  readonly random: Random;
  readonly primitives: Primitives;
  readonly counters: Counters;
  readonly store: PluginStore;
  /** Ends all that the plugin began. */
  readonly signal: AbortSignal;
  /** For traversal: sockets the core owns, under the core's budget. */
  readonly stun: StunDoor;
  /** For transports that go through other nodes: TCP connections between nodes, which the core opens, checks and owns. */
  readonly streams: StreamDoor;
  /** What the location server knows and is told. */
  readonly network: NetworkWords;
  /** The home's router, for whoever gets it to pass ports on. */
  readonly home: HomeDoor;
  /** For transports that both ends have to agree on: words to the same plugin at another node. */
  readonly signals: SignalDoor;
  /** For transports that open links by means of their own. */
  readonly links: LinkDoor;
}

// ---- traversal

export type StunOutcome =
  | {
      readonly ok: true;
      readonly message: StunMessage;
      readonly from: Endpoint;
      readonly local: Endpoint;
      readonly rttMs: number;
    }
  /** `timeout`, `budget` (the node may not send more now), `aborted`, `unreachable`. */
  | { readonly ok: false; readonly code: 'timeout' | 'budget' | 'aborted' | 'unreachable' };

export interface StunAsk {
  readonly to: Endpoint;
  /** A Binding request without its transaction id: the core makes that, sends, retransmits (RFC 8489 6.2.1) and matches. */
  readonly attributes: StunMessage['attributes'];
  /** Give up after this many ms (default 3,500); retransmissions are at 0, 500, 1500, 3500 … */
  readonly timeoutMs?: number;
  /** The answer may come from another address or port than `to` (CHANGE-REQUEST, RFC 5780). */
  readonly anySource?: boolean;
  /** The answer may come to another socket of this door (RESPONSE-PORT, RFC 5780 4.6); its `localPort` tells which. */
  readonly anySocket?: boolean;
}

export interface StunSocket {
  readonly family: 4 | 6;
  readonly localPort: number;
  transact(ask: StunAsk, signal?: AbortSignal): Promise<StunOutcome>;
}

/**
 * Sockets for measuring. The plugin proposes; the core sends. Every socket answers a Binding request whose transaction id
 * is that of a try under way, minimally: so a request sent to the own mapped address is answered by ourselves, and
 * the NAT is known to hairpin (RFC 5780 4.5).
 */
export interface StunDoor {
  /** The long-lived socket, which also carries the data: its mapping is what peers are told. Null: no such family here. */
  main(family: 4 | 6): StunSocket | null;
  /** A socket of its own, for filtering tests (earlier traffic spoils them) and measurements. */
  fresh(family: 4 | 6): Promise<StunSocket & { close(): void }>;
  /**
   * The same over TCP (P7): each place asked gets a connection of its own from the same local port, which stays open
   * until the socket is closed. Absent: this machine has no such sockets.
   */
  freshTcp?(family: 4 | 6): Promise<StunSocket & { close(): void }>;
  /** The location server's STUN addresses as this node reaches them; changes are told through `onChange`. */
  servers(): readonly StunServer[];
  /** This machine's own addresses. */
  localAddresses(): readonly { readonly family: 4 | 6; readonly address: string }[];
  /** Calls back when the network or the servers changed. Returns the way to stop that. */
  onChange(changed: () => void): () => void;
}

export interface StunServer {
  /** The main STUN address, and the second port on the same address where there is one. */
  readonly endpoint: Endpoint;
  readonly secondPort: number | null;
}

export interface TraversalPlugin extends Plugin {
  /** What is known now; cheap. */
  candidates(): readonly Candidate[];
  natReport(): NatReport;
  /** Measure afresh: `quick` only the mapped address (a path was lost, the network changed), else the whole report. */
  refresh(depth: 'quick' | 'full', signal?: AbortSignal): Promise<void>;
  /** Called whenever candidates or report changed. Returns the way to stop that. */
  onChange(changed: () => void): () => void;
  /** Absent: it only finds out where this node can be reached. */
  readonly puncher?: Puncher;
}

/** What the core uses of a traversal plugin once it runs. */
export type Traversal = Omit<TraversalPlugin, keyof Plugin>;

// ---- the home's router

export interface HomeDoor {
  /** The default gateway of each family, none where this box stands on the public network itself. */
  gateways(): readonly Gateway[];
  /** Ports of this box that the outside should get to. */
  ports(): readonly WantedPort[];
  /** Calls back when either would answer something else, or the network changed. Returns the way to stop that. */
  onChange(changed: () => void): () => void;
  /** All that the router passes on now and that is reached from outside; taken back when the plugin stops. */
  tell(mapped: readonly MappedPort[]): void;
}

export interface Gateway {
  readonly family: 4 | 6;
  /** A link-local one with its zone: `fe80::1%eth0`. */
  readonly address: string;
  /** This machine's address on that network. */
  readonly local: string;
}

export interface WantedPort {
  readonly transport: 'udp' | 'tcp';
  readonly port: number;
  /** `data`: sessions; `connections`: other nodes' TCP connections; `server`: the location server on this box. */
  readonly purpose: 'data' | 'connections' | 'server';
}

export interface MappedPort extends Pick<WantedPort, 'transport' | 'port'> {
  /** Where the outside gets to it. */
  readonly outer: Endpoint;
}

// ---- streams

/**
 * A TCP connection with another node of the network: each has proved to be who it says (its record, the server's word on
 * it, its key). Frames (`protocol/stream/frame.ts`) travel on it.
 */
export interface Stream {
  /** The other end's id. */
  readonly node: string;
  readonly name: string;
  /** Its address in frames, 16 bytes as Latin-1 text (`latinOf`). */
  readonly address: string;
  /** Who opened it. */
  readonly isOurs: boolean;
  readonly remote: Endpoint;
  /** Round trip in ms, smoothed; null: not measured yet. */
  readonly rttMs: number | null;
  /** Bytes that wait to be sent. */
  readonly backlog: number;
  readonly isClosed: boolean;
  /** Ways of this node itself that stand on it: open links, to its other end or through it. */
  readonly links: number;
  /** When a datagram or probe of this node itself last went or came on it (`monotonicMs`); at first, when it was opened. */
  readonly lastUsedAt: number;
  /**
   * Sends a whole frame that another connection brought, with one hop less; the bytes are copied. `busy`: its queue is
   * full, and the frame is dropped.
   */
  forward(frame: Uint8Array): SendResult;
  /** Tells the sender of a frame that its destination is not to be had here; at most once a second for each. */
  refuse(frame: Uint8Array): void;
  /** Nothing more is read from it until `resume`: its sender is slowed. */
  pause(): void;
  resume(): void;
  /** The way to another node through this one, or to its other end itself: the same each time, while that is open. */
  link(peer: StreamPeer): Link;
  close(): void;
}

/** The node that a link leads to. */
export interface StreamPeer {
  readonly node: string;
  readonly name: string;
  /** Its virtual IPv6 address. */
  readonly ip6: string;
}

export interface StreamDoor {
  /** This node's own id. */
  readonly node: string;
  /** The connection with that node that stands, or a new one. Rejects with a GinnelError (STREAM_REFUSED, STREAM_UNREACHABLE). */
  open(to: TcpPlace, signal: AbortSignal): Promise<Stream>;
  /** All that stand now. */
  readonly all: Iterable<Stream>;
  /** By `Stream.address`; null: no connection with that node. */
  find(address: string): Stream | null;
  /**
   * What to do with frames for others: `frame` is whole, its head checked, its source the node of `from` unless that one
   * forwards for others itself; it is lent until the call returns. Without a taker they are refused. Returns the way to stop that.
   */
  serve(taker: (from: Stream, frame: Uint8Array) => void): () => void;
  /** A connection came or went. Returns the way to stop that. */
  onChange(changed: (stream: Stream, isOpen: boolean) => void): () => void;
}

/** What the network's memory, the location server, says, and what it is told of this node. */
export interface NetworkWords {
  /** The route to a node (V7, V10), by its virtual IPv6 address or id; from what is known, where the server is away. Rejects: NODE_UNKNOWN, SERVER_AWAY. */
  route(to: { readonly address: string } | { readonly node: string }): Promise<NetworkRoute>;
  /** V9: the relays to keep and to measure, at once and whenever they are others. Returns the way to stop that. */
  onRelays(told: (relays: Pick<RelaysTold, 'keep' | 'measure'>) => void): () => void;
  /** For the next registration, which follows soon; taken back when the plugin stops. */
  tell(facts: Partial<Pick<Registration, 'relay' | 'relays' | 'region' | 'bandwidth' | 'cpuLoad'>>): void;
}

export interface NetworkRoute {
  readonly node: SignedNode;
  readonly tcp: readonly Endpoint[];
  readonly relays: readonly TcpPlace[];
}

// ---- transport

/** The longest that `SignalDoor.send` takes, in characters. */
export const MAX_SIGNAL_WORDS = 8 * 1024;

/** By the location server, which can neither read nor forge what is said. */
export interface SignalDoor {
  /** Rejects with a GinnelError: NODE_UNKNOWN, NODE_OFFLINE, SERVER_AWAY, RATE_LIMITED. */
  send(node: string, words: string): Promise<void>;
  /** What the same plugin at another node of the network says, whoever that is. Returns the way to stop that. */
  onSignal(heard: (from: StreamPeer, words: string) => void): () => void;
}

export interface LinkDoor {
  /**
   * This link stands, by whomever it was opened: from now on it may be used. One with the id of another takes over from
   * it. Nobody is believed to be at its other end until a probe or the session has authenticated him.
   */
  opened(link: Link): LinkInlet;
  /** May something be sent there at all? Not to the overlay itself, nor to nobody's address. */
  isPlace(endpoint: Endpoint): boolean;
}

/** Takes in what comes by one link. */
export interface LinkInlet {
  /** Datagrams of the other end; the bytes are lent until the call returns. */
  received(batch: Batch): void;
  /** It carries nothing any more. */
  closed(reason: string): void;
}

export interface TransportPlugin extends Plugin {
  readonly name: string;
  readonly traits: LinkTraits & { readonly inbound: boolean; readonly needsSignalling: boolean };
  /** By which others can reach this node with it; told to peers in offers and answers. */
  candidates(): readonly Candidate[];
  /** Opens a link to that peer by one of its candidates; rejects with a GinnelError. Links opened by others arrive by what comes on them, or by `LinkDoor.opened`. */
  dial(candidate: Candidate, peer: StreamPeer, signal: AbortSignal): Promise<Link>;
  /** Further ways to any peer that need no word of it: through relays that this node keeps itself. */
  ownWays?(peer: StreamPeer): readonly Link[];
  /** Calls back when `candidates` or `ownWays` would answer something else. Returns the way to stop that. */
  onChange(changed: () => void): () => void;
}

/** What the entry module exports. */
export interface PluginModule {
  createPlugin(context: PluginContext): Plugin;
}
