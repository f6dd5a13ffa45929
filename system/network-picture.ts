// What the machine's networks are now: its addresses, and its default routes from /proc. How a change is noticed is
// another's: by rtnetlink (network.ts), or by looking again (tuntap/network.ts).
import { readFileSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import type { IpFamily } from '../protocol/address.ts';
import { formatIp } from '../protocol/ip/address.ts';
import type { NetworkInterface } from './doors.ts';

/** All that makes a difference, as text. */
export function networkPicture(): string {
  return JSON.stringify([readAddresses(), defaultRoutes(4), defaultRoutes(6)]);
}

/** Link-local IPv6 addresses are left out: without a zone they are no use to a peer. */
export function readAddresses(): NetworkInterface[] {
  return Object.entries(networkInterfaces()).flatMap(([name, infos = []]) =>
    infos
      .filter(info => !info.internal && !info.address.startsWith('fe80:'))
      .map(info => ({
        name,
        family: info.family === 'IPv4' ? (4 as const) : (6 as const),
        address: info.address,
        prefixLength: Number(info.cidr?.split('/')[1] ?? (info.family === 'IPv4' ? 32 : 128)),
      })),
  );
}

/** The one with the least metric. */
export function defaultGateway(family: IpFamily): string | null {
  return bestRoute(defaultRoutes(family))?.gateway ?? null;
}

/** By which cards the internet is reached, of either family. */
export const defaultCards = (): string[] => [
  ...new Set([...defaultRoutes(4), ...defaultRoutes(6)].map(({ card }) => card)),
];

// ---- default routes

interface DefaultRoute {
  readonly card: string;
  /** Null: straight into the card, as PPP does. */
  readonly gateway: string | null;
  readonly metric: number;
}

const RTF_UP = 0x1;
const RTF_REJECT = 0x200;

const bestRoute = (routes: readonly DefaultRoute[]): DefaultRoute | undefined =>
  routes.reduce<DefaultRoute | undefined>(
    (best, route) => (best === undefined || route.metric < best.metric ? route : best),
    undefined,
  );

function defaultRoutes(family: IpFamily): DefaultRoute[] {
  return family === 4 ? defaultRoutes4() : defaultRoutes6();
}

/** /proc/net/route: card, destination, gateway, flags, references, use, metric, mask, …; addresses in native hex. */
function defaultRoutes4(): DefaultRoute[] {
  return table('/proc/net/route')
    .filter(([, destination, , flags, , , , mask]) => {
      const bits = Number.parseInt(flags ?? '0', 16);
      return (
        destination === '00000000' &&
        mask === '00000000' &&
        (bits & RTF_UP) !== 0 &&
        (bits & RTF_REJECT) === 0
      );
    })
    .map(([card = '', , gateway = '', , , , metric = '0']) => ({
      card,
      gateway: nonZero(formatIp(Buffer.from(gateway, 'hex').reverse())),
      metric: Number(metric),
    }));
}

/** /proc/net/ipv6_route: destination, its length, source, its length, next hop, metric, references, use, flags, card. */
function defaultRoutes6(): DefaultRoute[] {
  return table('/proc/net/ipv6_route')
    .filter(([destination = '', length, , , , , , , flags = '0', card]) => {
      const bits = Number.parseInt(flags, 16);
      return /^0+$/.test(destination) && length === '00' && (bits & RTF_REJECT) === 0 && card !== 'lo';
    })
    .map(([, , , , gateway = '', metric = '0', , , , card = '']) => ({
      card,
      gateway: withZone(nonZero(formatIp(Buffer.from(gateway, 'hex'))), card),
      metric: Number.parseInt(metric, 16),
    }));
}

const nonZero = (address: string): string | null =>
  address === '0.0.0.0' || address === '::' ? null : address;

/** A router announces itself by its link-local address, which means nothing without its card. */
const withZone = (address: string | null, card: string): string | null =>
  address?.startsWith('fe80:') === true ? `${address}%${card}` : address;

/** The rows of a table in /proc, none where this kernel has it not. */
function table(path: string): string[][] {
  let text: string;
  try {
    text = readFileSync(path, 'latin1');
  } catch {
    return [];
  }
  return text
    .split('\n')
    .filter(line => line !== '')
    .map(line => line.trim().split(/\s+/));
}
