// Where the boxes stand on the map: this one in the middle, the others around it, the further the longer their round trip.
// Positions are from -1 to 1 on both axes. The same boxes come to the same places, so that nothing moves without a reason.
import { rateOf, relayOf } from './peers.ts';
import type { Live, Peer } from './wire.ts';

export interface MapNode {
  readonly id: string;
  readonly name: string;
  readonly state: Peer['state'];
  readonly x: number;
  readonly y: number;
  /** By which node of the map it is reached; null: straight, or not at all. */
  readonly through: string | null;
  /** Bits per second, both ways. */
  readonly rate: number;
  readonly rttMs: number | null;
  /** Others are reached through it. */
  readonly relays: boolean;
  /** No box: a TURN server, or a relay that is no peer. */
  readonly isHelper: boolean;
}

export interface MapRing {
  readonly ms: number;
  readonly radius: number;
}

const NEAREST = 0.3;
const FARTHEST = 0.9;
const FARTHEST_MS = 250;
const UNKNOWN = 0.65;
const OFFLINE = 1;
/** How far apart boxes are kept, as a share of the map's half: more of them stand in several rows. */
const SPACING = 0.055;
const ROW = 0.035;

export const RINGS: readonly MapRing[] = [5, 25, 100].map(ms => ({ ms, radius: radiusOf(ms) }));

export function radiusOf(ms: number): number {
  const share = Math.min(1, Math.log1p(ms) / Math.log1p(FARTHEST_MS));
  return NEAREST + (FARTHEST - NEAREST) * share;
}

export function layoutOf(peers: readonly Peer[], rates: Live['rates']): readonly MapNode[] {
  const ids = new Map(peers.map(peer => [peer.name, peer.id]));
  const places = arranged(peers, ids);
  const relays = new Set(places.flatMap(({ through }) => (through === null ? [] : [through])));
  const rows = Math.ceil((places.length * SPACING) / (2 * Math.PI * UNKNOWN));
  const first = places.length < 3 ? 0 : -Math.PI / 2;
  const nodes = places.map(({ peer, through }, i) => {
    const angle = first + (2 * Math.PI * i) / places.length;
    const radius = Math.min(1, distanceOf(peer) + (i % rows) * ROW - ((rows - 1) * ROW) / 2);
    return {
      ...{ id: peer.id, name: peer.name, state: peer.state, through },
      ...{ x: Math.cos(angle) * radius, y: Math.sin(angle) * radius },
      ...{ rate: rateOf(rates, peer.id), rttMs: peer.path?.rttMs ?? null },
      ...{ relays: relays.has(peer.id), isHelper: false },
    };
  });
  return [...nodes, ...helpersOf(nodes)];
}

interface Place {
  readonly peer: Peer;
  readonly through: string | null;
}

/** Around the circle: in an order of its own for each network, and who is reached through a relay beside that relay. */
function arranged(peers: readonly Peer[], ids: ReadonlyMap<string, string>): readonly Place[] {
  const places = peers.map(peer => ({ peer, through: throughOf(peer, ids) }));
  places.sort((a, b) => spreadOf(a.peer.id) - spreadOf(b.peer.id));
  const behind = grouped(places);
  const known = new Set(peers.map(({ id }) => id));
  const isFirst = ({ through }: Place): boolean => through === null || !known.has(through);
  const done = new Set<string>();
  const placed = (place: Place): Place[] => {
    if (done.has(place.peer.id)) return [];
    done.add(place.peer.id);
    return [place, ...(behind.get(place.peer.id) ?? []).flatMap(placed)];
  };
  return [...places.filter(isFirst), ...places].flatMap(placed);
}

function grouped(places: readonly Place[]): Map<string | null, Place[]> {
  const groups = new Map<string | null, Place[]>();
  for (const place of places) groups.set(place.through, [...(groups.get(place.through) ?? []), place]);
  return groups;
}

function throughOf(peer: Peer, ids: ReadonlyMap<string, string>): string | null {
  if (peer.path?.class === 'turn') return `turn ${peer.path.remote ?? ''}`;
  const relay = relayOf(peer);
  return relay === null ? null : (ids.get(relay) ?? `relay ${relay}`);
}

function distanceOf(peer: Peer): number {
  if (peer.state === 'offline' || peer.state === 'unreachable') return OFFLINE;
  const ms = peer.path?.rttMs ?? null;
  return ms === null ? UNKNOWN : radiusOf(ms);
}

/** What forwards and is no box of this list: half way to those that it forwards for. */
function helpersOf(nodes: readonly MapNode[]): MapNode[] {
  const known = new Set(nodes.map(({ id }) => id));
  const missing = new Set(
    nodes.flatMap(({ through }) => (through === null || known.has(through) ? [] : [through])),
  );
  return [...missing].map(id => {
    const behind = nodes.filter(({ through }) => through === id);
    const mean = (of: (node: MapNode) => number): number =>
      behind.reduce((sum, node) => sum + of(node), 0) / behind.length;
    const [kind = '', name = ''] = id.split(' ');
    return {
      ...{ id, name: kind === 'turn' ? 'TURN' : name, state: 'direct' as const },
      ...{ x: mean(({ x }) => x) / 2, y: mean(({ y }) => y) / 2, through: null },
      ...{ rate: behind.reduce((sum, { rate }) => sum + rate, 0), rttMs: null, relays: true, isHelper: true },
    };
  });
}

/** A number for a name, evenly spread and always the same (FNV-1a). */
export function spreadOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return hash >>> 0;
}

/** Of a line, in pixels: nothing is thin, and ten times the traffic is a little more than a pixel more. */
export function widthOf(bitsPerSecond: number): number {
  if (bitsPerSecond < 1000) return 1.25;
  return Math.min(8, 1.5 + Math.log10(bitsPerSecond / 1000));
}
