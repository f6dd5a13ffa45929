// What the choice of relays goes by, as data: nothing here knows a socket, a clock or the registry.
import type { Endpoint } from '../../protocol/address.ts';
import type { NodeId } from '../../protocol/location/messages.ts';

/** How relays are chosen (V8). */
export const RELAY_CHOICES = ['random', 'nearest', 'bandwidth', 'balanced'] as const;
export type RelayChoice = (typeof RELAY_CHOICES)[number];

/** A node that can forward for others now: it offers to, and its TCP door was seen to answer. */
export interface RelayFacts {
  readonly id: NodeId;
  /** In its owner's words; empty: none said. */
  readonly region: string;
  /** Where its door answers. */
  readonly places: readonly Endpoint[];
  /** Bits per second: what it gives to others in all, and what of that was not in use lately; null: it cannot tell. */
  readonly capacity: number;
  readonly spare: number | null;
  /** 0 to 1 a core. */
  readonly cpuLoad: number;
  /** Nodes connected to it, by its last report or by the table, whichever is more; and how many it takes. */
  readonly nodes: number;
  readonly mostNodes: number;
  /** Nodes whose first choice it is; and how many more (or fewer) these are than at its last report. */
  readonly firsts: number;
  readonly sinceReport: number;
}

/** The node for which relays are chosen. */
export interface NodeFacts {
  readonly id: NodeId;
  readonly region: string;
  /** Round trips in ms that it measured. */
  readonly rtts: ReadonlyMap<NodeId, number>;
  /** Relays that it could not reach lately. */
  readonly failed: ReadonlySet<NodeId>;
}

export interface Surroundings {
  readonly way: RelayChoice;
  /** Bits per second that a node is thought to want. */
  readonly perNode: number;
}

/** Least thought of a node: with nobody talking, relays still share the nodes. */
const LEAST_PER_NODE = 1e6;

/** What a node takes of its first relay on average now, in bits per second. */
export function perNodeOf(relays: Iterable<RelayFacts>): number {
  let used = 0;
  let nodes = 0;
  for (const { capacity, spare, firsts, sinceReport } of relays) {
    if (spare === null) continue;
    used += Math.max(0, capacity - spare);
    nodes += Math.max(0, firsts - sinceReport);
  }
  return Math.max(LEAST_PER_NODE, nodes === 0 ? 0 : used / nodes);
}

/** 0 to 1: how much of a relay is in use, by bandwidth (half measured, half by its share of nodes) and CPU together. */
export function loadOf(relay: RelayFacts, perNode: number, more = 0): number {
  const capacity = Math.max(1, relay.capacity);
  const used = relay.spare === null ? 0 : relay.capacity - relay.spare;
  const measured = Math.max(0, used + (relay.sinceReport + more) * perNode);
  const byCount = (relay.firsts + more) * perNode;
  const bandwidth = Math.min(1, (measured + byCount) / 2 / capacity);
  return 1 - (1 - bandwidth) * (1 - Math.min(1, relay.cpuLoad));
}

/** Bits per second left, those that came since its last report taken off. */
export const spareOf = (relay: RelayFacts, perNode: number, more = 0): number =>
  relay.spare === null
    ? relay.capacity - (relay.firsts + more) * perNode
    : relay.spare - (relay.sinceReport + more) * perNode;

/** The round trip between a node and a relay in ms; a guess by region where it was not measured. */
export function rttOf(
  node: Pick<NodeFacts, 'region' | 'rtts'>,
  relay: Pick<RelayFacts, 'id' | 'region'>,
): number {
  return node.rtts.get(relay.id) ?? GUESS_MS[guessed(node.region, relay.region)];
}

/** How near two are by what their owners said. */
export function guessed(one: string, other: string): 'same' | 'other' | 'unknown' {
  if (one === '' || other === '') return 'unknown';
  return one === other ? 'same' : 'other';
}

/** Where nobody measured: what a round trip is thought to be. */
const GUESS_MS = { same: 20, unknown: 60, other: 100 } as const;
