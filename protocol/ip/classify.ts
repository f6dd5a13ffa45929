// Private and public addresses, by rules that can be set (V5).
import { accepted, type Result } from '../result.ts';
import { isMapped, parseIp, type IpAddress } from './address.ts';
import { parsePrefix, prefixContains, type Prefix, type PrefixRefusal } from './prefix.ts';

/** `shared`: behind a carrier's NAT (RFC 6598). `special`: no node is ever there, seen from another machine. */
export type AddressScope = 'public' | 'private' | 'shared' | 'link-local' | 'loopback' | 'special';

export interface AddressRule {
  /** CIDR; of several that fit the longest counts. */
  readonly prefix: string;
  readonly scope: AddressScope;
  /** Where the rule comes from. */
  readonly source: string;
}

/** The IANA special-purpose registries, as far as they matter here. */
export const ADDRESS_RULES: readonly AddressRule[] = [
  { prefix: '0.0.0.0/0', scope: 'public', source: 'all else' },
  { prefix: '0.0.0.0/8', scope: 'special', source: 'RFC 791 3.2: this network' },
  { prefix: '10.0.0.0/8', scope: 'private', source: 'RFC 1918' },
  { prefix: '100.64.0.0/10', scope: 'shared', source: 'RFC 6598: carrier NAT' },
  { prefix: '127.0.0.0/8', scope: 'loopback', source: 'RFC 1122' },
  { prefix: '169.254.0.0/16', scope: 'link-local', source: 'RFC 3927' },
  { prefix: '172.16.0.0/12', scope: 'private', source: 'RFC 1918' },
  { prefix: '192.0.0.0/24', scope: 'special', source: 'RFC 6890' },
  { prefix: '192.0.2.0/24', scope: 'public', source: 'RFC 5737: documentation' },
  { prefix: '192.88.99.0/24', scope: 'special', source: 'RFC 7526: 6to4 relays' },
  { prefix: '192.168.0.0/16', scope: 'private', source: 'RFC 1918' },
  { prefix: '198.18.0.0/15', scope: 'private', source: 'RFC 2544: benchmarks' },
  { prefix: '198.51.100.0/24', scope: 'public', source: 'RFC 5737: documentation' },
  { prefix: '203.0.113.0/24', scope: 'public', source: 'RFC 5737: documentation' },
  { prefix: '224.0.0.0/4', scope: 'special', source: 'RFC 1112: multicast' },
  { prefix: '240.0.0.0/4', scope: 'special', source: 'RFC 1112: reserved' },
  { prefix: '::/0', scope: 'special', source: 'RFC 4291: not global unicast' },
  { prefix: '2000::/3', scope: 'public', source: 'RFC 4291: global unicast' },
  { prefix: '::1/128', scope: 'loopback', source: 'RFC 4291' },
  { prefix: '64:ff9b::/96', scope: 'public', source: 'RFC 6052: NAT64' },
  { prefix: '64:ff9b:1::/48', scope: 'private', source: 'RFC 8215: local NAT64' },
  { prefix: '2001:2::/48', scope: 'private', source: 'RFC 5180: benchmarks' },
  { prefix: '2001:db8::/32', scope: 'public', source: 'RFC 3849: documentation' },
  { prefix: 'fc00::/7', scope: 'private', source: 'RFC 4193' },
  { prefix: 'fe80::/10', scope: 'link-local', source: 'RFC 4291' },
  { prefix: 'ff00::/8', scope: 'special', source: 'RFC 4291: multicast' },
];

/** What a network sets for itself goes over those (V5). */
export function rulesWith(own: readonly Omit<AddressRule, 'source'>[]): Result<AddressTable, PrefixRefusal> {
  const set = own.map(({ prefix, scope }) => ({ prefix, scope, source: 'set for this network' }));
  return compileRules([...ADDRESS_RULES, ...set]);
}

/** Rules ready for use: longest prefix first. */
export type AddressTable = readonly { readonly prefix: Prefix; readonly rule: AddressRule }[];

/** Later rules win over earlier ones of the same prefix: `compileRules([...ADDRESS_RULES, ...own])`. */
export function compileRules(rules: readonly AddressRule[]): Result<AddressTable, PrefixRefusal> {
  const table: { prefix: Prefix; rule: AddressRule }[] = [];
  for (const rule of rules) {
    const prefix = parsePrefix(rule.prefix);
    if (!prefix.ok) return prefix;
    table.unshift({ prefix: prefix.value, rule });
  }
  return accepted(table.sort((a, b) => b.prefix.length - a.prefix.length));
}

/** The rule that an address falls under; an IPv4-mapped IPv6 address is judged as the IPv4 it stands for. */
export function ruleFor(table: AddressTable, address: IpAddress): AddressRule | null {
  const inner: IpAddress = isMapped(address.bytes)
    ? { family: 4, bytes: address.bytes.subarray(12) }
    : address;
  return table.find(({ prefix }) => prefixContains(prefix, inner))?.rule ?? null;
}

/** The scope of an address as text; `special` for what is no address, or fits no rule. */
export function scopeOf(table: AddressTable, address: string): AddressScope {
  const ip = parseIp(address);
  return ip.ok ? (ruleFor(table, ip.value)?.scope ?? 'special') : 'special';
}

/** Documentation ranges are routed like any other in labs, so they count as public; this tells them apart. */
export function isDocumentation(table: AddressTable, address: string): boolean {
  const ip = parseIp(address);
  return ip.ok && (ruleFor(table, ip.value)?.source.endsWith(': documentation') ?? false);
}
