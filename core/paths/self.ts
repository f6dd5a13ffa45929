// What this node knows of its own place: where others may reach it, what its NAT does, where it may send.
import type { Clock } from '../../base/clock.ts';
import type { Endpoint, IpFamily } from '../../protocol/address.ts';
import { formatEndpoint } from '../../protocol/address.ts';
import { scopeOf } from '../../protocol/ip/classify.ts';
import type { CandidateWords } from '../../protocol/location/messages.ts';
import type { Prefix } from '../../protocol/ip/prefix.ts';
import type { NetworkDoor, NetworkInterface } from '../../system/doors.ts';
import { MAX_CANDIDATES, type Candidate, type CandidateKind } from '../contract/candidate.ts';
import type { PathClass } from '../contract/link.ts';
import { NOTHING_CHECKED, type NatReport, type NatWords } from '../contract/nat-report.ts';
import type { Traversal } from '../contract/plugin.ts';
import type { Puncher } from '../contract/punch.ts';
import type { Control } from '../control/types.ts';
import { addressTable, classOf, inAny, isUsable, prefixesOf } from './addresses.ts';
import type { Transport } from './detours.ts';
import type { Way } from './path.ts';
import { TIMING } from './timing.ts';
import type { DatagramTransport } from './udp-transport.ts';
import { isSymmetric } from './plan.ts';
import { natWords } from './verdict.ts';

/** The order in which candidates are named where there are too many. */
const ORDER: readonly CandidateKind[] = ['configured', 'mapped', 'reflexive', 'host', 'predicted', 'relay'];
const WAYS_KEPT = 1024;
/** Of relays, and of TCP doors, in an offer. */
const MAX_OTHERS = 4;
const LIFETIME_USED = 0.6;

export interface SelfOptions {
  readonly transport: DatagramTransport;
  readonly network: Pick<NetworkDoor, 'addresses'>;
  readonly control: Pick<Control, 'rttMs' | 'state'>;
  readonly clock: Clock;
  /** Addresses at which the owner says this node can be reached. */
  readonly configured: readonly Endpoint[];
}

export class SelfPlace {
  readonly #options: SelfOptions;
  readonly #table = addressTable();
  readonly #ways = new Map<string, Way | null>();
  #plugins: readonly Traversal[] = [];
  #transports: readonly Pick<Transport, 'candidates'>[] = [];
  #tcpPorts: readonly number[] = [];
  #configured: readonly Endpoint[];
  #overlay: readonly Prefix[] = [];
  #interfaces: readonly NetworkInterface[] = [];
  #candidates: readonly Candidate[] = [];
  #hasMoved = false;

  constructor(options: SelfOptions) {
    this.#options = options;
    this.#configured = options.configured;
    this.refresh();
  }

  setPlugins(plugins: readonly Traversal[]): boolean {
    this.#plugins = plugins;
    return this.refresh();
  }

  /** Those that run now, and the ports of the TCP door; empty: it is closed. */
  setConnections(transports: readonly Pick<Transport, 'candidates'>[], tcpPorts: readonly number[]): boolean {
    this.#transports = transports;
    this.#tcpPorts = tcpPorts;
    return this.refresh();
  }

  setConfigured(endpoints: readonly Endpoint[]): boolean {
    this.#configured = endpoints;
    return this.refresh();
  }

  /** Prefixes of the overlay itself: a path through the tunnel would bite its own tail. */
  setOverlay(prefixes: readonly string[]): boolean {
    this.#overlay = prefixesOf(prefixes);
    return this.refresh();
  }

  /** Since this was last asked: are addresses of this node others, not only relays? */
  takeMoved(): boolean {
    const moved = this.#hasMoved;
    this.#hasMoved = false;
    return moved;
  }

