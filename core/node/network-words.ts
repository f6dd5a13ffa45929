// What plugins hear of the location server and tell it: routes (V7, V10), relays to keep (V9), and facts for the next
// registration (V4). What each plugin told is forgotten by nobody but the stay's end.
import type { Counters } from '../../base/counters.ts';
import type { Registration, RelaysTold } from '../../protocol/location/messages.ts';
import type { NetworkRoute, NetworkWords } from '../contract/plugin.ts';
import type { RouteFound } from '../control/types.ts';

export type ToldFacts = Parameters<NetworkWords['tell']>[0];
type Relays = Pick<RelaysTold, 'keep' | 'measure'>;
type Subject = Parameters<NetworkWords['route']>[0];

export interface ServerWordsOptions {
  readonly lookup: (subject: Subject) => Promise<RouteFound>;
  /** What is known of that node without the server; null: nothing. */
  readonly remembered: (subject: Subject) => NetworkRoute | null;
  readonly counters: Counters;
  /** There is something new to register. */
  readonly changed: () => void;
}

export class ServerWords implements NetworkWords {
  readonly #options: ServerWordsOptions;
  readonly #listeners = new Set<(relays: Relays) => void>();
  #relays: Relays = { keep: [], measure: [] };
  #facts: ToldFacts = {};

  constructor(options: ServerWordsOptions) {
    this.#options = options;
  }

  /** As they go into a registration. */
  get facts(): ToldFacts {
    return this.#facts;
  }

  async route(to: Subject): Promise<NetworkRoute> {
    try {
      return await this.#options.lookup(to);
    } catch (error) {
      const known = this.#options.remembered(to);
      if (known === null) throw error;
      this.#options.counters.counter('network.route-remembered').value++;
      return known;
    }
  }

  onRelays(told: (relays: Relays) => void): () => void {
    this.#listeners.add(told);
    told(this.#relays);
    return () => void this.#listeners.delete(told);
  }

  tell(facts: ToldFacts): void {
    const next: ToldFacts = { ...this.#facts, ...facts };
    if (JSON.stringify(next) === JSON.stringify(this.#facts)) return;
    this.#facts = next;
    this.#options.changed();
  }

  /** The server told which relays to use. */
  relaysTold(relays: Relays): void {
    this.#relays = relays;
    for (const told of [...this.#listeners]) told(relays);
  }
}

/** What was told, over what the node itself measured. */
export const withFacts = (registration: Registration, facts: ToldFacts): Registration => ({
  ...registration,
  ...facts,
});
