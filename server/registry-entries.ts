// How the registry's entries lie in the store, and how they are read back.
import type { ScopedStore } from '../base/store.ts';
import type { Assignment, NodeId, NodeRecord } from '../protocol/location/messages.ts';

export interface NetworkEntry {
  readonly v: 1;
  readonly pool4: string;
  readonly networkName: string;
  readonly setUpAt: number;
}

/** `pending`: registered, and waits until somebody approves it; only a member is found, welcomed and passed signals. */
export type NodeStanding = 'member' | 'pending' | 'disabled';

export interface NodeEntry {
  readonly v: 1;
  readonly id: NodeId;
  readonly name: string;
  readonly wireguardKey: string;
  readonly controlKey: string;
  readonly assignment: Assignment;
  /** Null until the node published it. */
  readonly record: NodeRecord | null;
  /** Milliseconds since 1970. */
  readonly lastSeen: number;
  /** Absent: a member. */
  readonly standing?: NodeStanding;
  /** The name that the owner gave it, until the node's own record bears it. */
  readonly wantedName?: string | null;
  /** By what it came in; absent: by an invite. */
  readonly admission?: NodeAdmission;
}

export type NodeAdmission =
  | { readonly by: 'invite'; readonly invite: string }
  | { readonly by: 'account'; readonly account: string }
  /** Its `identity`. */
  | { readonly by: 'certificate'; readonly fingerprint: string; readonly serial: string };

export interface InviteEntry {
  readonly v: 1;
  readonly issued: number;
  readonly validMs: number;
  /** The last one that it let in, and when. */
  readonly usedBy: NodeId | null;
  readonly usedAt: number | null;
  /** How many boxes it lets in; null: any number. Absent: one. */
  readonly uses?: number | null;
  /** How many it has let in; absent: as `usedBy` says, one or none. */
  readonly used?: number;
  /** Whom it lets in stays pending until somebody approves. */
  readonly approval?: boolean;
  /** Whom it is for, in the owner's words. */
  readonly note?: string;
  readonly revokedAt?: number;
}

/** How long what is over stays known, so that whoever still comes with it is told why it does not work. */
export const KEPT_MS = 30 * 86_400_000;

export const standingOf = ({ standing = 'member' }: NodeEntry): NodeStanding => standing;

/** As it is shown and found. */
export const nameOf = ({ name, wantedName = null }: NodeEntry): string => wantedName ?? name;

/** The same for all that came in by one invite, account or certificate. */
export function admissionKey(admission: NodeAdmission): string {
  if (admission.by === 'invite') return `invite ${admission.invite}`;
  return admission.by === 'account' ? `account ${admission.account}` : `certificate ${admission.fingerprint}`;
}

export const isMember = (entry: NodeEntry): boolean => standingOf(entry) === 'member';

export async function readNetwork(store: ScopedStore): Promise<NetworkEntry | null> {
  return ((await store.get('network')) as NetworkEntry | undefined) ?? null;
}

export async function nodeEntries(store: ScopedStore): Promise<NodeEntry[]> {
  return (await store.entries('node/')).map(([, value]) => value as NodeEntry);
}
