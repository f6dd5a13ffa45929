// Ways to a peer that are connections: through relays (its own, by the server's route or its own word; ours), and straight to its
// TCP door. Opens them when a machine says that now is the time, and tells it of each that stands.
import type { Clock } from '../../base/clock.ts';
import type { Counters } from '../../base/counters.ts';
import type { Log } from '../../base/log.ts';
import { sameEndpoint, type Endpoint } from '../../protocol/address.ts';
import type { CandidateWords, SignedNode, TcpPlace } from '../../protocol/location/messages.ts';
import type { Candidate } from '../contract/candidate.ts';
import type { Link } from '../contract/link.ts';
import type { Stream, StreamPeer } from '../contract/plugin.ts';
import type { PeerId } from '../dataplane/engine.ts';

/** A transport plugin that runs, as its host hands it out: it never throws, hangs or answers nonsense. */
export interface Transport {
  readonly name: string;
  candidates(): readonly Candidate[];
  dial(candidate: Candidate, peer: StreamPeer, signal: AbortSignal): Promise<Link>;
  ownWays(peer: StreamPeer): readonly Link[];
  onChange(changed: () => void): () => void;
}

/** V7: how a peer is reached, by the server's table. */
export interface RouteToPeer {
  /** UDP places that anybody can reach. */
  readonly open: readonly Endpoint[];
  readonly tcp: readonly Endpoint[];
  readonly relays: readonly TcpPlace[];
}

export interface DetoursOptions {
  readonly clock: Clock;
  readonly counters: Counters;
  readonly log: Log;
  /** Opens a connection to a node's TCP door; null: this node has none. */
  readonly openStream: ((to: TcpPlace, signal: AbortSignal) => Promise<Stream>) | null;
  /** May something be sent there at all? */
  readonly isPlace: (endpoint: Endpoint) => boolean;
  readonly hasDirect: (id: PeerId) => boolean;
  readonly hasPath: (id: PeerId) => boolean;
  readonly linked: (id: PeerId, link: Link, learnt: string) => void;
}

/** What is known of the peer when it is sought. */
export interface Sought {
  readonly id: PeerId;
  readonly node: SignedNode;
  /** What the peer told of connections, at the time of asking. */
  readonly others: () => readonly CandidateWords[];
  /** UDP gets out of neither, or not in: nothing to wait for. */
  readonly isUdpBlocked: boolean;
  /** Plain UDP may get through by itself: others wait for it. */
  readonly isPunchable: boolean;
  /** Not the server's route alone. */
  readonly wantsBetter: boolean;
}

/** Plain UDP has so long before a TCP connection is opened beside it. */
const TCP_AFTER_MS = 700;
/** And so long before a plugin's own link is. */
const CHANNEL_AFTER_MS = 1_500;
/** A node that anybody can reach has so long before it is tried through others. */
const RELAYS_AFTER_MS = 600;
/** Its own relays have so long before ours are asked to find a way to them. */
const OWN_AFTER_MS = 800;
/** Of one peer: each may cost a look-up and a connection. */
const MAX_RELAYS = 4;
const MAX_TRIED = 32;
const AGAIN_AFTER_MS = 5_000;
const DIAL_WITHIN_MS = 10_000;

/** How a way was learnt. */
const [ITS_RELAY, ITS_DOOR] = ['its relay', 'its TCP door'];

interface Pursuit {
  route: RouteToPeer | null;
  /** What is tried → when that began; those under way have no time. */
  readonly tried: Map<string, number>;
  readonly ended: AbortController;
}

export class Detours {
  readonly #options: DetoursOptions;
  readonly #pursuits = new Map<PeerId, Pursuit>();
  #transports: readonly Transport[] = [];

  constructor(options: DetoursOptions) {
    this.#options = options;
  }

  setTransports(transports: readonly Transport[]): void {
    this.#transports = transports;
  }

  routed(id: PeerId, route: RouteToPeer): void {
    this.#pursuit(id).route = route;
  }

  /** As the table named them last. */
  openPlaces(id: PeerId): readonly Endpoint[] {
    return this.#pursuits.get(id)?.route?.open ?? [];
  }

  forget(id: PeerId): void {
    this.#pursuits.get(id)?.ended.abort();
    this.#pursuits.delete(id);
  }

