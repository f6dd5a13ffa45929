// Entries on their way into LevelDB: each value with its checksum, and beside them what the store keeps of itself.
import type { LevelOperation } from '../level-folder.ts';
import { checksumOf, encodeStored } from '../stored-value.ts';
import { FORMAT_KEY, SEAL_KEY } from './inspect.ts';
import type { Entries } from './migrations.ts';
import type { Seal } from './seal.ts';

export interface EncodedEntries {
  readonly puts: LevelOperation[];
  readonly sums: Map<string, bigint>;
}

export function encodeEntries(entries: Entries): EncodedEntries {
  const puts: LevelOperation[] = [];
  const sums = new Map<string, bigint>();
  for (const [key, value] of entries) {
    const bytes = encodeStored(key, value);
    puts.push({ type: 'put', key, value: bytes });
    sums.set(key, checksumOf(bytes));
  }
  return { puts, sums };
}

export const ownEntries = (format: number, seal: Seal): LevelOperation[] => [
  { type: 'put', key: FORMAT_KEY, value: encodeStored(FORMAT_KEY, format) },
  sealEntry(seal),
];

export const sealEntry = (seal: Seal): LevelOperation => ({
  type: 'put',
  key: SEAL_KEY,
  value: encodeStored(SEAL_KEY, seal),
});
