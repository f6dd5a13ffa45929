// What the location server answers: log-in, record, registration (V4), look-up (V10), signals. It passes on what nodes
// must say to each other to meet, and never their data (V14).
import type { Counters } from '../base/counters.ts';
import { GinnelError } from '../base/errors.ts';
import { fromBase64Url } from '../protocol/base64.ts';
import type {
  BringRequest,
  LoginRequest,
  LookupRequest,
  NodeMessage,
  PublishRequest,
  Registration,
  RouteAnswer,
  ServerMessage,
  ServerPlaces,
  SignalRequest,
  SignedNode,
  StandingsRequest,
  Welcome,
} from '../protocol/location/messages.ts';
import { verifyLogin } from '../protocol/location/signed.ts';
import type { Primitives } from '../protocol/primitives.ts';
import { serverErrors } from './errors.ts';
import type { KeepAlives } from './keep-alives.ts';
import type { ServerKeys } from './keys.ts';
import { ticketFor } from './login-tickets.ts';
import { tellStanding } from './news.ts';
import type { Presence } from './presence.ts';
import { isMember, nameOf, standingOf } from './registry-entries.ts';
import type { NodeEntry } from './registry-entries.ts';
import type { Registry } from './registry.ts';
import type { Relays } from './relays/relays.ts';
import type { Roll } from './roll.ts';
import type { Session } from './session.ts';
import type { ServerTime } from './time.ts';
import type { Waiting } from './waiting.ts';

const STANDINGS_AT_ONCE = 64;
const CREDENTIALS = /^(INVITE|ACCOUNT|CERTIFICATE|PASSWORD|LOGIN)_|^KEY_CHANGED$|^NODE_REMOVED$/;

export interface Desk {
  readonly registry: Registry;
  readonly presence: Presence<Session>;
  readonly keepAlives: KeepAlives;
  readonly waiting: Waiting<Session>;
  readonly relays: Relays;
  readonly roll: Roll;
  readonly keys: ServerKeys;
  readonly primitives: Primitives;
  readonly time: ServerTime;
  readonly counters: Counters;
  /** Where STUN answers, seen from that connection, and where else the server may be reached. */
  reach(session: Session): Pick<Welcome, 'stun' | 'addresses' | 'places'>;
  /** Throws where a node's word proves that this server is a copy left behind. */
  outdated(places: ServerPlaces): void;
}

export function answerRequest(desk: Desk, session: Session, message: NodeMessage): Promise<ServerMessage> {
  desk.counters.counter(`requests.${message.type}`).value++;
  switch (message.type) {
    case 'login':
      return logIn(desk, session, message);
    case 'publish':
      return publish(desk, session, message);
    case 'register':
      register(desk, session, desk.registry.rules.judge(message.registration));
      return Promise.resolve(done(message.id));
    case 'lookup':
      return Promise.resolve(lookUp(desk, session, message));
    case 'signal':
      return Promise.resolve(passOn(desk, session, message));
    case 'standings':
      return Promise.resolve(lackedStandings(desk, message));
    case 'bring':
      return bring(desk, session, message);
    case 'roll':
      return Promise.resolve(desk.roll.answer(message));
    case 'ping':
      return Promise.resolve(done(message.id));
  }
}

/** The connection ended: whoever wants to know is told. */
export function logOut(desk: Desk, session: Session): void {
  desk.waiting.leave(session);
  if (session.keepAlive !== '') desk.keepAlives.withdraw(session.keepAlive);
  if (session.node === '' || !desk.presence.leave(session)) return;
  desk.registry.seen(session.node);
  tellWatchers(desk, session.node, false);
  desk.relays.left(session.node);
}

/** V3: the identity key signs this very channel, whose other key must be the one it names. */
async function logIn(desk: Desk, session: Session, login: LoginRequest): Promise<ServerMessage> {
  const { keys, primitives, registry, presence } = desk;
  if (login.network !== keys.network) throw serverErrors('NETWORK_UNKNOWN');
  const controlKey = fromBase64Url(login.controlKey) ?? new Uint8Array();
  const proved =
    primitives.equal(controlKey, session.channelKey) &&
    verifyLogin(primitives, login.node, session.channelHash, login.proof);
  if (!proved) throw serverErrors('PROOF_WRONG');
  if (login.places !== undefined) desk.outdated(login.places);
  const entry = await admitted(desk, session, login);
  if (session.closed) throw serverErrors('REPLACED');
  if (!isMember(entry)) refuseFor(desk, session, entry);
  session.node = entry.id;
  session.keepAlive = desk.keepAlives.issue(endpoint => session.send({ type: 'seen', endpoint }));
  registry.seen(entry.id);
  const arrived = presence.arrive(session);
  desk.relays.arrived(session);
  if (arrived) tellWatchers(desk, entry.id, true);
  return welcome(desk, session, entry, login.id);
}

/** A refusal for what it brought, or did not bring, is in the audit log: somebody may be trying. */
async function admitted({ registry }: Desk, session: Session, login: LoginRequest): Promise<NodeEntry> {
  try {
    return await registry.admit(login, await ticketFor(registry, session, login));
  } catch (error) {
    if (error instanceof GinnelError && CREDENTIALS.test(error.code)) {
      const facts = { code: error.code, from: session.place.remote.address };
      registry.audit.note({ what: 'login-refused', by: login.name, subject: login.name, facts });
    }
    throw error;
  }
}

