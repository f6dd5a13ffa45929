// The checksummed store: JSON values under text keys, on LevelDB. What a write confirmed survives kill -9 and a full disk;
// what was damaged, went missing or came back is told, never passed on; an empty store is made at the first set-up only.
// How it is opened and judged is in store/; docs/state.md says it in words.
import { dirname, join } from 'node:path';
import type { Counters } from './counters.ts';
import { freeBytes } from './disk.ts';
import type { GinnelError } from './errors.ts';
import { baseErrors } from './errors.ts';
import { examineFolder } from './level-folder.ts';
import type { LevelOperation } from './level-folder.ts';
import { sealEntry } from './store/encode.ts';
import type { Snapshot } from './store/export-file.ts';
import { besideProblems, inspect } from './store/inspect.ts';
import type { Inspection } from './store/inspect.ts';
import { newestFormat, STORE_MIGRATIONS } from './store/migrations.ts';
import type { Migration } from './store/migrations.ts';
import { openFolder } from './store/opening.ts';
import type { OpenStore } from './store/opening.ts';
import { addSum, readSeal, subtractSum, sumInHex } from './store/seal.ts';
import type { Seal } from './store/seal.ts';
import { diskFull, storeError } from './store/tell.ts';
import { checksumOf, decodeStored, encodeStored } from './stored-value.ts';

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
  readonly path: string;
  /** How many batches were written since the set-up. */
  readonly changes: number;
  /** All of it as of one moment. Rejects with STORE_DAMAGED where not all is whole. */
  snapshot(): Promise<Snapshot>;
  /** Reads all of it again; changes nothing. What is wrong, in sentences without their full stop. */
  check(): Promise<readonly string[]>;
  close(): Promise<void>;
}

export interface StoreOptions {
  /** The folder of the store; `<path>.set-up` beside it holds its seal. */
  readonly path: string;
  /** Make the store if there was never one. Harmless where there is one. */
  readonly firstSetUp: boolean;
  readonly counters: Counters;
  /** Writes are refused when fewer bytes are free; default 4 MiB. */
  readonly keepFreeBytes?: number;
  /** From the first format to the newest; default: what every store went through. */
  readonly migrations?: readonly Migration[];
  /** Where the export before an upgrade goes; default: `exports` beside the store. */
  readonly exportsFolder?: string;
  /** Milliseconds since 1970; default the machine's clock. */
  readonly wallMs?: () => number;
}

export const KEEP_FREE_BYTES = 4 * 1024 * 1024;
const AFTER_ALL_KEYS = '\u{10ffff}';

/** Errors: STORE_LOCKED, STORE_MISSING, STORE_DAMAGED, STORE_NEWER, STORE_UPGRADE, STORE_UNREADABLE, DISK_FULL. */
export async function openStore(options: StoreOptions): Promise<Store> {
  const store = new CheckedStore(options);
  await store.open();
  return store;
}

class CheckedStore implements Store {
  readonly #options: StoreOptions;
  readonly #migrations: readonly Migration[];
  /** Null after a failed write until it is opened anew: LevelDB's handle stays failed. */
  #opening: Promise<OpenStore> | null = null;
  #seal: Seal = { changes: 0, count: 0, sum: '' };
  #sum = 0n;
  #writes: Promise<void> = Promise.resolve();
  #closed = false;

  constructor(options: StoreOptions) {
    this.#options = options;
    this.#migrations = options.migrations ?? STORE_MIGRATIONS;
  }

  get path(): string {
    return this.#options.path;
  }

  get changes(): number {
    return this.#seal.changes;
  }

  async open(): Promise<void> {
    this.#opening = this.#openFolder(this.#options.firstSetUp);
    await this.#opening;
  }

  async get(key: string): Promise<unknown> {
    const { level } = await this.#opened();
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
    return this.#inTurn(() => this.#write(encoded));
  }

