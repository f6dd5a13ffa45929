// A small JSON file that must never be half there nor readable by others: written aside, synced, renamed; checksum inside.
import { createHash } from 'node:crypto';
import { chmod, mkdir, readFile, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { replaceFile } from './disk.ts';

export type Kept =
  | { readonly state: 'absent' }
  | { readonly state: 'damaged'; readonly reason: string }
  | { readonly state: 'whole'; readonly value: unknown };

const PRIVATE_FILE = 0o600;
const PRIVATE_FOLDER = 0o700;
/** Far beyond anything kept here; more is not ours. */
const MAX_BYTES = 1024 * 1024;

/** Reads the file; rights that are too wide are narrowed. Rejects only where the file system itself fails. */
export async function readKept(path: string): Promise<Kept> {
  let text: string;
  try {
    const facts = await stat(path);
    if (facts.size > MAX_BYTES) return { state: 'damaged', reason: 'too large' };
    if ((facts.mode & 0o077) !== 0) await chmod(path, PRIVATE_FILE);
    text = await readFile(path, 'utf8');
  } catch (error) {
    if (isAbsent(error)) return { state: 'absent' };
    throw error;
  }
  return unwrapKept(text);
}

export async function writeKept(path: string, value: unknown): Promise<void> {
  const body = JSON.stringify(value);
  const text = `${JSON.stringify({ v: 1, sha256: checksum(body), body })}\n`;
  await mkdir(dirname(path), { recursive: true, mode: PRIVATE_FOLDER });
  await replaceFile(path, text, PRIVATE_FILE);
}

/** What a file with that text holds. */
export function unwrapKept(text: string): Kept {
  if (text.length === 0) return { state: 'damaged', reason: 'empty' };
  const outer = parse(text);
  if (!isObject(outer) || typeof outer['body'] !== 'string') return { state: 'damaged', reason: 'not ours' };
  if (outer['v'] !== 1) return { state: 'damaged', reason: 'of a later version of ginnel' };
  if (outer['sha256'] !== checksum(outer['body'])) return { state: 'damaged', reason: 'checksum' };
  return { state: 'whole', value: parse(outer['body']) };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

const checksum = (text: string): string => createHash('sha256').update(text).digest('hex');

export const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const isAbsent = (error: unknown): boolean => isObject(error) && error['code'] === 'ENOENT';
