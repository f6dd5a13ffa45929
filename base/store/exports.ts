// The rotating exports of a store: the newest, one about a day old, one about a week old. Made where something changed, at
// most every quarter of an hour (rarer where they are large: flash wears) and at a clean stop; never on a disk that is short.
import { createHash } from 'node:crypto';
import { readFile, rename, rm, stat, utimes } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { Clock, Timer } from '../clock.ts';
import type { Counters } from '../counters.ts';
import { freeBytes } from '../disk.ts';
import { unwrapKept } from '../kept-file.ts';
import type { Log } from '../log.ts';
import type { Store } from '../store.ts';
import { readExport, writeExport } from './export-file.ts';
import { deepestMessage } from './tell.ts';

export interface ExportsOptions {
  readonly folder: string;
  readonly store: Pick<Store, 'path' | 'changes' | 'snapshot'>;
  /** Small checked files (base/kept-file.ts) that go with it. */
  readonly files: readonly string[];
  readonly clock: Clock;
  readonly counters: Counters;
  readonly log: Log;
  /** For tests. */
  readonly free?: (folder: string) => Promise<number>;
}

const LOOK_EVERY_MS = 60_000;
const AT_MOST_EVERY_MS = 15 * 60_000;
const DAY_MS = 86_400_000;
const WEEK_MS = 7 * DAY_MS;
const BYTES_A_DAY = 32 * 1024 * 1024;
/** All generations of one store together. */
const MOST_BYTES = 64 * 1024 * 1024;
/** Twice what the store needs to write at all. */
export const SHORT_BYTES = 8 * 1024 * 1024;

const GENERATIONS = ['newest', 'day', 'week'] as const;
type Generation = (typeof GENERATIONS)[number];

interface Made {
  readonly changes: number;
  /** Of the small files. */
  readonly print: string;
  readonly files: Readonly<Record<string, string>>;
  readonly bytes: number;
}

export class Exports {
  readonly #options: ExportsOptions;
  readonly #name: string;
  #last: Made | null = null;
  #madeAt = -Infinity;
  #freeBytes: number | null = null;
  #skipped = false;
  #failed = '';
  #timer: Timer | null = null;
  #work: Promise<void>;

  constructor(options: ExportsOptions) {
    this.#options = options;
    this.#name = basename(options.store.path);
    this.#work = this.#readLast();
    this.#wait();
  }

  get name(): string {
    return this.#name;
  }

  /** Bytes free at the last look where that is too little; else null. */
  get shortOfBytes(): number | null {
    return this.#freeBytes !== null && this.#freeBytes < SHORT_BYTES ? this.#freeBytes : null;
  }

  /** Why there is no export of the last changes though there should be one; empty: nothing is wrong. */
  get problem(): string {
    return this.#skipped ? 'the disk is short' : this.#failed;
  }

  /** Resolves when the look under way has ended. */
  settled(): Promise<void> {
    return this.#work;
  }

  /** A last one, where something changed. */
  async close(): Promise<void> {
    this.#timer?.cancel();
    this.#timer = null;
    await this.#look(true);
  }

