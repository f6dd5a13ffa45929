// A running server: its sockets, its sessions, and where it can be reached. Made by `up`, closed by `down`.
import type { WebSocket } from 'ws';
import type { Clock, Timer } from '../base/clock.ts';
import type { Counters } from '../base/counters.ts';
import type { Log } from '../base/log.ts';
import { CHANNEL_CLOSE } from '../protocol/location/channel.ts';
import type { ServerPlaces, Welcome } from '../protocol/location/messages.ts';
import type { Primitives } from '../protocol/primitives.ts';
import type { TcpPortsDoor } from '../system/doors.ts';
import { Admission } from './admission.ts';
import type { ServerNode } from './admin.ts';
import { serverErrors } from './errors.ts';
import { FrontDoor } from './front-door.ts';
import { KeepAlives } from './keep-alives.ts';
import type { ServerKeys } from './keys.ts';
import type { ServerLimits } from './limits.ts';
import type { IssuedPlaces } from './issued-places.ts';
import type { PortMapper } from './port-mapper.ts';
import { Presence } from './presence.ts';
import { nameOf, standingOf } from './registry-entries.ts';
import type { NodeEntry } from './registry-entries.ts';
import type { Registry } from './registry.ts';
import { OnLink } from './relays/on-link.ts';
import { Relays } from './relays/relays.ts';
import { Roll } from './roll.ts';
import { answerRequest, logOut } from './requests.ts';
import type { Desk } from './requests.ts';
import { Reach } from './reach.ts';
import { Session } from './session.ts';
import type { SessionPlace } from './session.ts';
import type { ServerValues } from './settings.ts';
import { StunUdp } from './stun-udp.ts';
import type { ServerTime } from './time.ts';
import { TokenBuckets } from './token-bucket.ts';
import { TrustedProxies } from './trusted-proxies.ts';
import { Waiting } from './waiting.ts';

export interface StationOptions {
  readonly primitives: Primitives;
  readonly clock: Clock;
  readonly counters: Counters;
  readonly log: Log;
  readonly limits: ServerLimits;
  readonly keys: ServerKeys;
  readonly registry: Registry;
  readonly time: ServerTime;
  /** As they are at the start; who takes over a change later is told. */
  readonly settings: ServerValues;
  readonly tcp: TcpPortsDoor;
  readonly portMapper: PortMapper | null;
  readonly places: IssuedPlaces;
  /** A node proved that this server runs on another machine since. */
  readonly outdated: (places: ServerPlaces) => void;
}

/** How often addresses are looked at anew, and old invites forgotten. */
const LOOK_EVERY_MS = 10_000;

export class Station {
  readonly proxies: TrustedProxies;
  readonly reach: Reach;
  readonly #options: StationOptions;
  readonly #presence: Presence<Session>;
  readonly #sessions = new Set<Session>();
  /** Registry, presence and who waits: what requests and the owner's changes work on. */
  readonly desk: Desk;
  readonly #door: FrontDoor;
  readonly #admission: Admission;
  readonly #buckets: TokenBuckets;
  readonly #asking = new AbortController();
  #stun: StunUdp | null = null;
  #timer: Timer | null = null;

  constructor(options: StationOptions) {
    const { clock, limits, primitives, counters } = options;
    this.#options = options;
    this.reach = new Reach(options.settings, [options.registry.pool4, options.registry.prefix6]);
    this.#presence = new Presence<Session>(limits.watchedNodes);
    this.#admission = new Admission(clock, limits);
    this.#buckets = new TokenBuckets(clock, limits.stunPerSecond, limits.stunBurst);
    const { registry, keys, time } = options;
    const keepAlives = new KeepAlives(primitives);
    const relays = new Relays({
      ...{ clock, counters, primitives, limits, registry, presence: this.#presence },
      ...{ localStatic: keys.control, way: options.settings['relay-choice'], onLink: new OnLink(clock) },
    });
    const roll = new Roll({
      clock,
      nodes: () => registry.nodes.values(),
      isHere: node => this.#presence.session(node) !== undefined,
    });
    this.desk = {
      ...{ registry, keys, time, primitives, counters, keepAlives, relays, roll },
      waiting: new Waiting(),
      presence: this.#presence,
      reach: ({ place }) => ({ ...this.reach.welcome(place), ...this.#placesPart() }),
      outdated: places => this.#refuseToBeOutdated(places),
    };
    this.proxies = new TrustedProxies(options.settings['trusted-proxy']);
    this.#door = new FrontDoor({
      tcp: options.tcp,
      proxies: this.proxies,
      admission: this.#admission,
      clock,
      buckets: this.#buckets,
      counters,
      limits,
      opened: (socket, place) => this.#opened(socket, place),
    });
  }

  /** As it was issued last. */
  get places(): ServerPlaces | null {
    return this.#options.places.current;
  }

  /** Errors: SERVER_PORT_*. */
  async open(): Promise<void> {
    try {
      await this.#listen();
    } catch (error) {
      await this.close();
      throw error;
    }
    // A full disk keeps nobody from being served.
    await this.#issuePlaces().catch((error: unknown) =>
      this.#options.log.warn('where the server is could not be issued anew', { error }),
    );
    this.#askRouter();
    this.#lookAgain();
  }

