// The audit log (V3): who did what to the network, and when. An entry is written in the batch of the change that it tells
// of, so that neither is there without the other; bounded in number and bytes; no secret is ever in it.
import type { Clock } from '../base/clock.ts';
import type { Counters } from '../base/counters.ts';
import type { Log } from '../base/log.ts';
import type { ScopedStore, StoreOperation } from '../base/store.ts';
import { compileSchema } from '../protocol/location/codec.ts';
import { AUDIT_KINDS } from './audit-kinds.ts';
import type { AuditKind } from './audit-kinds.ts';
import type { ServerTime } from './time.ts';
import { TokenBuckets } from './token-bucket.ts';

export interface AuditedChange {
  readonly what: AuditKind;
  /** The name of a box or an account; left out: whoever may use the control socket of this machine. */
  readonly by?: string;
  /** The box, invite, account, … that it was done to. */
  readonly subject: string;
  /** At most 8, short, no secrets. */
  readonly facts?: Readonly<Record<string, string | number | boolean>>;
}

export interface AuditEntry extends Required<AuditedChange> {
  readonly v: 1;
  /** Grows by one or more from entry to entry, over restarts too. */
  readonly seq: number;
  /** Milliseconds since 1970 by the server's clock. */
  readonly at: number;
}

export interface AuditOptions {
  /** The registry's own corner of the store: operations of a change and of its entry are one batch. */
  readonly store: ScopedStore;
  readonly time: Pick<ServerTime, 'now'>;
  readonly clock: Clock;
  readonly counters: Counters;
  readonly log: Log;
  /** Of changes: default 2,000 entries and 512 KiB of JSON. */
  readonly maxEntries?: number;
  readonly maxBytes?: number;
  /** Beside them: default 400. Whoever knocks pushes out nothing else. */
  readonly maxNotes?: number;
}

export const OWNER = 'owner';
const MAX_ENTRIES = 2_000;
const MAX_BYTES = 512 * 1024;
const MAX_NOTES = 400;
/** Changed nothing, and may be caused by anybody. */
const NOTED: ReadonlySet<AuditKind> = new Set(['login-refused']);
const MAX_FACTS = 8;
const MAX_TEXT = 128;
const KEY = 'audit/';
/** Refusals fill the log of nobody: so many a minute and kind and subject, the rest is counted into the next entry. */
const NOTES = { perSecond: 1 / 60, burst: 5 };
const ALL_NOTES = { perSecond: 1 / 60, burst: 20 };

const TEXT = { type: 'string', maxLength: MAX_TEXT };
const SCHEMA = {
  type: 'object',
  properties: {
    v: { const: 1 },
    seq: { type: 'integer', minimum: 1 },
    at: { type: 'integer', minimum: 0 },
    what: { enum: Object.keys(AUDIT_KINDS) },
    by: TEXT,
    subject: TEXT,
    facts: { type: 'object', maxProperties: MAX_FACTS + 1 },
  },
  required: ['v', 'seq', 'at', 'what', 'by', 'subject', 'facts'],
};

export class Audit {
  readonly #options: AuditOptions;
  readonly #notes: TokenBuckets;
  readonly #allNotes: TokenBuckets;
  /** Written ones, oldest first, with the bytes each takes. */
  #entries: Sized[] = [];
  #nextSeq = 1;
  /** Notes of that kind that were not written. */
  readonly #untold = new Map<AuditKind, number>();

  private constructor(options: AuditOptions) {
    this.#options = options;
    this.#notes = new TokenBuckets(options.clock, NOTES.perSecond, NOTES.burst);
    this.#allNotes = new TokenBuckets(options.clock, ALL_NOTES.perSecond, ALL_NOTES.burst);
  }

  /** Entries that this version can't read are counted and left where they are. */
  static async open(options: AuditOptions): Promise<Audit> {
    const audit = new Audit(options);
    const isEntry = compileSchema<AuditEntry>(SCHEMA);
    for (const [key, value] of await options.store.entries(KEY)) {
      audit.#nextSeq = Math.max(audit.#nextSeq, Number(key.slice(KEY.length)) + 1 || 1);
      if (isEntry(value)) audit.#remember(value);
      else options.counters.counter('audit.unreadable').value++;
    }
    return audit;
  }

