// The narrow interface by which page, CLI and LuCI see and steer a node. Plain JSON in and out.
import type { SettingsAdmin, SettingsChange } from '../base/settings.ts';
import type { HealthLine } from '../base/health.ts';
import type { Said, Facts } from '../base/said.ts';
import type { NatReport } from './contract/nat-report.ts';
import type { PathClass } from './contract/link.ts';
import type { AeadName } from './dataplane/aead.ts';
import type { DoorKind } from '../system/doors.ts';

export interface NodeStatus {
  readonly state: 'down' | 'starting' | 'up';
  readonly name: string;
  readonly id: string;
  readonly network: string;
  readonly ip4: string;
  readonly ip6: string;
  /** Which door to the kernel is in use: `koffi`, or `tuntap` (slower); empty while down. */
  readonly door: DoorKind | '';
  /** What seals packets, by cipher: `openssl-lowlevel`, `openssl-evp`, `node-crypto`; none while down. */
  readonly sealing: Readonly<Partial<Record<AeadName, string>>>;
  /** Null while down. */
  readonly abilities: AbilitiesStatus | null;
  readonly tun: string;
  readonly udpPort: number | null;
  readonly server: ServerStatus;
  readonly peers: readonly PeerStatus[];
  readonly plugins: readonly PluginStatus[];
  readonly nat: NatReport;
  readonly health: readonly HealthLine[];
}

export type AbilityUse =
  | 'yes'
  | 'no: the kernel lacks it'
  | 'no: this door lacks it'
  | 'no: it is not fast here'
  | 'off by GINNEL_WITHOUT'
  | 'not known yet';

/** Which abilities of the data plane are in use. */
export interface AbilitiesStatus {
  /** Super-packets of TCP and of UDP, from and to the virtual card. */
  readonly tso: AbilityUse;
  readonly uso: AbilityUse;
  /** The kernel cuts batches that are sent, and puts together those that came. */
  readonly gso: AbilityUse;
  readonly gro: AbilityUse;
  /** The fast profile is offered to other Ginnel boxes, and AES-256-GCM in it. What a session uses, its peer tells. */
  readonly fast: AbilityUse;
  readonly aes: AbilityUse;
}

export interface ServerStatus {
  /** `waiting`: for approval by whoever runs the network. */
  readonly state: 'connecting' | 'waiting' | 'connected' | 'away' | 'refused' | 'stopped';
  readonly address: string | null;
  readonly reason: string;
  /** Seconds since the last word from it; null: never in this run. */
  readonly heardSecondsAgo: number | null;
  readonly rttMs: number | null;
}

export interface PeerStatus {
  readonly id: string;
  readonly name: string;
  readonly ip4: string;
  readonly ip6: string;
  readonly state: 'direct' | 'relayed' | 'trying' | 'unreachable' | 'idle' | 'offline';
  readonly path: PathStatus | null;
  /** All paths that answer, the one in use included. */
  readonly paths: readonly PathStatus[];
  /** In words: why this path, or why none. */
  readonly reason: string;
  /** The same for other languages: a code, and what its text is filled with (base/said.ts). Empty: no reason. */
  readonly reasonCode: string;
  readonly reasonFacts: Facts;
  readonly bytesIn: number;
  readonly bytesOut: number;
  readonly lastHeardSecondsAgo: number | null;
  /** Milliseconds since 1970, when the location server saw it last; null: it is connected there, or that is not known. */
  readonly lastSeen: number | null;
  readonly sessionEstablished: boolean;
  /** What this end seals with now; null: no session. */
  readonly profile: 'fast' | 'stock' | null;
  readonly cipher: AeadName | null;
}

export interface PathStatus {
  /** `direct UDP`, `LAN UDP`, `via office-vps`. */
  readonly label: string;
  readonly class: PathClass;
  readonly transport: string;
  /** `198.51.100.7:41641`; null where there is none. */
  readonly remote: string | null;
  /** How it was learnt: `host`, `reflexive`, `mapped`, `peer-reflexive`, `predict`, `birthday`, `tcp`, `last good`, … */
  readonly foundBy: string;
  readonly rttMs: number | null;
  /** 0 to 1. */
  readonly loss: number;
  /** The largest packet of the virtual card that goes by it in one piece, in bytes; null: it was never in use. */
  readonly mtu: number | null;
  /** `probed`: an answer proved it; `searching`: being found out; `assumed`: the peer answers no probes, or not yet. */
  readonly mtuBy: 'probed' | 'searching' | 'assumed';
}

export interface PluginStatus {
  readonly name: string;
  readonly version: string;
  readonly kind: string;
  readonly purpose: string;
  /** It did not come with Ginnel: the owner put it there. */
  readonly thirdParty: boolean;
  readonly enabled: boolean;
  /** `waiting`: it is on, and starts when this box comes up. */
  readonly state: 'off' | 'waiting' | 'starting' | 'ready' | 'limited' | 'unavailable' | 'failed';
  readonly code: string;
  readonly facts: Readonly<Record<string, unknown>>;
  /**
   * What the process grew by while it was loaded and started, the first time in this run; null: it does not run. All
   * plugins share one process: what one of them takes since then cannot be told apart.
   */
  readonly memoryBytes: number | null;
}

