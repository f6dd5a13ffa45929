// Whole path finders on the simulated network: the real driver, transport and probes; a location server, a traversal
// plugin and a session that are just enough to feed them.
import { ManualClock, type Timer } from '../../../base/clock.ts';
import { Counters } from '../../../base/counters.ts';
import { GinnelError } from '../../../base/errors.ts';
import { silentLog } from '../../../base/log.ts';
import { seededRandom, type Random } from '../../../base/random.ts';
import type { Candidate } from '../../../core/contract/candidate.ts';
import type { Batch, Link } from '../../../core/contract/link.ts';
import { NOTHING_CHECKED, type NatReport } from '../../../core/contract/nat-report.ts';
import type { Traversal, TraversalPlugin } from '../../../core/contract/plugin.ts';
import { vouched } from '../../../core/control/vouching.ts';
import type { Control, ControlState } from '../../../core/control/types.ts';
import { createPaths } from '../../../core/paths/driver.ts';
import type { Worked } from '../../../core/peers/peer.ts';
import type { PathPeer, Paths } from '../../../core/paths/paths.ts';
import { UdpTransport } from '../../../core/paths/udp-transport.ts';
import { formatEndpoint, type Endpoint } from '../../../protocol/address.ts';
import { toBase64 } from '../../../protocol/base64.ts';
import type { PathSignal, SignedNode } from '../../../protocol/location/messages.ts';
import { readMapped, writeXorMappedAddress } from '../../../protocol/stun/attributes.ts';
import { decodeStun, encodeStun } from '../../../protocol/stun/codec.ts';
import { primitives } from '../../../system/crypto.ts';
import { SimNat, type NatHabits, type NatKind } from './sim-nat.ts';
import { SimNetwork, type SimDoor, type SimHost } from './sim-network.ts';

export type HomeKind = NatKind | 'public' | 'onrouter' | 'carrier';

const SERVER: Endpoint = { family: 4, address: '203.0.113.1', port: 7443 };
/** Answers STUN, too: who tells places apart by port alone sees how a NAT counts. */
const SECOND_PORT = 7444;
const PORT = 41_641;

/** A clock that knows when something happens next, so that quiet time costs nothing. */
class EventClock extends ManualClock {
  readonly #at = new Set<number>();

  override after(delayMs: number, fire: () => void): Timer {
    this.#at.add(this.monotonicMs() + Math.max(0, delayMs));
    return super.after(delayMs, fire);
  }

  /** Moves to the next event that may happen, at most to `limit`. */
  step(limit: number): void {
    let next = limit;
    for (const at of this.#at) if (at < next) next = at;
    this.advance(Math.max(0, next - this.monotonicMs()));
    for (const at of this.#at) if (at <= this.monotonicMs()) this.#at.delete(at);
  }
}

export interface HomeOptions extends NatHabits {
  readonly address6?: string;
  /** Traversal plugins beside the one that asks where the node is. */
  readonly further?: (node: SimNode) => readonly Traversal[];
}

/** The world of one test: a clock, a network, a location server that answers STUN and passes signals. */
export class SimWorld {
  readonly clock = new EventClock();
  readonly random: Random;
  readonly network: SimNetwork;
  readonly nodes = new Map<string, SimNode>();
  serverIsUp = true;
  /** Does the server tell receivers under which addresses it sees senders? */
  serverVouches = true;
  #homes = 0;

  constructor(seed: number) {
    this.random = seededRandom(seed);
    this.network = new SimNetwork(this.clock, this.random);
    this.#serveStun();
  }

  /** A node in a home of its own. `carrier`: a `prc` home behind an endpoint-independent carrier NAT. */
  home(kind: HomeKind, options: HomeOptions = {}): SimNode {
    const number = ++this.#homes;
    const wan = `198.51.100.${number}`;
    if (options.address6 !== undefined)
      return this.#node(
        this.network.host(options.address6, new SimNat('firewall', '', this.random), 64),
        'firewall',
      );
    if (kind === 'public') return this.#node(this.network.host(wan, null, 32), kind);
    if (kind === 'onrouter')
      return this.#node(
        this.network.host(wan, new SimNat('firewall', wan, this.random, null, options), 32),
        kind,
        options.further,
      );
    const carrier = kind === 'carrier' ? new SimNat('prcnp', wan, this.random) : null;
    const nat =
      carrier === null
        ? new SimNat(kind as NatKind, wan, this.random, null, options)
        : new SimNat('prc', `100.64.0.${number}`, this.random, carrier);
    return this.#node(this.network.host('192.168.1.2', nat), kind, options.further);
  }

  /** Another node on the LAN of that one. */
  neighbour(of: SimNode): SimNode {
    return this.#node(this.network.host('192.168.1.3', of.host.nat), of.kind);
  }