  close(): void {
    for (const id of [...this.#pursuits.keys()]) this.forget(id);
  }

  /** V10, V11: what the table names first; the rest a little later, where that was not enough. */
  seek(sought: Sought): void {
    if (sought.wantsBetter)
      this.#later(sought, sought.isPunchable ? CHANNEL_AFTER_MS : 0, () => this.#byPlugins(sought));
    const { route } = this.#pursuit(sought.id);
    const isOpen = route !== null && (route.open.length > 0 || route.tcp.length > 0);
    if (isOpen) {
      this.#straight(sought);
      this.#later(sought, RELAYS_AFTER_MS, () => this.#throughOthers(sought));
      return;
    }
    this.#throughOthers(sought);
    this.#later(sought, sought.isUdpBlocked ? 0 : TCP_AFTER_MS, () => this.#straight(sought));
  }

  #later({ id }: Sought, delayMs: number, act: () => unknown): void {
    const { clock, hasDirect } = this.#options;
    const pursuit = this.#pursuit(id);
    clock.after(delayMs, () => {
      if (!pursuit.ended.signal.aborted && !hasDirect(id)) act();
    });
  }

  /** To its own TCP door. */
  #straight({ id, node, others }: Sought): void {
    const { openStream, isPlace } = this.#options;
    const told = others()
      .filter(({ transport }) => transport === 'tcp')
      .map(({ endpoint }) => endpoint);
    const places = once([...(this.#pursuit(id).route?.tcp ?? []), ...told]).filter(isPlace);
    if (openStream === null || places.length === 0) return;
    this.#try(id, 'tcp', ITS_DOOR, async signal => {
      const stream = await openStream({ node, places }, signal);
      return stream.link(peerOf(node));
    });
  }

  /** Links that a plugin of both ends opens between them: one of its candidates is as good as another. */
  #byPlugins({ id, node, others }: Sought): void {
    for (const transport of this.#transports) {
      const { name } = transport;
      const words = others().find(told => told.transport === name && told.kind !== 'relay');
      if (words === undefined) continue;
      const candidate: Candidate = { ...words, kind: 'host', foundBy: 'the peer' };
      this.#try(id, name, name, signal => transport.dial(candidate, peerOf(node), signal));
    }
  }

  #throughOthers(sought: Sought): void {
    const { id, node } = sought;
    const peer = peerOf(node);
    for (const transport of this.#transports) {
      const candidates = this.#candidates(sought, transport.name);
      for (const candidate of candidates)
        this.#try(id, keyOf(candidate), ITS_RELAY, signal => transport.dial(candidate, peer, signal));
      const throughOwn = (): void => {
        for (const link of transport.ownWays(peer))
          this.#options.linked(id, link, link.traits.relayed ? 'our own relay' : ITS_DOOR);
      };
      if (candidates.length === 0) throughOwn();
      else this.#later(sought, OWN_AFTER_MS, () => !this.#options.hasPath(id) && throughOwn());
    }
  }

  /** The server's word and the peer's own, each relay once. */
  #candidates({ id, others }: Sought, transport: string): readonly Candidate[] {
    const routed = (this.#pursuit(id).route?.relays ?? []).flatMap(({ node, places: [endpoint] }) =>
      endpoint === undefined
        ? []
        : [{ kind: 'relay', transport: 'relay-tcp', endpoint, relay: node.record.id }],
    );
    const byKey = new Map<string, Candidate>();
    for (const words of [...routed, ...others()]) {
      if (words.transport !== transport || words.kind !== 'relay' || !this.#options.isPlace(words.endpoint))
        continue;
      const candidate: Candidate = { ...words, kind: 'relay', foundBy: 'the peer' };
      byKey.set(keyOf(candidate), candidate);
    }
    return [...byKey.values()].slice(0, MAX_RELAYS);
  }

  #try(id: PeerId, key: string, learnt: string, open: (signal: AbortSignal) => Promise<Link>): void {
    const { clock, linked, counters, log } = this.#options;
    const { tried, ended } = this.#pursuit(id);
    const before = tried.get(key);
    if (before !== undefined && clock.monotonicMs() - before < AGAIN_AFTER_MS) return;
    if (tried.size >= MAX_TRIED) forgetOver(tried, clock.monotonicMs());
    if (tried.size >= MAX_TRIED) return;
    tried.set(key, Infinity);
    const late = new AbortController();
    const timer = clock.after(DIAL_WITHIN_MS, () => late.abort());
    open(AbortSignal.any([ended.signal, late.signal]))
      .then(link => {
        tried.delete(key);
        // A relay may turn out to be the peer itself.
        const isStraight = learnt === ITS_RELAY && !link.traits.relayed;
        if (!ended.signal.aborted) linked(id, link, isStraight ? ITS_DOOR : learnt);
      })
      .catch((error: unknown) => {
        counters.counter('detour.failed').value++;
        log.debug('a connection did not come about', { to: key, reason: String(error) });
        tried.set(key, clock.monotonicMs());
      })
      .finally(() => timer.cancel());
  }

  #pursuit(id: PeerId): Pursuit {
    const known = this.#pursuits.get(id);
    if (known !== undefined) return known;
    const fresh: Pursuit = { route: null, tried: new Map(), ended: new AbortController() };
    this.#pursuits.set(id, fresh);
    return fresh;
  }
}

export const peerOf = ({ record }: SignedNode): StreamPeer => ({
  node: record.id,
  name: record.name,
  ip6: record.ip6,
});

const keyOf = ({ transport, relay, endpoint }: Candidate): string =>
  `${transport} ${relay ?? `${endpoint.address} ${endpoint.port}`}`;

/** What may be tried again need not be remembered. */
function forgetOver(tried: Map<string, number>, now: number): void {
  for (const [key, at] of tried) if (now - at >= AGAIN_AFTER_MS) tried.delete(key);
}

const once = (places: readonly Endpoint[]): Endpoint[] =>
  places.filter((place, at) => places.findIndex(other => sameEndpoint(other, place)) === at);