/** The connection of who is pending or disabled stays open: whoever lets it in ends it, and it logs in anew at once. */
function refuseFor(desk: Desk, session: Session, entry: NodeEntry): never {
  session.waitsAs = entry.id;
  desk.waiting.add(session);
  if (standingOf(entry) === 'disabled') throw serverErrors('NODE_DISABLED');
  throw serverErrors('PENDING_APPROVAL', { name: nameOf(entry) });
}

function welcome(desk: Desk, session: Session, entry: NodeEntry, re: number): Welcome {
  const { registry, keys, time } = desk;
  return {
    type: 'welcome',
    re,
    network: keys.network,
    networkName: registry.networkName,
    assignment: entry.assignment,
    prefix4: registry.pool4,
    prefix6: registry.prefix6,
    ...desk.reach(session),
    keepAlive: session.keepAlive,
    serverTime: time.now(),
    generation: entry.record?.generation ?? 0,
    name: entry.wantedName ?? null,
    standings: registry.standings.list.digest(),
    rules: registry.rules.own,
  };
}

async function publish(desk: Desk, session: Session, { id, record }: PublishRequest): Promise<ServerMessage> {
  if (!session.publishes.take()) throw serverErrors('RATE_LIMITED');
  const changed = await desk.registry.publish(session.node, record);
  if (changed) {
    tellWatchers(desk, session.node, true);
    desk.relays.published(session.node);
  }
  return done(id);
}

/** V4. */
function register({ presence, relays }: Desk, session: Session, registration: Registration): void {
  presence.register(session.node, registration);
  relays.registered(session, registration);
}

function entryFor(
  registry: Registry,
  { address, node, name, wireguardKey }: LookupRequest,
): NodeEntry | undefined {
  if (address !== undefined) return registry.byAddress(address);
  if (node !== undefined) return registry.nodes.get(node);
  if (name !== undefined) return registry.byName(name);
  return registry.byWireguardKey(wireguardKey ?? '');
}

function lookUp(desk: Desk, session: Session, lookup: LookupRequest): RouteAnswer {
  const { registry, presence, relays } = desk;
  const entry = entryFor(registry, lookup);
  const node = signedNode(entry);
  if (entry === undefined || node === null || !isMember(entry)) throw serverErrors('NODE_UNKNOWN');
  presence.watch(session.node, entry.id);
  const online = presence.session(entry.id) !== undefined;
  return {
    type: 'route',
    re: lookup.id,
    node,
    online,
    registration: presence.registration(entry.id),
    ...relays.wayTo(entry.id, session.node),
    lastSeen: online ? desk.time.now() : entry.lastSeen,
  };
}

/** A page of what somebody with that digest lacks. */
function lackedStandings({ registry }: Desk, { id, digest, skip }: StandingsRequest): ServerMessage {
  const lacked = registry.standings.list.differing(digest).slice(skip);
  const standings = lacked.slice(0, STANDINGS_AT_ONCE);
  return { type: 'standings', re: id, standings, more: lacked.length > standings.length };
}

/** A node knows words of this server that it may have lost with the state it was restored from. */
async function bring(desk: Desk, session: Session, { id, standings }: BringRequest): Promise<ServerMessage> {
  const { registry, counters } = desk;
  const news = standings.filter(standing => registry.standings.list.isNews(standing));
  if (news.length === 0) return done(id);
  // Signatures cost time, and what holds is written.
  if (!session.publishes.take()) throw serverErrors('RATE_LIMITED');
  const lost = news.filter(standing => registry.standings.isLost(standing));
  counters.counter('standings.unbelieved').value += news.length - lost.length;
  const by = registry.nodes.get(session.node);
  const learnt = await registry.members.learn(lost, by === undefined ? session.node : nameOf(by));
  for (const standing of learnt) tellStanding(desk, standing);
  return done(id);
}

function passOn(desk: Desk, session: Session, signal: SignalRequest): ServerMessage {
  const { registry, presence } = desk;
  if (!session.signals.take() || !session.signalBytes.take(signal.sealed.length)) {
    throw serverErrors('RATE_LIMITED');
  }
  const sender = signedNode(registry.nodes.get(session.node));
  if (sender === null) throw serverErrors('RECORD_WRONG', { problem: 'it was not published yet' });
  const to = registry.nodes.get(signal.to);
  if (to === undefined || !isMember(to)) throw serverErrors('NODE_UNKNOWN');
  const receiver = presence.session(signal.to);
  if (receiver === undefined) throw serverErrors('NODE_OFFLINE');
  presence.watch(session.node, signal.to);
  presence.watch(signal.to, session.node);
  const seen = seenAs(desk, session);
  receiver.send({ type: 'signal', from: session.node, node: sender, sealed: signal.sealed, seen });
  return done(signal.id);
}

/** By its connection and by its UDP keep-alives: a home with two ways out may be seen under two, one with IPv6 under both. */
function seenAs({ keepAlives }: Desk, { place, keepAlive }: Session): string[] {
  return [...new Set([place.remote, ...keepAlives.seen(keepAlive)].map(({ address }) => address))];
}

function tellWatchers(desk: Desk, id: string, online: boolean): void {
  const node = signedNode(desk.registry.nodes.get(id));
  if (node === null) return;
  for (const watcher of desk.presence.watchersOf(id)) watcher.send({ type: 'changed', node, online });
}

function signedNode(entry: NodeEntry | undefined): SignedNode | null {
  if (entry?.record == null) return null;
  return { record: entry.record, assignment: entry.assignment };
}

const done = (re: number): ServerMessage => ({ type: 'done', re });
