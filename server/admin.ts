// The narrow interface by which page and CLI see and steer a location server. Plain JSON in and out.
import type { SettingsAdmin } from '../base/settings.ts';
import type { HealthLine } from '../base/health.ts';
import type { AccountsAdmin, CertificatesAdmin } from './log-in-admin.ts';
import type { AddressRule, AddressScope } from '../protocol/ip/classify.ts';
import type { ScopeRule } from '../protocol/location/messages.ts';
import type { AuditKind } from './audit-kinds.ts';
import type { RelaysAdmin } from './relays/admin.ts';

export interface ServerOptions {
  /** TCP and UDP; default 7443. */
  readonly port: number;
  /** A second STUN port (UDP), so that a node behind one address can still tell mapping kinds apart; null: none. */
  readonly secondPort: number | null;
  /** A second TCP port, for homes that let only the web out: 443, or 80; null: none. */
  readonly webPort: number | null;
  /** Listen on these addresses; empty: all. With two of a family, RFC 5780's tests are whole. */
  readonly listen: readonly string[];
  /** What invites name, in this order: `home.example.net`, `203.0.113.1`; empty: this machine's own addresses. */
  readonly advertise: readonly string[];
  /** The overlay's IPv4 pool, chosen at set-up and kept. */
  readonly pool4: string;
  readonly networkName: string;
  /** It moved away from this machine, and is to run here after all. Not kept. */
  readonly again: boolean;
}

/** At home behind a router: what it must pass on to this machine, and whether that was seen to work. */
export interface Forwarding {
  /** This machine's own address. */
  readonly to: string;
  readonly tcp: readonly number[];
  readonly udp: readonly number[];
  /** By which name or address a box from outside came in last; null: none did yet. */
  readonly reachedAs: string | null;
  /** Where the router is seen from outside, measured by this box's own node; empty: not measured. */
  readonly outside: readonly string[];
  /** A port mapper is there, and what it got: `host:port`; null: there is none. */
  readonly mapped: readonly string[] | null;
}

export interface ServerSummary {
  readonly state: 'down' | 'up';
  readonly key: string;
  readonly network: string;
  readonly networkName: string;
  readonly pool4: string;
  readonly port: number;
  readonly secondPort: number | null;
  readonly webPort: number | null;
  readonly addresses: readonly string[];
  /** `ginnel:…` without a token: tells where the network is, lets nobody in, is no secret. Empty while down. */
  readonly networkAddress: string;
  /** As nodes reported it; empty: not yet known. */
  readonly seenFromOutside: readonly string[];
  /** Null: this machine has a public address itself, or is down. */
  readonly forwarding: Forwarding | null;
  readonly nodes: readonly ServerNode[];
  /** Worst first. */
  readonly health: readonly HealthLine[];
  readonly counters: Record<string, number>;
}

/** `pending`: it waits until somebody approves it. */
export type NodeStanding = 'member' | 'pending' | 'disabled';

export interface ServerNode {
  readonly id: string;
  readonly name: string;
  readonly ip4: string;
  readonly ip6: string;
  readonly standing: NodeStanding;
  readonly online: boolean;
  /** Milliseconds since 1970. */
  readonly lastSeen: number;
  /** Of one that was removed just now: by what it had come in, where that lets others in still. */
  readonly cameBy?: { readonly by: 'account' | 'invite'; readonly id: string };
}

/** With what it registered, as this network's rules judge it (V5). */
export interface NodeShown extends ServerNode {
  readonly registered: readonly { readonly endpoint: string; readonly scope: AddressScope }[];
}

export interface NodesShown {
  readonly nodes: readonly NodeShown[];
  /** Those that were removed and are not back; `name` is empty where this server never knew. */
  readonly removed: readonly { readonly id: string; readonly name: string; readonly at: number }[];
}

/** One thing that was done to the network. */
export interface AuditShown {
  readonly seq: number;
  /** Milliseconds since 1970 by the server's clock. */
  readonly at: number;
  readonly what: AuditKind;
  /** A box or an account; `owner`: by the control socket of the server's machine. */
  readonly by: string;
  readonly subject: string;
  readonly facts: Readonly<Record<string, string | number | boolean>>;
  readonly words: string;
}

export interface AuditPage {
  /** Oldest first. */
  readonly entries: readonly AuditShown[];
}