  /** The same box, started again: nothing kept but what its book holds. */
  restart(node: SimNode): SimNode {
    node.stop();
    const again = new SimNode(this, node.host, node.kind, node.seed, node.book, node.further);
    this.nodes.set(again.id, again);
    return again;
  }

  #node(host: SimHost, kind: HomeKind, further: HomeOptions['further'] = () => []): SimNode {
    const node = new SimNode(this, host, kind, this.random.bytes(32), new Map(), further);
    this.nodes.set(node.id, node);
    return node;
  }

  acquaint(...nodes: SimNode[]): void {
    for (const a of nodes) for (const b of nodes) if (a !== b) a.paths.setPeer(b.asPeer());
  }

  /** Simulated time passes, and promises are kept. */
  async run(ms: number): Promise<void> {
    const end = this.clock.monotonicMs() + ms;
    while (this.clock.monotonicMs() < end) await this.#step(end);
  }

  /** Runs until the condition holds; the ms that took, or Infinity after `limitMs`. */
  async until(condition: () => boolean, limitMs: number): Promise<number> {
    const begun = this.clock.monotonicMs();
    while (!condition()) {
      if (this.clock.monotonicMs() - begun >= limitMs) return Infinity;
      await this.#step(begun + limitMs);
    }
    return this.clock.monotonicMs() - begun;
  }

  async #step(limit: number): Promise<void> {
    this.clock.step(limit);
    // A macrotask: every promise that was kept has had its turn.
    await new Promise<void>(done => setImmediate(done));
  }

  stop(): void {
    for (const node of this.nodes.values()) node.stop();
  }

  #serveStun(): void {
    const host = this.network.host(SERVER.address, null, 32);
    for (const port of [SERVER.port, SECOND_PORT]) this.#answer(host.openUdp({ family: 4, port }));
  }

  #answer(door: SimDoor): void {
    door.onBatch = (remote, { bytes }) => {
      const message = decodeStun(bytes);
      if (!message.ok || !this.serverIsUp) return;
      const { transactionId } = message.value;
      const attributes = [writeXorMappedAddress(remote.endpoint, transactionId)];
      const answer = encodeStun({ class: 'success', method: 1, transactionId, attributes });
      door.send(remote, { bytes: answer, offset: 0, length: answer.length, segment: answer.length });
    };
  }
}

export class SimNode {
  readonly id: string;
  readonly kind: HomeKind;
  readonly host: SimHost;
  readonly worked = new Map<string, Worked>();
  readonly seed: Uint8Array;
  readonly book: Map<string, Endpoint[]>;
  readonly further: NonNullable<HomeOptions['further']>;
  readonly counters = new Counters();
  readonly paths: Paths;
  readonly plugin: SimTraversal;
  readonly transport: UdpTransport;
  readonly control: SimControl;
  /** When and by which link session packets arrived. */
  readonly received: { at: number; link: string }[] = [];
  /** What a plugin did wrong. */
  readonly faults: string[] = [];
  /** What its NAT report says instead of what is. */
  says: Partial<NatReport> | null = null;
  /** Peers with whom the session was told to come up. */
  readonly woken: string[] = [];
  /** What the session was told to use, in order. */
  readonly used: (string | null)[] = [];
  readonly #world: SimWorld;
  readonly #links = new Map<string, Link>();
  readonly #publicKey: Uint8Array;
  readonly #sentAt = new Map<string, number>();
  readonly #askedAt = new Map<string, number>();
  #isStopped = false;

