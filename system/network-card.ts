// Setting up a network card: what is asked of the kernel, and what its refusals mean. How it is asked is another's: by
// rtnetlink (netlink.ts), or by the program `ip` (tuntap/ip-command.ts).
import type { IpAddress } from '../protocol/ip/address.ts';
import { formatPrefix, type Prefix } from '../protocol/ip/prefix.ts';
import { ERRNO, errnoName, kernelRefused, systemErrors } from './errors.ts';

export interface NetworkCard {
  readonly index: number;
  readonly name: string;
}

export interface CardControl {
  /** Sets the MTU, stops the kernel's own link-local chatter, and switches the card on. */
  bringUp(card: NetworkCard, mtu: number): void;
  addAddress(card: NetworkCard, address: IpAddress, prefixLength: number): void;
  /** Throws ROUTE_TAKEN where the machine routes that network elsewhere. */
  addRoute(card: NetworkCard, prefix: Prefix): void;
  /** A route that is not there (any more) is no error. */
  removeRoute(card: NetworkCard, prefix: Prefix): void;
}

/** The same requests as the kernel answers them: 0, or an errno. */
export interface CardRequests {
  bringUp(card: NetworkCard, mtu: number): number;
  addAddress(card: NetworkCard, address: IpAddress, prefixLength: number): number;
  addRoute(card: NetworkCard, prefix: Prefix): number;
  removeRoute(card: NetworkCard, prefix: Prefix): number;
}

export function controlCards(requests: CardRequests): CardControl {
  return {
    bringUp(card, mtu) {
      const errno = requests.bringUp(card, mtu);
      if (errno !== 0) throw refusal(`switch on ${card.name} with an MTU of ${mtu}`, 'RTM_NEWLINK', errno);
    },
    addAddress(card, address, prefixLength) {
      const errno = requests.addAddress(card, address, prefixLength);
      if (errno === 0 || errno === ERRNO.EEXIST) return;
      if (address.family === 6 && isSwitchedOff(errno)) throw ipv6Off(card, 'RTM_NEWADDR', errno);
      throw refusal(`give ${card.name} an address`, 'RTM_NEWADDR', errno);
    },
    addRoute(card, prefix) {
      const errno = requests.addRoute(card, prefix);
      if (errno === 0) return;
      const facts = { prefix: formatPrefix(prefix), name: card.name };
      if (errno === ERRNO.EEXIST) throw systemErrors('ROUTE_TAKEN', facts);
      if (prefix.family === 6 && isSwitchedOff(errno)) throw ipv6Off(card, 'RTM_NEWROUTE', errno);
      throw refusal(`route ${facts.prefix} into ${card.name}`, 'RTM_NEWROUTE', errno);
    },
    removeRoute(card, prefix) {
      const errno = requests.removeRoute(card, prefix);
      if (errno === 0 || errno === ERRNO.ESRCH || errno === ERRNO.ENODEV) return;
      throw refusal(`remove the route ${formatPrefix(prefix)}`, 'RTM_DELROUTE', errno);
    },
  };
}

/** IPv6 can be left out of the kernel or switched off by sysctl; the answers differ. */
const isSwitchedOff = (errno: number): boolean =>
  errno === ERRNO.EACCES ||
  errno === ERRNO.EOPNOTSUPP ||
  errno === ERRNO.EAFNOSUPPORT ||
  errno === ERRNO.ENODEV;

const ipv6Off = (card: NetworkCard, call: string, errno: number): Error =>
  systemErrors('KERNEL_LACKS', { feature: `IPv6 on ${card.name}`, call, errno: errnoName(errno) });

function refusal(action: string, call: string, errno: number): Error {
  return errno === ERRNO.EPERM ? systemErrors('NOT_ROOT', { action }) : kernelRefused(action, call, errno);
}
