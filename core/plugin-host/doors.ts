// The doors that one run of a plugin gets: its callbacks are guarded, and when it ends, what it left open is closed.
import type { Clock } from '../../base/clock.ts';
import type {
  HomeDoor,
  LinkDoor,
  LinkInlet,
  MappedPort,
  NetworkWords,
  SignalDoor,
  StreamDoor,
  StreamPeer,
  StunDoor,
  StunOutcome,
  StunSocket,
} from '../contract/plugin.ts';
import type { Link } from '../contract/link.ts';
import type { Guard } from './guard.ts';
import { heldLink } from './held-link.ts';

export function guardedClock(clock: Clock, guard: Guard): Clock {
  return {
    monotonicMs: () => clock.monotonicMs(),
    wallMs: () => clock.wallMs(),
    after: (delayMs, fire) => clock.after(delayMs, () => guard.callback(fire)),
  };
}

type FreshSocket = StunSocket & { close(): void };

/** `end` closes the sockets that the plugin opened and forgot. */
export function guardedStun(stun: StunDoor, guard: Guard): { readonly door: StunDoor; end(): void } {
  const open = new Set<{ close(): void }>();
  const subscriptions = new Set<() => void>();
  const aborted: StunOutcome = { ok: false, code: 'aborted' };
  const guarded = (socket: StunSocket): StunSocket => ({
    family: socket.family,
    localPort: socket.localPort,
    transact: (ask, signal) =>
      guard.isOver ? Promise.resolve(aborted) : guard.outside(() => socket.transact(ask, signal)),
  });
  const fresh = async (opening: () => Promise<FreshSocket>): Promise<FreshSocket> => {
    const socket = await guard.outside(opening);
    open.add(socket);
    const close = (): void => {
      open.delete(socket);
      socket.close();
    };
    if (guard.isOver) close();
    return { ...guarded(socket), close };
  };
  const door: StunDoor = {
    main(family) {
      const socket = stun.main(family);
      return socket === null ? null : guarded(socket);
    },
    fresh: family => fresh(() => stun.fresh(family)),
    ...(stun.freshTcp === undefined ? {} : { freshTcp: family => fresh(() => stun.freshTcp!(family)) }),
    servers: () => stun.servers(),
    localAddresses: () => stun.localAddresses(),
    onChange(changed) {
      const unsubscribe = stun.onChange(() => guard.callback(changed));
      subscriptions.add(unsubscribe);
      return () => {
        subscriptions.delete(unsubscribe);
        unsubscribe();
      };
    },
  };
  return {
    door,
    end() {
      for (const unsubscribe of subscriptions) unsubscribe();
      for (const socket of [...open]) socket.close();
      open.clear();
    },
  };
}

/** `end` takes the plugin's hands off: what it served is refused, and nobody calls it any more. Connections stay the core's. */
export function guardedStreams(
  streams: StreamDoor,
  guard: Guard,
): { readonly door: StreamDoor; end(): void } {
  const ends = new Ends(guard);
  const door: StreamDoor = {
    node: streams.node,
    open: (to, signal) =>
      guard.isOver ? Promise.reject(isOver()) : guard.outside(() => streams.open(to, signal)),
    get all() {
      return streams.all;
    },
    find: address => streams.find(address),
    serve: taker =>
      ends.begin(() => streams.serve((from, frame) => guard.callback(() => taker(from, frame)))),
    onChange: changed =>
      ends.begin(() => streams.onChange((stream, isOpen) => guard.callback(() => changed(stream, isOpen)))),
  };
  return { door, end: () => ends.all() };
}

type Facts = Parameters<NetworkWords['tell']>[0];

/** What the node gives: each run of a plugin tells in a place of its own, so that its words can be taken back. */
export interface NetworkGiven extends Pick<NetworkWords, 'route' | 'onRelays'> {
  telling(): Telling;
}

export interface Telling {
  tell(facts: Facts): void;
  /** Takes back all that was told here. */
  end(): void;
}