  constructor(
    world: SimWorld,
    host: SimHost,
    kind: HomeKind,
    seed: Uint8Array,
    book: Map<string, Endpoint[]>,
    further: NonNullable<HomeOptions['further']> = () => [],
  ) {
    this.#world = world;
    this.host = host;
    this.kind = kind;
    this.seed = seed;
    this.book = book;
    this.further = further;
    const { clock, random } = world;
    const wireguard = primitives.dhKeyPair(seed);
    this.#publicKey = wireguard.publicKey;
    this.id = toBase64(wireguard.publicKey);
    const family = host.address.includes(':') ? 6 : 4;
    this.transport = new UdpTransport({
      doors: [host.openUdp({ family, port: PORT })],
      counters: this.counters,
    });
    this.control = new SimControl(world, this);
    this.paths = createPaths({
      transport: this.transport,
      control: this.control,
      engine: {
        setPath: (id, link) => this.#setPath(id, link),
        inbound: (link, batch) => this.#inbound(link, batch),
        flush() {},
        tell: () => false,
        status: id => ({ lastPacketSentAt: this.#sentAt.get(id) ?? null }),
        wake: id => void this.woken.push(id),
      },
      network: host.network,
      clock,
      random,
      primitives,
      counters: this.counters,
      log: silentLog,
      identity: { wireguard, wireguardKey: this.id, network: 'test' },
      book: {
        others: () => [],
        worked: peer => this.worked.get(peer) ?? null,
        noteWorked: (peer, worked) => void this.worked.set(peer, worked),
        good: peer => this.book.get(peer) ?? [],
        noteGood: (peer, { remote }) =>
          void this.book.set(peer, [remote, ...(this.book.get(peer) ?? [])].slice(0, 4)),
      },
      events: { peerChanged() {}, selfChanged() {} },
      card: { mtu: 1400, added: 33 },
      openUdp: wanted => host.openUdp({ family: wanted, port: 0 }),
    });
    this.paths.start();
    this.paths.setOverlay(['10.77.0.0/16']);
    if (world.serverIsUp)
      this.paths.welcomed(
        { stun: { port: SERVER.port, secondPort: SECOND_PORT, alternates: [] }, keepAlive: '' },
        SERVER,
      );
    this.plugin = new SimTraversal(this);
    this.paths.setTraversal([this.plugin, ...further(this)]);
    void this.plugin.refresh();
  }

  asPeer(): PathPeer {
    return {
      id: this.id,
      publicKey: this.#publicKey,
      name: this.id.slice(0, 6),
      kind: 'ginnel',
      node: signedNode(this.id),
    };
  }

  /** A session packet to that peer, or the wish to send one. */
  send(to: SimNode): void {
    const link = this.#links.get(to.id);
    const now = this.#world.clock.monotonicMs();
    if (link === undefined) {
      if (now - (this.#askedAt.get(to.id) ?? -Infinity) < 1_000) return;
      this.#askedAt.set(to.id, now);
      this.paths.needsPath(to.id);
      return;
    }
    this.#sentAt.set(to.id, now);
    const bytes = new Uint8Array(128);
    bytes[0] = 4;
    bytes.set(this.#publicKey, 32);
    link.send({ bytes, offset: 0, length: bytes.length, segment: bytes.length });
  }

  /** Sends every `everyMs` until told to stop. */
  stream(to: SimNode, everyMs: number): () => void {
    let isOn = true;
    const next = (): void => {
      if (!isOn || this.#isStopped) return;
      this.send(to);
      this.#world.clock.after(everyMs, next);
    };
    next();
    return () => void (isOn = false);
  }

  stateOf(peer: SimNode): string {
    return this.paths.status(peer.id)?.state ?? 'unknown';
  }

  linkTo(peer: SimNode): string | null {
    return this.#links.get(peer.id)?.id ?? null;
  }

  count(name: string): number {
    return this.counters.snapshot()[name] ?? 0;
  }

  stop(): void {
    if (this.#isStopped) return;
    this.#isStopped = true;
    this.paths.stop();
    this.transport.close();
  }

  #setPath(id: string, link: Link | null): void {
    this.used.push(link?.id ?? null);
    if (link === null) this.#links.delete(id);
    else this.#links.set(id, link);
  }

  #inbound(link: Link, { bytes, offset }: Batch): void {
    const now = this.#world.clock.monotonicMs();
    const from = toBase64(bytes.slice(offset + 32, offset + 64));
    this.received.push({ at: now, link: link.id });
    this.paths.heard(from, link, now);
  }
}

/** Signals through a server 20 ms away from everyone. */
export class SimControl implements Pick<Control, 'state' | 'rttMs' | 'signal'> {
  state: ControlState = 'connected';
  rttMs = 40;
  /** Signals arrive so much later than they should. */
  extraMs = 0;
  sent: PathSignal[] = [];
  /** The connection is dead and nobody knows yet. */
  isBroken = false;
  readonly #world: SimWorld;
  readonly #node: SimNode;

  constructor(world: SimWorld, node: SimNode) {
    this.#world = world;
    this.#node = node;
    if (!world.serverIsUp) this.state = 'away';
  }

  signal(to: SignedNode, unnumbered: PathSignal): Promise<void> {
    const signal = { ...unnumbered, serial: this.#world.clock.wallMs() + this.sent.length };
    this.sent.push(signal);
    const { clock } = this.#world;
    if (!this.#world.serverIsUp) return Promise.reject(new GinnelError('SERVER_AWAY', 'away'));
    if (this.isBroken) return this.#noticeBroken();
    const other = this.#world.nodes.get(to.record.wireguardKey);
    if (other === undefined) return Promise.reject(new GinnelError('NODE_OFFLINE', 'offline'));
    clock.after(40 + this.extraMs, () => {
      if (this.#world.serverIsUp && !other.control.isBroken && this.#world.nodes.get(other.id) === other)
        other.paths.signalled(signedNode(this.#node.id), this.#vouched(signal, other));
    });
    return Promise.resolve();
  }

  /** As the receiver's control side does it. */
  #vouched(signal: PathSignal, receiver: SimNode): PathSignal {
    const { host } = this.#node;
    let nat = host.nat;
    while (nat?.parent != null) nat = nat.parent;
    const seen = this.#world.serverVouches ? [nat === null || nat.wan === '' ? host.address : nat.wan] : [];
    return vouched(signal, seen, { allowLoopback: false }, receiver.counters);
  }

  set(state: ControlState): void {
    this.state = state;
    this.#node.paths.controlChanged(state);
  }

  #noticeBroken(): Promise<void> {
    const { clock } = this.#world;
    return new Promise((_resolve, reject) => {
      clock.after(40, () => {
        this.set('away');
        reject(new GinnelError('SERVER_AWAY', 'connection reset'));
        clock.after(300, () => {
          this.isBroken = false;
          this.set('connected');
        });
      });
    });
  }
}

export const REPORTS: Readonly<Record<HomeKind, Partial<NatReport>>> = {
  public: { nat: 'no', mapping: 'endpoint-independent', filtering: 'endpoint-independent' },
  onrouter: { nat: 'no', mapping: 'endpoint-independent', filtering: 'address-and-port-dependent' },
  firewall: { nat: 'no', mapping: 'endpoint-independent', filtering: 'address-and-port-dependent' },
  full: { nat: 'yes', mapping: 'endpoint-independent', filtering: 'endpoint-independent' },
  arc: { nat: 'yes', mapping: 'endpoint-independent', filtering: 'address-dependent' },
  prc: { nat: 'yes', mapping: 'endpoint-independent', filtering: 'address-and-port-dependent' },
  prcnp: { nat: 'yes', mapping: 'endpoint-independent', filtering: 'address-and-port-dependent' },
  naive: { nat: 'yes', mapping: 'endpoint-independent', filtering: 'address-and-port-dependent' },
  carrier: { nat: 'yes', mapping: 'endpoint-independent', filtering: 'address-and-port-dependent' },
  sym: {
    nat: 'yes',
    mapping: 'address-and-port-dependent',
    filtering: 'address-and-port-dependent',
    ports: { rule: 'random' },
  },
  seq: {
    nat: 'yes',
    mapping: 'address-and-port-dependent',
    filtering: 'address-and-port-dependent',
    ports: { rule: 'sequential', step: 1 },
  },
  adm: {
    nat: 'yes',
    mapping: 'address-dependent',
    filtering: 'address-and-port-dependent',
    ports: { rule: 'random' },
  },
};

/** Asks the server where we are, from the main socket; the rest of the report is known beforehand. */
export class SimTraversal implements TraversalPlugin {
  refreshes = 0;
  readonly #node: SimNode;
  #mapped: Endpoint | null = null;
  #listeners = new Set<() => void>();

  constructor(node: SimNode) {
    this.#node = node;
  }

  candidates(): readonly Candidate[] {
    return this.#mapped === null
      ? []
      : [{ kind: 'reflexive', transport: 'udp', endpoint: this.#mapped, foundBy: 'nat-stun' }];
  }

  natReport(): NatReport {
    return { ...NOTHING_CHECKED, takenAt: 1, udp: 'yes', ...(this.#node.says ?? REPORTS[this.#node.kind]) };
  }

  async refresh(depth: 'quick' | 'full' = 'quick'): Promise<void> {
    this.refreshes++;
    if (depth === 'full') this.#node.says = null;
    const socket = this.#node.paths.stun.main(4);
    const server = this.#node.paths.stun.servers()[0];
    if (socket === null || server === undefined) return;
    const outcome = await socket.transact({ to: server.endpoint, attributes: [] });
    const mapped = outcome.ok ? readMapped(outcome.message) : null;
    if (mapped === null || (this.#mapped !== null && formatEndpoint(mapped) === formatEndpoint(this.#mapped)))
      return;
    this.#mapped = mapped;
    for (const listener of this.#listeners) listener();
  }

  onChange(changed: () => void): () => void {
    this.#listeners.add(changed);
    return () => void this.#listeners.delete(changed);
  }

  start(): Promise<void> {
    return Promise.resolve();
  }
  stop(): Promise<void> {
    return Promise.resolve();
  }
  report(): { state: 'ready'; code: string; facts: Record<string, never> } {
    return { state: 'ready', code: '', facts: {} };
  }
}

/** Enough of a signed node to address a signal: the simulated server checks nothing. */
function signedNode(wireguardKey: string): SignedNode {
  const common = {
    v: 1 as const,
    network: 'test',
    id: wireguardKey,
    ip4: '10.77.0.1',
    ip6: 'fd00::1',
    signature: '',
  };
  return {
    record: { ...common, name: '', wireguardKey, controlKey: '', prefixes: [], generation: 1, expires: 0 },
    assignment: { ...common, issued: 0 },
  };
}
