// The checksummed store: JSON values under text keys, on LevelDB. What a write confirmed survives kill -9 and a full disk;
// what was damaged is told, never passed on; an empty store is made at the first set-up only.
import { mkdir } from 'node:fs/promises';
import type { Counters } from './counters.ts';
import { freeBytes, isDiskFull, replaceFile } from './disk.ts';
import { baseErrors, GinnelError } from './errors.ts';
import { examineFolder, markerOf, openLevelDb } from './level-folder.ts';
import type { LevelOperation, OpenLevel, StoreLevel } from './level-folder.ts';
import { findDamagedLog } from './level-log.ts';
import { decodeStored, encodeStored } from './stored-value.ts';

export type StoreOperation =
  | { readonly type: 'put'; readonly key: string; readonly value: unknown }
  | { readonly type: 'delete'; readonly key: string };

/** Writes last when their promise resolves. Errors: DISK_FULL (retry), STORE_DAMAGED, STORE_UNREADABLE. */
export interface ScopedStore {
  /** The value, or undefined. */
  get(key: string): Promise<unknown>;
  put(key: string, value: unknown): Promise<void>;
  delete(key: string): Promise<void>;
  /** All or nothing. */
  batch(operations: readonly StoreOperation[]): Promise<void>;
  /** All pairs whose key starts with `prefix`, in the order of keys. */
  entries(prefix: string): Promise<[key: string, value: unknown][]>;
  /** The same store, seen under a prefix. */
  scope(prefix: string): ScopedStore;
}

export interface Store extends ScopedStore {
  close(): Promise<void>;
}

export interface StoreOptions {
  /** The folder of the store; `<path>.set-up` beside it says that there was a set-up. */
  readonly path: string;
  /** Make the store if there was never one. Harmless where there is one. */
  readonly firstSetUp: boolean;
  readonly counters: Counters;
  /** Writes are refused when fewer bytes are free; default 4 MiB. */
  readonly keepFreeBytes?: number;
  /** For tests: another abstract-level; default LevelDB. */
  readonly openLevel?: OpenLevel;
}

const FORMAT = 1;
const FORMAT_KEY = '!format';
/** How many keys there are: a log that lost records in its middle gives itself away. */
const COUNT_KEY = '!count';
const KEEP_FREE_BYTES = 4 * 1024 * 1024;
const AFTER_ALL_KEYS = '\u{10ffff}';

/** Errors: STORE_LOCKED, STORE_MISSING, STORE_DAMAGED, STORE_NEWER, STORE_UNREADABLE, DISK_FULL. */
export async function openStore(options: StoreOptions): Promise<Store> {
  const store = new CheckedStore(options);
  await store.open();
  return store;
}

class CheckedStore implements Store {
  readonly #options: StoreOptions;
  /** Null after a failed write until it is opened anew: LevelDB's handle stays failed. */
  #level: Promise<StoreLevel> | null = null;
  #keys = new Set<string>();
  #writes: Promise<void> = Promise.resolve();
  #closed = false;

  constructor(options: StoreOptions) {
    this.#options = options;
  }

  async open(): Promise<void> {
    const { path, firstSetUp } = this.#options;
    const state = await this.#told(() => examineFolder(path));
    if (state === 'lost')
      throw this.#damaged('Its tables are there, but the file CURRENT that names them is not');
    if (state === 'gone') throw this.#missing('It was set up once, and is gone');
    if (state === 'never' && !firstSetUp) throw this.#missing('It was never set up');
    if (state === 'never') await this.#told(() => mkdir(path, { recursive: true, mode: 0o700 }));
    this.#level = this.#openLevel(state === 'never');
    await this.#level;
    await this.#told(() => replaceFile(markerOf(path), `{"format":${FORMAT}}\n`));
  }

  async get(key: string): Promise<unknown> {
    const level = await this.#opened();
    const bytes = await this.#told(() => level.get(key));
    return bytes === undefined ? undefined : this.#decode(key, bytes);
  }

  put(key: string, value: unknown): Promise<void> {
    return this.batch([{ type: 'put', key, value }]);
  }

  delete(key: string): Promise<void> {
    return this.batch([{ type: 'delete', key }]);
  }

  batch(operations: readonly StoreOperation[]): Promise<void> {
    const encoded = operations.map(encodeOperation);
    const written = this.#writes.then(() => this.#write(encoded));
    this.#writes = written.catch(() => undefined);
    return written;
  }

  async entries(prefix: string): Promise<[string, unknown][]> {
    const level = await this.#opened();
    const range = { gte: prefix, lt: prefix + AFTER_ALL_KEYS };
    const pairs = await this.#told(() => level.iterator(range).all());
    return pairs
      .filter(([key]) => !key.startsWith('!'))
      .map(([key, bytes]) => [key, this.#decode(key, bytes)]);
  }

  scope(prefix: string): ScopedStore {
    return scopedStore(this, prefix);
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#writes;
    const level = await this.#level?.catch(() => null);
    this.#level = null;
    await level?.close();
  }

  async #write(operations: readonly LevelOperation[]): Promise<void> {
    const level = await this.#opened();
    if (operations.some(operation => operation.type === 'put')) await this.#checkRoom();
    const last = new Map(operations.map(({ key, type }) => [key, type]));
    let count = this.#keys.size;
    for (const [key, type] of last) count += Number(type === 'put') - Number(this.#keys.has(key));
    const counted: LevelOperation = { type: 'put', key: COUNT_KEY, value: encodeStored(COUNT_KEY, count) };
    try {
      await level.batch([...operations, counted], { sync: true });
    } catch (error) {
      await this.#giveUp(level);
      throw this.#tell(error);
    }
    for (const [key, type] of last)
      if (type === 'put') this.#keys.add(key);
      else this.#keys.delete(key);
  }

  async #checkRoom(): Promise<void> {
    const { path, keepFreeBytes = KEEP_FREE_BYTES } = this.#options;
    const free = await this.#told(() => freeBytes(path));
    if (free < keepFreeBytes) throw this.#diskFull(free);
  }

  /** The next call opens it anew; by then there may be room. */
  async #giveUp(level: StoreLevel): Promise<void> {
    this.#options.counters.counter('store.reopened').value++;
    this.#level = null;
    await level.close().catch(() => undefined);
  }

