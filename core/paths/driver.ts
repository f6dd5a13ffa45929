// Joins path finding together and sorts what comes in: to the peers' machines, to measurements, to what is known of
// this node itself.
import { formatEndpoint, type Endpoint } from '../../protocol/address.ts';
import type { PathSignal, SignedNode } from '../../protocol/location/messages.ts';
import type { EchoWord } from '../../protocol/peer/words.ts';
import { writeXorMappedAddress } from '../../protocol/stun/attributes.ts';
import { BINDING, decodeStun, encodeStun, isStun, type DecodedStun } from '../../protocol/stun/codec.ts';
import type { Batch, Link } from '../contract/link.ts';
import type { ControlState } from '../control/types.ts';
import type { PeerId } from '../dataplane/engine.ts';
import { Budget } from './budget.ts';
import { Detours, type RouteToPeer } from './detours.ts';
import { HandedLinks } from './handed-links.ts';
import { ServerKeepAlive } from './keep-alive.ts';
import type { Path } from './path.ts';
import type { PathPeer, Paths, PathsOptions } from './paths.ts';
import { PathPeers } from './peers.ts';
import { Refresher } from './refresher.ts';
import { SelfPlace } from './self.ts';
import { pathStatus, peerPaths, whyOf } from './status.ts';
import { CoreStunDoor } from './stun-door.ts';
import { StunTransactions } from './stun-transactions.ts';
import { TIMING } from './timing.ts';
import { silentEvents, type DatagramLink } from './udp-transport.ts';

export function createPaths(options: PathsOptions): Paths {
  return new PathsDriver(options);
}

class PathsDriver implements Paths {
  readonly stun: CoreStunDoor;
  readonly links: HandedLinks;
  readonly #options: PathsOptions;
  readonly #self: SelfPlace;
  readonly #transactions: StunTransactions;
  readonly #peers: PathPeers;
  readonly #refresher: Refresher;
  readonly #keepAlive: ServerKeepAlive;
  readonly #detours: Detours;
  #unsubscribe: (() => void)[] = [];
  #transportEnds: (() => void)[] = [];
  #isRunning = false;