  /** Says good-bye to all; answers the ids of the nodes that were here. */
  async close(): Promise<string[]> {
    this.#asking.abort();
    this.#timer?.cancel();
    this.#timer = null;
    const present = [...this.#presence.sessions.keys()];
    this.desk.relays.close();
    for (const session of this.#sessions) session.end(CHANNEL_CLOSE.stopping);
    this.#stun?.close();
    await this.#door.close();
    return present;
  }

  nodes(): ServerNode[] {
    return [...this.#options.registry.nodes.values()].map(entry => this.nodeOf(entry));
  }

  nodeOf(entry: NodeEntry): ServerNode {
    const { id, assignment, lastSeen } = entry;
    const online = this.#presence.session(id) !== undefined;
    const { ip4, ip6 } = assignment;
    const seen = online ? this.#options.time.now() : lastSeen;
    return { id, name: nameOf(entry), ip4, ip6, standing: standingOf(entry), online, lastSeen: seen };
  }

  /** What kept a box out is over: it may log in at once. */
  letIn(id: string): void {
    this.desk.waiting.end(id);
  }

  async #listen(): Promise<void> {
    const { settings } = this.#options;
    const { reach } = this;
    const places = settings.listen.length > 0 ? settings.listen : [''];
    for (const place of places) reach.port = await this.#door.listen(place, reach.port, 'port');
    const web = settings['web-port'];
    if (web !== null) for (const place of places) await this.#door.listen(place, web, 'web-port');
    const second = settings['second-port'];
    if (second !== null) for (const place of places) await this.#listenOnSecond(place, second);
    this.#stun = new StunUdp({
      port: reach.port,
      secondPort: settings['second-port'],
      alternateOf: reach.alternates(),
      buckets: this.#buckets,
      keepAlives: this.desk.keepAlives,
      counters: this.#options.counters,
    });
    await this.#stun.listenOn(this.reach.stunAddresses(), settings.listen.length > 0);
  }

  /** A second place for STUN over TCP (P2, P7). Where another program has that port, boxes do with what is told over UDP. */
  async #listenOnSecond(place: string, port: number): Promise<void> {
    try {
      await this.#door.listen(place, port, 'second-port');
    } catch (error) {
      this.#options.log.warn('the second port does not answer over TCP', { error });
    }
  }

  #lookAgain(): void {
    const { clock, registry, log, settings } = this.#options;
    this.#timer = clock.after(LOOK_EVERY_MS, () => {
      const looked = this.#stun?.listenOn(this.reach.stunAddresses(), settings.listen.length > 0);
      Promise.all([looked, registry.tidy(), this.#issuePlaces()])
        .catch((error: unknown) => log.warn('the regular look at addresses and invites failed', { error }))
        .finally(() => {
          if (this.#timer !== null) this.#lookAgain();
        });
    });
  }

  /** Errors: the store's. */
  async #issuePlaces(): Promise<void> {
    const { places } = this.#options;
    if (!(await places.issue(this.reach.advertised())) || places.current === null) return;
    for (const session of this.#presence.sessions.values())
      session.send({ type: 'places', places: places.current });
  }

  /** What it grants is told with the next look at addresses. */
  #askRouter(): void {
    const { portMapper } = this.#options;
    if (portMapper === null) return;
    this.reach.setMapped([]);
    portMapper.keep(this.reach.ports, this.#asking.signal, places => this.reach.setMapped(places));
  }

  #placesPart(): Pick<Welcome, 'places'> {
    const { current } = this.#options.places;
    return current === null ? {} : { places: current };
  }

  #refuseToBeOutdated(places: ServerPlaces): void {
    if (!this.#options.places.isOfLaterMove(places)) return;
    this.#options.outdated(places);
    throw serverErrors('SERVER_STATE');
  }

  #opened(socket: WebSocket, place: SessionPlace): void {
    const { keys, primitives, clock, counters, log, limits } = this.#options;
    const session = new Session(socket, {
      ...{ place, keys, primitives, clock, log, limits },
      counters: counters.scope('session'),
      admission: this.#admission,
      answer: (from, message) => answerRequest(this.desk, from, message),
      ended: ended => {
        this.#sessions.delete(ended);
        logOut(this.desk, ended);
      },
    });
    this.#sessions.add(session);
  }
}
