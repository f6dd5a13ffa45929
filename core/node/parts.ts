// Joins the parts of a node: who is handed whom, and whose news go where. Their life is core/node/stay.ts's.
import { fromBase64Url } from '../../protocol/base64.ts';
import type { SignedNode } from '../../protocol/location/messages.ts';
import type { Doors, NetworkDoor, TunOffloads, UdpDoor } from '../../system/doors.ts';
import { ControlClient } from '../control/client.ts';
import type { NodeIdentity } from '../control/identity.ts';
import type { MembershipFile } from '../control/membership.ts';
import { NetworkTime } from '../control/network-time.ts';
import type { Credential } from '../control/credential.ts';
import type { ControlEvents } from '../control/types.ts';
import type { Aead } from '../dataplane/aead.ts';
import { createEngine } from '../dataplane/create-engine.ts';
import type { Engine, EngineEvents } from '../dataplane/engine.ts';
import type { EngineOptions } from '../dataplane/options.ts';
import { ADDED_BYTES } from '../dataplane/room.ts';
import type { TimestampFloor } from '../dataplane/timestamps.ts';
import { createPaths } from '../paths/driver.ts';
import type { Paths, PathsOptions } from '../paths/paths.ts';
import { UdpTransport } from '../paths/udp-transport.ts';
import { PeerBook, type PeerBookEvents } from '../peers/peer-book.ts';
import { Standings, type StandingsOptions } from '../peers/standings.ts';
import { Streams } from '../streams/streams.ts';
import type { PluginHost } from '../plugin-host/host.ts';
import { fastCiphersOf } from './abilities.ts';
import { Hearsay, type Topic } from './hearsay.ts';
import { Introductions } from './introductions.ts';
import type { NodeOptions } from './options.ts';
import { Echoer } from './ping.ts';
import { PluginSignals } from './plugin-signals.ts';
import { placesTopic } from './places-topic.ts';
import { standingsTopic } from './standings-topic.ts';
import { externalEndpoints, type NodeValues } from './settings.ts';
import { rememberedRoute, ServerWords } from './network-words.ts';
import { openMainSockets } from './sockets.ts';
import { Roll } from './roll.ts';
import { keptRelays, timestampFloor } from './stores.ts';

const CONNECT_WITHIN_MS = 3_000;

export interface Parts {
  readonly aead: Aead;
  readonly book: PeerBook;
  readonly control: ControlClient;
  readonly doors: Doors;
  readonly echoer: Echoer;
  readonly engine: Engine;
  readonly hearsay: Hearsay;
  readonly introductions: Introductions;
  readonly network: NetworkDoor;
  readonly paths: Paths;
  readonly plugins: PluginHost;
  readonly roll: Roll;
  readonly signals: PluginSignals;
  readonly standings: Standings;
  readonly streams: Streams;
  readonly time: NetworkTime;
  readonly transport: UdpTransport;
  readonly udpDoors: readonly UdpDoor[];
  readonly udpPort: number;
  readonly words: ServerWords;
}

/** What the stay itself does. */
export interface Hooks {
  readonly deliver: EngineOptions['deliver'];
  readonly superPackets: () => TunOffloads | null;
  readonly welcomed: ControlEvents['welcomed'];
  readonly controlChanged: ControlEvents['stateChanged'];
  readonly localNetworks: () => readonly string[];
  /** A known peer shows other keys: refused, for a person to hear of. */
  readonly keyChanged: PeerBookEvents['keyChanged'];
  readonly rulesTold: ControlEvents['rulesTold'];
  /** Is something better than the server's route sought? */
  readonly upgrades: () => boolean;
  /** Candidates or NAT report are others (V4, V6). */
  readonly selfChanged: () => void;
}

export interface Belongings {
  readonly identity: NodeIdentity;
  /** For this stay's first log-in, where it has no invite. */
  readonly credential?: Credential | null;
  /** With a new invite or credential: the server's word is waited for, whatever place this box had before. */
  readonly joinsAnew?: boolean;
  readonly membership: MembershipFile;
  readonly plugins: PluginHost;
  /** The settings that this stay goes by. */
  readonly values: NodeValues;
}

/** Rejects where a door does not open or the store cannot be read; then nothing stays open. */
export async function joinParts(options: NodeOptions, own: Belongings, hooks: Hooks): Promise<Parts> {
  const time = new NetworkTime(options.clock);
  // The book tells of peers only when the other parts do, so they are there by then.
  const joined: { parts?: Parts } = {};
  const standings = await openStandings(options, own, (standing, from) => {
    const { parts } = joined;
    parts?.book.judge(standing.id);
    if (standing.state !== 'member') parts?.streams.dismiss(standing.id);
    if (from === 'node') parts?.control.bring(standing);
    else parts?.hearsay.changed();
  });
  const book = await openBook(options, own, time, standings, {
    forgotten: peer => joined.parts?.introductions.forget(peer),
    returned: peer => joined.parts?.introductions.introduce(peer),
    keyChanged: hooks.keyChanged,
  });
  const floor = await timestampFloor(options);
  const kept = await keptRelays(options, id => book.byId(id)?.node ?? null);
  const below = openBelow(options, own);
  try {
    const parts = joinAbove(options, own, hooks, { ...below, book, standings, floor, kept, time });
    joined.parts = parts;
    return parts;
  } catch (error) {
    below.transport.close();
    below.network.close();
    throw error;
  }
}

