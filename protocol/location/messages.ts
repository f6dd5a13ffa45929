// What node and location server say to each other, inside the Noise channel: one JSON message a frame.
// The JSON Schemas beside this file are what is enforced; these types are what the code reads.
import type { Endpoint } from '../address.ts';
import type { AddressScope } from '../ip/classify.ts';

/** The protocol's version: in the channel's prologue and in every hello. */
export const LOCATION_PROTOCOL = 1;

/** The serial number of V4: the Ed25519 identity key, base64url without padding. */
export type NodeId = string;

/** What a node is, signed by its identity key. */
export interface NodeRecord {
  readonly v: 1;
  readonly network: string;
  readonly id: NodeId;
  readonly name: string;
  /** X25519 public keys, base64 (WireGuard's own spelling) and base64url. */
  readonly wireguardKey: string;
  readonly controlKey: string;
  readonly ip4: string;
  readonly ip6: string;
  /** Networks that it shares, beyond its own two addresses. */
  readonly prefixes: readonly string[];
  /** Grows with every change; a smaller one than known is refused. */
  readonly generation: number;
  /** Milliseconds since 1970. */
  readonly expires: number;
  /** Ed25519 over the canonical JSON of all other fields, base64url. */
  readonly signature: string;
}

/** The server's word that this node has these addresses (V1); signed by the server's identity key. */
export interface Assignment {
  readonly v: 1;
  readonly network: string;
  readonly id: NodeId;
  readonly ip4: string;
  readonly ip6: string;
  readonly issued: number;
  readonly signature: string;
}

/**
 * Where the server may be reached, signed by its identity key: the server is its key, not its address. Nodes keep the
 * newest and tell each other.
 */
export interface ServerPlaces {
  readonly v: 1;
  readonly network: string;
  /** The X25519 key of its channel, base64url. */
  readonly serverKey: string;
  /** `host:port`, 1 to 8, together at most 600 characters. */
  readonly addresses: readonly string[];
  /** How often the server moved to another machine: words of an older one are old, whatever its clock says. */
  readonly moves: number;
  /** Milliseconds since 1970, strictly growing. */
  readonly issued: number;
  readonly signature: string;
}

/**
 * The server's latest word on whether a node belongs to the network (V3), signed by the server's identity key. Of one node
 * the latest `at` counts. `removed`: every assignment of it that was issued at or before `at` is void. `disabled`: it is
 * kept out until a later word. `member`: it is restored.
 */
export interface Standing {
  readonly v: 1;
  readonly network: string;
  readonly id: NodeId;
  readonly state: 'disabled' | 'removed' | 'member';
  /** Milliseconds since 1970 by the server's clock, and greater than any `at` or `issued` that it said before. */
  readonly at: number;
  readonly signature: string;
}

/** V5: addresses in that prefix count as this; of several that fit the longest counts. */
export interface ScopeRule {
  readonly prefix: string;
  readonly scope: AddressScope;
}

export interface SignedNode {
  readonly record: NodeRecord;
  readonly assignment: Assignment;
}

export interface CandidateWords {
  readonly kind: string;
  readonly transport: string;
  readonly endpoint: Endpoint;
  /** Of kind `relay`: the node that forwards. */
  readonly relay?: NodeId;
}

/** A node whose TCP door the server saw answer, and where; a relay, or one that is reached by plain TCP. */
export interface TcpPlace {
  readonly node: SignedNode;
  /** 1 to 4, the likeliest first. */
  readonly places: readonly Endpoint[];
}

/** What a node does as a relay, by its own measurement. */
export interface RelayOffer {
  /** Bits per second that its owner gives to others; null: whatever the line carries. */
  readonly limit: number | null;
  /** Bits per second of that which were not in use lately; null: not known, as the line does not tell its speed. */
  readonly spare: number | null;
  /** Nodes connected to it now, and how many it takes. */
  readonly nodes: number;
  readonly mostNodes: number;
}

