// Where everything of a lab stands: names, addresses and cables, worked out before anything is built.
import { shapeOf } from './kinds.ts';
import type { HomeShape } from './kinds.ts';

export interface HomeOptions {
  /** `prc`, `seq1`, `carrier`, `full+hairpin`, `public`, `onrouter`, `fw6`, … (kinds.ts). */
  readonly kind: string;
  /** Hosts on its LAN; default 1. */
  readonly hosts?: number;
  /** A NAT in front of this home: its kind; the shape's own where not given. */
  readonly behind?: string;
  /** Homes that name the same carrier share its NAT. */
  readonly carrier?: string;
  /** Seconds after which the router forgets a UDP flow; the kernel's 30 and 120 where not given, 10 with `+short`. */
  readonly udpTimeoutS?: number;
  /** By which the rest of the lab sees it; default 198.51.100.x. Not behind a carrier. */
  readonly address?: string;
  /** Of its first host; default 192.168.1.2. The router has .1 of the same /24. */
  readonly inside?: string;
  /** Ports whose TCP and UDP the router forwards to the first host. */
  readonly forwards?: readonly number[];
}

export interface Forwards {
  readonly ports: readonly number[];
  readonly to: string;
}

export interface RouterPlan {
  readonly name: string;
  readonly kind: string;
  readonly wanAddress: string;
  readonly wanMtu: number;
  /** Address on the near side of its children's cables. */
  readonly gateway: string;
  readonly parent: string;
  readonly udpTimeoutS: number | null;
  readonly forwards: Forwards | null;
}

export interface HostPlan {
  readonly name: string;
  /** On its LAN; where there is no router, the home's outer one. */
  readonly address: string;
  /** The last number of its address, in IPv6 too. */
  readonly number: number;
}

export interface HomePlan {
  readonly index: number;
  readonly kind: string;
  readonly shape: HomeShape;
  readonly router: RouterPlan | null;
  readonly carrier: RouterPlan | null;
  readonly hosts: readonly HostPlan[];
  /** `2001:db8:10`: the /64 is `<prefix>::/64`; null: no IPv6. */
  readonly prefix6: string | null;
  /** The address by which the rest of the lab sees this home. */
  readonly outerAddress: string;
}

export interface LabPlan {
  readonly homes: readonly HomePlan[];
  readonly carriers: readonly RouterPlan[];
}

export const CORE_GATEWAY = '192.0.2.1';
export const SERVER_ADDRESSES = ['203.0.113.1', '203.0.113.2'] as const;
export const SERVER_ADDRESSES6 = ['2001:db8:113::1', '2001:db8:113::2'] as const;

const FIRST_HOST = '192.168.1.2';
const PPPOE_MTU = 1492;
const SHORT_TIMEOUT_S = 10;

export function planLab(homes: readonly HomeOptions[]): LabPlan {
  const carriers = new Map<string, RouterPlan>();
  const plans = homes.map((home, index) => planHome(home, index, carriers));
  return { homes: plans, carriers: [...carriers.values()] };
}

function planHome(options: HomeOptions, index: number, carriers: Map<string, RouterPlan>): HomePlan {
  const shape = shapeOf(options.kind);
  const behind = options.behind ?? (options.carrier === undefined ? shape.behind : 'eimprcnp+hairpin');
  const carrier = behind === null ? null : carrierOf(options.carrier ?? `own${index}`, behind, carriers);
  const outerAddress = carrier?.wanAddress ?? options.address ?? `198.51.100.${10 + index}`;
  const router = shape.nat === null ? null : planRouter(options, index, shape, carrier);
  return {
    index,
    kind: options.kind,
    shape,
    router,
    carrier,
    hosts: Array.from({ length: options.hosts ?? 1 }, (_, host) =>
      planHost(
        options,
        `host${index}${host === 0 ? '' : `-${host}`}`,
        host,
        router === null ? outerAddress : null,
      ),
    ),
    prefix6: shape.ipv6 ? `2001:db8:${(0x10 + index).toString(16)}` : null,
    outerAddress,
  };
}

function planHost(
  { inside = FIRST_HOST }: HomeOptions,
  name: string,
  host: number,
  outerAddress: string | null,
): HostPlan {
  const [, net = '', first = ''] = /^(.*\.)(\d+)$/.exec(inside) ?? [];
  const number = Number(first) + host;
  return { name, number, address: outerAddress ?? `${net}${number}` };
}

function planRouter(
  options: HomeOptions,
  index: number,
  shape: HomeShape,
  carrier: RouterPlan | null,
): RouterPlan {
  const { inside = FIRST_HOST, forwards } = options;
  return {
    name: `router${index}`,
    kind: options.kind,
    wanAddress: carrier === null ? (options.address ?? `198.51.100.${10 + index}`) : `100.64.0.${10 + index}`,
    wanMtu: shape.traits.includes('pppoe') ? PPPOE_MTU : 1500,
    gateway: inside.replace(/\d+$/, '1'),
    parent: carrier?.name ?? 'core',
    udpTimeoutS: options.udpTimeoutS ?? (shape.traits.includes('short') ? SHORT_TIMEOUT_S : null),
    forwards: forwards === undefined ? null : { ports: forwards, to: inside },
  };
}

function carrierOf(key: string, kind: string, carriers: Map<string, RouterPlan>): RouterPlan {
  const known = carriers.get(key);
  if (known !== undefined) return known;
  const made: RouterPlan = {
    name: `carrier${carriers.size}`,
    kind,
    wanAddress: `198.51.100.${200 + carriers.size}`,
    wanMtu: 1500,
    gateway: `192.0.2.${2 + carriers.size}`,
    parent: 'core',
    udpTimeoutS: null,
    forwards: null,
  };
  carriers.set(key, made);
  return made;
}