/** `end`: the plugin hears no more, and what it told is taken back. */
export function guardedNetwork(
  network: NetworkGiven,
  guard: Guard,
): { readonly door: NetworkWords; end(): void } {
  const ends = new Ends(guard);
  const telling = network.telling();
  const door: NetworkWords = {
    route: to => (guard.isOver ? Promise.reject(isOver()) : guard.outside(() => network.route(to))),
    onRelays: told => ends.begin(() => network.onRelays(relays => guard.callback(() => told(relays)))),
    tell(facts) {
      if (!guard.isOver) guard.outside(() => telling.tell(facts));
    },
  };
  const end = (): void => {
    ends.all();
    telling.end();
  };
  return { door, end };
}

/** What the node gives: each run of a plugin tells in a place of its own, so that its words can be taken back. */
export interface HomeGiven extends Omit<HomeDoor, 'tell'> {
  telling(): HomeTelling;
}

export interface HomeTelling {
  tell(mapped: readonly MappedPort[]): void;
  /** Takes back all that was told here. */
  end(): void;
}

/** `end`: the plugin hears no more, and what it told is taken back. */
export function guardedHome(home: HomeGiven, guard: Guard): { readonly door: HomeDoor; end(): void } {
  const ends = new Ends(guard);
  const telling = home.telling();
  const door: HomeDoor = {
    gateways: () => home.gateways(),
    ports: () => home.ports(),
    onChange: changed => ends.begin(() => home.onChange(() => guard.callback(changed))),
    tell(mapped) {
      if (!guard.isOver) guard.outside(() => telling.tell(mapped));
    },
  };
  const end = (): void => {
    ends.all();
    telling.end();
  };
  return { door, end };
}

/** What the node gives: words to and from any transport plugin, by its name. */
export interface SignalsGiven {
  send(plugin: string, node: string, words: string): Promise<void>;
  onSignal(plugin: string, heard: (from: StreamPeer, words: string) => void): () => void;
}

export function guardedSignals(
  signals: SignalsGiven,
  plugin: string,
  guard: Guard,
): { readonly door: SignalDoor; end(): void } {
  const ends = new Ends(guard);
  const door: SignalDoor = {
    send: (node, words) =>
      guard.isOver ? Promise.reject(isOver()) : guard.outside(() => signals.send(plugin, node, words)),
    onSignal: heard =>
      ends.begin(() => signals.onSignal(plugin, (from, words) => guard.callback(() => heard(from, words)))),
  };
  return { door, end: () => ends.all() };
}

/** `end`: links that the plugin left standing are none any more. */
export function guardedLinks(links: LinkDoor, guard: Guard): { readonly door: LinkDoor; end(): void } {
  const open = new Set<LinkInlet>();
  const dead: LinkInlet = { received() {}, closed() {} };
  const opened = (link: Link): LinkInlet => {
    if (guard.isOver) return dead;
    const inlet = guard.outside(() => links.opened(heldLink(link, guard)));
    const guarded: LinkInlet = {
      received(batch) {
        if (open.has(guarded)) guard.outside(() => inlet.received(batch));
      },
      closed(reason) {
        if (open.delete(guarded)) guard.outside(() => inlet.closed(reason));
      },
    };
    open.add(guarded);
    return guarded;
  };
  return {
    door: { opened, isPlace: endpoint => links.isPlace(endpoint) },
    end() {
      for (const inlet of [...open]) inlet.closed('the plugin stopped');
    },
  };
}

const isOver = (): Error => new Error('this run of the plugin is over');

/** Ways to stop something, each used once. */
class Ends {
  readonly #guard: Guard;
  readonly #ends = new Set<() => void>();

  constructor(guard: Guard) {
    this.#guard = guard;
  }

  /** Once the run is over, nothing begins any more. */
  begin(work: () => () => void): () => void {
    if (this.#guard.isOver) return () => undefined;
    const end = work();
    this.#ends.add(end);
    return () => {
      if (this.#ends.delete(end)) end();
    };
  }

  all(): void {
    for (const end of [...this.#ends]) end();
    this.#ends.clear();
  }
}