interface Ground extends Below {
  readonly book: PeerBook;
  readonly standings: Standings;
  readonly floor: TimestampFloor;
  readonly kept: Awaited<ReturnType<typeof keptRelays>>;
  readonly time: NetworkTime;
}

function joinAbove(options: NodeOptions, own: Belongings, hooks: Hooks, ground: Ground): Parts {
  const { clock, random, primitives, counters, log } = options;
  const { doors, aead, transport, network, udpDoors, udpPort, book, standings, floor, kept, time } = ground;
  const allocate = (bytes: number): number => doors.arena.allocate(bytes);

  const engine = createEngine({
    ...{ aead, allocate, primitives, clock, random },
    counters: counters.scope('dataplane'),
    log: log.child('dataplane'),
    localStatic: own.identity.wireguard,
    timestampFloor: floor,
    mtu: own.values.mtu,
    deliver: hooks.deliver,
    superPackets: hooks.superPackets,
    fastCiphers: fastCiphersOf(aead, options.without),
    events: engineEvents(() => ({ paths, introductions, hearsay })),
  });
  const control: ControlClient = new ControlClient({
    identity: own.identity,
    credential: own.credential ?? null,
    membership: own.membership,
    ...{ peers: book, standings, time, primitives, clock, random, counters },
    log: log.child('control'),
    localNetworks: hooks.localNetworks,
    localAddresses: () => network.addresses().map(({ address }) => address),
    sharedNetworks: () => [],
    events: controlEvents(hooks, () => ({ paths, introductions, hearsay, words, rerouted, signals, roll })),
  });
  const roll = new Roll({ control, self: own.identity.id, clock, counters });
  const signals = new PluginSignals({ control, book, counters });
  const streams = new Streams({
    ...{ clock, primitives, node: own.identity.id, control: own.identity.control },
    counters: counters.scope('streams'),
    log: log.child('streams'),
    serverKey: fromBase64Url(own.membership.current?.serverKey ?? '') ?? new Uint8Array(),
    self: () => signedSelf(own.membership),
    doubt: node => book.doubt(node),
    heardOf: ip6 => introductions.heardOf(ip6),
    lendReads: (socket, received) => options.tcp.lendReads(socket, received),
    connect: (to, signal) => options.tcp.connect(to, { timeoutMs: CONNECT_WITHIN_MS, signal }),
  });
  const paths: Paths = createPaths({
    ...{ transport, control, engine, network, clock, random, primitives, counters, streams },
    upgrades: hooks.upgrades,
    log: log.child('paths'),
    identity: { ...own.identity, network: own.membership.current?.network ?? '' },
    book: endpointsOf(book),
    events: { peerChanged: () => undefined, selfChanged: hooks.selfChanged },
    configured: externalEndpoints(own.values),
    openUdp: family => doors.openUdp({ family, port: 0 }),
    openTcp: openTcpOf(doors),
    card: { mtu: own.values.mtu, added: ADDED_BYTES },
  });
  const introductions: Introductions = new Introductions({
    ...{ book, control, engine, paths, clock, random, counters, log },
  });
  const hearsay: Hearsay = new Hearsay({
    engine,
    topics: topicsOf(() => control, standings),
    echoHeard: (peer, word) => paths.echoHeard(peer, word),
    clock,
    counters,
  });
  const words = new ServerWords({
    lookup: subject => control.lookup(subject),
    remembered: subject => rememberedRoute(book, subject),
    relays: kept.relays,
    keep: relays => kept.save(relays),
    counters,
    changed: hooks.selfChanged,
  });
  const rerouted: ControlEvents['rerouted'] = (id, route) => {
    const peer = book.byId(id);
    if (peer === null) return;
    words.note({ node: peer.node, ...route });
    paths.rerouted(peer.node.record.wireguardKey, route);
  };
  const echoer = new Echoer({
    ...{ clock, random, allocate, memory: aead.memory },
    outbound: (bytes, offset, length) => {
      engine.outbound(bytes, offset, length);
      engine.flush();
    },
  });
  return {
    aead,
    book,
    control,
    doors,
    echoer,
    engine,
    hearsay,
    introductions,
    network,
    paths,
    plugins: own.plugins,
    roll,
    signals,
    standings,
    streams,
    time,
    transport,
    udpDoors,
    udpPort,
    words,
  };
}

interface Below {
  readonly doors: Doors;
  readonly aead: Aead;
  readonly transport: UdpTransport;
  readonly network: NetworkDoor;
  readonly udpDoors: readonly UdpDoor[];
  readonly udpPort: number;
}

