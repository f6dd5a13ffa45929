// The home that this box stands in, as plugins see it: the routers in front, and the ports that the outside should get to.
import { ADDRESS_RULES, compileRules, scopeOf } from '../../protocol/ip/classify.ts';
import type { AddressTable } from '../../protocol/ip/classify.ts';
import { parseIp } from '../../protocol/ip/address.ts';
import { parseInterface, prefixContains } from '../../protocol/ip/prefix.ts';
import type { NetworkDoor, NetworkInterface } from '../../system/doors.ts';
import type { Gateway, MappedPort, WantedPort } from '../contract/plugin.ts';
import type { HomeGiven, HomeTelling } from '../plugin-host/doors.ts';

/** The ports of the location server on this box. */
export interface ServerPorts {
  /** Empty: it is down. */
  wanted(): readonly Pick<WantedPort, 'transport' | 'port'>[];
  /** Returns the way to stop that. */
  onChange(changed: () => void): () => void;
  /** All that the router passes on now, whosever port it is. */
  mapped(mapped: readonly MappedPort[]): void;
}

export interface HomeOptions {
  readonly network: Pick<NetworkDoor, 'addresses' | 'gateway' | 'onChange'>;
  readonly udpPort: number;
  /** Of the TCP door, as they are now. */
  readonly tcpPorts: () => readonly number[];
  readonly server: ServerPorts | null;
}

export class HomePlace implements HomeGiven {
  readonly #options: HomeOptions;
  readonly #table = tableOfRules();
  readonly #tellings = new Map<HomeTelling, readonly MappedPort[]>();

  constructor(options: HomeOptions) {
    this.#options = options;
  }

  gateways(): readonly Gateway[] {
    const { network } = this.#options;
    const all = network.addresses();
    return ([4, 6] as const).flatMap(family => {
      const address = network.gateway(family);
      const local = address === null ? null : this.#localFor(address, family, all);
      return address === null || local === null ? [] : [{ family, address, local }];
    });
  }

  ports(): readonly WantedPort[] {
    const { udpPort, tcpPorts, server } = this.#options;
    return [
      { transport: 'udp', port: udpPort, purpose: 'data' },
      ...tcpPorts().map((port): WantedPort => ({ transport: 'tcp', port, purpose: 'connections' })),
      ...(server?.wanted() ?? []).map((wanted): WantedPort => ({ ...wanted, purpose: 'server' })),
    ];
  }

  onChange(changed: () => void): () => void {
    const ends = [this.#options.network.onChange(changed), this.#options.server?.onChange(changed)];
    return () => {
      for (const end of ends) end?.();
    };
  }

  telling(): HomeTelling {
    const telling: HomeTelling = {
      tell: mapped => {
        if (this.#tellings.has(telling)) this.#told(telling, mapped);
      },
      end: () => {
        if (this.#tellings.has(telling)) this.#told(telling, null);
      },
    };
    this.#tellings.set(telling, []);
    return telling;
  }

  /** Null: nothing any more. */
  #told(telling: HomeTelling, mapped: readonly MappedPort[] | null): void {
    if (mapped === null) this.#tellings.delete(telling);
    else this.#tellings.set(telling, mapped);
    this.#options.server?.mapped([...this.#tellings.values()].flat());
  }

  /**
   * This box's address on the router's network. Null: it has none, or an IPv4 one of its own on the internet, which nobody
   * need pass anything on to. Behind an IPv6 router only such an address is of use: that router is a firewall.
   */
  #localFor(gateway: string, family: 4 | 6, all: readonly NetworkInterface[]): string | null {
    const [address = '', card] = gateway.split('%');
    const near = all.filter(
      each => each.family === family && (card === undefined ? holds(each, address) : each.name === card),
    );
    const isPublic = ({ address: own }: NetworkInterface): boolean => scopeOf(this.#table, own) === 'public';
    if (family === 6) return near.find(isPublic)?.address ?? null;
    return near.some(isPublic) ? null : (near[0]?.address ?? null);
  }
}

/** Is that address on the network of this card? */
function holds({ address, prefixLength }: NetworkInterface, other: string): boolean {
  const own = parseInterface(`${address}/${prefixLength}`);
  const ip = parseIp(other);
  return own.ok && ip.ok && prefixContains(own.value.prefix, ip.value);
}

function tableOfRules(): AddressTable {
  const table = compileRules(ADDRESS_RULES);
  if (!table.ok) throw new TypeError(`the built-in address rules do not compile: ${table.code}`);
  return table.value;
}
