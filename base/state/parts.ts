// What the state of a box consists of: stores, and the small checked files that go with each. Who has which is said by
// whoever knows all roles; everything here treats them alike.
import { basename } from 'node:path';
import type { Snapshot } from '../store/export-file.ts';
import type { Migration } from '../store/migrations.ts';

export interface StatePart {
  /** The folder of the store. */
  readonly path: string;
  /** Small checked files (base/kept-file.ts). */
  readonly files: readonly string[];
  readonly migrations: readonly Migration[];
}

export const nameOf = (path: string): string => basename(path);

/** A power cut leaves the seal one change behind its store; what is further ahead was never in that store. */
const AHEAD_AT_MOST = 2;

/** Null: nobody knows how far the store came. */
export const isStrange = ({ seal }: Snapshot, reached: number | null): boolean =>
  reached !== null && seal.changes > reached + AHEAD_AT_MOST;

/** A key's kind for words: `net/<id>/node/<id>` is `node`, `plugin/nat-stun/x` is `plugin/nat-stun`. */
export function kindOf(key: string): string {
  const parts = key.split('/');
  const [first, , ...rest] = parts;
  const folders = first === 'net' && rest.length > 0 ? rest : parts;
  return folders.length > 1 ? folders.slice(0, -1).join('/') : (folders[0] ?? key);
}
