// Where the relays of other nodes are: from what the location server told of these nodes, asked once for all of them.
import type { Clock } from '../../base/clock.ts';
import type { NetworkRoute, NetworkWords } from '../../core/contract/plugin.ts';
import type { TcpPlace } from '../../protocol/location/messages.ts';

const REMEMBERED_MS = 60_000;
const MAX_PLACES = 512;

export class Places {
  readonly #clock: Clock;
  readonly #network: Pick<NetworkWords, 'route'>;
  readonly #known = new Map<string, { readonly place: TcpPlace; readonly until: number }>();

  constructor(clock: Clock, network: Pick<NetworkWords, 'route'>) {
    this.#clock = clock;
    this.#network = network;
  }

  /** Of a relay by which `peer` is reached; null: nobody knows. Rejects where the server cannot be asked. */
  async of(relay: string, peer: string): Promise<TcpPlace | null> {
    const known = this.#known.get(relay);
    if (known !== undefined && this.#clock.monotonicMs() < known.until) return known.place;
    const route = await this.#network.route({ node: peer }).catch(() => null);
    const named = route?.relays.find(place => place.node.record.id === relay);
    for (const place of route?.relays ?? []) this.remember(place);
    if (named !== undefined) return named;
    const own = ownDoor(await this.#network.route({ node: relay }));
    if (own !== null) this.remember(own);
    return own;
  }

  remember(place: TcpPlace): void {
    const { id } = place.node.record;
    this.#known.delete(id);
    this.#known.set(id, { place, until: this.#clock.monotonicMs() + REMEMBERED_MS });
    if (this.#known.size > MAX_PLACES) this.#known.delete([...this.#known.keys()][0]!);
  }

  /** It was not to be reached there. */
  forget(relay: string): void {
    this.#known.delete(relay);
  }
}

const ownDoor = ({ node, tcp }: NetworkRoute): TcpPlace | null =>
  tcp.length === 0 ? null : { node, places: tcp };
