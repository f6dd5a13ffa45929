// The node's corners of the store: what plugins keep, what the owner chose of them, and the floor of our timestamps.
import type { ScopedStore } from '../../base/store.ts';
import type { PluginStore } from '../contract/plugin.ts';
import type { TimestampFloor } from '../dataplane/timestamps.ts';
import type { Given } from '../plugin-host/run.ts';
import type { PluginChoice, PluginChoiceStore } from '../plugin-host/settings.ts';
import type { NodeOptions } from './options.ts';

const LEFT_KEY = 'node/left-card';
const FLOOR_KEY = 'node/timestamp-floor';

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
  doors: Pick<Given, 'stun' | 'streams' | 'network'>,
): Given {
  const kept: PluginStore = store.scope(`plugin/${key}/`);
  return { primitives, store: kept, ...doors };
}
