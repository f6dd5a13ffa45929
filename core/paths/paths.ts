// The face of path finding: what the node's assembly hands in, and what it calls.
import type { Clock } from '../../base/clock.ts';
import type { Counters } from '../../base/counters.ts';
import type { Log } from '../../base/log.ts';
import type { Random } from '../../base/random.ts';
import type { Endpoint, IpFamily } from '../../protocol/address.ts';
import type {
  CandidateWords,
  PathSignal,
  SignedNode,
  TcpPlace,
  Welcome,
} from '../../protocol/location/messages.ts';
import type { EchoWord } from '../../protocol/peer/words.ts';
import type { DhKeyPair, Primitives } from '../../protocol/primitives.ts';
import type { NetworkDoor, TcpSource, UdpDoor } from '../../system/doors.ts';
import type { PathStatus, PeerStatus, PeerWhy } from '../admin.ts';
import type { Candidate } from '../contract/candidate.ts';
import type { Batch, Link } from '../contract/link.ts';
import type { NatReport } from '../contract/nat-report.ts';
import type { LinkDoor, Stream, StunDoor, Traversal } from '../contract/plugin.ts';
import type { Control, ControlState } from '../control/types.ts';
import type { PunchAsk } from '../streams/punching.ts';
import type { Worked } from '../peers/peer.ts';
import type { Engine, PeerId, SessionStatus } from '../dataplane/engine.ts';
import type { BudgetLimits } from './budget.ts';
import type { RouteToPeer, Transport } from './detours.ts';
import type { CardSizes } from './sizing.ts';
import type { DatagramLink, DatagramTransport, StreamsEvents } from './udp-transport.ts';
import type { AdviceSide } from './advice.ts';
import type { Verdict } from './verdict.ts';

/** Where peers answered, kept over restarts. */
export interface EndpointBook {
  /** The latest first, at most 4. */
  good(peer: PeerId): readonly Endpoint[];
  /** What it told last of ways that are no UDP addresses. */
  others(peer: PeerId): readonly CandidateWords[];
  noteGood(
    peer: PeerId,
    good: { readonly transport: string; readonly remote: Endpoint; readonly localPort: number },
  ): void;
  /** What got through last, and between which networks; null: nothing yet. */
  worked(peer: PeerId): Worked | null;
  noteWorked(peer: PeerId, worked: Worked): void;
}

export interface PathsEvents {
  /** State, path or reason of a peer is another. */
  peerChanged(peer: PeerId): void;
  /** This node's candidates or NAT report are others: time to register (V4, V6). */
  selfChanged(): void;
}

export interface PathsOptions {
  readonly transport: DatagramTransport;
  readonly control: Pick<Control, 'state' | 'rttMs' | 'signal'>;
  readonly engine: Pick<Engine, 'setPath' | 'inbound' | 'flush' | 'wake' | 'tell'> & {
    status(id: PeerId): Pick<SessionStatus, 'lastPacketSentAt'> | null;
  };
  readonly network: Pick<NetworkDoor, 'addresses' | 'onChange'>;
  readonly clock: Clock;
  readonly random: Random;
  readonly primitives: Primitives;
  readonly counters: Counters;
  readonly log: Log;
  readonly identity: {
    readonly wireguard: DhKeyPair;
    /** Public, base64. */
    readonly wireguardKey: PeerId;
    readonly network: string;
  };
  readonly book: EndpointBook;
  readonly events: PathsEvents;
  readonly card: CardSizes;
  /** Addresses at which the owner says this node can be reached. */
  readonly configured?: readonly Endpoint[];
  /** For measurements: a UDP socket on any port. */
  readonly openUdp: (family: IpFamily) => UdpDoor;
  /** The same over TCP, and for getting through NATs by it (P7); absent: this machine has no such ports. */
  readonly openTcp?: ((family: IpFamily) => TcpSource) | undefined;
  readonly limits?: BudgetLimits;
  /** Connections with other nodes; absent: there are none. */
  readonly streams?: StreamLinks;
  /** Is something better than the server's route sought? Default: yes. */
  readonly upgrades?: () => boolean;
}

