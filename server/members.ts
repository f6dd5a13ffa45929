// What the owner of a network does to those in it (V3): gives names, shuts out for a while or for good, lets back in. Each
// change is on the disk, with the signed standing that all others will go by, before anybody is told.
import type { StoreOperation } from '../base/store.ts';
import { compileSchema } from '../protocol/location/codec.ts';
import type { NodeId, Standing } from '../protocol/location/messages.ts';
import { nameSchema } from '../protocol/location/schema.ts';
import { keepsOut } from '../protocol/location/standings.ts';
import type { AuditedChange } from './audit.ts';
import type { Changes } from './changes.ts';
import { serverErrors } from './errors.ts';
import type { NodeTable } from './node-table.ts';
import { nameOf, standingOf } from './registry-entries.ts';
import type { NodeEntry } from './registry-entries.ts';
import type { Stamps } from './stamps.ts';
import type { StandingEntry, Standings } from './standings.ts';
import type { ServerTime } from './time.ts';

export interface MembersOptions {
  readonly changes: Changes;
  readonly table: () => NodeTable;
  readonly standings: Standings;
  readonly stamps: Stamps;
  readonly time: ServerTime;
  /** Ids of the invites that let boxes in now. */
  readonly openInvites: () => readonly string[];
}

/** What became of a node. */
export interface StandingChange {
  readonly entry: NodeEntry;
  /** To be told to everybody; null: nothing changed. */
  readonly standing: Standing | null;
}

export class Members {
  readonly #options: MembersOptions;

  constructor(options: MembersOptions) {
    this.#options = options;
  }

