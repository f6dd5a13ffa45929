// Where the relays of other nodes are: from what the location server told of these nodes, asked once for all of them. Which
// relays it looks for, peers say in their offers: what one of them may cause the server to be asked is bounded.
import type { Clock } from '../../base/clock.ts';
import { GinnelError } from '../../base/errors.ts';
import { TokenBucket } from '../../base/token-bucket.ts';
import type { NetworkRoute, NetworkWords } from '../../core/contract/plugin.ts';
import type { TcpPlace } from '../../protocol/location/messages.ts';

const REMEMBERED_MS = 60_000;
const MAX_PLACES = 512;
/** A relay that nobody knew is looked for anew after that time. */
const UNKNOWN_MS = 5_000;
const MAX_UNKNOWN = 512;
/** Look-ups in a second, and at once: in all, and for relays that one peer names. */
const LOOKUPS_IN_ALL = [2, 20] as const;
const LOOKUPS_EACH = [0.5, 8] as const;
const MAX_PEERS = 256;

export class Places {
  readonly #clock: Clock;
  readonly #network: Pick<NetworkWords, 'route'>;
  readonly #known = new Map<string, { readonly place: TcpPlace; readonly until: number }>();
  /** By relay and peer: until when. */
  readonly #unknown = new Map<string, number>();
  readonly #underWay = new Map<string, Promise<NetworkRoute>>();
  readonly #inAll: TokenBucket;
  readonly #each = new Map<string, TokenBucket>();

  constructor(clock: Clock, network: Pick<NetworkWords, 'route'>) {
    this.#clock = clock;
    this.#network = network;
    this.#inAll = new TokenBucket(...LOOKUPS_IN_ALL, clock.monotonicMs());
  }

  /** Of a relay by which `peer` is reached; null: nobody knows, or too much was asked. Rejects where the server cannot be asked. */
  async of(relay: string, peer: string): Promise<TcpPlace | null> {
    const now = this.#clock.monotonicMs();
    const known = this.#known.get(relay);
    if (known !== undefined && now < known.until) return known.place;
    const pair = `${relay} ${peer}`;
    if (now < (this.#unknown.get(pair) ?? -Infinity)) return null;
    const route = await this.#route(peer, peer)?.catch(() => null);
    if (route === undefined) return null;
    const named = route?.relays.find(place => place.node.record.id === relay);
    for (const place of route?.relays ?? []) this.remember(place);
    if (named !== undefined) return named;
    const own = await this.#ownDoor(relay, peer);
    if (own === null) putBounded(this.#unknown, pair, this.#clock.monotonicMs() + UNKNOWN_MS, MAX_UNKNOWN);
    else if (own !== undefined) this.remember(own);
    return own ?? null;
  }

  remember(place: TcpPlace): void {
    const { id } = place.node.record;
    const until = this.#clock.monotonicMs() + REMEMBERED_MS;
    putBounded(this.#known, id, { place, until }, MAX_PLACES);
  }

  /** It was not to be reached there. */
  forget(relay: string): void {
    this.#known.delete(relay);
  }

  /** Null: it has none, or is nobody; undefined: no more may be asked now. */
  async #ownDoor(relay: string, peer: string): Promise<TcpPlace | null | undefined> {
    try {
      const route = await this.#route(relay, peer);
      return route === undefined ? undefined : ownDoor(route);
    } catch (error) {
      if (error instanceof GinnelError && error.code === 'NODE_UNKNOWN') return null;
      throw error;
    }
  }

  /** Asked once, however many want to know; undefined: not now. */
  #route(node: string, peer: string): Promise<NetworkRoute> | undefined {
    const underWay = this.#underWay.get(node);
    if (underWay !== undefined) return underWay;
    if (!this.#mayAsk(peer)) return undefined;
    const asked = this.#network.route({ node }).finally(() => this.#underWay.delete(node));
    this.#underWay.set(node, asked);
    return asked;
  }

  #mayAsk(peer: string): boolean {
    const now = this.#clock.monotonicMs();
    const own = this.#each.get(peer) ?? new TokenBucket(...LOOKUPS_EACH, now);
    putBounded(this.#each, peer, own, MAX_PEERS);
    return own.take(now) && this.#inAll.take(now);
  }
}

/** The oldest makes room. */
function putBounded<T>(all: Map<string, T>, key: string, value: T, most: number): void {
  all.delete(key);
  all.set(key, value);
  if (all.size > most) all.delete([...all.keys()][0]!);
}

const ownDoor = ({ node, tcp }: NetworkRoute): TcpPlace | null =>
  tcp.length === 0 ? null : { node, places: tcp };
