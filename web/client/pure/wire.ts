// What the daemon answers (docs/openapi.yaml), as far as the page reads it. A test holds these in step with core/admin.ts,
// server/admin.ts and web/daemon-admin.ts; the page imports none of them, so that it never draws their code in.

export interface ErrorAnswer {
  readonly code: string;
  readonly message: string;
  readonly retry?: boolean;
  readonly details?: Readonly<Record<string, unknown>>;
}

/** A sentence in English, and what other languages need to say it. */
export interface Said {
  readonly code: string;
  readonly facts: Facts;
  readonly words: string;
}

/** What fills the braces of the text of a code; a text of its own may be part of another. */
export type Facts = Readonly<Record<string, string | number | boolean | Said>>;

export interface Why {
  readonly reason: Said;
  readonly advice: readonly Said[];
  readonly here: readonly Said[];
  readonly there: readonly Said[];
  readonly tries: readonly (Said & { readonly secondsAgo: number })[];
}

export interface Session {
  readonly owner: 'none' | 'set';
  readonly needsCode: boolean;
  readonly signedIn: boolean;
  readonly version: string;
  readonly name: string;
  /** In no network, and running none. */
  readonly isNew: boolean;
}

export interface SignedIn {
  readonly id: string;
  readonly from: string;
  readonly browser: string;
  readonly since: number;
  readonly lastSeen: number;
  readonly isThis: boolean;
}

/** By which the page is served over TLS. */
export interface Certificate {
  readonly fingerprint: string;
  readonly until: number;
}

export interface HealthLine {
  readonly code: string;
  readonly severity: 'problem' | 'warning' | 'note';
  readonly words: string;
  readonly todo: string;
  readonly facts: Facts;
}

export interface Health {
  readonly version: string;
  readonly pid: number;
  readonly roles: {
    readonly node: 'up' | 'starting' | 'down' | 'absent';
    readonly server: 'up' | 'down' | 'absent';
  };
  readonly health: readonly HealthLine[];
}

export interface Path {
  readonly label: string;
  readonly class: 'lan' | 'direct' | 'turn' | 'relay';
  readonly transport: string;
  readonly remote: string | null;
  readonly foundBy: string;
  readonly rttMs: number | null;
  readonly loss: number;
  readonly mtu: number | null;
}

export type PeerState = 'direct' | 'relayed' | 'trying' | 'unreachable' | 'idle' | 'offline';

export interface Peer {
  readonly id: string;
  readonly name: string;
  readonly ip4: string;
  readonly ip6: string;
  readonly state: PeerState;
  readonly path: Path | null;
  readonly paths: readonly Path[];
  readonly reason: string;
  readonly reasonCode: string;
  readonly reasonFacts: Facts;
  readonly bytesIn: number;
  readonly bytesOut: number;
  readonly lastHeardSecondsAgo: number | null;
  readonly lastSeen: number | null;
  readonly profile: 'fast' | 'stock' | null;
  readonly cipher: string | null;
}

export type PluginState = 'off' | 'waiting' | 'starting' | 'ready' | 'limited' | 'unavailable' | 'failed';

export interface Plugin {
  readonly name: string;
  readonly version: string;
  readonly kind: string;
  readonly purpose: string;
  readonly thirdParty: boolean;
  readonly enabled: boolean;
  readonly state: PluginState;
  readonly code: string;
  readonly facts: Readonly<Record<string, unknown>>;
  readonly memoryBytes: number | null;
}

export interface PluginDetail extends Plugin {
  readonly schema: Readonly<Record<string, unknown>>;
  readonly settings: Readonly<Record<string, unknown>>;
  readonly secrets: Readonly<Record<string, boolean>>;
  readonly restarting: readonly string[];
}

type Answer = 'yes' | 'no' | 'not-checked';

export interface NatReport {
  readonly takenAt: number;
  readonly udp: Answer;
  readonly nat: Answer;
  readonly mapping: string;
  readonly filtering: string;
  readonly ports: { readonly rule: string; readonly step?: number };
  readonly hairpin: Answer;
  readonly lifetimeMs: number | null;
  readonly ipv6: Answer;
  readonly mapped: readonly string[];
  readonly notes: readonly string[];
}