  /** The node takes it on when it hears of it; until then lists show it. Errors: NODE_UNKNOWN, NODE_NAME, NAME_TAKEN. */
  rename(id: NodeId, name: string): Promise<NodeEntry> {
    const isName: (text: string) => boolean = compileSchema<string>(nameSchema);
    if (!isName(name)) throw serverErrors('NODE_NAME', { name: name.slice(0, 80) });
    return this.#change(id, async (entry, table) => {
      if (nameOf(entry) === name) return entry;
      table.refuseTakenName(name, id);
      const renamed: NodeEntry = { ...entry, wantedName: entry.name === name ? null : name };
      const told = { what: 'node-renamed', subject: nameOf(entry), facts: { name } } as const;
      await this.#write([put(renamed)], told);
      table.put(renamed);
      return renamed;
    });
  }

  /** One that is pending becomes a member; any other stays as it is. Errors: NODE_UNKNOWN, and the store's. */
  approve(id: NodeId): Promise<StandingChange> {
    return this.#change(id, async (entry, table) => {
      if (standingOf(entry) !== 'pending') return { entry, standing: null };
      const told = { what: 'node-approved', subject: nameOf(entry) } as const;
      // All others keep it out until another word says otherwise.
      if (this.#options.standings.of(id)?.state === 'disabled')
        return this.#turn(entry, table, 'member', told);
      const approved: NodeEntry = { ...entry, standing: 'member' };
      await this.#write([put(approved)], told);
      table.put(approved);
      return { entry: approved, standing: null };
    });
  }

  /** Kept out until it is enabled. Errors: NODE_UNKNOWN, and the store's. */
  disable(id: NodeId): Promise<StandingChange> {
    return this.#change(id, (entry, table) => this.#turn(entry, table, 'disabled'));
  }

  /** Of one that is disabled; any other stays as it is. Errors: NODE_UNKNOWN, and the store's. */
  enable(id: NodeId): Promise<StandingChange> {
    return this.#change(id, (entry, table) =>
      standingOf(entry) === 'disabled'
        ? this.#turn(entry, table, 'member')
        : Promise.resolve({ entry, standing: null }),
    );
  }

  /** For good: it needs a new invite, and gets another address. Errors: NODE_UNKNOWN, and the store's. */
  remove(id: NodeId): Promise<StandingChange> {
    return this.#change(id, async (entry, table) => {
      const kept = this.#standingOf(entry, 'removed');
      const told = {
        what: 'node-removed',
        subject: nameOf(entry),
        facts: { address: kept.ip4 ?? '' },
      } as const;
      await this.#write([remove(id), ...this.#options.standings.puts([kept])], told);
      this.#tookRemoval(kept, table);
      return { entry, standing: kept.standing };
    });
  }

  /**
   * Words of this very server that it lost with the state it was restored from, verified. `by`: the node that brought them.
   * Answers what all others are to go by now.
   */
  learn(standings: readonly Standing[], by: string): Promise<readonly Standing[]> {
    const { changes, table, standings: own, stamps } = this.#options;
    return changes.run(async () => {
      const news = newestOf(standings.filter(standing => own.list.isNews(standing)));
      if (news.length === 0) return [];
      // What is signed along is later than all of them.
      for (const { at } of news) stamps.note(at);
      const steps = news.map(standing => this.#learnt(standing, table()));
      const operations = steps.map(({ operation }) => operation).filter(one => one !== null);
      await this.#write(
        [...operations, ...own.puts(steps.map(({ kept }) => kept))],
        ...steps.flatMap(step => toldOf(step, by)),
      );
      for (const { kept, entry } of steps) {
        if (entry === 'gone') this.#tookRemoval(kept, table());
        else own.took(kept);
        if (typeof entry === 'object') table().put(entry);
      }
      return steps.map(({ kept }) => kept.standing);
    });
  }

  /** What a lost word makes of the node that it is on. */
  #learnt(learnt: Standing, table: NodeTable): Learnt {
    const entry = table.get(learnt.id);
    const name = entry === undefined ? '' : nameOf(entry);
    const kept: StandingEntry = { v: 1, standing: learnt, name, ip4: null, invites: [] };
    const untouched = { learnt, kept, operation: null, entry: 'untouched' } as const;
    if (entry === undefined) return untouched;
    const isOut = keepsOut(learnt, entry.assignment);
    if (learnt.state === 'removed' && isOut)
      return {
        ...{ learnt, operation: remove(entry.id), entry: 'gone' },
        kept: this.#outFor(kept, entry),
      };
    if (standingOf(entry) === 'pending') return untouched;
    // This server let it in anew without knowing that it had removed it: nobody decided that.
    if (learnt.state === 'removed')
      return { learnt, kept: this.#standingOf(entry, 'disabled'), ...turnedTo(entry, 'disabled') };
    const wanted = isOut ? 'disabled' : 'member';
    if (standingOf(entry) === wanted) return untouched;
    return { learnt, kept, ...turnedTo(entry, wanted) };
  }

  async #turn(
    entry: NodeEntry,
    table: NodeTable,
    state: 'disabled' | 'member',
    told: AuditedChange = {
      what: state === 'disabled' ? 'node-disabled' : 'node-enabled',
      subject: nameOf(entry),
    },
  ): Promise<StandingChange> {
    if (standingOf(entry) === state) return { entry, standing: null };
    const turned: NodeEntry = { ...entry, standing: state };
    const kept = this.#standingOf(entry, state);
    await this.#write([put(turned), ...this.#options.standings.puts([kept])], told);
    table.put(turned);
    this.#options.standings.took(kept);
    return { entry: turned, standing: kept.standing };
  }

  #standingOf(entry: NodeEntry, state: Standing['state']): StandingEntry {
    const { standings, stamps, time } = this.#options;
    const standing = standings.make(entry.id, state, stamps.next(time.now()));
    const kept = { v: 1, standing, name: nameOf(entry) } as const;
    if (state === 'removed') return this.#outFor({ ...kept, ip4: null, invites: [] }, entry);
    // Of an earlier removal.
    const admission = standings.entryOf(entry.id)?.admission;
    return { ...kept, ip4: null, invites: [], ...(admission === undefined ? {} : { admission }) };
  }

  #outFor(kept: StandingEntry, { assignment, admission }: NodeEntry): StandingEntry {
    const removed = { ...kept, ip4: assignment.ip4, invites: this.#options.openInvites() };
    return admission === undefined ? removed : { ...removed, admission };
  }

  #tookRemoval(kept: StandingEntry, table: NodeTable): void {
    table.remove(kept.standing.id);
    if (kept.ip4 !== null) table.pool.rest(kept.ip4);
    this.#options.standings.took(kept);
  }

  #write(operations: readonly StoreOperation[], ...told: readonly AuditedChange[]): Promise<void> {
    return this.#options.changes.write(operations, ...told);
  }

  #change<T>(id: NodeId, work: (entry: NodeEntry, table: NodeTable) => Promise<T>): Promise<T> {
    const { changes, table } = this.#options;
    return changes.run(() => {
      const entry = table().get(id);
      if (entry === undefined) throw serverErrors('NODE_UNKNOWN');
      return work(entry, table());
    });
  }
}

interface Learnt {
  readonly learnt: Standing;
  /** The same word, or the newer one that it leads to. */
  readonly kept: StandingEntry;
  readonly operation: StoreOperation | null;
  readonly entry: NodeEntry | 'gone' | 'untouched';
}

/** One for each node: what an older one made of it would be written over. */
const newestOf = (standings: readonly Standing[]): readonly Standing[] =>
  standings.filter(({ id, at }) => !standings.some(other => other.id === id && other.at > at));

function toldOf({ learnt, kept: { standing, name } }: Learnt, by: string): readonly AuditedChange[] {
  const subject = name === '' ? learnt.id : name;
  const told = { what: 'standing-learnt', by, subject, facts: { state: learnt.state } } as const;
  return standing === learnt ? [told] : [told, { what: 'removal-doubted', by, subject }];
}

function turnedTo(entry: NodeEntry, standing: 'disabled' | 'member'): Pick<Learnt, 'operation' | 'entry'> {
  const turned: NodeEntry = { ...entry, standing };
  return { operation: put(turned), entry: turned };
}

const put = (value: NodeEntry): StoreOperation => ({ type: 'put', key: `node/${value.id}`, value });
const remove = (id: NodeId): StoreOperation => ({ type: 'delete', key: `node/${id}` });
