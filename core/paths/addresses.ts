// Which addresses may be probed at all, and which are on our own LAN. Decides from text alone; sends nothing.
import type { Endpoint } from '../../protocol/address.ts';
import { parseIp } from '../../protocol/ip/address.ts';
import { ADDRESS_RULES, compileRules, scopeOf, type AddressTable } from '../../protocol/ip/classify.ts';
import { parseInterface, prefixContains, type Prefix } from '../../protocol/ip/prefix.ts';
import type { NetworkInterface } from '../../system/doors.ts';
import type { PathClass } from '../contract/link.ts';

/** The rules of V5, as this house starts with them. */
export function addressTable(): AddressTable {
  const table = compileRules(ADDRESS_RULES);
  if (!table.ok) throw new TypeError(`the built-in address rules do not compile: ${table.code}`);
  return table.value;
}

/** Texts that are no prefixes are left out: they come from settings that were checked before. */
export const prefixesOf = (texts: readonly string[]): Prefix[] =>
  texts.flatMap(text => {
    const parsed = parseInterface(text);
    return parsed.ok ? [parsed.value.prefix] : [];
  });

export function inAny(prefixes: readonly Prefix[], address: string): boolean {
  const ip = parseIp(address);
  return ip.ok && prefixes.some(prefix => prefixContains(prefix, ip.value));
}

/** A unicast address and port that may be probed; link-local IPv6 is none, its zone being unknown to others. */
export function isUsable(endpoint: Endpoint, table: AddressTable): boolean {
  const ip = parseIp(endpoint.address);
  if (!ip.ok || ip.value.family !== endpoint.family) return false;
  if (!Number.isInteger(endpoint.port) || endpoint.port < 1 || endpoint.port > 65_535) return false;
  const scope = scopeOf(table, endpoint.address);
  return scope !== 'special' && scope !== 'loopback' && !(scope === 'link-local' && endpoint.family === 6);
}

/** `lan`: within an on-link prefix of ours that is private, or any on-link IPv6 one. */
export function classOf(
  endpoint: Endpoint,
  interfaces: readonly NetworkInterface[],
  table: AddressTable,
): PathClass {
  const ip = parseIp(endpoint.address);
  if (!ip.ok) return 'direct';
  const scope = scopeOf(table, endpoint.address);
  if (endpoint.family === 4 && scope !== 'private' && scope !== 'link-local') return 'direct';
  const onLink = prefixesOf(
    interfaces
      .filter(each => each.prefixLength > 0)
      .map(({ address, prefixLength }) => `${address}/${prefixLength}`),
  );
  return onLink.some(prefix => prefixContains(prefix, ip.value)) ? 'lan' : 'direct';
}
