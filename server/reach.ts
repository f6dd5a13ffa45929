// Where this server can be reached: what its owner advertises, its machine's own addresses, and what was measured from
// outside. What nodes merely say (the name they came by) is shown to the owner, and told to nobody.
import { canonicalIp, familyOf } from '../protocol/ip/address.ts';
import { formatHostPort, parseHostPort } from '../protocol/location/addresses.ts';
import type { Welcome } from '../protocol/location/messages.ts';
import { machineAddresses, reachableAddresses } from './machine-addresses.ts';
import type { SessionPlace } from './session.ts';
import { placeOf } from './settings.ts';
import type { ServerValues } from './settings.ts';

const MAX_ADDRESSES = 8;
const MAX_SEEN_HOSTS = 16;

export class Reach {
  /** The present port, once it listens. */
  port: number;
  /** As they are at the start. */
  readonly #settings: ServerValues;
  #advertise: readonly string[];
  /** The overlay's prefixes: nobody meets a location server by way of its own network. */
  readonly #overlay: readonly string[];
  readonly #seenHosts = new Set<string>();

  constructor(settings: ServerValues, overlay: readonly string[]) {
    this.port = settings.port;
    this.#settings = settings;
    this.#advertise = settings.advertise;
    this.#overlay = overlay;
  }

  setAdvertise(advertise: readonly string[]): void {
    this.#advertise = advertise;
  }

  /** `host:port`, as invites and welcomes name them. */
  advertised(): string[] {
    const { listen } = this.#settings;
    const advertise = this.#advertise;
    const own = (): string[] =>
      listen.length > 0 ? [...listen] : reachableAddresses(machineAddresses(), this.#overlay);
    const places = (advertise.length > 0 ? advertise : own()).map(text => placeOf(text, this.port));
    return [...new Set(places.filter(place => place !== null))].slice(0, MAX_ADDRESSES);
  }

  /** By which other names and addresses logged-in nodes came. */
  seenFromOutside(): string[] {
    const own = new Set(machineAddresses().map(({ address }) => address));
    return [...this.#seenHosts].filter(place => !own.has(parseHostPort(place)?.host ?? ''));
  }

  /** What the node that came there is told. */
  welcome({ local, host, proxied }: SessionPlace): Pick<Welcome, 'stun' | 'addresses'> {
    if (host !== null && this.#seenHosts.size < MAX_SEEN_HOSTS) this.#seenHosts.add(host);
    const { listen, 'second-port': secondPort } = this.#settings;
    const others = proxied ? this.#direct() : listen.filter(address => address !== local.address);
    const alternates = others.map(address => formatHostPort(address, this.port));
    return { stun: { port: this.port, secondPort, alternates }, addresses: this.advertised() };
  }

  /** Where STUN may answer whoever came by a proxy: literal addresses, never the proxy's. */
  #direct(): string[] {
    const advertised = this.advertised().flatMap(
      place => canonicalIp(parseHostPort(place)?.host ?? '') ?? [],
    );
    const own = reachableAddresses(machineAddresses(), this.#overlay);
    return [...new Set([...advertised, ...this.#settings.listen, ...own])].slice(0, MAX_ADDRESSES);
  }

  /** Where STUN answers: the chosen addresses, or all. */
  stunAddresses(): string[] {
    const { listen } = this.#settings;
    if (listen.length > 0) return listen.map(address => canonicalIp(address) ?? address);
    return [...new Set(machineAddresses().map(({ address }) => address))];
  }

  /** RFC 5780: each address's other one, of the same family, in a ring; only where addresses were named. */
  alternates(): Map<string, string> {
    const pairs = [4, 6].flatMap(family => {
      const same = this.#settings.listen.filter(address => familyOf(address) === family);
      return same.length < 2
        ? []
        : same.map((address, at): [string, string] => [address, same[(at + 1) % same.length]!]);
    });
    return new Map(pairs);
  }
}
