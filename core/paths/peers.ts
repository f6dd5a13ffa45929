// All peers of a node: gives their path machines time and events, and carries out what they ask for.
import type { Timer } from '../../base/clock.ts';
import { GinnelError } from '../../base/errors.ts';
import { formatEndpoint, type Endpoint } from '../../protocol/address.ts';
import type { PathSignal, PunchMethod, SignedNode } from '../../protocol/location/messages.ts';
import { encodeWord, type EchoWord } from '../../protocol/peer/words.ts';
import type { Link } from '../contract/link.ts';
import type { Measured, Volley, VolleyAsk } from '../contract/punch.ts';
import type { ControlState } from '../control/types.ts';
import type { PeerId } from '../dataplane/engine.ts';
import type { Budget } from './budget.ts';
import { peerOf, type Detours, type RouteToPeer } from './detours.ts';
import type { HandedLinks } from './handed-links.ts';
import type { Machine, MachineOutput, SelfView } from './machine.ts';
import type { Way } from './path.ts';
import type { PathPeer, PathsOptions } from './paths.ts';
import { PeerMachine } from './peer.ts';
import { Probing } from './probing.ts';
import type { Refresher } from './refresher.ts';
import type { SelfPlace } from './self.ts';
import { StockMachine } from './stock.ts';
import type { CoreStunDoor } from './stun-door.ts';
import { UDP_BLOCKED } from './plan.ts';
import { TIMING } from './timing.ts';
import type { DatagramLink } from './udp-transport.ts';
import { Volleys } from './volley.ts';

const NO_ROOM_FOR_MS = 3_600_000;

export interface Entry {
  peer: PathPeer;
  readonly machine: Machine;
  /** In use. */
  link: DatagramLink | null;
  timer: Timer | null;
  timerAt: number;
  shown: string;
}

export interface PathPeersOptions extends PathsOptions {
  readonly self: SelfPlace;
  readonly budget: Budget;
  readonly refresher: Refresher;
  readonly detours: Detours;
  readonly upgrades: () => boolean;
  readonly stun: CoreStunDoor;
  readonly links: Pick<HandedLinks, 'linkBy'>;
}

export class PathPeers {
  readonly probing: Probing;
  readonly volleys: Volleys;
  readonly #options: PathPeersOptions;
  readonly #self: SelfPlace;
  readonly #entries = new Map<PeerId, Entry>();
  readonly #byLink = new Map<Link, Entry>();
  #controlState: ControlState;
  #isRunning = false;
  /** Where the router took no more flows: it is everybody's, whichever peer was sought. */
  #noRoom: { readonly place: string; readonly until: number } | null = null;

  constructor(options: PathPeersOptions) {
    this.#options = options;
    this.#self = options.self;
    this.#controlState = options.control.state;
    const { primitives, clock, budget, identity } = options;
    this.probing = new Probing({
      ...{ primitives, clock, budget },
      counters: options.counters.scope('paths'),
      wireguard: identity.wireguard,
      network: identity.network,
      requested: (id, link, inUse) => this.#requested(id, link, inUse),
      answered: (id, link, transaction, seenAs) => this.#answered(id, link, transaction, seenAs),
    });
    this.volleys = this.#volleys();
  }

  // ---- who there is

  start(): void {
    this.#isRunning = true;
    this.each((machine, now) => machine.restored(now));
  }

