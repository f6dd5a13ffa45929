// The one driver of all path machines: gives them time and events, carries out what they ask for.
import type { Timer } from '../../base/clock.ts';
import { formatEndpoint, type Endpoint } from '../../protocol/address.ts';
import { GinnelError } from '../../base/errors.ts';
import type { PathSignal, SignedNode } from '../../protocol/location/messages.ts';
import { writeXorMappedAddress } from '../../protocol/stun/attributes.ts';
import { BINDING, decodeStun, encodeStun, isStun, type DecodedStun } from '../../protocol/stun/codec.ts';
import type { Batch, Link } from '../contract/link.ts';
import type { ControlState } from '../control/types.ts';
import type { PeerId } from '../dataplane/engine.ts';
import { Budget } from './budget.ts';
import { ServerKeepAlive } from './keep-alive.ts';
import type { Machine, MachineOutput, SelfView } from './machine.ts';
import type { Path, Way } from './path.ts';
import type { PathPeer, Paths, PathsOptions } from './paths.ts';
import { PeerMachine } from './peer.ts';
import { Probing } from './probing.ts';
import { Refresher } from './refresher.ts';
import { SelfPlace } from './self.ts';
import { pathStatus, peerPaths, whyLines } from './status.ts';
import { StockMachine } from './stock.ts';
import { CoreStunDoor } from './stun-door.ts';
import { StunTransactions } from './stun-transactions.ts';
import { TIMING } from './timing.ts';
import { silentEvents, type DatagramLink } from './udp-transport.ts';

interface Entry {
  peer: PathPeer;
  readonly machine: Machine;
  /** In use. */
  link: DatagramLink | null;
  timer: Timer | null;
  timerAt: number;
  shown: string;
}

export function createPaths(options: PathsOptions): Paths {
  return new PathsDriver(options);
}

class PathsDriver implements Paths {
  readonly stun: CoreStunDoor;
  readonly #options: PathsOptions;
  readonly #budget: Budget;
  readonly #self: SelfPlace;
  readonly #transactions: StunTransactions;
  readonly #probing: Probing;
  readonly #refresher: Refresher;
  readonly #keepAlive: ServerKeepAlive;
  readonly #entries = new Map<PeerId, Entry>();
  readonly #byLink = new Map<Link, Entry>();
  #unsubscribe: (() => void)[] = [];
  #isRunning = false;
  #controlState: ControlState;

