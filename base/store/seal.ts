// The seal of a store: how often it was changed, how many entries it holds, and the sum of their checksums. It lies in the
// store, written with every batch, and once more in a small file beside it: a store that went back in time as a whole (a
// log cut at the end of a record, an older MANIFEST) fits itself and cannot notice it alone.
import { createHash } from 'node:crypto';
import { open, readFile } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { makeFile, replaceFile } from '../disk.ts';
import { isObject } from '../kept-file.ts';

export interface Seal {
  /** Batches that were written since the set-up. */
  readonly changes: number;
  readonly count: number;
  /** The sum of the checksums of all entries modulo 2^64: in any order, 16 hexadecimal digits. */
  readonly sum: string;
}

/** `begun`: a set-up that was never finished, so nothing was ever confirmed. `unsealed`: of format 1, which had none. */
export type KeptSeal =
  | { readonly state: 'absent' | 'begun' | 'unsealed' | 'damaged' }
  | { readonly state: 'sealed'; readonly seal: Seal };

/** The file beside the store; it also says that a set-up happened. */
export const sealFileOf = (path: string): string => join(dirname(path), `${basename(path)}.set-up`);

const SUM_MODULUS = 1n << 64n;
export const NO_SUM = 0n;
export const addSum = (sum: bigint, part: bigint): bigint => (sum + part) % SUM_MODULUS;
export const subtractSum = (sum: bigint, part: bigint): bigint => (sum - part + SUM_MODULUS) % SUM_MODULUS;
export const sumInHex = (sum: bigint): string => sum.toString(16).padStart(16, '0');

export function isSeal(value: unknown): value is Seal {
  if (!isObject(value)) return false;
  const { changes, count, sum } = value;
  const isCount = (number: unknown): boolean => Number.isSafeInteger(number) && Number(number) >= 0;
  return isCount(changes) && isCount(count) && typeof sum === 'string' && /^[0-9a-f]{16}$/.test(sum);
}

/** Two places, written in turn: a power cut in the middle of one leaves the other. */
const SLOT_BYTES = 512;
const SLOTS_APART_BYTES = 4096;
const BEGUN = '{"begun":true}\n';
const UNSEALED = /^\{"format":1\}\n$/;
const MAX_BYTES = SLOTS_APART_BYTES + SLOT_BYTES;

export async function readSeal(path: string): Promise<KeptSeal> {
  let text: string;
  try {
    text = await readFile(sealFileOf(path), 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return { state: 'absent' };
    throw error;
  }
  if (text === BEGUN) return { state: 'begun' };
  if (UNSEALED.test(text)) return { state: 'unsealed' };
  const seals = [text.slice(0, SLOT_BYTES), text.slice(SLOTS_APART_BYTES, MAX_BYTES)].flatMap(readSlot);
  const newest = seals.sort((a, b) => b.changes - a.changes)[0];
  return newest === undefined ? { state: 'damaged' } : { state: 'sealed', seal: newest };
}

/** Where a set-up has begun or even ended, nothing is changed. */
export const beginSetUp = (path: string): Promise<void> => makeFile(sealFileOf(path), BEGUN);

/** The whole file anew. */
export const makeSeal = (path: string, seal: Seal): Promise<void> =>
  replaceFile(sealFileOf(path), slotOf(seal).padEnd(SLOTS_APART_BYTES, '\n') + slotOf(seal));

/** Keeps the file open and writes one block a change, in place. */
export class SealWriter {
  readonly #file: FileHandle;

  private constructor(file: FileHandle) {
    this.#file = file;
  }

  static async open(path: string): Promise<SealWriter> {
    return new SealWriter(await open(sealFileOf(path), 'r+'));
  }

  /** Resolves when it is on the disk. */
  async write(seal: Seal): Promise<void> {
    await this.#file.write(slotOf(seal), (seal.changes % 2) * SLOTS_APART_BYTES);
    await this.#file.datasync();
  }

  close(): Promise<void> {
    return this.#file.close();
  }
}

function slotOf({ changes, count, sum }: Seal): string {
  const body = JSON.stringify({ changes, count, sum });
  return `${JSON.stringify({ v: 1, body, check: checkOf(body) })}\n`.padEnd(SLOT_BYTES, '\n');
}

function readSlot(text: string): Seal[] {
  try {
    const slot: unknown = JSON.parse(text);
    if (!isObject(slot) || typeof slot['body'] !== 'string' || slot['check'] !== checkOf(slot['body']))
      return [];
    const seal: unknown = JSON.parse(slot['body']);
    return isSeal(seal) ? [seal] : [];
  } catch {
    return [];
  }
}

const checkOf = (body: string): string => createHash('blake2s256').update(body).digest('hex').slice(0, 16);