/** What path finding needs of the connections between nodes. */
export interface StreamLinks {
  events: StreamsEvents;
  open(to: TcpPlace, signal: AbortSignal): Promise<Stream>;
  /** P7: both ends open connections at once. Absent: not here. Rejects where none comes about. */
  punch?(ask: PunchAsk, signal: AbortSignal): Promise<Stream>;
  /** By its id; null: there is none. */
  linkBy(id: string): DatagramLink | null;
  keep(link: Link, kept: boolean): void;
}

export interface PathPeer {
  readonly id: PeerId;
  /** X25519, 32 bytes. */
  readonly publicKey: Uint8Array;
  readonly name: string;
  /** `stock`: a WireGuard peer that knows no probes and no signals. */
  readonly kind: 'ginnel' | 'stock';
  /** For signals; null: not known yet, so the peer is sought at its last places only. */
  readonly node: SignedNode | null;
  /** Of a stock peer. */
  readonly endpoint?: Endpoint;
}

export interface PeerPaths extends Pick<
  PeerStatus,
  'state' | 'path' | 'paths' | 'reason' | 'reasonCode' | 'reasonFacts' | 'lastHeardSecondsAgo'
> {
  /** Why not direct, for machines; null: it is, or nothing is known yet. */
  readonly verdict: Verdict | null;
}

/** What both ends' NATs are like is for others to put into words. */
export interface PathWhy extends Pick<PeerWhy, 'lines' | 'reason' | 'advice' | 'tries'> {
  readonly here: AdviceSide;
  /** By the peer's last signal; null: there was none. */
  readonly there: AdviceSide | null;
}

export interface Paths {
  /** For traversal plugins. */
  readonly stun: StunDoor;
  /** For transport plugins. */
  readonly links: LinkDoor;
  readonly candidates: readonly Candidate[];
  readonly natReport: NatReport;
  /** Begins: without it nothing is sent. */
  start(): void;
  /** Takes all paths from the engine and ends every timer. The transport stays open: it is its maker's. */
  stop(): void;
  setPeer(peer: PathPeer): void;
  removePeer(id: PeerId): void;
  /** The traversal plugins that run now, as their host hands them out: they never throw, hang or answer nonsense. */
  setTraversal(plugins: readonly Traversal[]): void;
  /** The transport plugins that run now, likewise, and the ports of this node's TCP door. */
  setConnections(transports: readonly Transport[], tcpPorts: readonly number[]): void;
  /** Addresses at which the owner says this node can be reached. */
  setConfigured(endpoints: readonly Endpoint[]): void;
  /** `upgrades` answers something else now. */
  upgradesChanged(): void;
  /** Prefixes of the overlay, never used as places: `10.77.0.0/16`. */
  setOverlay(prefixes: readonly string[]): void;

  // from the engine (EngineEvents)
  heard(peer: PeerId, link: Link, nowMs: number): void;
  needsPath(peer: PeerId): void;
  notMine(link: Link, batch: Batch): void;
  /** A word of that peer by which it, or this node, tries a path. */
  echoHeard(peer: PeerId, word: EchoWord): void;

  // from the control side (ControlEvents)
  welcomed(welcome: Pick<Welcome, 'stun' | 'keepAlive'>, server: Endpoint): void;
  controlChanged(state: ControlState): void;
  signalled(from: SignedNode, signal: PathSignal): void;
  onlineChanged(peer: PeerId, online: boolean): void;
  /** V7, V13: how that peer is reached, by the server's table. */
  routed(peer: PeerId, route: RouteToPeer): void;
  /** The same for connections alone: its UDP places are as they were. */
  rerouted(peer: PeerId, route: Pick<RouteToPeer, 'tcp' | 'relays'>): void;
  seenFrom(endpoint: Endpoint): void;

  status(peer: PeerId): PeerPaths | null;
  /** The path in use, for `ping`; null: none. */
  pathOf(peer: PeerId): PathStatus | null;
  /** What was tried, oldest first, and how things stand; null: there is no such peer. */
  why(peer: PeerId): PathWhy | null;
}