  #wait(): void {
    this.#timer = this.#options.clock.after(LOOK_EVERY_MS, () => {
      this.#wait();
      void this.#look(false);
    });
  }

  /** Never rejects: the store goes on without exports, and says so. */
  #look(isLast: boolean): Promise<void> {
    this.#work = this.#work
      .then(() => this.#exportIfDue(isLast))
      .catch((error: unknown) => {
        this.#failed = deepestMessage(error);
        this.#options.counters.counter('store.exports.failed').value++;
        this.#options.log.warn('the state could not be exported', {
          store: this.#name,
          reason: this.#failed,
        });
      });
    return this.#work;
  }

  async #exportIfDue(isLast: boolean): Promise<void> {
    const { store, folder, counters, clock, free = freeBytes } = this.#options;
    this.#freeBytes = await free(store.path);
    const files = await this.#texts();
    const print = createHash('sha256').update(JSON.stringify(files)).digest('hex');
    if (this.#last?.changes === store.changes && this.#last.print === print) return;
    const sinceMs = clock.monotonicMs() - this.#madeAt;
    if (!isLast && sinceMs < everyMs(this.#last?.bytes ?? 0)) return;
    this.#skipped = this.#freeBytes < SHORT_BYTES + 2 * (this.#last?.bytes ?? 0);
    if (this.#skipped) {
      counters.counter('store.exports.skipped').value++;
      return;
    }
    const snapshot = await store.snapshot();
    const madeAtMs = clock.wallMs();
    await this.#rotate(madeAtMs);
    const path = this.#path('newest');
    const bytes = await writeExport(path, { ...snapshot, store: this.#name, madeAtMs, files });
    await utimes(path, madeAtMs / 1000, madeAtMs / 1000);
    await this.#bound(folder);
    this.#last = { changes: snapshot.seal.changes, print, files, bytes };
    this.#madeAt = clock.monotonicMs();
    this.#failed = '';
    counters.counter('store.exports.made').value++;
  }

  /** A damaged file never takes the place of a whole one: that of the last export stays. */
  async #texts(): Promise<Record<string, string>> {
    const texts: Record<string, string> = {};
    for (const file of this.#options.files) {
      const name = basename(file);
      const text = await readFile(file, 'utf8').catch((error: unknown) => {
        if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
        throw error;
      });
      if (text === null) continue;
      const isWhole = unwrapKept(text).state === 'whole';
      if (!isWhole) this.#options.counters.counter('store.exports.damaged-file').value++;
      const kept = isWhole ? text : this.#last?.files[name];
      if (kept !== undefined) texts[name] = kept;
    }
    return texts;
  }

  async #rotate(nowMs: number): Promise<void> {
    const isDue = async (generation: Generation, afterMs: number): Promise<boolean> => {
      const facts = await factsOf(this.#path(generation));
      return facts === null || Math.abs(nowMs - facts.mtimeMs) >= afterMs;
    };
    if ((await factsOf(this.#path('newest'))) === null || !(await isDue('day', DAY_MS))) return;
    const hasDay = (await factsOf(this.#path('day'))) !== null;
    if (hasDay && (await isDue('week', WEEK_MS))) await rename(this.#path('day'), this.#path('week'));
    await rename(this.#path('newest'), this.#path('day'));
  }

  /** The oldest go first; the newest stays. */
  async #bound(folder: string): Promise<void> {
    const sizes = await Promise.all(
      GENERATIONS.map(async one => (await factsOf(this.#path(one)))?.size ?? 0),
    );
    let total = sizes.reduce((sum, size) => sum + size, 0);
    for (let index = GENERATIONS.length - 1; index > 0 && total > MOST_BYTES; index--) {
      await rm(this.#path(GENERATIONS[index] ?? 'week'), { force: true });
      total -= sizes[index] ?? 0;
      this.#options.log.warn('an export was removed: all of them together are too large', { folder });
    }
  }

  async #readLast(): Promise<void> {
    const path = this.#path('newest');
    const facts = await factsOf(path).catch(() => null);
    if (facts === null) return;
    try {
      const { seal, files } = await readExport(path);
      const print = createHash('sha256').update(JSON.stringify(files)).digest('hex');
      this.#last = { changes: seal.changes, print, files, bytes: facts.size };
    } catch (error) {
      this.#options.log.warn('the newest export is damaged; another one is made', {
        reason: deepestMessage(error),
      });
    }
  }

  #path(generation: Generation): string {
    return join(this.#options.folder, `${this.#name}.${generation}.export`);
  }
}

const everyMs = (bytes: number): number => Math.max(AT_MOST_EVERY_MS, (bytes / BYTES_A_DAY) * DAY_MS);

async function factsOf(path: string): Promise<{ readonly size: number; readonly mtimeMs: number } | null> {
  return stat(path).catch((error: unknown) => {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
    throw error;
  });
}
