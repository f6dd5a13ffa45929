// A running server: its sockets, its sessions, and where it can be reached. Made by `up`, closed by `down`.
import type { Socket } from 'node:net';
import type { WebSocket } from 'ws';
import type { Clock, Timer } from '../base/clock.ts';
import type { Counters } from '../base/counters.ts';
import type { Log } from '../base/log.ts';
import { canonicalIp, familyOf } from '../protocol/ip/address.ts';
import { formatHostPort, parseHostPort } from '../protocol/location/addresses.ts';
import { CHANNEL_CLOSE } from '../protocol/location/channel.ts';
import type { Welcome } from '../protocol/location/messages.ts';
import type { Primitives } from '../protocol/primitives.ts';
import { Admission } from './admission.ts';
import type { ServerNode } from './admin.ts';
import { FrontDoor } from './front-door.ts';
import { KeepAlives } from './keep-alives.ts';
import type { ServerKeys } from './keys.ts';
import type { ServerLimits } from './limits.ts';
import { machineAddresses, reachableAddresses } from './machine-addresses.ts';
import { Presence } from './presence.ts';
import { standingOf } from './registry-entries.ts';
import type { NodeEntry } from './registry-entries.ts';
import type { Registry } from './registry.ts';
import { answerRequest, logOut } from './requests.ts';
import type { Desk } from './requests.ts';
import { Session } from './session.ts';
import type { SessionPlace } from './session.ts';
import { placeOf } from './settings.ts';
import type { ServerValues } from './settings.ts';
import { StunUdp } from './stun-udp.ts';
import type { ServerTime } from './time.ts';
import { TokenBuckets } from './token-bucket.ts';
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
  /** As they are at the start; `advertise` alone may change later. */
  readonly settings: ServerValues;
  readonly sharedTcp: boolean;
}

/** How often addresses are looked at anew, and old invites forgotten. */
const LOOK_EVERY_MS = 10_000;
const MAX_ADDRESSES = 8;
const MAX_SEEN_HOSTS = 16;

export class Station {
  readonly #options: StationOptions;
  readonly #presence: Presence<Session>;
  readonly #sessions = new Set<Session>();
  readonly #desk: Desk;
  readonly #door: FrontDoor;
  readonly #admission: Admission;
  readonly #buckets: TokenBuckets;
  readonly #seenHosts = new Set<string>();
  #stun: StunUdp | null = null;
  #timer: Timer | null = null;
  #port: number;
  #advertise: readonly string[];

