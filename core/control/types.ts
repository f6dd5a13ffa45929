// The node's end of the location protocol, as the rest of the node sees it.
import type {
  LookupSubject,
  NodeId,
  NodeSignal,
  PathSignal,
  Registration,
  RelaysTold,
  RollAnswer,
  ScopeRule,
  ServerPlaces,
  SignedNode,
  Standing,
  TcpPlace,
  TransportSignal,
  Welcome,
} from '../../protocol/location/messages.ts';
import type { Learnt } from './whereabouts.ts';
import type { GinnelError } from '../../base/errors.ts';
import type { Endpoint } from '../../protocol/address.ts';

/** `waiting`: the server knows this node, and has somebody approve it first. */
export type ControlState = 'connecting' | 'waiting' | 'connected' | 'away' | 'refused' | 'stopped';

export interface RouteFound {
  readonly node: SignedNode;
  readonly online: boolean;
  readonly registration: Registration | null;
  /** Where its own TCP door answers, and the relays by which it is reached (V7). */
  readonly tcp: readonly Endpoint[];
  readonly relays: readonly TcpPlace[];
}

export interface ControlEvents {
  /** Logged in; also after every reconnection. */
  welcomed(welcome: Welcome, server: Endpoint): void;
  stateChanged(state: ControlState, reason: string): void;
  /** A verified signal of a verified node. */
  signalled(from: SignedNode, signal: PathSignal): void;
  /** The same of a transport plugin's words. */
  transportSignalled(from: SignedNode, signal: TransportSignal): void;
  nodeChanged(node: SignedNode, online: boolean): void;
  seenFrom(endpoint: Endpoint): void;
  /** Newer places of the server are known, by its own signed word. */
  placesLearnt(places: ServerPlaces): void;
  /** V5: the network's own rules are these; also after every log-in. */
  rulesTold(rules: readonly ScopeRule[]): void;
  /** V9: the relays to keep connections to, and to measure; not itself among them. */
  relaysTold(relays: Pick<RelaysTold, 'keep' | 'measure'>): void;
  /** V13: a node that was looked up is reached otherwise now. */
  rerouted(node: NodeId, route: Pick<RouteFound, 'tcp' | 'relays'>): void;
}

export interface Control {
  readonly state: ControlState;
  /** Monotonic ms of the last message from the server; null: never. */
  readonly lastHeardAt: number | null;
  /** Round trip to the server in ms; null: unknown. */
  readonly rttMs: number | null;
  /** Why it is not connected, with code and words; null while it is. */
  readonly problem: GinnelError | null;
  /** Why the server did not take this node's record when nobody waited for that; null: it did, or was not asked. */
  readonly unpublished: GinnelError | null;
  /** The address by which the server is reached now; null: not connected. */
  readonly server: Endpoint | null;
  /** Milliseconds since 1970 by the server's clock, once it is known; this machine's until then. */
  nowMs(): number;
  start(): void;
  /** Ends the connection and writes what waits to be kept. */
  stop(): Promise<void>;
  /** The network changed: try now what would be tried later, and doubt the connection. */
  kick(): void;
  /** The newest signed word of where the server is; null: none yet. */
  readonly places: ServerPlaces | null;
  /** Another node brought the server's signed word: kept where it is newer, and the server tried there at once. */
  hearPlaces(places: ServerPlaces): Learnt;
  /** Another node brought the server's word that a node is out or in: this server may have lost it. */
  bring(standing: Standing): void;
  /** Where to look for the server changed: it is tried there at once, unless it is connected. */
  lookAgain(): void;
  /** Told to the server soon, and at intervals (V4). */
  register(registration: Registration): void;
  /** Tells the network what changed in this node's record; where the server is away, at the next log-in. Rejects: NAME_TAKEN, … */
  publish(): Promise<void>;
  /** Rejects with a GinnelError: NODE_UNKNOWN, SERVER_AWAY, … */
  lookup(what: LookupSubject): Promise<RouteFound>;
  /** Who is in the network, from the answer before on (0: from the beginning); a page. Rejects with a GinnelError. */
  roll(after: number): Promise<RollAnswer>;
  /** Sealed to the node; the serial is set here. Rejects with NODE_OFFLINE, SERVER_AWAY. */
  signal(to: SignedNode, signal: NodeSignal): Promise<void>;
}