export interface NodeStatus {
  readonly state: 'down' | 'starting' | 'up';
  readonly name: string;
  readonly id: string;
  readonly network: string;
  readonly ip4: string;
  readonly ip6: string;
  readonly udpPort: number | null;
  readonly server: {
    readonly state: 'connecting' | 'waiting' | 'connected' | 'away' | 'refused' | 'stopped';
    readonly address: string | null;
    readonly reason: string;
    readonly heardSecondsAgo: number | null;
    readonly rttMs: number | null;
  };
  readonly peers: readonly Peer[];
  readonly plugins: readonly Plugin[];
  readonly nat: NatReport;
  readonly health: readonly HealthLine[];
}

export interface Forwarding {
  readonly to: string;
  readonly tcp: readonly number[];
  readonly udp: readonly number[];
  readonly reachedAs: string | null;
  readonly outside: readonly string[];
  readonly mapped: readonly string[] | null;
}

/** As the live stream tells it; `GET /v1/server` has the nodes instead of their counts. */
export interface ServerLive {
  readonly state: 'down' | 'up';
  readonly network: string;
  readonly networkName: string;
  readonly pool4: string;
  readonly port: number;
  readonly secondPort: number | null;
  readonly webPort: number | null;
  readonly addresses: readonly string[];
  readonly networkAddress: string;
  readonly seenFromOutside: readonly string[];
  readonly forwarding: Forwarding | null;
  readonly nodeCount: number;
  readonly onlineCount: number;
  readonly health: readonly HealthLine[];
  readonly counters: Readonly<Record<string, number>>;
}

export interface Rate {
  readonly in: number;
  readonly out: number;
}

export interface Live {
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly health: Health;
  readonly node: NodeStatus | null;
  readonly server: ServerLive | null;
  /** Bits per second, by peer id. */
  readonly rates: Readonly<Record<string, Rate>>;
}

export interface History {
  readonly everyMs: number;
  readonly samples: readonly {
    readonly at: number;
    readonly rttMs: number | null;
    readonly loss: number;
    /** `none`: it was sought. */
    readonly class: Path['class'] | 'none';
    readonly label: string;
  }[];
  readonly changes: readonly {
    readonly at: number;
    /** Empty: no path. */
    readonly from: string;
    readonly to: string;
    readonly reason: string;
    readonly reasonCode: string;
    readonly reasonFacts: Facts;
  }[];
}

export type Reason = Pick<Peer, 'reason' | 'reasonCode' | 'reasonFacts'>;

export type PingEvent =
  | { readonly type: 'reply'; readonly sequence: number; readonly ms: number; readonly path: Path | null }
  | ({ readonly type: 'lost'; readonly sequence: number } & Reason)
  | ({ readonly type: 'path'; readonly path: Path | null; readonly afterMs: number } & Reason)
  | { readonly type: 'done'; readonly sent: number; readonly received: number };

export type SpeedEvent =
  | {
      readonly type: 'sample';
      readonly afterMs: number;
      readonly bitsPerSecond: number;
      readonly direction: 'down' | 'up';
    }
  | { readonly type: 'done'; readonly down: number; readonly up: number };

export interface Setting {
  readonly key: string;
  readonly value: unknown;
  readonly default: unknown;
  readonly isSet: boolean;
  readonly restart: boolean;
  readonly pending: boolean;
  readonly title: string;
  readonly description: string;
  readonly mayBe: string;
  readonly schema: object;
}

export interface LogLine {
  readonly time: string;
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  readonly part: string;
  readonly message: string;
  readonly facts: Readonly<Record<string, unknown>>;
}

export interface BackupPart {
  readonly part: 'node' | 'peers' | 'settings' | 'plugins' | 'page' | 'server';
  readonly count: number;
}

export interface MadeBackup {
  readonly file: string;
  readonly name: string;
  readonly made: number;
  readonly parts: readonly BackupPart[];
}

export interface Restored {
  readonly name: string;
  readonly parts: readonly BackupPart[];
  readonly notes: readonly string[];
}