  stop(): void {
    this.#isRunning = false;
    for (const id of [...this.#entries.keys()]) this.remove(id);
    this.volleys.stop();
  }

  get(id: PeerId): Entry | null {
    return this.#entries.get(id) ?? null;
  }

  set(peer: PathPeer): void {
    const known = this.#entries.get(peer.id);
    if (known?.peer.kind === peer.kind && sameFixed(known.peer, peer)) {
      this.#update(known, peer);
      return;
    }
    if (known !== undefined) this.remove(peer.id);
    const isGinnel = peer.kind === 'ginnel' && this.probing.add(peer.id, peer.publicKey);
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

  remove(id: PeerId): void {
    const entry = this.#entries.get(id);
    if (entry === undefined) return;
    this.#options.detours.forget(id);
    this.volleys.cease(id);
    this.#entries.delete(id);
    this.probing.remove(id);
    entry.timer?.cancel();
    this.#use(entry, null);
  }

  // ---- what is heard and sent, and what the control side says

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

  sent(link: DatagramLink): void {
    const entry = this.#byLink.get(link);
    if (entry === undefined) return;
    const now = this.#now();
    entry.machine.sent(now);
    // No machine needs to look sooner than this at an unanswered packet.
    if (entry.timerAt > now + TIMING.doubtAfter) this.#wakeAt(entry, now + TIMING.doubtAfter);
  }

  /** A peer that has a session where we have none (this box restarted) learns of it by our handshake, not by its timers. */
  #requested(id: PeerId, link: Link, inUse: boolean): void {
    this.with(id, (machine, now) => machine.requested(wayOf(link, this.#self), inUse, now));
    if (inUse) this.#options.engine.wake(id);
  }

  #answered(id: PeerId, link: DatagramLink, transaction: string, seenAs: Endpoint | null): boolean {
    const entry = this.#entries.get(id);
    if (entry === undefined) return false;
    const { active } = entry.machine;
    if (entry.link !== null && active?.waitingSince !== null) entry.link.armed = true;
    const way = wayOf(link, this.#self);
    const isOurs = entry.machine.answered(way, transaction, seenAs, this.#now());
    const isHit = !isOurs && this.volleys.owns(id, transaction);
    if (isHit) entry.machine.hit(way, this.#now());
    this.#drive(entry);
    return isOurs || isHit;
  }

  /** A connection leads to it. */
  linked(id: PeerId, link: Link, learnt: string): void {
    this.with(id, (machine, now) => machine.linked(wayOf(link, this.#self), learnt, now));
  }

  /** A word inside the session: asked, it is said back. */
  echoHeard(id: PeerId, { token, reply }: EchoWord): void {
    if (reply) {
      this.with(id, (machine, now) => machine.echoed(token, now));
      return;
    }
    const entry = this.#entries.get(id);
    if (entry !== undefined) this.#say(entry, { type: 'echo', token, reply: true });
  }

  /** V7, V13: the server's table, now. */
  routed(id: PeerId, route: RouteToPeer): void {
    const entry = this.#entries.get(id);
    if (entry === undefined) return;
    this.#options.detours.routed(id, route);
    this.with(id, (machine, now) => machine.routed(route.open, now));
    if (['trying', 'relayed'].includes(entry.machine.state)) this.#connect(entry);
  }

  /** Other relays are there: whoever is not met directly may be met by them. */
  detoursChanged(): void {
    for (const entry of this.#entries.values())
      if (['trying', 'relayed'].includes(entry.machine.state)) this.#connect(entry);
  }

  /** It leads nowhere any more. Whose it was is not known: all that may use it hear of it. */
  linkClosed(link: Link): void {
    if (!this.#isRunning) return;
    const way = wayOf(link, this.#self);
    for (const entry of [...this.#entries.values()]) {
      if (!entry.machine.knows(way.key)) continue;
      entry.machine.closed(way, this.#now());
      this.#drive(entry);
    }
  }

  controlChanged(state: ControlState): void {
    this.#controlState = state;
    this.each((machine, now, entry) => machine.serverChanged(this.#canSignal(entry.peer.id), now));
  }

  /** False: nobody known. */
  signalled(from: SignedNode, signal: PathSignal): boolean {
    const entry = this.#entries.get(from.record.wireguardKey);
    if (entry === undefined) return false;
    entry.peer = { ...entry.peer, node: from };
    entry.machine.signalled(signal, this.#now());
    this.#drive(entry);
    return true;
  }

  each(tell: (machine: Machine, now: number, entry: Entry) => void): void {
    if (!this.#isRunning) return;
    for (const entry of [...this.#entries.values()]) {
      tell(entry.machine, this.#now(), entry);
      this.#drive(entry);
    }
  }

  with(id: PeerId, tell: (machine: Machine, now: number) => void): void {
    const entry = this.#entries.get(id);
    if (entry === undefined || !this.#isRunning) return;
    tell(entry.machine, this.#now());
    this.#drive(entry);
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
      card: this.#options.card,
      nat: () => this.#self.nat,
      can: () => this.#can(),
      isGuessing: () => this.volleys.isBusyBut(peer.id),
      outside: () => this.#self.outside,
      place: () => this.#self.place,
      wayTo: endpoint => this.#self.wayTo(endpoint),
      upgrades: () => this.#options.upgrades(),
    };
    const scoped = counters.scope('paths');
    return new PeerMachine({
      peer,
      self,
      budget: this.#options.budget,
      random,
      counters: scoped,
      usedAt: () => this.#options.engine.status(peer.id)?.lastPacketSentAt ?? -Infinity,
      good: book.good(peer.id),
      others: book.others(peer.id),
      worked: book.worked(peer.id),
    });
  }

  #can(): readonly PunchMethod[] {
    const methods = this.#self.puncher?.methods ?? [];
    const isFull = this.#noRoom?.place === this.#self.place && this.#now() < this.#noRoom.until;
    return isFull ? methods.filter(method => method !== 'birthday') : methods;
  }

  #now(): number {
    return this.#options.clock.monotonicMs();
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
    const shown = `${state} ${active?.way.key ?? ''} ${reason.words}`;
    if (shown === entry.shown) return;
    entry.shown = shown;
    this.#options.log.debug('path', { peer: entry.peer.name, state, reason: reason.words });
    this.#options.events.peerChanged(entry.peer.id);
  }

  #perform(entry: Entry, output: MachineOutput): void {
    if (output.type === 'probe') {
      this.#probe(entry, output);
      return;
    }
    if (output.type === 'signal') {
      this.#signal(entry, output);
      return;
    }
    if (output.type === 'measure' || output.type === 'fire' || output.type === 'cease') {
      this.#punch(entry, output);
      return;
    }
    if (output.type === 'use') {
      this.#use(entry, output.way);
      return;
    }
    if (output.type === 'carries') {
      const link = this.#linkTo(output.way);
      if (link !== null) link.mtu = output.bytes;
      return;
    }
    if (output.type === 'echo') {
      this.#echo(entry, output.token);
      return;
    }
    if (output.type === 'connect') {
      this.#connect(entry);
      return;
    }
    if (output.type === 'recheck') {
      this.#options.refresher.recheck();
      return;
    }
    if (output.type === 'worked') {
      this.#options.book.noteWorked(entry.peer.id, output.worked);
      return;
    }
    if (output.type === 'keep') {
      this.#keep(entry, output.endpoint);
      return;
    }
    this.#options.refresher.refresh(() => this.with(entry.peer.id, (machine, now) => machine.refreshed(now)));
  }

  #probe(entry: Entry, probe: Extract<MachineOutput, { type: 'probe' }>): void {
    const link = this.#linkTo(probe.way);
    if (link !== null) this.probing.ask(entry.peer.id, link, probe);
  }

  #echo(entry: Entry, token: string): void {
    if (!this.#say(entry, { type: 'echo', token, reply: false })) entry.machine.unsaid(token);
  }

  /** Not told as `sent`: a word that tries a path is no use of it. */
  #say({ peer, link }: Entry, echo: EchoWord): boolean {
    const word = encodeWord(echo);
    const wasArmed = link?.armed === true;
    if (link !== null) link.armed = false;
    const isSaid = word !== null && this.#options.engine.tell(peer.id, word);
    if (link !== null) link.armed = wasArmed;
    return isSaid;
  }

  #connect(entry: Entry): void {
    const { peer, machine } = entry;
    if (peer.node !== null)
      this.#options.detours.seek({
        ...{ id: peer.id, node: peer.node, others: () => machine.others },
        isUdpBlocked: this.#self.nat.mapping === UDP_BLOCKED || machine.isUdpBlocked,
        isPunchable: this.#self.isMeasured && machine.verdict === null,
        wantsBetter: this.#options.upgrades(),
      });
  }

  #linkTo({ endpoint, key, socket }: Way): DatagramLink | null {
    const { transport, streams, links } = this.#options;
    if (endpoint !== null) return transport.link(endpoint, socket);
    return links.linkBy(key) ?? streams?.linkBy(key) ?? null;
  }

  /** Whoever keeps the links of that sort. */
  #keepLink(link: DatagramLink, kept: boolean): void {
    this.#options.transport.keep(link, kept);
    this.#options.streams?.keep(link, kept);
  }

  #use(entry: Entry, way: Way | null): void {
    const { engine } = this.#options;
    const link = way === null ? null : this.#linkTo(way);
    if (entry.link !== null) {
      this.#byLink.delete(entry.link);
      this.#keepLink(entry.link, false);
    }
    entry.link = link;
    if (link !== null) {
      this.#keepLink(link, true);
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

  #canSignal(id: PeerId): boolean {
    return this.#controlState === 'connected' && this.#entries.get(id)?.peer.node != null;
  }

  #punch(
    { peer: { id } }: Entry,
    output: Extract<MachineOutput, { type: 'measure' | 'fire' | 'cease' }>,
  ): void {
    const { volleys } = this;
    if (output.type === 'measure') volleys.measure(id, output.attempt, output.transport);
    else if (output.type === 'fire') volleys.fire(id, output.attempt, output.ask);
    else volleys.cease(id, output.attempt);
  }

  #volleys(): Volleys {
    const { clock, counters, log, random, budget, transport, openUdp, stun } = this.#options;
    return new Volleys({
      ...{ clock, log, random, budget, transport, openUdp, router: stun },
      counters: counters.scope('paths'),
      adopt: (family, localPort) => stun.adopt(family, localPort),
      puncher: () => this.#self.puncher,
      isNatted: () => this.#self.isNatted(4),
      serverRttMs: () => this.#self.serverRttMs,
      request: (id, transaction) => this.probing.request(id, { transaction, inUse: false, size: 0 }),
      isUsed: port => [...this.#entries.values()].some(({ machine }) => machine.usesSocket(port)),
      isKnown: port => [...this.#entries.values()].some(({ machine }) => machine.knowsSocket(port)),
      connect: (id, ask, volley, measured, signal) => this.#openAtOnce(id, { ask, volley, measured, signal }),
      // Some of it is known within the call that asked for it: the machine hears of it when it is done.
      measured: (id, attempt, forecast) =>
        this.with(id, (machine, now) => machine.measured(attempt, forecast, now)),
      ended: (id, attempt, end) => {
        if (end === 'no-room')
          this.#noRoom = { place: this.#self.place, until: this.#now() + NO_ROOM_FOR_MS };
        queueMicrotask(() => this.with(id, (machine, now) => machine.volleyEnded(attempt, end, now)));
      },
    });
  }

  /** P7. False: this machine cannot. Rejects where no connection comes about. */
  async #openAtOnce(id: PeerId, { ask, volley, measured, signal }: OpenAtOnce): Promise<boolean> {
    const { stun, streams, budget } = this.#options;
    const node = this.#entries.get(id)?.peer.node ?? null;
    const port = stun.tcpOn(measured.socket.localPort);
    if (node === null || port === null || streams?.punch === undefined) return false;
    const mayShoot = (to: Endpoint): boolean => budget.takeShot('tcp', to, this.#now());
    const stream = await streams.punch({ node, port, volley, role: ask.role, mayShoot }, signal);
    this.linked(id, stream.link(peerOf(node)), ask.method);
    return true;
  }

  #signal(entry: Entry, { kind, attempt, punch }: Extract<MachineOutput, { type: 'signal' }>): void {
    const { control } = this.#options;
    if (entry.peer.node === null) return;
    const signal: PathSignal = {
      type: kind,
      attempt,
      // The control side numbers its signals itself, over restarts.
      serial: 0,
      candidates: this.#self.candidates.map(({ kind: how, transport, endpoint, relay }) => ({
        ...{ kind: how, transport, endpoint },
        ...(relay === undefined ? {} : { relay }),
      })),
      nat: this.#self.nat,
      serverRttMs: control.rttMs,
      ...(punch === undefined ? {} : { punch }),
    };
    control.signal(entry.peer.node, signal).catch((error: unknown) => {
      const code = error instanceof GinnelError ? error.code : 'SIGNAL_FAILED';
      this.with(entry.peer.id, (machine, now) => machine.signalFailed(attempt, code, now));
    });
  }
}

interface OpenAtOnce {
  readonly ask: VolleyAsk;
  readonly volley: Volley;
  readonly measured: Measured;
  readonly signal: AbortSignal;
}

const sameFixed = (a: PathPeer, b: PathPeer): boolean =>
  (a.endpoint === undefined ? '' : formatEndpoint(a.endpoint)) ===
  (b.endpoint === undefined ? '' : formatEndpoint(b.endpoint));

/** Where a link leads. A place that may not be probed (ourselves, the overlay) still is a way that was heard on. */
function wayOf(link: Link & { readonly socket?: number }, self: SelfPlace): Way {
  const known = link.remote === null ? null : self.wayTo(link.remote);
  if (known?.key === link.id) return known;
  const { id: key, transport, traits, remote, via, socket, throughTurn } = link;
  const isConnection = transport !== self.transport;
  const relayed = throughTurn === true ? 'turn' : 'relay';
  const direct = isConnection && remote !== null ? self.classOf(remote) : 'direct';
  return {
    ...{ key, transport, class: traits.relayed ? relayed : direct },
    endpoint: isConnection ? null : remote,
    ...(isConnection && remote !== null ? { place: remote } : {}),
    ...(via === undefined || via === null ? {} : { via }),
    ...(socket === undefined ? {} : { socket }),
    ...(isConnection && !traits.ordered ? { isUnordered: true } : {}),
  };
}
