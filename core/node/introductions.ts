// How this node gets to know others: by a packet for an address nobody has yet (V10), by a stranger's handshake, by a
// signal. Whoever is known is told to data plane and paths alike.
import type { Clock } from '../../base/clock.ts';
import type { Counters } from '../../base/counters.ts';
import { GinnelError } from '../../base/errors.ts';
import type { Log } from '../../base/log.ts';
import type { Random } from '../../base/random.ts';
import type { LookupSubject } from '../../protocol/location/messages.ts';
import type { Link } from '../contract/link.ts';
import type { Control, RouteFound } from '../control/types.ts';
import type { Engine } from '../dataplane/engine.ts';
import { TokenBucket } from '../../base/token-bucket.ts';
import type { RouteToPeer } from '../paths/detours.ts';
import type { Paths } from '../paths/paths.ts';
import type { KnownPeer } from '../peers/peer.ts';
import type { PeerBook } from '../peers/peer-book.ts';
import { nodeErrors } from './errors.ts';
import { Reacquaintance } from './reacquaintance.ts';

/** Questions that packets and strangers cause: well below what the server takes of a node, so that signals get through. */
const UNASKED = { perSecond: 8, burst: 40 };

export interface IntroductionsOptions {
  readonly book: Pick<PeerBook, 'all' | 'byAddress' | 'isKeptOut'>;
  readonly control: Pick<Control, 'lookup'>;
  readonly engine: Pick<Engine, 'setPeer' | 'removePeer' | 'routeUnknown' | 'inbound' | 'flush'>;
  readonly paths: Pick<Paths, 'setPeer' | 'removePeer' | 'onlineChanged' | 'routed'>;
  readonly clock: Clock;
  readonly random: Random;
  readonly counters: Counters;
  readonly log: Log;
}

/** So long the server's word that nobody has an address stands: whoever scans the network asks it no more than that. */
const NOBODY_FOR_MS = 2_000;
const MAX_NOBODIES = 1024;

export class Introductions {
  readonly #options: IntroductionsOptions;
  /** As last told, by WireGuard key: a record that did not change is not told again. */
  readonly #told = new Map<string, KnownPeer['node']>();
  readonly #unasked: TokenBucket;
  readonly #reacquaintance: Reacquaintance;
  /** Addresses that nobody has, and until when that is believed. */
  readonly #nobody = new Map<string, number>();

