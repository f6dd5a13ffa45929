// What the forwarding route table knows of one node, and how its registrations are read into that.
import type { Endpoint } from '../../protocol/address.ts';
import type { NodeId, Registration } from '../../protocol/location/messages.ts';
import type { Kept } from './choice.ts';
import type { NodeFacts } from './facts.ts';
import type { Measured } from './measure.ts';
import { NO_WAY, wayInShort } from './told.ts';

/** A relay that a node could not reach is not offered to it for so long. */
export const FAILED_MS = 5 * 60_000;
const MAX_MEASURED = 64;
const MAX_FAILED = 64;

export interface Row {
  readonly id: NodeId;
  isOnline: boolean;
  registration: Registration;
  /** Its connection comes from the server's own local network. */
  isNear: boolean;
  /** Its own TCP door: where it answers; `isChecked` false: that is not known yet. */
  door: readonly Endpoint[];
  isChecked: boolean;
  kept: Kept;
  readonly measured: Map<NodeId, Measured>;
  /** When it last said that it could not reach that relay. */
  readonly failed: Map<NodeId, number>;
  /** Those that it named so in its last registration. */
  saidFailed: ReadonlySet<NodeId>;
  measure: readonly NodeId[];
  rotatedAt: number;
  /** What it was told last, and what others know of the way to it; in short. */
  told: string;
  way: string;
  /** Where it is to be had as a relay, in short. */
  offer: string;
}

export function newRow(id: NodeId, registration: Registration): Row {
  return {
    ...{ id, registration, isOnline: false, isNear: false, door: [], isChecked: false },
    ...{ kept: { relays: [], changedAt: null }, measured: new Map(), failed: new Map() },
    saidFailed: new Set(),
    ...{ measure: [], rotatedAt: -Infinity, told: '', way: wayInShort(NO_WAY), offer: '' },
  };
}

/** Takes in what it says of relays. `isRelay`: one that can be had now; of others it could invent any number. */
export function readRelays(row: Row, isRelay: (node: NodeId) => boolean, now: number): void {
  const { relays } = row.registration;
  for (const { node, state, rttMs } of relays) {
    // Said again of one that it does not try any more, it is no news.
    const isNews = row.kept.relays.includes(node) || !row.saidFailed.has(node);
    const isAsked = row.measure.includes(node) || row.kept.relays.includes(node);
    if (state !== 'failed') row.failed.delete(node);
    else if (isNews && (isAsked || isRelay(node))) {
      // The last one said is the youngest.
      row.failed.delete(node);
      row.failed.set(node, now);
    }
    if (isAsked || row.measured.get(node)?.rttMs !== rttMs) row.measured.set(node, { rttMs, at: now });
  }
  row.saidFailed = new Set(relays.flatMap(({ node, state }) => (state === 'failed' ? [node] : [])));
  for (const [node, at] of row.failed) if (now - at >= FAILED_MS) row.failed.delete(node);
  for (const node of [...row.failed.keys()].slice(0, -MAX_FAILED)) row.failed.delete(node);
  const oldest = [...row.measured].sort(([, a], [, b]) => b.at - a.at).slice(MAX_MEASURED);
  for (const [node] of oldest) row.measured.delete(node);
}

export function factsOf({ id, registration, measured, failed }: Row): NodeFacts {
  const rtts = new Map([...measured].flatMap(([node, { rttMs }]) => (rttMs === null ? [] : [[node, rttMs]])));
  return { id, region: registration.region, rtts, failed: new Set(failed.keys()) };
}

/** Relays to which it says that a connection stands. */
export const keptBy = ({ registration }: Row): readonly NodeId[] =>
  registration.relays.flatMap(({ node, state }) => (state === 'kept' ? [node] : []));
