// What nodes are told of relays and of each other's ways: made from the table, and in short, to see what is new.
import { formatEndpoint } from '../../protocol/address.ts';
import type { Endpoint } from '../../protocol/address.ts';
import type { NodeId, RouteAnswer, SignedNode, TcpPlace } from '../../protocol/location/messages.ts';

/** The way to a node as one asker has it. */
export type Way = Pick<RouteAnswer, 'tcp' | 'relays'>;

export const NO_WAY: Way = { tcp: [], relays: [] };
export const MAX_PLACES = 4;

/** Null where it cannot be told: no record yet, or nowhere to go. */
export function tcpPlaceOf(node: SignedNode | null, places: readonly Endpoint[]): TcpPlace | null {
  return node === null || places.length === 0 ? null : { node, places: places.slice(0, MAX_PLACES) };
}

export const inShort = (places: readonly TcpPlace[]): string =>
  places
    .map(
      ({ node: { record }, places: at }) =>
        `${record.id} ${record.generation} ${at.map(formatEndpoint).join(' ')}`,
    )
    .join('; ');

export const wayInShort = ({ tcp, relays }: Way): string =>
  `${tcp.map(formatEndpoint).join(' ')} | ${inShort(relays)}`;

/** Those connections that stand first, in the order of choice; then the rest. */
export function inOrder(chosen: readonly NodeId[], standing: readonly NodeId[]): readonly NodeId[] {
  const kept = chosen.filter(id => standing.includes(id));
  const others = standing.filter(id => !chosen.includes(id));
  return [...kept, ...others, ...chosen.filter(id => !standing.includes(id))];
}