/** A relay as this node sees it. */
export interface RelayInUse {
  readonly node: NodeId;
  /** `kept`: a connection stands; `measured`: its round trip was asked; `failed`: it could not be reached. */
  readonly state: 'kept' | 'measured' | 'failed';
  readonly rttMs: number | null;
}

/** V4: what a node registers on connect, on change and at intervals. */
export interface Registration {
  readonly privateAddresses: readonly Endpoint[];
  readonly publicAddresses: readonly Endpoint[];
  /** Where its TCP door is open; empty: nowhere. */
  readonly tcpPorts: readonly number[];
  readonly candidates: readonly CandidateWords[];
  /** Bits per second, where known. */
  readonly bandwidth: number | null;
  /** 0 to 1 a core, over the last minute. */
  readonly cpuLoad: number | null;
  /** Can others reach it from outside without its help? */
  readonly reachable: 'yes' | 'no' | 'not-checked';
  /** It forwards for others; null: it does not. */
  readonly relay: RelayOffer | null;
  /** In its owner's words, compared as text; empty: none said. */
  readonly region: string;
  /** At most 16. */
  readonly relays: readonly RelayInUse[];
}

// ---- node to server

/** Sealed by the channel, whose other end has proved that it is the server. */
export interface AccountCredential {
  readonly kind: 'account';
  /** In any case. */
  readonly account: string;
  readonly password: string;
}

export interface CertificateCredential {
  readonly kind: 'certificate';
  /** DER, base64url: the box's own first, then who issued it, at most 4. */
  readonly chain: readonly string[];
  /** Over "ginnel certificate v1" and the Noise transcript hash, by the certificate's key; base64url. */
  readonly signature: string;
}

export type LoginCredential = AccountCredential | CertificateCredential;

/** Who the node is, proved: `proof` is its identity key's signature over "ginnel login v1", the Noise transcript hash. */
export interface LoginRequest {
  readonly type: 'login';
  readonly id: number;
  readonly network: string;
  readonly node: NodeId;
  readonly name: string;
  readonly wireguardKey: string;
  readonly controlKey: string;
  readonly proof: string;
  /** At the first log-in: the invite's token, */
  readonly token?: string;
  /** or what else lets it in. */
  readonly credential?: LoginCredential;
  /** The newest signed word of where the server is: an older copy of the server learns from it that it moved. */
  readonly places?: ServerPlaces;
  /** Networks in use on the node's own LANs, so that a clash can be told. */
  readonly localNetworks: readonly string[];
}

/** The record, signed anew with the assigned addresses; also on every later change. */
export interface PublishRequest {
  readonly type: 'publish';
  readonly id: number;
  readonly record: NodeRecord;
}

export interface RegisterRequest {
  readonly type: 'register';
  readonly id: number;
  readonly registration: Registration;
}

/** V10: the route to a virtual IP, or to a node, by one of these. */
export interface LookupRequest {
  readonly type: 'lookup';
  readonly id: number;
  readonly address?: string;
  readonly node?: NodeId;
  /** In any case. */
  readonly name?: string;
  readonly wireguardKey?: string;
}

/** One of the four. */
export type LookupSubject =
  | { readonly address: string }
  | { readonly node: NodeId }
  | { readonly name: string }
  | { readonly wireguardKey: string };

/** To another node, sealed end to end (Noise K); the server passes it on and cannot read it. */
export interface SignalRequest {
  readonly type: 'signal';
  readonly id: number;
  readonly to: NodeId;
  /** base64url, at most 16 KiB. */
  readonly sealed: string;
}

/** The standings that somebody with that digest lacks (protocol/location/standings.ts), after the first `skip` of them. */
export interface StandingsRequest {
  readonly type: 'standings';
  readonly id: number;
  readonly digest: string;
  readonly skip: number;
}

/** Standings that the server may have lost: one restored from an old back-up learns them from its nodes. */
export interface BringRequest {
  readonly type: 'bring';
  readonly id: number;
  /** At most 64. */
  readonly standings: readonly Standing[];
}

/** Who is in the network, for people to see: what changed after the answer with that `at`; 0: all. */
export interface RollRequest {
  readonly type: 'roll';
  readonly id: number;
  readonly after: number;
}