  async #opened(): Promise<StoreLevel> {
    if (this.#closed) throw new TypeError('the store is closed');
    const opening = (this.#level ??= this.#openLevel(false));
    try {
      return await opening;
    } catch (error) {
      if (this.#level === opening) this.#level = null;
      throw error;
    }
  }

  async #openLevel(create: boolean): Promise<StoreLevel> {
    const damagedLog = await this.#told(() => findDamagedLog(this.#options.path));
    if (damagedLog !== null) throw this.#damaged(`Records in ${damagedLog} are broken`);
    const level = (this.#options.openLevel ?? openLevelDb)(this.#options.path, create);
    try {
      await level.open();
      if (create) await level.batch(emptyStore(), { sync: true });
      await this.#verify(level);
      return level;
    } catch (error) {
      await level.close().catch(() => undefined);
      throw this.#tell(error);
    }
  }

  /** Every value is read once: better to know at the start than in the middle. */
  async #verify(level: StoreLevel): Promise<void> {
    const format = await level.get(FORMAT_KEY);
    const count = await level.get(COUNT_KEY);
    if (format === undefined || count === undefined)
      throw this.#damaged('It lacks the entries of its set-up');
    const found = this.#decode(FORMAT_KEY, format);
    if (found !== FORMAT) throw this.#newer(found);
    const pairs = (await level.iterator({}).all()).filter(([key]) => !key.startsWith('!'));
    for (const [key, bytes] of pairs) this.#decode(key, bytes);
    const expected = this.#decode(COUNT_KEY, count);
    if (pairs.length !== expected)
      throw this.#damaged(`It should hold ${String(expected)} entries and holds ${pairs.length}`);
    this.#keys = new Set(pairs.map(([key]) => key));
  }

  #decode(key: string, bytes: Uint8Array): unknown {
    const stored = decodeStored(key, bytes);
    if (stored.ok) return stored.value;
    if (stored.code === 'newer') throw this.#newer(bytes[0]);
    this.#options.counters.counter('store.damaged').value++;
    throw this.#damaged(`The checksum of the entry ${key} does not fit`);
  }

  async #told<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      throw this.#tell(error);
    }
  }

  #tell(error: unknown): GinnelError {
    if (error instanceof GinnelError) return error;
    const { path } = this.#options;
    if (isDiskFull(error)) return this.#diskFull(0, error);
    const problem = deepestMessage(error);
    if (hasCode(error, 'LEVEL_LOCKED')) return baseErrors('STORE_LOCKED', { path }, error);
    if (/corruption|manifest|CURRENT|does not exist/i.test(problem)) return this.#damaged(problem, error);
    return baseErrors('STORE_UNREADABLE', { path, problem }, error);
  }

  #diskFull(free: number, cause?: unknown): GinnelError {
    this.#options.counters.counter('store.disk-full').value++;
    return baseErrors('DISK_FULL', { path: this.#options.path, freeBytes: free }, cause);
  }

  #missing(problem: string): GinnelError {
    return baseErrors('STORE_MISSING', { path: this.#options.path, problem });
  }

  #damaged(problem: string, cause?: unknown): GinnelError {
    return baseErrors('STORE_DAMAGED', { path: this.#options.path, problem }, cause);
  }

  #newer(found: unknown): GinnelError {
    return baseErrors('STORE_NEWER', { path: this.#options.path, found, known: FORMAT });
  }
}

const emptyStore = (): LevelOperation[] => [
  { type: 'put', key: FORMAT_KEY, value: encodeStored(FORMAT_KEY, FORMAT) },
  { type: 'put', key: COUNT_KEY, value: encodeStored(COUNT_KEY, 0) },
];

function encodeOperation(operation: StoreOperation): LevelOperation {
  const { key } = operation;
  if (key === '' || key.startsWith('!')) throw new TypeError(`no such key: ${key}`);
  return operation.type === 'put'
    ? { type: 'put', key, value: encodeStored(key, operation.value) }
    : { type: 'del', key };
}

function scopedStore(store: ScopedStore, prefix: string): ScopedStore {
  return {
    get: key => store.get(prefix + key),
    put: (key, value) => store.put(prefix + key, value),
    delete: key => store.delete(prefix + key),
    batch: operations =>
      store.batch(operations.map(operation => ({ ...operation, key: prefix + operation.key }))),
    entries: async under =>
      (await store.entries(prefix + under)).map(([key, value]) => [key.slice(prefix.length), value]),
    scope: inner => scopedStore(store, prefix + inner),
  };
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && (('code' in error && error.code === code) || hasCode(error.cause, code));
}

function deepestMessage(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? deepestMessage(error.cause) : error.message;
}