  constructor(options: StationOptions) {
    const { clock, limits, primitives, counters } = options;
    this.#options = options;
    this.#port = options.settings.port;
    this.#advertise = options.settings.advertise;
    this.#presence = new Presence<Session>(limits.watchedNodes);
    this.#admission = new Admission(clock, limits);
    this.#buckets = new TokenBuckets(clock, limits.stunPerSecond, limits.stunBurst);
    const { registry, keys, time } = options;
    const keepAlives = new KeepAlives(primitives);
    this.#desk = {
      ...{ registry, keys, time, primitives, counters, keepAlives },
      waiting: new Waiting(),
      presence: this.#presence,
      reach: session => this.#reach(session),
    };
    this.#door = new FrontDoor({
      admission: this.#admission,
      clock,
      buckets: this.#buckets,
      counters,
      limits,
      opened: (socket, place) => this.#opened(socket, place),
    });
  }

  get port(): number {
    return this.#port;
  }

  /** Errors: SERVER_PORT_*. */
  async open(): Promise<void> {
    try {
      await this.#listen();
    } catch (error) {
      await this.close();
      throw error;
    }
    this.#lookAgain();
  }

  accept(socket: Socket): void {
    this.#door.accept(socket);
  }

  /** Says good-bye to all; answers the ids of the nodes that were here. */
  async close(): Promise<string[]> {
    this.#timer?.cancel();
    this.#timer = null;
    const present = [...this.#presence.sessions.keys()];
    for (const session of this.#sessions) session.end(CHANNEL_CLOSE.stopping);
    this.#stun?.close();
    await this.#door.close();
    return present;
  }

  nodes(): ServerNode[] {
    return [...this.#options.registry.nodes.values()].map(entry => this.nodeOf(entry));
  }

  nodeOf(entry: NodeEntry): ServerNode {
    const { id, name, assignment, lastSeen } = entry;
    const online = this.#presence.session(id) !== undefined;
    const { ip4, ip6 } = assignment;
    const seen = online ? this.#options.time.now() : lastSeen;
    return { id, name, ip4, ip6, standing: standingOf(entry), online, lastSeen: seen };
  }

  /** What kept a box out is over: it may log in at once. */
  letIn(id: string): void {
    this.#desk.waiting.end(id);
  }

  setAdvertise(advertise: readonly string[]): void {
    this.#advertise = advertise;
  }

  /** `host:port`, as invites and welcomes name them. */
  advertised(): string[] {
    const { listen } = this.#options.settings;
    const advertise = this.#advertise;
    const { registry } = this.#options;
    const own = (): string[] =>
      listen.length > 0
        ? [...listen]
        : reachableAddresses(machineAddresses(), [registry.pool4, registry.prefix6]);
    const places = (advertise.length > 0 ? advertise : own()).map(text => placeOf(text, this.#port));
    return [...new Set(places.filter(place => place !== null))].slice(0, MAX_ADDRESSES);
  }

  /** By which other names and addresses logged-in nodes came. */
  seenFromOutside(): string[] {
    const own = new Set(machineAddresses().map(({ address }) => address));
    return [...this.#seenHosts].filter(place => !own.has(parseHostPort(place)?.host ?? ''));
  }

  async #listen(): Promise<void> {
    const { settings, sharedTcp } = this.#options;
    const places = settings.listen.length > 0 ? settings.listen : [''];
    if (!sharedTcp) for (const place of places) this.#port = await this.#door.listen(place, this.#port);
    this.#stun = new StunUdp({
      port: this.#port,
      secondPort: settings['second-port'],
      alternateOf: alternates(settings.listen),
      buckets: this.#buckets,
      keepAlives: this.#desk.keepAlives,
      counters: this.#options.counters,
    });
    await this.#stun.listenOn(this.#stunAddresses(), settings.listen.length > 0);
  }

  #stunAddresses(): string[] {
    const { listen } = this.#options.settings;
    if (listen.length > 0) return listen.map(address => canonicalIp(address) ?? address);
    return [...new Set(machineAddresses().map(({ address }) => address))];
  }

  #lookAgain(): void {
    const { clock, registry, log, settings } = this.#options;
    this.#timer = clock.after(LOOK_EVERY_MS, () => {
      const looked = this.#stun?.listenOn(this.#stunAddresses(), settings.listen.length > 0);
      Promise.all([looked, registry.tidy()])
        .catch((error: unknown) => log.warn('the regular look at addresses and invites failed', { error }))
        .finally(() => {
          if (this.#timer !== null) this.#lookAgain();
        });
    });
  }

  #opened(socket: WebSocket, place: SessionPlace): void {
    const { keys, primitives, clock, counters, log, limits } = this.#options;
    const session = new Session(socket, {
      ...{ place, keys, primitives, clock, log, limits },
      counters: counters.scope('session'),
      admission: this.#admission,
      answer: (from, message) => answerRequest(this.#desk, from, message),
      ended: ended => {
        this.#sessions.delete(ended);
        logOut(this.#desk, ended);
      },
    });
    this.#sessions.add(session);
  }

  #reach(session: Session): Pick<Welcome, 'stun' | 'addresses'> {
    const { local, host } = session.place;
    if (host !== null && this.#seenHosts.size < MAX_SEEN_HOSTS) this.#seenHosts.add(host);
    const { listen, 'second-port': secondPort } = this.#options.settings;
    const others = listen.filter(address => address !== local.address);
    const elsewhere = others.map(address => formatHostPort(address, this.#port));
    return {
      stun: { port: this.#port, secondPort, alternates: elsewhere },
      addresses: this.advertised(),
    };
  }
}

/** RFC 5780: each address's other one, of the same family, in a ring; only where addresses were named. */
function alternates(listen: readonly string[]): Map<string, string> {
  const pairs = [4, 6].flatMap(family => {
    const same = listen.filter(address => familyOf(address) === family);
    return same.length < 2
      ? []
      : same.map((address, at): [string, string] => [address, same[(at + 1) % same.length]!]);
  });
  return new Map(pairs);
}
