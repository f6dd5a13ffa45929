// Where this server can be reached: what its owner advertises, its machine's own addresses, and what was measured from
// outside. What nodes merely say (the name they came by) is shown to the owner, and told to nobody.
import { canonicalIp, familyOf } from '../protocol/ip/address.ts';
import { formatHostPort, parseHostPort } from '../protocol/location/addresses.ts';
import type { Welcome } from '../protocol/location/messages.ts';
import type { Forwarding } from './admin.ts';
import { isPublic, machineAddresses, reachableAddresses } from './machine-addresses.ts';
import type { ForwardedPort } from './port-mapper.ts';
import type { SessionPlace } from './session.ts';
import { placeOf } from './settings.ts';
import type { ServerValues } from './settings.ts';

const MAX_ADDRESSES = 8;
const MAX_SEEN_HOSTS = 16;
const MAX_OUTSIDE = 2;
/** So many hosts are named with their web port too. */
const MAX_WEB = 3;

export class Reach {
  /** The present port, once it listens. */
  port: number;
  /** As they are at the start. */
  readonly #settings: ServerValues;
  #advertise: readonly string[];
  /** The overlay's prefixes: nobody meets a location server by way of its own network. */
  readonly #overlay: readonly string[];
  readonly #seenHosts = new Set<string>();
  #reachedAs: string | null = null;
  /** Where this box's own node measured that it is seen. */
  #outside: readonly string[] = [];
  /** What a port mapper got; null: there is none. */
  #mapped: readonly string[] | null = null;

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
    const found = [...(this.#mapped ?? []), ...this.#outside.map(ip => formatHostPort(ip, this.port))];
    const known = places.filter(place => place !== null);
    return this.#withWeb(known, found);
  }

  /** A host's web port comes right after its own one, so that a home that lets only the web out tries it early. */
  #withWeb(known: readonly string[], found: readonly string[]): string[] {
    const web = this.#webPlaces([...found, ...known]);
    const hosts = [...known.slice(0, MAX_ADDRESSES - found.length - web.size), ...found];
    return [...new Set(hosts.flatMap(place => [place, web.get(place) ?? place]))];
  }

  /** By the place they belong to; of hosts at the main port only: who names another one names what is forwarded. */
  #webPlaces(places: readonly string[]): Map<string, string> {
    const port = this.#settings['web-port'];
    if (port === null) return new Map();
    const hosts = places.flatMap(place => {
      const parsed = parseHostPort(place);
      return parsed?.port === this.port ? [{ place, host: parsed.host }] : [];
    });
    const outside = hosts.filter(({ host }) => canonicalIp(host) === null || isPublic(host));
    const chosen = (outside.length > 0 ? outside : hosts).slice(0, MAX_WEB);
    return new Map(chosen.map(({ place, host }) => [place, formatHostPort(host, port)]));
  }

  /** Measured by this box's own node, and by nobody else: what a stranger says never gets here. */
  setOutside(addresses: readonly string[]): void {
    const own = new Set(machineAddresses().map(({ address }) => address));
    const outer = addresses.filter(address => isPublic(address) && !own.has(address));
    this.#outside = [...new Set(outer)].slice(0, MAX_OUTSIDE);
  }

  setMapped(places: readonly string[]): void {
    this.#mapped = places.filter(place => parseHostPort(place) !== null).slice(0, MAX_OUTSIDE);
  }

  /** All that a router in front must pass on. */
  get ports(): readonly ForwardedPort[] {
    const { 'second-port': second, 'web-port': web } = this.#settings;
    const stun = [this.port, ...(second === null ? [] : [second])];
    return [
      ...stun.map((port): ForwardedPort => ({ protocol: 'TCP', port })),
      ...(web === null ? [] : [{ protocol: 'TCP', port: web } as const]),
      ...stun.map((port): ForwardedPort => ({ protocol: 'UDP', port })),
    ];
  }

  /** Null: this machine has a public address itself, or none at all. */
  forwarding(): Forwarding | null {
    const own = reachableAddresses(machineAddresses(), this.#overlay).filter(
      address => familyOf(address) === 4,
    );
    const [to] = own;
    if (to === undefined || own.some(isPublic) || to.startsWith('127.')) return null;
    const of = (wanted: string): number[] =>
      this.ports.filter(({ protocol }) => protocol === wanted).map(({ port }) => port);
    const [outside, mapped, reachedAs] = [this.#outside, this.#mapped, this.#reachedAs];
    return { to, tcp: of('TCP'), udp: of('UDP'), reachedAs, outside, mapped };
  }

  /** By which other names and addresses logged-in nodes came. */
  seenFromOutside(): string[] {
    const own = new Set(machineAddresses().map(({ address }) => address));
    return [...this.#seenHosts].filter(place => !own.has(parseHostPort(place)?.host ?? ''));
  }

  /** What the node that came there is told. */
  welcome({ remote, local, host, proxied }: SessionPlace): Pick<Welcome, 'stun' | 'addresses'> {
    if (host !== null && isPublic(remote.address)) this.#reachedAs = host;
    if (host !== null && this.#seenHosts.size < MAX_SEEN_HOSTS) this.#seenHosts.add(host);
    const { 'second-port': secondPort } = this.#settings;
    const others = proxied ? this.#direct() : this.#others(local.address);
    const alternates = others.map(address => formatHostPort(address, this.port));
    return { stun: { port: this.port, secondPort, alternates }, addresses: this.advertised() };
  }

  /** Those that are listened on; where that is all, the public ones of the other family: its NAT is another. */
  #others(local: string): string[] {
    const { listen } = this.#settings;
    if (listen.length > 0) return listen.filter(address => address !== local);
    return this.#direct().filter(address => isPublic(address) && familyOf(address) !== familyOf(local));
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