export interface PingRequest {
  readonly type: 'ping';
  readonly id: number;
}

export type NodeMessage =
  | LoginRequest
  | PublishRequest
  | RegisterRequest
  | LookupRequest
  | SignalRequest
  | StandingsRequest
  | BringRequest
  | RollRequest
  | PingRequest;

// ---- server to node

export interface Welcome {
  readonly type: 'welcome';
  readonly re: number;
  readonly network: string;
  readonly networkName: string;
  readonly assignment: Assignment;
  /** On-link prefixes of the overlay: `10.77.0.0/16`, `fd6a:91c2:44d0::/48`. */
  readonly prefix4: string;
  readonly prefix6: string;
  /** STUN on the address by which the node came, and on others. */
  readonly stun: {
    readonly port: number;
    readonly secondPort: number | null;
    readonly alternates: readonly string[];
  };
  /** For the UDP keep-alive (P1): `username.secret`, taken apart by `parseKeepAlive` (keep-alive.ts). */
  readonly keepAlive: string;
  /** Where else the server may be reached: `host:port`. */
  readonly addresses: readonly string[];
  /** The same, signed, so that nodes can tell each other. */
  readonly places?: ServerPlaces;
  readonly serverTime: number;
  /** The highest generation of this node's record that the server has. */
  readonly generation: number;
  /** The name that the owner of the network gave this node: it takes it on. Null: its own will do. */
  readonly name: string | null;
  /** What the server's list of standings comes to. */
  readonly standings: string;
  /** V5: this network's own rules, over those that every node knows; at most 64. */
  readonly rules: readonly ScopeRule[];
}

export interface Done {
  readonly type: 'done';
  readonly re: number;
}

export interface RouteAnswer {
  readonly type: 'route';
  readonly re: number;
  readonly node: SignedNode;
  readonly online: boolean;
  /** V7: what it registered, */
  readonly registration: Registration | null;
  /** where its own TCP door was seen to answer (empty: nowhere), */
  readonly tcp: readonly Endpoint[];
  /** and the relays by which it is reached, the first choice first; at most 4. */
  readonly relays: readonly TcpPlace[];
  /** Milliseconds since 1970 by the server's clock. */
  readonly lastSeen: number;
}

/** Newest first. */
export interface StandingsAnswer {
  readonly type: 'standings';
  readonly re: number;
  /** At most 64. */
  readonly standings: readonly Standing[];
  /** There are others behind these. */
  readonly more: boolean;
}

/** A member as the server knows it; whoever wants to reach it looks it up, and believes signatures alone. */
export interface Enrolled {
  readonly id: NodeId;
  readonly name: string;
  readonly ip4: string;
  readonly ip6: string;
  /** As in its assignment: a standing from before then does not keep it out. */
  readonly issued: number;
  /** Milliseconds since 1970 by the server's clock; null: it is connected now. */
  readonly lastSeen: number | null;
}

export interface RollAnswer {
  readonly type: 'roll';
  readonly re: number;
  /** At most 128, the asker among them. */
  readonly members: readonly Enrolled[];
  /** Ids of those who are no longer in it; at most 128. */
  readonly gone: readonly NodeId[];
  /** The roll from its beginning: what was told before is void. */
  readonly whole: boolean;
  /** For the next question of this connection. */
  readonly at: number;
  /** There are others behind these. */
  readonly more: boolean;
}

export interface SignalDelivery {
  readonly type: 'signal';
  readonly from: NodeId;
  /** So that a node that never met the sender can verify and answer. */
  readonly node: SignedNode;
  readonly sealed: string;
  /** The addresses under which the server sees the sender: ports are predicted on these alone. */
  readonly seen?: readonly string[];
}

/** A node that this one looked up, or exchanged signals with, changed. */
export interface NodeChanged {
  readonly type: 'changed';
  readonly node: SignedNode;
  readonly online: boolean;
}

/** Somebody was disabled, removed or restored. */
export interface StandingNews {
  readonly type: 'standing';
  readonly standing: Standing;
}