  constructor(options: PathsOptions) {
    this.#options = options;
    this.#controlState = options.control.state;
    const { clock, random, primitives, transport, network, control } = options;
    const counters = options.counters.scope('paths');
    this.#budget = new Budget(counters, clock.monotonicMs(), options.limits);
    this.#self = new SelfPlace({ transport, network, control, clock, configured: options.configured ?? [] });
    this.#transactions = new StunTransactions({ clock, random, primitives, budget: this.#budget, counters });
    this.stun = new CoreStunDoor({
      transport,
      transactions: this.#transactions,
      network,
      openUdp: options.openUdp,
    });
    this.#refresher = new Refresher(clock, options.log);
    this.#keepAlive = new ServerKeepAlive({
      clock,
      random,
      ask: ask => this.stun.signed(ask),
      intervalMs: () => this.#self.keepAliveMs(TIMING.keepAliveMax),
      mappedChanged: mapped => this.#mappedChanged(mapped),
    });
    this.#probing = new Probing({
      primitives,
      clock,
      counters,
      budget: this.#budget,
      wireguard: options.identity.wireguard,
      network: options.identity.network,
      requested: (id, link, inUse) =>
        this.#with(id, (machine, now) => machine.requested(wayOf(link, this.#self), inUse, now)),
      answered: (id, link, transaction, seenAs) => this.#answered(id, link, transaction, seenAs),
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
      sent: link => this.#sent(link),
      turnEnded: () => engine.flush(),
    };
    this.#unsubscribe.push(network.onChange(() => this.#networkChanged()));
    this.#each((machine, now) => machine.restored(now));
  }

  stop(): void {
    if (!this.#isRunning) return;
    this.#isRunning = false;
    this.#options.transport.events = silentEvents;
    for (const end of this.#unsubscribe.splice(0)) end();
    this.#keepAlive.stop();
    this.#refresher.stop();
    this.#transactions.abort();
    this.stun.close();
    for (const id of [...this.#entries.keys()]) this.removePeer(id);
  }

  setPeer(peer: PathPeer): void {
    const known = this.#entries.get(peer.id);
    if (known?.peer.kind === peer.kind && sameFixed(known.peer, peer)) {
      this.#update(known, peer);
      return;
    }
    if (known !== undefined) this.removePeer(peer.id);
    const isGinnel = peer.kind === 'ginnel' && this.#probing.add(peer.id, peer.publicKey);
    const machine = isGinnel ? this.#machine(peer) : new StockMachine(this.#self, peer.endpoint ?? null);
    const entry: Entry = { peer, machine, link: null, timer: null, timerAt: Infinity, shown: '' };
    this.#entries.set(peer.id, entry);
    if (this.#isRunning) machine.restored(this.#now());
    this.#drive(entry);
  }

  /** With its signed node known, signals can reach it. */
  #update(entry: Entry, peer: PathPeer): void {
    const before = this.#canSignal(peer.id);
    entry.peer = peer;
    const after = this.#canSignal(peer.id);
    if (before === after) return;
    entry.machine.serverChanged(after, this.#now());
    this.#drive(entry);
  }

  removePeer(id: PeerId): void {
    const entry = this.#entries.get(id);
    if (entry === undefined) return;
    this.#entries.delete(id);
    this.#probing.remove(id);
    entry.timer?.cancel();
    this.#use(entry, null);
  }

  setTraversal(plugins: Parameters<Paths['setTraversal']>[0]): void {
    this.#refresher.setPlugins(plugins, () => this.#selfChanged(this.#self.refresh()));
    this.#selfChanged(this.#self.setPlugins(plugins));
  }

  setOverlay(prefixes: readonly string[]): void {
    this.#selfChanged(this.#self.setOverlay(prefixes));
  }

  // ---- the hot path: what the session hears and sends

  heard(id: PeerId, link: Link, nowMs: number): void {
    const entry = this.#entries.get(id);
    if (entry === undefined) return;
    const { active } = entry.machine;
    if (link === entry.link && active?.usable === true) {
      if (active.waitingSince !== null) entry.link.armed = true;
      active.heard(nowMs);
      return;
    }
    entry.machine.heard(wayOf(link, this.#self), nowMs);
    this.#drive(entry);
  }

  #sent(link: DatagramLink): void {
    const entry = this.#byLink.get(link);
    if (entry === undefined) return;
    const now = this.#now();
    entry.machine.sent(now);
    // No machine needs to look sooner than this at an unanswered packet.
    if (entry.timerAt > now + TIMING.doubtAfter) this.#wakeAt(entry, now + TIMING.doubtAfter);
  }

  needsPath(id: PeerId): void {
    this.#with(id, (machine, now) => machine.wanted(now));
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
    else this.#probing.received(link, message);
  }

  #answered(id: PeerId, link: DatagramLink, transaction: string, seenAs: Endpoint | null): boolean {
    const entry = this.#entries.get(id);
    if (entry === undefined) return false;
    const { active } = entry.machine;
    if (entry.link !== null && active?.waitingSince !== null) entry.link.armed = true;
    const isOurs = entry.machine.answered(wayOf(link, this.#self), transaction, seenAs, this.#now());
    this.#drive(entry);
    return isOurs;
  }

  // ---- the control side

  welcomed(welcome: Parameters<Paths['welcomed']>[0], server: Endpoint): void {
    this.stun.welcomed(welcome, server);
    this.#keepAlive.start({ ...server, port: welcome.stun.port }, welcome.keepAlive);
  }

  controlChanged(state: ControlState): void {
    this.#controlState = state;
    this.#each((machine, now, entry) => machine.serverChanged(this.#canSignal(entry.peer.id), now));
  }

  signalled(from: SignedNode, signal: PathSignal): void {
    const entry = this.#entries.get(from.record.wireguardKey);
    if (entry === undefined) {
      this.#count('signal.stranger');
      return;
    }
    entry.peer = { ...entry.peer, node: from };
    entry.machine.signalled(signal, this.#now());
    this.#drive(entry);
  }

  onlineChanged(id: PeerId, online: boolean): void {
    this.#with(id, (machine, now) => machine.onlineChanged(online, now));
  }

  seenFrom(endpoint: Endpoint): void {
    this.#keepAlive.seen(endpoint);
  }

  #canSignal(id: PeerId): boolean {
    return this.#controlState === 'connected' && this.#entries.get(id)?.peer.node != null;
  }

  #signal(entry: Entry, kind: 'offer' | 'answer', attempt: string): void {
    const { control } = this.#options;
    if (entry.peer.node === null) return;
    const signal: PathSignal = {
      type: kind,
      attempt,
      // The control side numbers its signals itself, over restarts.
      serial: 0,
      candidates: this.#self.candidates.map(({ kind: how, transport, endpoint }) => ({
        kind: how,
        transport,
        endpoint,
      })),
      nat: this.#self.nat,
      serverRttMs: control.rttMs,
    };
    control.signal(entry.peer.node, signal).catch((error: unknown) => {
      const code = error instanceof GinnelError ? error.code : 'SIGNAL_FAILED';
      this.#with(entry.peer.id, (machine, now) => machine.signalFailed(attempt, code, now));
    });
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
    this.#each((machine, now) => machine.networkChanged(now));
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
    this.#each((machine, now) => machine.candidatesChanged(now));
  }

  // ---- driving

  #machine(peer: PathPeer): Machine {
    const { random, identity, book, counters } = this.#options;
    const self: SelfView = {
      id: identity.wireguardKey,
      isConnected: () => this.#canSignal(peer.id),
      serverRttMs: () => this.#self.serverRttMs,
      isNatted: family => this.#self.isNatted(family),
      keepAliveMs: () => this.#self.keepAliveMs(),
      nat: () => this.#self.nat,
      wayTo: endpoint => this.#self.wayTo(endpoint),
    };
    const scoped = counters.scope('paths');
    return new PeerMachine({
      peer,
      self,
      budget: this.#budget,
      random,
      counters: scoped,
      good: book.good(peer.id),
    });
  }

  #count(name: string): void {
    this.#options.counters.counter(`paths.${name}`).value++;
  }

  #now(): number {
    return this.#options.clock.monotonicMs();
  }

  #each(tell: (machine: Machine, now: number, entry: Entry) => void): void {
    if (!this.#isRunning) return;
    for (const entry of [...this.#entries.values()]) {
      tell(entry.machine, this.#now(), entry);
      this.#drive(entry);
    }
  }

  #with(id: PeerId, tell: (machine: Machine, now: number) => void): void {
    const entry = this.#entries.get(id);
    if (entry === undefined || !this.#isRunning) return;
    tell(entry.machine, this.#now());
    this.#drive(entry);
  }

  #drive(entry: Entry): void {
    if (!this.#isRunning) return;
    for (let outputs = entry.machine.take(); outputs.length > 0; outputs = entry.machine.take())
      for (const output of outputs) this.#perform(entry, output);
    // A path that fell silent and came back was told of its last packet long ago: it must hear of the next one.
    if (entry.link !== null && entry.machine.active?.waitingSince === null) entry.link.armed = true;
    this.#options.transport.flush();
    const now = this.#now();
    this.#wakeAt(entry, entry.machine.wakeAt(now) ?? Infinity);
    this.#show(entry);
  }

  #wakeAt(entry: Entry, at: number): void {
    if (entry.timerAt === at) return;
    entry.timer?.cancel();
    entry.timerAt = at;
    const now = this.#now();
    entry.timer =
      at === Infinity ? null : this.#options.clock.after(Math.max(1, at - now), () => this.#tick(entry));
  }

  #tick(entry: Entry): void {
    entry.timerAt = Infinity;
    if (this.#entries.get(entry.peer.id) !== entry) return;
    entry.machine.tick(this.#now());
    this.#drive(entry);
  }

  #show(entry: Entry): void {
    const { state, reason, active } = entry.machine;
    const shown = `${state} ${active?.way.key ?? ''} ${reason}`;
    if (shown === entry.shown) return;
    entry.shown = shown;
    this.#options.log.debug('path', { peer: entry.peer.name, state, reason });
    this.#options.events.peerChanged(entry.peer.id);
  }

  #perform(entry: Entry, output: MachineOutput): void {
    if (output.type === 'probe') {
      this.#probe(entry, output);
      return;
    }
    if (output.type === 'signal') {
      this.#signal(entry, output.kind, output.attempt);
      return;
    }
    if (output.type === 'use') {
      this.#use(entry, output.way);
      return;
    }
    if (output.type === 'keep') {
      this.#keep(entry, output.endpoint);
      return;
    }
    this.#refresher.refresh(() => this.#with(entry.peer.id, (machine, now) => machine.refreshed(now)));
  }

  #probe(entry: Entry, { way, transaction, ttl, inUse }: Extract<MachineOutput, { type: 'probe' }>): void {
    const link = way.endpoint === null ? null : this.#options.transport.link(way.endpoint);
    if (link !== null) this.#probing.ask(entry.peer.id, link, transaction, ttl, inUse);
  }

  #use(entry: Entry, way: Way | null): void {
    const { transport, engine } = this.#options;
    const link = way?.endpoint == null ? null : transport.link(way.endpoint);
    if (entry.link !== null) {
      this.#byLink.delete(entry.link);
      transport.keep(entry.link, false);
    }
    entry.link = link;
    if (link !== null) {
      transport.keep(link, true);
      link.armed = true;
      this.#byLink.set(link, entry);
    }
    engine.setPath(entry.peer.id, link);
  }

  #keep(entry: Entry, remote: Endpoint): void {
    const { transport, book } = this.#options;
    const localPort = transport.localPort(remote.family);
    if (localPort !== null) book.noteGood(entry.peer.id, { transport: transport.name, remote, localPort });
  }

  // ---- seen from outside

  status(id: PeerId): ReturnType<Paths['status']> {
    const entry = this.#entries.get(id);
    return entry === undefined ? null : peerPaths(entry.machine, this.#now());
  }

  pathOf(id: PeerId): ReturnType<Paths['pathOf']> {
    const active: Path | null = this.#entries.get(id)?.machine.active ?? null;
    return active?.usable === true ? pathStatus(active) : null;
  }

  why(id: PeerId): readonly string[] {
    const entry = this.#entries.get(id);
    return entry === undefined ? [] : whyLines(entry.peer.name, entry.machine, this.#self, this.#now());
  }
}

const sameFixed = (a: PathPeer, b: PathPeer): boolean =>
  (a.endpoint === undefined ? '' : formatEndpoint(a.endpoint)) ===
  (b.endpoint === undefined ? '' : formatEndpoint(b.endpoint));

/** Where a link leads. A place that may not be probed (ourselves, the overlay) still is a way that was heard on. */
function wayOf(link: Link, self: SelfPlace): Way {
  const known = link.remote === null ? null : self.wayTo(link.remote);
  if (known?.key === link.id) return known;
  const pathClass = link.traits.relayed ? 'relay' : 'direct';
  return { key: link.id, transport: link.transport, endpoint: link.remote, class: pathClass };
}

/** To our own hairpinned request: what a STUN server would say. */
function plainAnswer({ transactionId }: DecodedStun, from: Endpoint): Uint8Array {
  const attributes = [writeXorMappedAddress(from, transactionId)];
  return encodeStun({ class: 'success', method: BINDING, transactionId, attributes });
}
