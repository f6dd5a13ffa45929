// Which of this machine's addresses are those of the home's own network, and who asks from there. Pure: the networks are
// handed in.
import { ADDRESS_RULES, compileRules, scopeOf } from '../../protocol/ip/classify.ts';
import { parseIp } from '../../protocol/ip/address.ts';
import { networkOf, prefixContains } from '../../protocol/ip/prefix.ts';
import type { NetworkInterface } from '../../system/doors.ts';

export interface Networks {
  /** Without loopback and link-local IPv6. */
  readonly cards: readonly NetworkInterface[];
  /** Those by which the internet is reached. */
  readonly defaultCards: readonly string[];
  readonly gateways: readonly string[];
  /** Of this box's own network: the name of its card (empty: it is down) and its addresses. */
  readonly virtual: { readonly card: string; readonly addresses: readonly string[] };
}

export interface Lan {
  /** Where the page belongs, beside loopback. */
  readonly addresses: readonly string[];
  /** Is that address of a machine in the home network, with nothing between? Loopback is. */
  isNear(address: string): boolean;
}

/** Of containers, virtual machines and tunnels: whoever is there is not a device of the home. */
const INSIDE =
  /^(docker\d|docker_|br-[0-9a-f]{12}$|veth|virbr|vnet|vmnet|lxcbr|lxdbr|incusbr|podman|cni|flannel|cali|kube|wg|tun|tap|tailscale|zt|nebula|ppp)/;

/** A shorter prefix is no home's. */
const WIDEST = 8;

const compiled = compileRules(ADDRESS_RULES);
const TABLE = compiled.ok ? compiled.value : [];

export function lanOf(networks: Networks): Lan {
  const cards = new Set(lanCards(networks));
  const ofLan = networks.cards.filter(({ name }) => cards.has(name));
  const addresses = ofLan.filter(isPrivate).map(({ address }) => address);
  return {
    addresses: addresses.length > 0 ? addresses : networks.virtual.addresses,
    isNear: address => isLoopback(address) || isOnLink(address, ofLan, networks),
  };
}

/** Cards with private addresses that do not lead to the internet; where that leaves none, those that do. */
function lanCards({ cards, defaultCards, virtual }: Networks): string[] {
  const fit = [...new Set(cards.map(({ name }) => name))].filter(name => {
    const own = cards.filter(card => card.name === name);
    if (INSIDE.test(name) || name === virtual.card) return false;
    // A card with a public IPv4 address is the internet's, whatever else it has.
    return (
      own.some(isPrivate) && !own.some(({ family, address }) => family === 4 && scope(address) === 'public')
    );
  });
  const inner = fit.filter(name => !defaultCards.includes(name));
  return inner.length > 0 ? inner : fit;
}

const scope = (address: string): string => scopeOf(TABLE, address);
const isPrivate = ({ address }: NetworkInterface): boolean => scope(address) === 'private';
const isLoopback = (address: string): boolean => scope(address) === 'loopback';

/** Not the gateway: whom a router passes on from outside may bear its address. */
function isOnLink(text: string, ofLan: readonly NetworkInterface[], { gateways }: Networks): boolean {
  const asking = parseIp(text);
  if (!asking.ok || gateways.includes(text)) return false;
  return ofLan.some(({ address, prefixLength }) => {
    const own = parseIp(address);
    return (
      own.ok && prefixLength >= WIDEST && prefixContains(networkOf(own.value, prefixLength), asking.value)
    );
  });
}
