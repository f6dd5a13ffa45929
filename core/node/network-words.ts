// What plugins hear of the location server and tell it: routes (V7, V10), relays to keep (V9), and facts for the next
// registration (V4). What a run of a plugin told is taken back when that ends.
import type { Counters } from '../../base/counters.ts';
import { GinnelError } from '../../base/errors.ts';
import { formatEndpoint } from '../../protocol/address.ts';
import type { Registration, RelaysTold } from '../../protocol/location/messages.ts';
import type { NodeRelays } from '../admin.ts';
import type { NetworkRoute, NetworkWords } from '../contract/plugin.ts';
import type { RouteFound } from '../control/types.ts';
import type { NetworkGiven, Telling } from '../plugin-host/doors.ts';
import type { PeerBook } from '../peers/peer-book.ts';

export type ToldFacts = Parameters<NetworkWords['tell']>[0];
type Relays = Pick<RelaysTold, 'keep' | 'measure'>;
type Subject = Parameters<NetworkWords['route']>[0];

const ROUTES_KEPT = 2048;

export interface ServerWordsOptions {
  readonly lookup: (subject: Subject) => Promise<RouteFound>;
  readonly counters: Counters;
  /** What is known of that node without the server; null: nothing. */
  readonly remembered: (subject: Subject) => NetworkRoute | null;
  /** As told in an earlier run. */
  readonly relays: Relays['keep'];
  /** For the next run, which may have to do without the server. */
  readonly keep: (relays: Relays['keep']) => void;
  /** There is something new to register. */
  readonly changed: () => void;
}

export class ServerWords implements NetworkGiven {
  readonly #options: ServerWordsOptions;
  readonly #listeners = new Set<(relays: Relays) => void>();
  #relays: Relays;
  /** What each run of a plugin told; of the same fact the last one counts. */
  readonly #tellings = new Map<Telling, ToldFacts>();
  #facts: ToldFacts = {};
  /** By id and by virtual IPv6 address. */
  readonly #routes = new Map<string, NetworkRoute>();

  constructor(options: ServerWordsOptions) {
    this.#options = options;
    this.#relays = { keep: options.relays, measure: [] };
  }

  /** As they go into a registration. */
  get facts(): ToldFacts {
    return this.#facts;
  }

  async route(to: Subject): Promise<NetworkRoute> {
    try {
      const route = await this.#options.lookup(to);
      this.note(route);
      return route;
    } catch (error) {
      const isAway = error instanceof GinnelError && error.code === 'SERVER_AWAY';
      const told = this.#routes.get('node' in to ? to.node : to.address);
      const known = isAway ? (told ?? this.#options.remembered(to)) : null;
      if (known === null) throw error;
      this.#options.counters.counter('node.route-remembered').value++;
      return known;
    }
  }

  onRelays(told: (relays: Relays) => void): () => void {
    this.#listeners.add(told);
    told(this.#relays);
    return () => void this.#listeners.delete(told);
  }

  telling(): Telling {
    const telling: Telling = {
      tell: facts => {
        if (this.#tellings.has(telling)) this.#told(telling, { ...this.#tellings.get(telling), ...facts });
      },
      end: () => {
        if (this.#tellings.has(telling)) this.#told(telling, null);
      },
    };
    this.#tellings.set(telling, {});
    return telling;
  }

  /** Null: nothing any more. */
  #told(telling: Telling, facts: ToldFacts | null): void {
    if (facts === null) this.#tellings.delete(telling);
    else this.#tellings.set(telling, facts);
    const next = Object.assign({}, ...this.#tellings.values()) as ToldFacts;
    if (JSON.stringify(next) === JSON.stringify(this.#facts)) return;
    this.#facts = next;
    this.#options.changed();
  }

  /** A route as the server told it last, for the time when it is away. */
  note(route: NetworkRoute): void {
    const { id, ip6 } = route.node.record;
    if (this.#routes.size >= ROUTES_KEPT) this.#routes.clear();
    this.#routes.set(id, route).set(ip6, route);
  }

  /** What this node does for others, and the relays that it keeps or tried, by the names under which the server told of them. */
  get relays(): NodeRelays {
    const { keep, measure } = this.#relays;
    const { relay = null, region = '', relays = [] } = this.#facts;
    const places = new Map([...keep, ...measure].map(place => [place.node.record.id, place]));
    const states = new Map(relays.map(each => [each.node, each]));
    const isWanted = (id: string): boolean => keep.some(({ node }) => node.record.id === id);
    const ids = [...new Set([...keep.map(({ node }) => node.record.id), ...states.keys()])];
    return {
      ...{ serves: relay, region },
      relays: ids.map(id => ({
        id,
        name: places.get(id)?.node.record.name ?? id,
        state: states.get(id)?.state ?? 'wanted',
        isWanted: isWanted(id),
        rttMs: states.get(id)?.rttMs ?? null,
        places: (places.get(id)?.places ?? []).map(formatEndpoint),
      })),
    };
  }

  /** The server told which relays to use. */
  relaysTold(relays: Relays): void {
    const isSame = JSON.stringify(relays.keep) === JSON.stringify(this.#relays.keep);
    this.#relays = relays;
    if (!isSame) this.#options.keep(relays.keep);
    for (const told of [...this.#listeners]) told(relays);
  }
}

/** What was told, over what the node itself measured. */
export const withFacts = (registration: Registration, facts: ToldFacts): Registration => ({
  ...registration,
  ...facts,
});

/** From what the node itself told once: its TCP doors, and the relays that it kept. */
export function rememberedRoute(
  book: Pick<PeerBook, 'byId' | 'byAddress'>,
  to: Subject,
): NetworkRoute | null {
  const peer = 'node' in to ? book.byId(to.node) : book.byAddress(to.address);
  if (peer === null) return null;
  const tcp = peer.candidates.filter(({ transport }) => transport === 'tcp').map(({ endpoint }) => endpoint);
  const relays = peer.candidates.flatMap(({ relay, endpoint }) => {
    const known = relay === undefined ? null : book.byId(relay);
    return known === null ? [] : [{ node: known.node, places: [endpoint] }];
  });
  return { node: peer.node, tcp, relays };
}