/** The owner of the network gave this node another name: it publishes a record with that one. */
export interface Renamed {
  readonly type: 'renamed';
  readonly name: string;
}

/** V5: the network's own rules are these now. */
export interface RulesChanged {
  readonly type: 'rules';
  readonly rules: readonly ScopeRule[];
}

/** V9: the relays to which this node is to keep a connection, and others whose round trip it is to measure; 4 each at most. */
export interface RelaysTold {
  readonly type: 'relays';
  readonly keep: readonly TcpPlace[];
  readonly measure: readonly TcpPlace[];
}

/** V13: a node that this one looked up is reached by other relays now. */
export interface Rerouted {
  readonly type: 'rerouted';
  readonly node: NodeId;
  readonly tcp: readonly Endpoint[];
  readonly relays: readonly TcpPlace[];
}

/** The address from which the UDP keep-alive was seen. */
export interface SeenFrom {
  readonly type: 'seen';
  readonly endpoint: Endpoint;
}

/** The server's addresses are others now. */
export interface PlacesChanged {
  readonly type: 'places';
  readonly places: ServerPlaces;
}

export interface Failure {
  readonly type: 'failure';
  /** 0: not the answer to any request; the server closes after it. */
  readonly re: number;
  readonly code: string;
  readonly message: string;
  /** What fills the message's braces, for whoever says it in another language; absent: nothing. */
  readonly facts?: Readonly<Record<string, string | number>>;
}

export type ServerMessage =
  | Welcome
  | Done
  | RouteAnswer
  | StandingsAnswer
  | RollAnswer
  | SignalDelivery
  | NodeChanged
  | StandingNews
  | Renamed
  | RulesChanged
  | RelaysTold
  | Rerouted
  | SeenFrom
  | PlacesChanged
  | Failure;

// ---- node to node, inside a sealed signal

/** Simultaneous start (P5): an offer is answered by an answer with the same `attempt`. */
export interface PathSignal {
  readonly type: 'offer' | 'answer';
  /** Random, names this try. */
  readonly attempt: string;
  /** Strictly growing per sender: a repeated signal is dropped. Milliseconds since 1970, or the last one plus 1. */
  readonly serial: number;
  readonly candidates: readonly CandidateWords[];
  /** The sender's NAT report in short, for the plan and for words to a person. */
  readonly nat: { readonly mapping: string; readonly filtering: string; readonly ports: string };
  /** Round trip to the location server in ms, to time the first packets; null: unknown. */
  readonly serverRttMs: number | null;
  /** Of a node that can do more than plain probes. */
  readonly punch?: PunchWords;
}

/** What a transport plugin of one node says to the same plugin of another; the words are the plugin's own. */
export interface TransportSignal {
  readonly type: 'transport';
  /** As in a path signal: one row of numbers for both. */
  readonly serial: number;
  readonly transport: string;
  /** At most 8 KiB. */
  readonly words: string;
}

export type NodeSignal = PathSignal | TransportSignal;

/**
 * Ways through NATs that plain probes do not pass. `predict`: to the ports that the other end's NAT will pick next (P2 to P6);
 * `birthday`: from many sockets against many guesses; `tcp`: connections that both ends open at once (P7).
 */
export type PunchMethod = 'predict' | 'birthday' | 'tcp';

export interface PunchWords {
  /** What the sender can do. */
  readonly can: readonly PunchMethod[];
  /** Of an answer: what both ends do now; absent: plain probes. */
  readonly method?: PunchMethod;
  readonly udp?: Forecast;
  readonly tcp?: Forecast;
}

/** What the sender's NAT will do with the next new destination, as measured for this try. */
export interface Forecast {
  /** IPv4: the address seen outside. */
  readonly address: string;
  /** The port that the next new destination is expected to get. */
  readonly port: number;
  /** From one new destination to the next; negative: downwards; 0: all get `port`; null: no rule is known. */
  readonly step: number | null;
  /** So many ports may have gone to others by then, as far as was seen. */
  readonly drift: number;
}
