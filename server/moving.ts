// A server that changes machines: how often it did, and whether it left this one. Both lie at the root of its store.
import type { ScopedStore } from '../base/store.ts';
import { serverErrors } from './errors.ts';

const MOVES_KEY = 'moves';
/** Of this machine alone: never in an export. */
export const MOVED_KEY = 'moved';

interface MovedEntry {
  readonly v: 1;
  /** Milliseconds since 1970, by this machine's clock. */
  readonly at: number;
  /** Where it is since, as far as this machine knows. */
  readonly to: readonly string[];
  /** How often it had moved when it arrived there. */
  readonly moves: number;
}

export async function movesOf(store: ScopedStore): Promise<number> {
  const moves = await store.get(MOVES_KEY);
  return Number.isSafeInteger(moves) ? Number(moves) : 0;
}

/** Did it leave this machine? */
export const hasMoved = async (store: ScopedStore): Promise<boolean> =>
  (await store.get(MOVED_KEY)) !== undefined;

/** What the store of a server that came to this machine holds beside what it brought. */
export function arrival(brought: ReadonlyMap<string, unknown>): [key: string, value: number] {
  const moves = brought.get(MOVES_KEY);
  return [MOVES_KEY, (Number.isSafeInteger(moves) ? Number(moves) : 0) + 1];
}

/** From now on it does not start on this machine by itself. */
export const markMoved = (store: ScopedStore, moved: Omit<MovedEntry, 'v'>): Promise<void> =>
  store.put(MOVED_KEY, { v: 1, ...moved } satisfies MovedEntry);

/** Error: SERVER_MOVED, unless its owner says that it is to run here after all. */
export async function refuseMoved(store: ScopedStore, again: boolean): Promise<void> {
  const moved = (await store.get(MOVED_KEY)) as MovedEntry | undefined;
  if (moved === undefined) return;
  if (again) {
    // What the other machine said since is outdated by this.
    await store.batch([
      { type: 'delete', key: MOVED_KEY },
      { type: 'put', key: MOVES_KEY, value: Math.max(await movesOf(store), moved.moves) + 1 },
    ]);
    return;
  }
  const where = moved.to.length === 0 ? '' : ` (${moved.to.join(', ')})`;
  throw serverErrors('SERVER_MOVED', { where, when: new Date(moved.at).toISOString() });
}
