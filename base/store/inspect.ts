// Everything in a store read once and judged: each value by its checksum, all of them together by the seal, and the seal
// by the one beside the store. It tells what is wrong; what to do about it is for others.
import { decodeStored, checksumOf } from '../stored-value.ts';
import { addSum, isSeal, NO_SUM, sumInHex } from './seal.ts';
import type { KeptSeal, Seal } from './seal.ts';

export const FORMAT_KEY = '!format';
/** Of format 1 it was a bare count; the name stays, so that an older Ginnel gets as far as to tell the format. */
export const SEAL_KEY = '!count';

export interface Inspection {
  readonly format: number | null;
  /** A format or a version of values that this code does not know; undefined: none. */
  readonly newer: unknown;
  /** As it lies in the store. */
  readonly seal: Seal | null;
  /** Those whose checksum fits. */
  readonly entries: ReadonlyMap<string, unknown>;
  readonly sums: ReadonlyMap<string, bigint>;
  /** Sentences without their full stop; none: all is whole. */
  readonly problems: readonly string[];
}

export type Pairs = readonly (readonly [key: string, bytes: Uint8Array])[];

const SEALED_SINCE_FORMAT = 2;
const NAMED_AT_MOST = 3;

export const unreadable = (...problems: string[]): Inspection => ({
  format: null,
  newer: undefined,
  seal: null,
  entries: new Map(),
  sums: new Map(),
  problems,
});

/** All pairs of the store, judged by themselves. */
export function inspect(pairs: Pairs, knownFormat: number): Inspection {
  const own = new Map(pairs.filter(([key]) => key.startsWith('!')));
  const format = ownValue(own, FORMAT_KEY);
  if (typeof format === 'number' && format > knownFormat) return { ...unreadable(), format, newer: format };
  const { entries, sums, broken, newer } = decodeAll(pairs);
  const seal = sealFrom(ownValue(own, SEAL_KEY), format, sums);
  const read = { format: typeof format === 'number' ? format : null, newer, seal, entries, sums };
  if (read.format === null || seal === null)
    return { ...read, problems: ['It lacks the entries of its set-up', ...brokenInWords(broken)] };
  return { ...read, problems: [...brokenInWords(broken), ...sealProblems(seal, sums, broken.length)] };
}

/** What the seal beside a store says of the one in it. */
export function besideProblems(inside: Seal, beside: KeptSeal): string[] {
  if (beside.state === 'absent' || beside.state === 'damaged')
    return [
      `The seal beside it is ${beside.state === 'absent' ? 'gone' : 'damaged'}, so that nobody can tell whether its last changes are there`,
    ];
  if (beside.state !== 'sealed') return [];
  const lost = beside.seal.changes - inside.changes;
  if (lost > 0) return [`The last ${lost} confirmed ${lost === 1 ? 'change is' : 'changes are'} gone`];
  // One more: the process died between the two. Two: and the newer place of the file was hurt by that.
  if (lost < -2)
    return ['The seal beside it is an older one, so that nobody can tell whether its last changes are there'];
  const same = inside.count === beside.seal.count && inside.sum === beside.seal.sum;
  return lost < 0 || same ? [] : ['It holds other entries than the seal beside it says'];
}

interface Decoded {
  readonly entries: Map<string, unknown>;
  readonly sums: Map<string, bigint>;
  readonly broken: string[];
  newer: unknown;
}

function decodeAll(pairs: Pairs): Decoded {
  const all: Decoded = { entries: new Map(), sums: new Map(), broken: [], newer: undefined };
  for (const [key, bytes] of pairs) {
    if (key.startsWith('!')) continue;
    const stored = decodeStored(key, bytes);
    if (stored.ok) {
      all.entries.set(key, stored.value);
      all.sums.set(key, checksumOf(bytes));
    } else if (stored.code === 'newer') all.newer ??= bytes[0];
    else all.broken.push(key);
  }
  return all;
}

function ownValue(own: ReadonlyMap<string, Uint8Array>, key: string): unknown {
  const bytes = own.get(key);
  const stored = bytes === undefined ? null : decodeStored(key, bytes);
  return stored?.ok === true ? stored.value : undefined;
}

/** Of format 1 there was only the count: what is there counts as what should be. */
function sealFrom(value: unknown, format: unknown, sums: ReadonlyMap<string, bigint>): Seal | null {
  if (format === 1 && typeof value === 'number') return { changes: 0, count: value, sum: sumOf(sums) };
  return typeof format === 'number' && format >= SEALED_SINCE_FORMAT && isSeal(value) ? value : null;
}

export const sumOf = (sums: ReadonlyMap<string, bigint>): string =>
  sumInHex([...sums.values()].reduce(addSum, NO_SUM));

function sealProblems(seal: Seal, sums: ReadonlyMap<string, bigint>, broken: number): string[] {
  const found = sums.size + broken;
  if (found !== seal.count) return [`It should hold ${seal.count} entries and holds ${found}`];
  return broken > 0 || sumOf(sums) === seal.sum
    ? []
    : ['Its entries are not those that were written last: an older one has come back, or one was exchanged'];
}

function brokenInWords(keys: readonly string[]): string[] {
  const named = keys.slice(0, NAMED_AT_MOST).map(key => `The checksum of the entry ${key} does not fit`);
  const more = keys.length - named.length;
  return more === 0 ? named : [...named, `${more} more entries do not fit their checksum`];
}