export interface PluginDetail extends PluginStatus {
  readonly folder: string;
  /** JSON Schema of its settings; empty where its manifest cannot be used. */
  readonly schema: Readonly<Record<string, unknown>>;
  /** The settings in use, those of the owner and the defaults, without secrets. */
  readonly settings: Readonly<Record<string, unknown>>;
  /** Of each secret setting: is it set? */
  readonly secrets: Readonly<Record<string, boolean>>;
  /** Settings whose change stops and starts the plugin. */
  readonly restarting: readonly string[];
}

/** Each looks at the plugin folders first, and rejects with PLUGIN_UNKNOWN where there is no such plugin. */
export interface PluginAdmin {
  list(): Promise<readonly PluginStatus[]>;
  detail(plugin: string): Promise<PluginDetail>;
  /** Rejects where the plugin cannot be used at all; one that fails to start is told by its status. */
  enable(plugin: string): Promise<PluginStatus>;
  disable(plugin: string): Promise<PluginStatus>;
  /** Rejects with PLUGIN_SETTINGS; then the former settings stay. */
  configure(plugin: string, change: SettingsChange): Promise<PluginDetail>;
  /** Tries a failed plugin now instead of later. Rejects with PLUGIN_AT_REST while the node is down. */
  retry(plugin: string): Promise<PluginStatus>;
}

export interface UpOptions {
  /** Needed at the first `up`; later ones rejoin. Never in argv: read from standard input or a file. */
  readonly invite?: string;
  /** The network's address, `ginnel:…` without a token, where the box comes in by what follows. No secret. */
  readonly network?: string;
  /** For this log-in alone: no password is kept. */
  readonly account?: { readonly name: string; readonly password: string };
  /** PEM: the box's own certificate first, then who issued it; and its private key. For this log-in alone. */
  readonly certificate?: { readonly chain: string; readonly key: string };
  readonly name?: string;
  /** The overlay UDP port; kept from the last run where not given. */
  readonly udpPort?: number;
}

/** Why this path, or why none, in words and for other languages. */
export type Reason = Pick<PeerStatus, 'reason' | 'reasonCode' | 'reasonFacts'>;

/** One answer to `ping`, or the last line (`done`). */
export type PingEvent =
  | {
      readonly type: 'reply';
      readonly sequence: number;
      readonly ms: number;
      readonly path: PathStatus | null;
    }
  | ({ readonly type: 'lost'; readonly sequence: number } & Reason)
  | ({ readonly type: 'path'; readonly path: PathStatus | null; readonly afterMs: number } & Reason)
  | { readonly type: 'done'; readonly sent: number; readonly received: number };

export interface PingOptions {
  /** A name, a virtual IP or a node id. */
  readonly peer: string;
  readonly count: number;
  readonly intervalMs: number;
  /** Give up on one answer after this long. */
  readonly timeoutMs: number;
}

export interface NetcheckReport {
  readonly nat: NatReport;
  /** How others can reach this box, in one sentence. */
  readonly summary: string;
  /** What follows from it, in plain words. */
  readonly conclusions: readonly string[];
  /** Both, for other languages too. */
  readonly said: { readonly summary: Said; readonly conclusions: readonly Said[] };
}

export interface PeerWhy {
  /** All of it as `ginnel why` prints it. */
  readonly lines: readonly string[];
  /** Why this path, or why none. */
  readonly reason: Said;
  /** What a person could do about it, cheapest first; empty: nothing is known that would make it better. */
  readonly advice: readonly Said[];
  /** How others reach this box, by what netcheck found. */
  readonly here: readonly Said[];
  /** The same of the other box, as far as it told; empty: it never did. */
  readonly there: readonly Said[];
  /** Oldest first. */
  readonly tries: readonly (Said & { readonly secondsAgo: number })[];
}

/** What this node does for others as a relay, and the relays by which others reach it. */
export interface NodeRelays {
  /** Null: it does not forward. Bits per second; null: not limited, not known. */
  readonly serves: {
    readonly limit: number | null;
    readonly spare: number | null;
    readonly nodes: number;
    readonly mostNodes: number;
  } | null;
  /** In its owner's words; empty: none said. */
  readonly region: string;
  readonly relays: readonly NodeRelay[];
}

export interface NodeRelay {
  readonly id: string;
  readonly name: string;
  /** `kept`: a connection stands; `wanted`: not tried yet. */
  readonly state: 'kept' | 'measured' | 'failed' | 'wanted';
  /** The location server named it as one to keep. */
  readonly isWanted: boolean;
  readonly rttMs: number | null;
  readonly places: readonly string[];
}

export interface NodeAdmin extends SettingsAdmin {
  /** Also while the node is down: what is chosen then holds at the next `up`. */
  readonly plugins: PluginAdmin;
  status(): NodeStatus;
  /** Somebody is about to look at `status`: the location server is asked who is in, where it was not asked just now. Never rejects. */
  look(): Promise<void>;
  up(options: UpOptions): Promise<NodeStatus>;
  down(): Promise<void>;
  ping(options: PingOptions, signal: AbortSignal): AsyncIterable<PingEvent>;
  netcheck(signal: AbortSignal): Promise<NetcheckReport>;
  /** The tries at one peer in order, what was seen, and why things are as they are. */
  why(peer: string): PeerWhy;
  /** Error: NODE_DOWN. */
  relays(): NodeRelays;
  counters(): Record<string, number>;
}