  /** Writes a change and what is told of it, all or nothing. Rejects with the store's errors. */
  async batch(operations: readonly StoreOperation[], ...changes: readonly AuditedChange[]): Promise<void> {
    const entries = changes.map(change => this.#entryOf(change));
    const puts = entries.map(value => ({ type: 'put' as const, key: keyOf(value), value }));
    const dropped = this.#oldest(entries);
    const deletes = dropped.map(entry => ({ type: 'delete' as const, key: keyOf(entry) }));
    await this.#options.store.batch([...operations, ...puts, ...deletes]);
    this.#forget(dropped);
    for (const entry of entries) this.#remember(entry);
  }

  /** What changed nothing (a refused log-in): at a bounded pace, and never waited for. */
  note(change: AuditedChange & { readonly what: 'login-refused' }): void {
    const { counters, log } = this.#options;
    if (!this.#notes.take(`${change.what} ${change.subject}`) || !this.#allNotes.take(change.what)) {
      counters.counter('audit.untold').value++;
      this.#untold.set(change.what, (this.#untold.get(change.what) ?? 0) + 1);
      return;
    }
    const untold = this.#untold.get(change.what) ?? 0;
    this.#untold.delete(change.what);
    const facts = { ...change.facts, ...(untold === 0 ? {} : { untold }) };
    this.batch([], { ...change, facts }).catch((error: unknown) => {
      counters.counter('audit.unwritten').value++;
      log.warn('the audit log could not be written', { error });
    });
  }

  /** Entries with a greater `seq`, oldest first. */
  after(seq: number, most: number): readonly AuditEntry[] {
    const from = this.#entries.findIndex(({ entry }) => entry.seq > seq);
    return from < 0 ? [] : this.#entries.slice(from, from + most).map(({ entry }) => entry);
  }

  /** The newest ones, oldest of them first. */
  latest(most: number): readonly AuditEntry[] {
    return this.#entries.slice(-most).map(({ entry }) => entry);
  }

  #entryOf({ what, by = OWNER, subject, facts = {} }: AuditedChange): AuditEntry {
    const short = Object.entries(facts).map(([name, fact]) => [
      clipped(name),
      typeof fact === 'string' ? clipped(fact) : fact,
    ]);
    return {
      v: 1,
      seq: this.#nextSeq++,
      at: this.#options.time.now(),
      what,
      by: clipped(by),
      subject: clipped(subject),
      facts: Object.fromEntries(short.slice(0, MAX_FACTS + 1)) as AuditEntry['facts'],
    };
  }

  /** Those that must go to make room: notes for notes, changes for changes. */
  #oldest(fresh: readonly AuditEntry[]): readonly AuditEntry[] {
    const { maxEntries = MAX_ENTRIES, maxBytes = MAX_BYTES, maxNotes = MAX_NOTES } = this.#options;
    const all = [...this.#entries, ...fresh.map(entry => ({ entry, bytes: bytesOf(entry) }))];
    const notes = all.filter(({ entry }) => isNote(entry));
    const changes = all.filter(({ entry }) => !isNote(entry));
    // The texts of a note are clipped: few hundred of them are small.
    const dropped = [...tooMany(notes, maxNotes, Infinity), ...tooMany(changes, maxEntries, maxBytes)];
    return dropped.filter(entry => !fresh.includes(entry));
  }

  #remember(entry: AuditEntry): void {
    this.#entries.push({ entry, bytes: bytesOf(entry) });
    // Two batches may end in another order than they began in.
    this.#entries.sort((a, b) => a.entry.seq - b.entry.seq);
  }

  #forget(dropped: readonly AuditEntry[]): void {
    const gone = new Set(dropped.map(({ seq }) => seq));
    this.#entries = this.#entries.filter(({ entry }) => !gone.has(entry.seq));
  }
}

interface Sized {
  readonly entry: AuditEntry;
  readonly bytes: number;
}

/** The first of them, until the rest fits. */
function tooMany(entries: readonly Sized[], most: number, mostBytes: number): AuditEntry[] {
  let bytes = entries.reduce((sum, each) => sum + each.bytes, 0);
  const left = entries.findIndex((each, index) => {
    const fits = entries.length - index <= most && bytes <= mostBytes;
    bytes -= each.bytes;
    return fits;
  });
  return entries.slice(0, left < 0 ? entries.length : left).map(({ entry }) => entry);
}

const isNote = ({ what }: AuditEntry): boolean => NOTED.has(what);
const clipped = (text: string): string => (text.length > MAX_TEXT ? `${text.slice(0, MAX_TEXT - 1)}…` : text);
const bytesOf = (entry: AuditEntry): number => Buffer.byteLength(JSON.stringify(entry));
/** Keys sort as their numbers do. */
const keyOf = ({ seq }: AuditEntry): string => `${KEY}${String(seq).padStart(16, '0')}`;