/** What lies under all others: memory and sockets. */
function openBelow(
  { openDoors, openAead, random, counters }: NodeOptions,
  { membership, values }: Belongings,
): Below {
  const doors = openDoors(values['packet-memory'] * 2 ** 20);
  const aead = openAead(doors.arena);
  const main = openMainSockets(doors, random, membership.current?.udpPort ?? 0);
  const transport = new UdpTransport({ doors: main.doors, counters });
  try {
    const network = doors.openNetwork();
    membership.update({ udpPort: main.port });
    return { doors, aead, transport, network, udpDoors: main.doors, udpPort: main.port };
  } catch (error) {
    transport.close();
    throw error;
  }
}

function openBook(
  options: NodeOptions,
  { identity, membership }: Belongings,
  time: NetworkTime,
  standings: Standings,
  events: PeerBookEvents,
): Promise<PeerBook> {
  const { clock, primitives, counters, log, store } = options;
  return PeerBook.open({
    ...{ clock, primitives, counters },
    log: log.child('peers'),
    store: store.scope('peers/'),
    nowMs: () => time.nowMs(),
    network: membership.current?.network ?? '',
    serverIdentity: fromBase64Url(membership.current?.serverIdentity ?? '') ?? new Uint8Array(),
    standings,
    self: identity.id,
    localStatic: identity.control,
    events,
  });
}

function openStandings(
  { primitives, counters, log, store }: NodeOptions,
  { membership }: Belongings,
  news: StandingsOptions['news'],
): Promise<Standings> {
  return Standings.open({
    ...{ primitives, counters, news },
    log: log.child('peers'),
    store: store.scope('standings/'),
    network: membership.current?.network ?? '',
    serverIdentity: fromBase64Url(membership.current?.serverIdentity ?? '') ?? new Uint8Array(),
  });
}

/** What nodes tell each other while the location server is away. */
const topicsOf = (control: () => ControlClient, standings: Standings): readonly Topic[] => [
  standingsTopic(standings),
  placesTopic(control),
];

interface Later {
  readonly paths: Paths;
  readonly introductions: Introductions;
  readonly hearsay: Hearsay;
}

interface LaterForControl extends Later {
  readonly words: ServerWords;
  readonly rerouted: ControlEvents['rerouted'];
  readonly signals: PluginSignals;
  readonly roll: Roll;
}

const engineEvents = (later: () => Later): EngineEvents => ({
  heard: (peer, link, now) => later().paths.heard(peer, link, now),
  needsPath: peer => later().paths.needsPath(peer),
  needsRoute: address => later().introductions.routeWanted(address),
  sessionChanged: (peer, established) => later().hearsay.sessionChanged(peer, established),
  told: (peer, body) => later().hearsay.heard(peer, body),
  unknownPeer: (key, link, initiation) => later().introductions.stranger(key, link, initiation),
  notMine: (link, batch) => later().paths.notMine(link, batch),
});

const controlEvents = (hooks: Hooks, later: () => LaterForControl): ControlEvents => ({
  welcomed(welcome, server) {
    hooks.welcomed(welcome, server);
    later().paths.welcomed(welcome, server);
    later().introductions.welcomed();
    later().roll.welcomed();
  },
  stateChanged(state, reason) {
    later().paths.controlChanged(state);
    hooks.controlChanged(state, reason);
  },
  signalled(from, signal) {
    later().introductions.introduce({ node: from });
    later().paths.signalled(from, signal);
  },
  transportSignalled(from, signal) {
    later().introductions.introduce({ node: from });
    later().signals.heard(from, signal);
  },
  nodeChanged(node, online) {
    later().introductions.introduce({ node });
    later().paths.onlineChanged(node.record.wireguardKey, online);
  },
  seenFrom: endpoint => later().paths.seenFrom(endpoint),
  placesLearnt: () => later().hearsay.changed(),
  rulesTold: rules => hooks.rulesTold(rules),
  relaysTold: relays => later().words.relaysTold(relays),
  rerouted: (id, route) => later().rerouted(id, route),
});

const openTcpOf = (doors: Doors): PathsOptions['openTcp'] =>
  doors.openTcpSource === undefined ? undefined : family => doors.openTcpSource!({ family });

/** Null: the server has not registered this node yet. */
function signedSelf({ current }: MembershipFile): SignedNode | null {
  const { record, assignment } = current ?? {};
  return record && assignment ? { record, assignment } : null;
}

const endpointsOf = (book: PeerBook): PathsOptions['book'] => ({
  others: id => (book.byWireguardKey(id)?.candidates ?? []).filter(({ transport }) => transport !== 'udp'),
  good: id => book.byWireguardKey(id)?.goodEndpoints.map(({ remote }) => remote) ?? [],
  noteGood(id, good) {
    const peer = book.byWireguardKey(id);
    if (peer !== null) book.noteGood(peer.node.record.id, good);
  },
  worked: id => book.byWireguardKey(id)?.worked ?? null,
  noteWorked(id, worked) {
    const peer = book.byWireguardKey(id);
    if (peer !== null) book.noteWorked(peer.node.record.id, worked);
  },
});
