// At which addresses a node's TCP door might answer: what it registered and where its connection comes from, judged by the
// network's own rules (V5). What it merely says is tried at most four times, so that nobody has the server scan others.
import { formatEndpoint } from '../../protocol/address.ts';
import type { Endpoint } from '../../protocol/address.ts';
import { familyOf } from '../../protocol/ip/address.ts';
import { scopeOf } from '../../protocol/ip/classify.ts';
import type { AddressTable } from '../../protocol/ip/classify.ts';
import type { Registration } from '../../protocol/location/messages.ts';
import type { SessionPlace } from '../session.ts';

export const MAX_TRIES = 4;

export interface DoorScopes {
  readonly table: AddressTable;
  /** Is that address on one of the server's own local networks, whatever its scope? */
  readonly isOnLink: (address: string) => boolean;
  /** For tests. */
  readonly loopbackIsPublic: boolean;
}

/** `outside`: for everybody; `near`: for whoever is on the server's own local network. */
export type Reach = 'outside' | 'near';

/** Whom an address is of use to; null: nobody. */
export function reachOf({ table, isOnLink, loopbackIsPublic }: DoorScopes, address: string): Reach | null {
  const scope = scopeOf(table, address);
  // Reached from behind the same firewall, it may be closed to everybody else.
  if (scope === 'public' && isOnLink(address)) return 'near';
  if (scope === 'public' || (scope === 'loopback' && loopbackIsPublic)) return 'outside';
  return scope === 'private' ? 'near' : null;
}

/** Is that connection from the server's own machine or local network? What a proxy says of it proves nothing. */
export function isNear(
  { table, isOnLink, loopbackIsPublic }: DoorScopes,
  { remote, proxied }: SessionPlace,
): boolean {
  if (proxied) return false;
  if (isOnLink(remote.address)) return true;
  const scope = scopeOf(table, remote.address);
  return scope === 'private' || scope === 'link-local' || (scope === 'loopback' && !loopbackIsPublic);
}

/** The likeliest first; configured ones, and those that a router passes on, bring their own port. */
export function doorPlaces(
  registration: Registration,
  place: SessionPlace,
  scopes: DoorScopes,
): readonly Endpoint[] {
  const { tcpPorts, candidates, publicAddresses, privateAddresses } = registration;
  if (tcpPorts.length === 0) return [];
  const reach = (address: string): Reach | null => reachOf(scopes, address);
  const configured = candidates.flatMap(({ kind, transport, endpoint }) =>
    (kind === 'configured' || (kind === 'mapped' && transport === 'tcp')) &&
    reach(endpoint.address) === 'outside'
      ? [endpoint]
      : [],
  );
  const seen = place.proxied ? [] : [place.remote.address];
  const outside = [...configured, ...publicAddresses].map(({ address }) => address);
  const inside = [...privateAddresses, ...publicAddresses].map(({ address }) => address);
  const isOf = (wanted: Reach) => (address: string) => reach(address) === wanted;
  const addresses = [
    ...[...seen, ...outside].filter(isOf('outside')),
    ...(isNear(scopes, place) ? [...seen, ...inside].filter(isOf('near')) : []),
  ];
  const all = [
    ...configured,
    ...tcpPorts.flatMap(port => [...new Set(addresses)].map(at => endpoint(at, port))),
  ];
  return [...new Map(all.map(each => [formatEndpoint(each), each])).values()].slice(0, MAX_TRIES);
}

const endpoint = (address: string, port: number): Endpoint => ({ family: familyOf(address), address, port });
