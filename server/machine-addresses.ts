// This machine's own addresses and networks, as the operating system tells them.
import { networkInterfaces } from 'node:os';
import { canonicalIp, familyOf } from '../protocol/ip/address.ts';
import { parseInterface, parsePrefix, prefixContains } from '../protocol/ip/prefix.ts';
import { formatPrefix } from '../protocol/ip/prefix.ts';
import { ADDRESS_RULES, compileRules, scopeOf } from '../protocol/ip/classify.ts';

/** Nobody meets a location server by way of an overlay, this one's or another's. */
const VIRTUAL_CARD = /^ginnel\d*$/;

export interface MachineAddress {
  readonly family: 4 | 6;
  readonly address: string;
  /** `192.168.1.0/24`. */
  readonly network: string;
  readonly internal: boolean;
  /** `eth0`. */
  readonly card: string;
}

/** All but link-local ones (those need a zone). */
export function machineAddresses(): MachineAddress[] {
  return Object.entries(networkInterfaces())
    .filter(([name]) => !VIRTUAL_CARD.test(name))
    .flatMap(([card, addresses]) => (addresses ?? []).map(each => ({ ...each, card })))
    .flatMap(({ address, cidr, internal, card }) =>
      toMachineAddress(address, cidr ?? address, { internal, card }),
    )
    .filter(({ address }) => !address.startsWith('fe80:'));
}

function toMachineAddress(
  text: string,
  cidr: string,
  where: Pick<MachineAddress, 'internal' | 'card'>,
): MachineAddress[] {
  const address = canonicalIp(text);
  const network = parseInterface(cidr);
  if (address === null || !network.ok) return [];
  return [{ family: familyOf(address), address, network: formatPrefix(network.value.prefix), ...where }];
}

/** The networks that a pool must keep clear of, and the cards they are on. */
export const localNetworks = (
  addresses: readonly MachineAddress[],
): Pick<MachineAddress, 'network' | 'card'>[] => addresses.filter(({ internal }) => !internal);

/** What others may reach it by, public ones first; without the overlay's own. Loopback where there is nothing else. */
export function reachableAddresses(
  addresses: readonly MachineAddress[],
  overlay: readonly string[],
): string[] {
  const outer = addresses.filter(({ internal, address }) => !internal && !isWithin(address, overlay));
  const all = (outer.length > 0 ? outer : addresses).map(({ address }) => address);
  return [...new Set(all)].sort((a, b) => rank(a) - rank(b));
}

function isWithin(address: string, prefixes: readonly string[]): boolean {
  const one = parseInterface(address);
  return prefixes.some(text => {
    const prefix = parsePrefix(text);
    return one.ok && prefix.ok && prefixContains(prefix.value, one.value.address);
  });
}

export function isPublic(address: string): boolean {
  const table = compileRules(ADDRESS_RULES);
  return table.ok && scopeOf(table.value, address) === 'public';
}

function rank(address: string): number {
  return (isPublic(address) ? 0 : 2) + (familyOf(address) === 4 ? 0 : 1);
}
