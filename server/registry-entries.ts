// How the registry's entries lie in the store, and how they are read back.
import type { ScopedStore } from '../base/store.ts';
import type { Assignment, NodeId, NodeRecord } from '../protocol/location/messages.ts';
import type { ServerTime } from './time.ts';

export interface NetworkEntry {
  readonly v: 1;
  readonly pool4: string;
  readonly networkName: string;
  readonly setUpAt: number;
}

/** `pending`: registered, and waits until somebody approves it; only a member is found, welcomed and passed signals. */
export type Standing = 'member' | 'pending' | 'disabled';

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
  readonly standing?: Standing;
}

export interface InviteEntry {
  readonly v: 1;
  readonly issued: number;
  readonly validMs: number;
  readonly usedBy: NodeId | null;
  readonly usedAt: number | null;
}

const KEPT_MS = 30 * 86_400_000;

export const standingOf = ({ standing = 'member' }: NodeEntry): Standing => standing;

export const isMember = (entry: NodeEntry): boolean => standingOf(entry) === 'member';

export async function readNetwork(store: ScopedStore): Promise<NetworkEntry | null> {
  return ((await store.get('network')) as NetworkEntry | undefined) ?? null;
}

export async function nodeEntries(store: ScopedStore): Promise<NodeEntry[]> {
  return (await store.entries('node/')).map(([, value]) => value as NodeEntry);
}

export async function inviteEntries(store: ScopedStore): Promise<Map<string, InviteEntry>> {
  const pairs = await store.entries('invite/');
  return new Map(pairs.map(([key, value]) => [key.slice('invite/'.length), value as InviteEntry]));
}

/** Milliseconds since 1970; null where it was issued by a clock that was wrong: then it counts from when that is mended. */
export const expiryOf = (entry: InviteEntry, time: ServerTime): number | null =>
  time.wasRight(entry.issued) ? entry.issued + entry.validMs : null;

/** Used or expired so long ago that nobody asks why it does not work. */
export function isForgotten(entry: InviteEntry, time: ServerTime): boolean {
  const expiry = expiryOf(entry, time);
  return expiry !== null && time.now() > Math.max(expiry, entry.usedAt ?? 0) + KEPT_MS;
}
