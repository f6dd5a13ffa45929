// One export: all entries of a store as of one moment, and the small checked files that belong to it, in one compressed
// file (0600). It says what it is first and ends with its checksum; its entries must fit the seal they had in the store.
import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { gunzip, gzip } from 'node:zlib';
import { replaceFile } from '../disk.ts';
import { baseErrors } from '../errors.ts';
import { isObject } from '../kept-file.ts';
import { encodeEntries } from './encode.ts';
import { sumOf } from './inspect.ts';
import { isSeal } from './seal.ts';
import type { Seal } from './seal.ts';
import { deepestMessage } from './tell.ts';

/** A store as of one moment. */
export interface Snapshot {
  readonly format: number;
  readonly seal: Seal;
  readonly entries: ReadonlyMap<string, unknown>;
}

export interface Export extends Snapshot {
  /** The name of the store's folder. */
  readonly store: string;
  /** Milliseconds since 1970 by the clock of then. */
  readonly madeAtMs: number;
  /** Name and text of each small file. */
  readonly files: Readonly<Record<string, string>>;
}

const VERSION = 1;
/** Far more than a store of 100,000 nodes; what unfolds to more is not ours. */
const MAX_TEXT_BYTES = 512 * 1024 * 1024;

/** Its size in bytes. Written aside and renamed. */
export async function writeExport(path: string, made: Export): Promise<number> {
  const bytes = await promisify(gzip)(textOf(made));
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  await replaceFile(path, bytes, 0o600);
  return bytes.length;
}

/** The paths of all exports of that store; unread. */
export async function exportFilesOf(folder: string, store: string): Promise<string[]> {
  const names = await readdir(folder).catch((error: unknown): string[] => {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return [];
    throw error;
  });
  return names
    .filter(name => name.startsWith(`${store}.`) && name.endsWith('.export'))
    .map(name => join(folder, name));
}

/** Rejects with STATE_EXPORT_DAMAGED. */
export async function readExport(path: string): Promise<Export> {
  try {
    const bytes = await readFile(path);
    const text = await promisify(gunzip)(bytes, { maxOutputLength: MAX_TEXT_BYTES });
    return parse(text.toString('utf8'));
  } catch (error) {
    throw baseErrors('STATE_EXPORT_DAMAGED', { path, problem: deepestMessage(error) }, error);
  }
}

function textOf({ entries, ...head }: Export): string {
  const first = JSON.stringify({ ginnel: 'export', v: VERSION, ...head });
  const lines = [...entries].map(pair => JSON.stringify(pair));
  const text = `${[first, ...lines].join('\n')}\n`;
  return `${text}${JSON.stringify({ sha256: sha256(text) })}\n`;
}

function parse(text: string): Export {
  const end = text.lastIndexOf('\n', text.length - 2) + 1;
  const body = text.slice(0, end);
  const last: unknown = JSON.parse(text.slice(end));
  if (!isObject(last) || last['sha256'] !== sha256(body)) throw new Error('its checksum does not fit');
  const [first = '', ...lines] = body.slice(0, -1).split('\n');
  const head: unknown = JSON.parse(first);
  if (!isObject(head) || head['ginnel'] !== 'export') throw new Error('it is no export of ginnel');
  if (head['v'] !== VERSION) throw new Error(`it has version ${String(head['v'])}, of a newer Ginnel`);
  if (!isHead(head)) throw new Error('its first line is not one');
  const entries = new Map(lines.map(line => pairOf(JSON.parse(line))));
  const { sums } = encodeEntries(entries);
  if (sums.size !== head.seal.count || sumOf(sums) !== head.seal.sum)
    throw new Error('its entries do not fit its seal');
  const { store, format, seal, madeAtMs, files } = head;
  return { store, format, seal, madeAtMs, files, entries };
}

function isHead(head: Record<string, unknown>): head is Record<string, unknown> & Omit<Export, 'entries'> {
  const { store, format, seal, madeAtMs, files } = head;
  return (
    typeof store === 'string' &&
    Number.isSafeInteger(format) &&
    isSeal(seal) &&
    Number.isSafeInteger(madeAtMs) &&
    isObject(files) &&
    Object.values(files).every(text => typeof text === 'string')
  );
}

function pairOf(line: unknown): [string, unknown] {
  if (!Array.isArray(line) || line.length !== 2 || typeof line[0] !== 'string')
    throw new Error('a line of it is no entry');
  return [line[0], line[1] as unknown];
}

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');
