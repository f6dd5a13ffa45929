// The node's corners of the store: what plugins keep, what the owner chose of them, and the floor of our timestamps.
import type { ScopedStore } from '../../base/store.ts';
import { isObject } from '../../base/kept-file.ts';
import { parseEndpoint } from '../../protocol/ip/endpoint.ts';
import { formatHostPort } from '../../protocol/location/addresses.ts';
import type { SignedNode, TcpPlace } from '../../protocol/location/messages.ts';
import type { PluginStore } from '../contract/plugin.ts';
import type { TimestampFloor } from '../dataplane/timestamps.ts';
import type { Given } from '../plugin-host/run.ts';
import type { PluginChoice, PluginChoiceStore } from '../plugin-host/settings.ts';
import type { NodeOptions } from './options.ts';

const LEFT_KEY = 'node/left-card';
const FLOOR_KEY = 'node/timestamp-floor';
const RELAYS_KEY = 'node/relays';

/** Read before the data plane begins; written in the background, well ahead of what is in use. */
export async function timestampFloor({ store, log, counters }: NodeOptions): Promise<TimestampFloor> {
  const kept = await store.get(FLOOR_KEY);
  return {
    load: () => (typeof kept === 'number' && Number.isSafeInteger(kept) ? kept : 0),
    save: wallMs => {
      store.put(FLOOR_KEY, wallMs).catch((error: unknown) => {
        counters.counter('node.floor-unwritten').value++;
        log.warn('the timestamp floor could not be kept', { reason: String(error) });
      });
    },
  };
}

/** The name of a card that the process before left for this one (a restart); empty: none. */
export async function leftCard({ store }: Pick<NodeOptions, 'store'>): Promise<string> {
  const kept = await store.get(LEFT_KEY);
  return typeof kept === 'string' ? kept : '';
}

export const noteLeftCard = ({ store }: Pick<NodeOptions, 'store'>, name: string): Promise<void> =>
  name === '' ? store.delete(LEFT_KEY) : store.put(LEFT_KEY, name);

/** The relays that the server named last: who starts without it goes by these. */
export async function keptRelays(
  { store, log, counters }: NodeOptions,
  known: (id: string) => SignedNode | null,
): Promise<{ readonly relays: readonly TcpPlace[]; save(relays: readonly TcpPlace[]): void }> {
  const kept = await store.get(RELAYS_KEY);
  return {
    relays: isKeptRelays(kept)
      ? kept.flatMap(({ node: id, places }) => {
          const node = known(id);
          return node === null ? [] : [{ node, places }];
        })
      : [],
    save(relays) {
      const value = relays.map(({ node, places }) => ({ node: node.record.id, places }));
      store.put(RELAYS_KEY, value).catch((error: unknown) => {
        counters.counter('node.relays-unwritten').value++;
        log.warn('the relays of this box could not be kept', { reason: String(error) });
      });
    },
  };
}

/** Of each relay its id and where it answered. */
type KeptRelays = readonly { readonly node: string; readonly places: TcpPlace['places'] }[];

const isKeptRelays = (kept: unknown): kept is KeptRelays =>
  Array.isArray(kept) &&
  kept.every((one: unknown) => isObject(one) && typeof one['node'] === 'string' && isPlaces(one['places']));

const isPlaces = (places: unknown): boolean =>
  Array.isArray(places) &&
  places.length > 0 &&
  places.every((place: unknown) => isObject(place) && parseEndpoint(formatPlace(place)).ok);

const formatPlace = ({ address, port }: Record<string, unknown>): string =>
  formatHostPort(String(address), Number(port));

/** What the owner chose of each plugin, by its key. */
export function pluginChoices(store: ScopedStore): PluginChoiceStore {
  const choices = store.scope('plugin-choice/');
  return {
    load: async plugin => choiceOf(await choices.get(plugin)),
    save: (plugin, choice) => choices.put(plugin, choice),
  };
}

const choiceOf = (kept: unknown): PluginChoice | null => (typeof kept === 'object' ? kept : null);

/** What the node gives the plugin that keeps its own under that key. */
export function pluginContext(
  { store, primitives }: NodeOptions,
  key: string,
  doors: Omit<Given, 'primitives' | 'store'>,
): Given {
  const kept: PluginStore = store.scope(`plugin/${key}/`);
  return { primitives, store: kept, ...doors };
}