  async entries(prefix: string): Promise<[string, unknown][]> {
    const { level } = await this.#opened();
    const range = { gte: prefix, lt: prefix + AFTER_ALL_KEYS };
    const pairs = await this.#told(() => level.iterator(range).all());
    return pairs
      .filter(([key]) => !key.startsWith('!'))
      .map(([key, bytes]) => [key, this.#decode(key, bytes)]);
  }

  scope(prefix: string): ScopedStore {
    return scopedStore(this, prefix);
  }

  async snapshot(): Promise<Snapshot> {
    const { format, seal, entries, problems } = await this.#inspect();
    const [problem = ''] = problems;
    if (format === null || seal === null || problem !== '') throw this.#damaged(problem);
    return { format, seal, entries };
  }

  /** Between two writes, so that both seals are of one moment. */
  check(): Promise<readonly string[]> {
    return this.#inTurn(async () => {
      const { path } = this.#options;
      if ((await this.#told(() => examineFolder(path))) !== 'present')
        return ['Its folder, or the file CURRENT in it, is gone from the disk'];
      const { seal, problems } = await this.#inspect();
      const beside = seal === null ? [] : besideProblems(seal, await this.#told(() => readSeal(path)));
      const behind = seal !== null && seal.changes !== this.#seal.changes;
      const torn = behind ? ['It does not hold the changes that were written last'] : [];
      const all = [...problems, ...beside, ...torn];
      if (all.length > 0) this.#options.counters.counter('store.damaged').value++;
      return all;
    });
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#writes;
    const opened = await this.#opening?.catch(() => null);
    this.#opening = null;
    await opened?.sealFile.close();
    await opened?.level.close();
  }

  async #write(operations: readonly LevelOperation[]): Promise<void> {
    const opened = await this.#opened();
    if (operations.some(operation => operation.type === 'put')) await this.#checkRoom();
    const { seal, sum, sums } = this.#sealAfter(operations, opened.sums);
    try {
      await opened.level.batch([...operations, sealEntry(seal)], { sync: true });
      // After the batch: a process that dies in between leaves a store that is newer than this seal, and nothing is missing.
      await opened.sealFile.write(seal);
    } catch (error) {
      await this.#giveUp(opened);
      throw storeError(this.#options.path, error, this.#options.counters);
    }
    this.#seal = seal;
    this.#sum = sum;
    for (const [key, part] of sums)
      if (part === null) opened.sums.delete(key);
      else opened.sums.set(key, part);
  }

  /** Costs no read: the checksum that a key had is remembered. */
  #sealAfter(operations: readonly LevelOperation[], before: ReadonlyMap<string, bigint>): SealAfter {
    const sums = new Map<string, bigint | null>();
    for (const one of operations) sums.set(one.key, one.type === 'put' ? checksumOf(one.value) : null);
    let [count, sum] = [before.size, this.#sum];
    for (const [key, part] of sums) {
      const old = before.get(key);
      count += Number(part !== null) - Number(old !== undefined);
      sum = addSum(subtractSum(sum, old ?? 0n), part ?? 0n);
    }
    return { seal: { changes: this.#seal.changes + 1, count, sum: sumInHex(sum) }, sum, sums };
  }

  async #checkRoom(): Promise<void> {
    const { path, keepFreeBytes = KEEP_FREE_BYTES } = this.#options;
    const free = await this.#told(() => freeBytes(path));
    if (free < keepFreeBytes) throw diskFull(path, free, this.#options.counters);
  }

  /** The next call opens it anew; by then there may be room. */
  async #giveUp({ level, sealFile }: OpenStore): Promise<void> {
    this.#options.counters.counter('store.reopened').value++;
    this.#opening = null;
    await sealFile.close().catch(() => undefined);
    await level.close().catch(() => undefined);
  }

  async #opened(): Promise<OpenStore> {
    if (this.#closed) throw new TypeError('the store is closed');
    const opening = (this.#opening ??= this.#openFolder(false));
    try {
      return await opening;
    } catch (error) {
      if (this.#opening === opening) this.#opening = null;
      throw error;
    }
  }

  async #openFolder(firstSetUp: boolean): Promise<OpenStore> {
    const { path, counters, wallMs = Date.now } = this.#options;
    const exportsFolder = this.#options.exportsFolder ?? join(dirname(path), 'exports');
    const migrations = this.#migrations;
    const opened = await this.#told(() =>
      openFolder({ path, firstSetUp, counters, migrations, exportsFolder, wallMs }),
    );
    this.#seal = opened.seal;
    this.#sum = BigInt(`0x${opened.seal.sum}`);
    return opened;
  }

  async #inspect(): Promise<Inspection> {
    const { level } = await this.#opened();
    const pairs = await this.#told(() => level.iterator({}).all());
    return inspect(pairs, newestFormat(this.#migrations));
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#writes.then(work);
    this.#writes = done.then(
      () => undefined,
      () => undefined,
    );
    return done;
  }

  #decode(key: string, bytes: Uint8Array): unknown {
    const stored = decodeStored(key, bytes);
    if (stored.ok) return stored.value;
    this.#options.counters.counter('store.damaged').value++;
    throw this.#damaged(`The checksum of the entry ${key} does not fit`);
  }

  async #told<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      throw storeError(this.#options.path, error, this.#options.counters);
    }
  }

  #damaged(problem: string): GinnelError {
    return baseErrors('STORE_DAMAGED', { path: this.#options.path, problem });
  }
}

interface SealAfter {
  readonly seal: Seal;
  readonly sum: bigint;
  /** Null: deleted. */
  readonly sums: ReadonlyMap<string, bigint | null>;
}

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
