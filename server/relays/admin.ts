// Relays as the owner of a network sees them: which there are and how they fare, and why a node has the ones it has.
import { formatEndpoint } from '../../protocol/address.ts';
import type { NodeId } from '../../protocol/location/messages.ts';
import { serverErrors } from '../errors.ts';
import { nameOf } from '../registry-entries.ts';
import type { NodeEntry } from '../registry-entries.ts';
import type { Running } from '../start.ts';
import { loadOf, perNodeOf } from './facts.ts';
import type { RelayChoice, RelayFacts } from './facts.ts';
import { factsOf } from './rows.ts';
import type { Row } from './rows.ts';
import { rankingOf } from './words.ts';
import type { Ranked } from './words.ts';

/** A node that offers to forward for others, or could. */
export interface RelayShown {
  readonly id: string;
  readonly name: string;
  /** In its owner's words; empty: none said. */
  readonly region: string;
  /** It can be had now. */
  readonly usable: boolean;
  /** Why it cannot be had; empty where it can. */
  readonly problem: string;
  /** Where its TCP door was seen to answer. */
  readonly door: readonly string[];
  /** Nodes that have it as a relay, those of them whose first choice it is, and how many it takes. */
  readonly nodes: number;
  readonly firsts: number;
  readonly mostNodes: number;
  /** Bits per second; null: not limited, not known. */
  readonly limit: number | null;
  readonly spare: number | null;
  /** 0 to 1. */
  readonly cpuLoad: number | null;
  readonly load: number | null;
}

export interface RelaysShown {
  readonly choice: RelayChoice;
  readonly relays: readonly RelayShown[];
}

export interface RelayRanked {
  readonly id: string;
  readonly name: string;
  readonly use: Ranked['use'];
  readonly words: string;
}

export interface RelaysWhy {
  readonly id: string;
  readonly name: string;
  readonly choice: RelayChoice;
  /** Whether it needs relays, and why, in words. */
  readonly need: string;
  /** Best first. */
  readonly ranking: readonly RelayRanked[];
}

/** While the server is down both say SERVER_DOWN. */
export interface RelaysAdmin {
  shown(): RelaysShown;
  /** By name, number or address. Error: NODE_UNKNOWN. */
  why(node: string): RelaysWhy;
}

type Place = Pick<Running, 'registry' | 'station' | 'time'>;

export const relaysAdmin = (up: () => Place): RelaysAdmin => ({
  shown: () => shown(up()),
  why: node => why(up(), node),
});

function shown({ registry, station }: Place): RelaysShown {
  const { way, table } = station.desk.relays;
  const all = table.book.for(true);
  const perNode = perNodeOf(all.values());
  const relays = [...table.rows].flatMap(row => {
    const entry = registry.nodes.get(row.id);
    const isNone = row.registration.relay === null && row.door.length === 0;
    return entry === undefined || !row.isOnline || isNone
      ? []
      : [relayOf(row, entry, all.get(row.id), perNode)];
  });
  return { choice: way, relays: relays.sort((a, b) => a.name.localeCompare(b.name, 'en')) };
}

function relayOf(
  { id, registration, door }: Row,
  entry: NodeEntry,
  facts: RelayFacts | undefined,
  perNode: number,
): RelayShown {
  const { relay, region, cpuLoad } = registration;
  return {
    ...{ id, name: nameOf(entry), region, usable: facts !== undefined },
    problem: problemOf(relay !== null, facts),
    door: door.map(formatEndpoint),
    ...{ nodes: facts?.nodes ?? 0, firsts: facts?.firsts ?? 0, mostNodes: relay?.mostNodes ?? 0 },
    ...{ limit: relay?.limit ?? null, spare: relay?.spare ?? null, cpuLoad },
    load: facts === undefined ? null : loadOf(facts, perNode),
  };
}

function problemOf(offers: boolean, facts: RelayFacts | undefined): string {
  if (!offers) return OFF;
  if (facts === undefined) return NO_DOOR;
  return facts.nodes >= facts.mostNodes ? FULL : '';
}

const OFF = 'it could be one, but forwarding is turned off there';
const NO_DOOR = 'its TCP door does not answer from outside';
const FULL = 'it serves as many boxes as it takes';

function why({ registry, station }: Place, what: string): RelaysWhy {
  const entry = registry.find(what);
  if (entry === undefined) throw serverErrors('NODE_UNKNOWN');
  const { way, table } = station.desk.relays;
  const row = table.row(entry.id);
  const known = { id: entry.id, name: nameOf(entry), choice: way };
  if (row?.isOnline !== true)
    return { ...known, need: 'It is not online: it has no relays now.', ranking: [] };
  const relays = [...table.book.for(row.isNear).values()];
  const around = { way, perNode: perNodeOf(relays), now: table.now };
  const ranking = rankingOf(factsOf(row), row.kept, relays, around).map(({ relay, use, words }) => ({
    ...{ id: relay, name: nameIn(registry, relay), use, words },
  }));
  return { ...known, need: needOf(row), ranking };
}

function needOf({ door, kept, registration, isChecked }: Row): string {
  if (door.length > 0 && kept.relays.length === 0)
    return `It needs no relay: its TCP door answers at ${door.map(formatEndpoint).join(', ')}.`;
  if (!isChecked) return 'Whether it needs a relay is being found out.';
  if (registration.tcpPorts.length === 0) return 'It needs relays: it has no TCP door.';
  return door.length > 0
    ? 'It needs relays: its TCP door answers on the local network alone.'
    : 'It needs relays: its TCP door does not answer from outside.';
}

const nameIn = ({ nodes }: Place['registry'], id: NodeId): string => {
  const entry = nodes.get(id);
  return entry === undefined ? id : nameOf(entry);
};