export interface RulesShown {
  /** Set for this network. */
  readonly own: readonly ScopeRule[];
  /** Those that hold besides. */
  readonly defaults: readonly AddressRule[];
}

export interface InviteOptions {
  /** Default 24 hours. */
  readonly validMs: number;
  /** How many boxes it lets in, 1 to 10,000; null: any number. Default 1. */
  readonly uses: number | null;
  /** Whom it lets in waits until somebody approves. Default no. */
  readonly approval: boolean;
  /** Whom it is for: up to 100 characters, for those who run the network. */
  readonly note: string;
}

export interface InviteSummary {
  /** Public: names the invite, and lets nobody in. */
  readonly id: string;
  readonly note: string;
  /** `open`: it lets boxes in. */
  readonly state: 'open' | 'used' | 'expired' | 'revoked';
  readonly uses: number | null;
  readonly usesLeft: number | null;
  readonly approval: boolean;
  /** Milliseconds since 1970. */
  readonly issued: number;
  readonly expires: number;
}

export interface IssuedInvite extends InviteSummary {
  /** `ginnel:…`: a secret, shown this once. */
  readonly invite: string;
}

export interface ExportOptions {
  /** Seals the file. A secret. */
  readonly passphrase?: string;
  /** Stops this server, and keeps it from starting here again by itself. */
  readonly move?: boolean;
}

export interface ExportedServer {
  /** The file's text: a secret, for it holds the server's keys. */
  readonly file: string;
  /** Milliseconds since 1970. */
  readonly made: number;
  readonly networkName: string;
  readonly nodes: number;
  readonly sealed: boolean;
  readonly moved: boolean;
}

export interface ImportOptions extends Partial<ServerOptions> {
  readonly file: string;
  readonly passphrase?: string;
}

/** Those in the network, what was done to it, and its own rules. While the server is down all say SERVER_DOWN. */
export interface MembersAdmin {
  approveNode(node: string): Promise<ServerNode>;
  nodes(): NodesShown;
  /** The box takes the name on when it hears of it. Errors: NODE_UNKNOWN, NODE_NAME, NAME_TAKEN. */
  renameNode(node: string, name: string): Promise<ServerNode>;
  /** Shut out, by a signed word that all others keep, until it is enabled. Errors: NODE_UNKNOWN. */
  disableNode(node: string): Promise<ServerNode>;
  enableNode(node: string): Promise<ServerNode>;
  /** Shut out for good; answers what it was. Errors: NODE_UNKNOWN. */
  removeNode(node: string): Promise<ServerNode>;
  /** Entries behind that `seq`, or the latest. */
  audit(after: number | null, most: number): AuditPage;
  /** V5. */
  rules(): RulesShown;
  /** Errors: RULE_INVALID, RULES_TOO_MANY. */
  setRule(rule: ScopeRule): Promise<RulesShown>;
  /** Errors: RULE_UNKNOWN. */
  unsetRule(prefix: string): Promise<RulesShown>;
}

export interface ServerAdmin extends SettingsAdmin {
  readonly accounts: AccountsAdmin;
  readonly certificates: CertificatesAdmin;
  summary(): ServerSummary;
  /** Set up (first time: makes keys and network) and start. */
  up(options: Partial<ServerOptions>): Promise<ServerSummary>;
  down(): Promise<void>;
  invite(options: Partial<InviteOptions>): Promise<IssuedInvite>;
  /** The latest last; those long over are forgotten. Error: SERVER_DOWN. */
  invites(): readonly InviteSummary[];
  /** Lets nobody in from now on; boxes that it let in stay. Errors: INVITE_UNKNOWN, SERVER_DOWN, and the store's. */
  revokeInvite(id: string): Promise<InviteSummary>;
  /** Everything that must last, of a server that runs or is down. */
  export(options: ExportOptions): Promise<ExportedServer>;
  /** Where there is no server yet: takes it in, all or nothing, and starts it. */
  import(options: ImportOptions): Promise<ServerSummary>;
  /** Lets in a box that waits for approval; by name, number or address. Errors: NODE_UNKNOWN, SERVER_DOWN. */
  approveNode(node: string): Promise<ServerNode>;
  readonly members: MembersAdmin;
  readonly relays: RelaysAdmin;
}