  /** Looks at addresses and plugins again; true: the candidates are others than before. */
  refresh(): boolean {
    const before = this.#candidates;
    this.#interfaces = this.#options.network
      .addresses()
      .filter(({ address }) => !inAny(this.#overlay, address));
    this.#ways.clear();
    this.#candidates = this.#gather();
    this.#hasMoved ||= this.#addresses(this.#candidates) !== this.#addresses(before);
    return textOfAll(this.#candidates) !== textOfAll(before);
  }

  /** Where a NAT gives each destination another port, another port outside is no news. */
  #addresses(candidates: readonly Candidate[]): string {
    const isLoose = isSymmetric(this.nat);
    return candidates
      .filter(isAddress)
      .map(each => (isLoose && each.kind === 'reflexive' ? each.endpoint.address : textOf(each)))
      .join();
  }

  get candidates(): readonly Candidate[] {
    return this.#candidates;
  }

  /** The name of the transport of plain datagrams. */
  get transport(): string {
    return this.#options.transport.name;
  }

  /** Does any plugin look at what the NAT does? */
  get isMeasured(): boolean {
    return this.#plugins.length > 0;
  }

  get serverRttMs(): number | null {
    return this.#options.control.rttMs;
  }

  /** The report that knows most, with the notes of all; `NOTHING_CHECKED` where no plugin has one. */
  get natReport(): NatReport {
    const reports = this.#plugins.map(plugin => plugin.natReport());
    const most =
      reports.find(({ mapping }) => mapping !== 'not-checked') ??
      reports.find(({ takenAt }) => takenAt > 0) ??
      NOTHING_CHECKED;
    const others = reports.filter(each => each !== most).flatMap(({ notes }) => notes);
    const report = others.length === 0 ? most : { ...most, notes: [...most.notes, ...others] };
    // A server that is away answers no STUN either: that says nothing of UDP.
    const isDoubtful = report.udp === 'no' && this.#options.control.state !== 'connected';
    return isDoubtful ? { ...report, udp: 'not-checked' } : report;
  }

  /** Of the first plugin that has one. */
  get puncher(): Puncher | null {
    return this.#plugins.find(({ puncher }) => puncher !== undefined)?.puncher ?? null;
  }

  /** The long-lived socket's IPv4 address outside: as seen there, or its own where that is one of the public network. */
  get outside(): Endpoint | null {
    const seen = this.#candidates.find(({ kind, endpoint }) => kind === 'reflexive' && endpoint.family === 4);
    return seen?.endpoint ?? null;
  }

  /** Names the network: addresses outside and the NAT's ways, not the ports, which come and go. */
  get place(): string {
    const { mapping, filtering, ports } = this.nat;
    return [...placesIn(this.#candidates), mapping, filtering, ports].join(' ');
  }

  get nat(): NatWords {
    return natWords(this.natReport);
  }

  /** A reflexive address that is none of ours, or no public address at all. */
  isNatted(family: IpFamily): boolean {
    const own = this.#interfaces.filter(each => each.family === family).map(({ address }) => address);
    const seen = this.#candidates.filter(
      ({ kind, endpoint }) => kind === 'reflexive' && endpoint.family === family,
    );
    if (seen.length > 0) return seen.some(({ endpoint }) => !own.includes(endpoint.address));
    return family === 4 && !own.some(address => scopeOf(this.#table, address) === 'public');
  }

  /** How long an idle mapping may be left alone: fitted to its measured lifetime, else `unmeasuredMs`. */
  keepAliveMs(unmeasuredMs: number = TIMING.keepAlive): number {
    const { lifetimeMs } = this.natReport;
    if (lifetimeMs === null) return unmeasuredMs;
    return Math.min(TIMING.keepAliveMax, Math.max(TIMING.keepAliveMin, lifetimeMs * LIFETIME_USED));
  }

  wayTo(endpoint: Endpoint): Way | null {
    const key = `${this.#options.transport.name} ${formatEndpoint(endpoint)}`;
    const known = this.#ways.get(key);
    if (known !== undefined) return known;
    if (this.#ways.size >= WAYS_KEPT) this.#ways.clear();
    const way = this.#mayProbe(endpoint) ? this.#way(key, endpoint) : null;
    this.#ways.set(key, way);
    return way;
  }

  classOf(endpoint: Endpoint): PathClass {
    return classOf(endpoint, this.#interfaces, this.#table);
  }

  #way(key: string, endpoint: Endpoint): Way {
    const { transport } = this.#options;
    return {
      key,
      transport: transport.name,
      endpoint,
      class: this.classOf(endpoint),
    };
  }

  /** Another home may use the same private addresses: what is said to be there would be ourselves. */
  mayConnect(endpoint: Endpoint): boolean {
    if (!isUsable(endpoint, this.#table) || inAny(this.#overlay, endpoint.address)) return false;
    const isOurs = this.#interfaces.some(({ address }) => address === endpoint.address);
    return !isOurs || !this.#tcpPorts.includes(endpoint.port);
  }

  #mayProbe(endpoint: Endpoint): boolean {
    if (!this.#options.transport.families.includes(endpoint.family)) return false;
    if (!isUsable(endpoint, this.#table) || inAny(this.#overlay, endpoint.address)) return false;
    const isOurs = this.#interfaces.some(({ address }) => address === endpoint.address);
    return !isOurs || endpoint.port !== this.#options.transport.localPort(endpoint.family);
  }

  #gather(): Candidate[] {
    const all = [
      ...this.#hosts(),
      ...this.#configured.map(endpoint => candidate('configured', endpoint)),
      ...this.#plugins.flatMap(plugin => plugin.candidates()),
    ].filter(({ endpoint }) => isUsable(endpoint, this.#table));
    all.sort((a, b) => ORDER.indexOf(a.kind) - ORDER.indexOf(b.kind));
    const once = new Map<string, Candidate>();
    for (const each of all) {
      const place = `${each.transport} ${formatEndpoint(each.endpoint)}`;
      if (!once.has(place)) once.set(place, each);
    }
    // Others are few, and worth no less than the last of many addresses.
    const others = [...this.#relays(), ...this.#tcpDoors()];
    return [...[...once.values()].slice(0, MAX_CANDIDATES - others.length), ...others];
  }

  #relays(): Candidate[] {
    return this.#transports.flatMap(transport => transport.candidates().slice(0, MAX_OTHERS));
  }

  /** At its own addresses, where the owner says it is reached, and by the ports of the web where it listens there. */
  #tcpDoors(): Candidate[] {
    const configured = this.#configured.map(endpoint => candidate('configured', endpoint, 'tcp'));
    const hosts = this.#tcpPorts.flatMap(port =>
      this.#interfaces.map(({ family, address }) => candidate('host', { family, address, port }, 'tcp')),
    );
    const doors = this.#tcpPorts.length === 0 ? [] : [...configured, ...hosts];
    return doors.filter(({ endpoint }) => isUsable(endpoint, this.#table)).slice(0, MAX_OTHERS);
  }

  #hosts(): Candidate[] {
    return this.#interfaces.flatMap(({ family, address }) => {
      const port = this.#options.transport.localPort(family);
      return port === null ? [] : [candidate('host', { family, address, port })];
    });
  }
}

const candidate = (kind: CandidateKind, endpoint: Endpoint, transport = 'udp'): Candidate => ({
  kind,
  transport,
  endpoint,
  foundBy: 'core',
});

/** Addresses outside, and whole places where a router passes a port on: one more of these is another network to be met in. */
export function placesIn(candidates: readonly CandidateWords[]): readonly string[] {
  const udp = candidates.filter(({ transport }) => transport === 'udp');
  const kept = udp.filter(({ kind }) => kind === 'mapped' || kind === 'configured');
  const seen = udp.filter(({ kind, endpoint }) => kind === 'reflexive' || endpoint.family === 6);
  const texts = [
    ...kept.map(({ endpoint }) => formatEndpoint(endpoint)),
    ...seen.map(({ endpoint }) => endpoint.address),
  ];
  return [...new Set(texts)];
}

const isAddress = ({ kind }: Candidate): boolean => kind !== 'relay';

const textOfAll = (candidates: readonly Candidate[]): string => candidates.map(textOf).join();

const textOf = ({ kind, transport, endpoint }: Candidate): string =>
  `${kind} ${transport} ${formatEndpoint(endpoint)}`;