  constructor(options: PathsOptions) {
    this.#options = options;
    const { clock, random, primitives, transport, network, control } = options;
    const counters = options.counters.scope('paths');
    const budget = new Budget(counters, clock.monotonicMs(), options.limits);
    this.#self = new SelfPlace({
      transport,
      network,
      control,
      clock,
      configured: options.configured ?? [],
    });
    this.#transactions = new StunTransactions({ clock, random, primitives, budget, counters });
    this.stun = new CoreStunDoor({
      transport,
      transactions: this.#transactions,
      network,
      openUdp: options.openUdp,
      openTcp: options.openTcp,
      tcp: { clock, random, budget, counters },
    });
    this.#refresher = new Refresher(clock);
    this.#keepAlive = new ServerKeepAlive({
      clock,
      random,
      ask: ask => this.stun.signed(ask),
      intervalMs: () => this.#self.keepAliveMs(TIMING.keepAliveMax),
      mappedChanged: mapped => this.#mappedChanged(mapped),
    });
    this.#detours = new Detours({
      ...{ clock, counters, log: options.log },
      openStream: options.streams === undefined ? null : (to, signal) => options.streams!.open(to, signal),
      isPlace: endpoint => this.#self.mayConnect(endpoint),
      hasPath: id => this.#peers.get(id)?.machine.active?.usable === true,
      hasDirect: id => this.#peers.get(id)?.machine.state === 'direct',
      linked: (id, link, learnt) => this.#peers.linked(id, link, learnt),
    });
    const isPlace = (endpoint: Endpoint): boolean => this.#self.mayConnect(endpoint);
    this.links = new HandedLinks({ counters, isPlace });
    this.#peers = new PathPeers({
      links: this.links,
      ...{ ...options, self: this.#self, budget, refresher: this.#refresher, detours: this.#detours },
      stun: this.stun,
      upgrades: options.upgrades ?? (() => true),
    });
  }

  // ---- life

  start(): void {
    if (this.#isRunning) return;
    this.#isRunning = true;
    const { transport, network, engine } = this.#options;
    transport.events = {
      wireguard: (link, batch) => engine.inbound(link, batch),
      stun: (link, bytes, offset, length) => this.#stunReceived(link, bytes, offset, length),
      sent: link => this.#peers.sent(link),
      turnEnded: () => engine.flush(),
    };
    const { streams } = this.#options;
    if (streams !== undefined)
      streams.events = { ...transport.events, closed: link => this.#peers.linkClosed(link) };
    this.links.events = { ...transport.events, closed: link => this.#peers.linkClosed(link) };
    this.#unsubscribe.push(network.onChange(() => this.#networkChanged()));
    this.#peers.start();
  }

  stop(): void {
    if (!this.#isRunning) return;
    this.#isRunning = false;
    this.#options.transport.events = silentEvents;
    if (this.#options.streams !== undefined)
      this.#options.streams.events = { ...silentEvents, closed: () => undefined };
    this.links.events = { ...silentEvents, closed: () => undefined };
    this.#detours.close();
    for (const end of [...this.#unsubscribe.splice(0), ...this.#transportEnds.splice(0)]) end();
    this.#keepAlive.stop();
    this.#refresher.stop();
    this.#transactions.abort();
    this.stun.close();
    this.#peers.stop();
  }

  setPeer(peer: PathPeer): void {
    this.#peers.set(peer);
  }

  removePeer(id: PeerId): void {
    this.#peers.remove(id);
  }

  setTraversal(plugins: Parameters<Paths['setTraversal']>[0]): void {
    this.#refresher.setPlugins(plugins, () => this.#selfChanged(this.#self.refresh()));
    const before = this.#self.puncher;
    const isOther = this.#self.setPlugins(plugins);
    // What it proposed is nobody's wish any more.
    if (before !== null && this.#self.puncher !== before) this.#peers.volleys.breakOff();
    this.#selfChanged(isOther);
    if (this.#self.puncher !== null && this.#self.puncher !== before)
      this.#peers.each((machine, now) => machine.candidatesChanged(now));
  }

  setConnections(...[transports, tcpPorts]: Parameters<Paths['setConnections']>): void {
    for (const end of this.#transportEnds.splice(0)) end();
    this.#detours.setTransports(transports);
    this.#transportEnds = transports.map(transport => transport.onChange(() => this.#transportsChanged()));
    this.#selfChanged(this.#self.setConnections(transports, tcpPorts));
    this.#peers.detoursChanged();
  }

  #transportsChanged(): void {
    this.#selfChanged(this.#self.refresh());
    this.#peers.detoursChanged();
  }

  setConfigured(endpoints: readonly Endpoint[]): void {
    this.#selfChanged(this.#self.setConfigured(endpoints));
  }

  upgradesChanged(): void {
    this.#peers.each((machine, now) => machine.upgradesChanged(now));
  }

  setOverlay(prefixes: readonly string[]): void {
    this.#selfChanged(this.#self.setOverlay(prefixes));
  }

  // ---- the hot path: what the session hears and sends

  heard(id: PeerId, link: Link, nowMs: number): void {
    this.#peers.heard(id, link, nowMs);
  }

  needsPath(id: PeerId): void {
    this.#peers.with(id, (machine, now) => machine.wanted(now));
  }

  notMine(link: Link, { bytes, offset, length, segment }: Batch): void {
    const datagramLink = link.remote === null ? null : this.#options.transport.link(link.remote);
    for (let at = 0; at < length; at += segment) {
      const size = Math.min(segment, length - at);
      if (datagramLink?.id === link.id && isStun(bytes, offset + at, size))
        this.#stunReceived(datagramLink, bytes, offset + at, size);
      else this.#count('unknown-datagram');
    }
  }

  echoHeard(id: PeerId, word: EchoWord): void {
    this.#peers.echoHeard(id, word);
  }

  // ---- probes

  #stunReceived(link: DatagramLink, bytes: Uint8Array, offset: number, length: number): void {
    const decoded = decodeStun(bytes, offset, length);
    if (!decoded.ok) {
      this.#count(decoded.code);
      return;
    }
    const message = decoded.value;
    if (this.#transactions.received(message, link.remote)) return;
    if (this.#transactions.isOwnRequest(message)) link.sendOwn(plainAnswer(message, link.remote), null);
    else this.#peers.probing.received(link, message);
  }

  // ---- the control side

  welcomed(welcome: Parameters<Paths['welcomed']>[0], server: Endpoint): void {
    this.stun.welcomed(welcome, server);
    this.#keepAlive.start(
      this.stun.servers().map(({ endpoint }) => endpoint),
      welcome.keepAlive,
    );
    // While the server was away, whoever measured found no address outside: without one, no stranger can be met.
    this.#refresher.refresh(() => this.#selfChanged(this.#self.refresh()));
  }

  controlChanged(state: ControlState): void {
    this.#peers.controlChanged(state);
  }

  signalled(from: SignedNode, signal: PathSignal): void {
    if (!this.#peers.signalled(from, signal)) this.#count('signal.stranger');
  }

  onlineChanged(id: PeerId, online: boolean): void {
    this.#peers.with(id, (machine, now) => machine.onlineChanged(online, now));
  }

  routed(id: PeerId, route: RouteToPeer): void {
    this.#peers.routed(id, route);
  }

  rerouted(id: PeerId, route: Pick<RouteToPeer, 'tcp' | 'relays'>): void {
    this.#peers.routed(id, { open: this.#detours.openPlaces(id), ...route });
  }

  seenFrom(endpoint: Endpoint): void {
    this.#keepAlive.seen(endpoint);
  }

  // ---- ourselves

  get candidates(): Paths['candidates'] {
    return this.#self.candidates;
  }

  get natReport(): Paths['natReport'] {
    return this.#self.natReport;
  }

  #networkChanged(): void {
    const isOther = this.#self.refresh();
    this.#options.transport.addressesChanged();
    this.stun.changed();
    this.#peers.each((machine, now) => machine.networkChanged(now));
    this.#selfChanged(isOther);
    this.#refresher.refresh(() => undefined);
  }

  #mappedChanged(mapped: Endpoint): void {
    this.#options.log.info('our address outside is another', { mapped: formatEndpoint(mapped) });
    this.#refresher.refresh(() => this.#selfChanged(this.#self.refresh()));
  }

  #selfChanged(isOther: boolean): void {
    if (!isOther) return;
    this.#options.events.selfChanged();
    // Another relay makes no other way worth a try.
    if (this.#self.takeMoved()) this.#peers.each((machine, now) => machine.candidatesChanged(now));
  }

  #count(name: string): void {
    this.#options.counters.counter(`paths.${name}`).value++;
  }

  // ---- seen from outside

  status(id: PeerId): ReturnType<Paths['status']> {
    const entry = this.#peers.get(id);
    return entry === null
      ? null
      : peerPaths(entry.machine, this.#options.card, this.#options.clock.monotonicMs());
  }

  pathOf(id: PeerId): ReturnType<Paths['pathOf']> {
    const active: Path | null = this.#peers.get(id)?.machine.active ?? null;
    return active?.usable === true ? pathStatus(active, this.#options.card) : null;
  }

  why(id: PeerId): ReturnType<Paths['why']> {
    const { card, clock } = this.#options;
    const entry = this.#peers.get(id);
    if (entry === null) return null;
    return whyOf(entry.peer.name, entry.machine, this.#self, card, clock.monotonicMs());
  }
}

/** To our own hairpinned request: what a STUN server would say. */
function plainAnswer({ transactionId }: DecodedStun, from: Endpoint): Uint8Array {
  const attributes = [writeXorMappedAddress(from, transactionId)];
  return encodeStun({ class: 'success', method: BINDING, transactionId, attributes });
}