  constructor(options: IntroductionsOptions) {
    const { clock, random, book } = options;
    this.#options = options;
    this.#unasked = new TokenBucket(UNASKED.perSecond, UNASKED.burst, clock.monotonicMs());
    this.#reacquaintance = new Reacquaintance({
      ...{ clock, random },
      known: () => book.all().map(({ node }) => node.record.id),
      lookUp: id => this.#lookUpAgain(id),
    });
  }

  /** Logged in. */
  welcomed(): void {
    this.#reacquaintance.begin();
  }

  close(): void {
    this.#reacquaintance.stop();
  }

  /** Everyone this node met in earlier runs. */
  everyoneKnown(): void {
    for (const peer of this.#options.book.all()) this.introduce(peer);
  }

  introduce({ node }: Pick<KnownPeer, 'node'>, route?: RouteToPeer): void {
    const { record } = node;
    if (route !== undefined && this.#told.has(record.wireguardKey))
      this.#options.paths.routed(record.wireguardKey, route);
    if (this.#told.get(record.wireguardKey)?.record.signature === record.signature) return;
    const publicKey = new Uint8Array(Buffer.from(record.wireguardKey, 'base64'));
    const id = record.wireguardKey;
    const allowedIps = [`${record.ip4}/32`, `${record.ip6}/128`];
    // Paths first: a packet that waits in the data plane asks for one at once.
    this.#options.paths.setPeer({ id, publicKey, name: record.name, kind: 'ginnel', node });
    if (route !== undefined) this.#options.paths.routed(id, route);
    this.#told.set(id, node);
    if (this.#options.engine.setPeer({ id, publicKey, allowedIps, keepaliveMs: 0, isGinnel: true })) return;
    this.#options.counters.counter('introductions.refused').value++;
    this.forget({ node });
  }

  forget({ node }: Pick<KnownPeer, 'node'>): void {
    const id = node.record.wireguardKey;
    this.#told.delete(id);
    this.#options.paths.removePeer(id);
    this.#options.engine.removePeer(id);
  }

  /** V10: a packet waits for this address. */
  routeWanted(address: string): void {
    if ((this.#nobody.get(address) ?? 0) > this.#options.clock.monotonicMs()) {
      this.#options.engine.routeUnknown(address);
      return;
    }
    this.#ask({ address }).catch((error: unknown) => {
      if (error instanceof GinnelError && error.code === 'NODE_UNKNOWN') this.#noteNobody(address);
      this.#options.log.debug('no route', { address, reason: reasonOf(error) });
      this.#options.engine.routeUnknown(address);
    });
  }

  #noteNobody(address: string): void {
    if (this.#nobody.size >= MAX_NOBODIES) this.#nobody.clear();
    this.#nobody.set(address, this.#options.clock.monotonicMs() + NOBODY_FOR_MS);
  }

  /** A handshake of somebody not met before: once the server vouches for that key, it is answered. */
  stranger(publicKey: Uint8Array, link: Link, initiation: Uint8Array): void {
    const wireguardKey = Buffer.from(publicKey).toString('base64');
    if (this.#options.book.isKeptOut(wireguardKey)) {
      this.#options.counters.counter('introductions.kept-out').value++;
      return;
    }
    this.#ask({ wireguardKey })
      .then(() => {
        this.#options.engine.inbound(link, {
          bytes: initiation,
          offset: 0,
          length: initiation.length,
          segment: initiation.length,
        });
        this.#options.engine.flush();
      })
      .catch((error: unknown) => {
        this.#options.counters.counter('introductions.stranger').value++;
        this.#options.log.debug('a stranger knocked', { reason: reasonOf(error) });
      });
  }

  /** Frames of somebody come through a relay: who it is must be known before a probe of it can be answered. */
  heardOf(ip6: string): void {
    if (this.#options.book.byAddress(ip6) !== null) return;
    this.#ask({ address: ip6 }).catch((error: unknown) => {
      this.#options.counters.counter('introductions.stranger').value++;
      this.#options.log.debug('a stranger speaks through a relay', { reason: reasonOf(error) });
    });
  }

  /** Looks a node up and gets to know it. Rejects with NODE_UNKNOWN, SERVER_AWAY, PEER_REFUSED. */
  async lookup(what: LookupSubject): Promise<KnownPeer['node']> {
    const found = await this.#options.control.lookup(what);
    this.introduce(found, routeOf(found));
    this.#options.paths.onlineChanged(found.node.record.wireguardKey, found.online);
    return found.node;
  }

  #ask(what: LookupSubject): Promise<KnownPeer['node']> {
    if (this.#unasked.take(this.#options.clock.monotonicMs())) return this.lookup(what);
    this.#options.counters.counter('introductions.too-many').value++;
    return Promise.reject(nodeErrors('PEER_UNKNOWN', { peer: Object.values(what).join(' ') }));
  }

  async #lookUpAgain(id: string): Promise<boolean> {
    try {
      await this.lookup({ node: id });
      return true;
    } catch (error) {
      this.#options.log.debug('a peer was not found again', { id, reason: reasonOf(error) });
      return !(error instanceof GinnelError && error.code === 'SERVER_AWAY');
    }
  }
}

/** V7: what of it anybody can reach, by the server's table. */
export function routeOf({
  registration,
  tcp,
  relays,
}: Pick<RouteFound, 'registration' | 'tcp' | 'relays'>): RouteToPeer {
  const isForAll = registration?.reachable === 'yes';
  const open = (registration?.candidates ?? []).filter(
    ({ kind, transport }) =>
      transport === 'udp' &&
      (kind === 'configured' || kind === 'mapped' || (isForAll && kind === 'reflexive')),
  );
  return { open: open.map(({ endpoint }) => endpoint), tcp, relays };
}

const reasonOf = (error: unknown): string => (error instanceof GinnelError ? error.code : String(error));
