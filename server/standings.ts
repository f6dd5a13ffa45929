// The server's signed words on who was disabled, removed or restored (V3), as they lie in the store: kept for as long as an
// old assignment could be shown to somebody, which is for good.
import type { ScopedStore, StoreOperation } from '../base/store.ts';
import { compileSchema } from '../protocol/location/codec.ts';
import type { NodeId, Standing } from '../protocol/location/messages.ts';
import { standingSchema } from '../protocol/location/schema.ts';
import { signStanding, verifyStanding } from '../protocol/location/signed.ts';
import { StandingList } from '../protocol/location/standings.ts';
import type { Primitives } from '../protocol/primitives.ts';
import type { ServerKeys } from './keys.ts';
import { admissionKey } from './registry-entries.ts';
import type { NodeAdmission } from './registry-entries.ts';

export interface StandingEntry {
  readonly v: 1;
  readonly standing: Standing;
  /** As the node was called last; empty where this server never knew. */
  readonly name: string;
  /** The address that a removed node had: given to nobody else while there are others. */
  readonly ip4: string | null;
  /** Of a removed node: the invites that were open then. They are no new word of the owner that it may come back. */
  readonly invites: readonly string[];
  /** Of one that was removed at some time: by what it had come in. Absent: not known. */
  readonly admission?: NodeAdmission;
}

export interface StandingsOptions {
  readonly store: ScopedStore;
  readonly primitives: Primitives;
  readonly keys: ServerKeys;
}

const KEY = 'standing/';
const textTo = (maxLength: number): object => ({ type: 'string', maxLength });
const ADMISSION = {
  type: 'object',
  properties: {
    by: { enum: ['invite', 'account', 'certificate'] },
    invite: textTo(64),
    account: textTo(256),
    fingerprint: textTo(64),
    serial: textTo(64),
  },
  required: ['by'],
};
const SCHEMA = {
  type: 'object',
  properties: {
    v: { const: 1 },
    standing: standingSchema,
    name: { type: 'string', maxLength: 63 },
    ip4: { anyOf: [{ type: 'string', maxLength: 15 }, { type: 'null' }] },
    invites: { type: 'array', items: { type: 'string', maxLength: 64 } },
    admission: ADMISSION,
  },
  required: ['v', 'standing', 'name', 'ip4', 'invites'],
};

export class Standings {
  readonly #options: StandingsOptions;
  #entries = new Map<NodeId, StandingEntry>();
  #list: StandingList;

  constructor(options: StandingsOptions) {
    this.#options = options;
    this.#list = new StandingList(options.primitives);
  }

  /** TypeError: an entry that this version did not write. */
  async load(): Promise<void> {
    const isEntry = compileSchema<StandingEntry>(SCHEMA);
    this.#entries = new Map();
    this.#list = new StandingList(this.#options.primitives);
    for (const [key, value] of await this.#options.store.entries(KEY)) {
      // To overlook one would let somebody back in.
      if (!isEntry(value)) throw new TypeError(`${key} is no standing`);
      this.took(value);
    }
  }

  get list(): StandingList {
    return this.#list;
  }

  get entries(): readonly StandingEntry[] {
    return [...this.#entries.values()];
  }

  entryOf(id: NodeId): StandingEntry | null {
    return this.#entries.get(id) ?? null;
  }

  /** Of others than that node: those that were removed and had come in by the same. */
  cameBy(admission: NodeAdmission, id: NodeId): readonly StandingEntry[] {
    const key = admissionKey(admission);
    return this.entries.filter(
      ({ standing, admission: own }) => standing.id !== id && own !== undefined && admissionKey(own) === key,
    );
  }

  of(id: NodeId): Standing | null {
    return this.#list.of(id);
  }

  /** Signed, not kept yet. */
  make(id: NodeId, state: Standing['state'], at: number): Standing {
    const { primitives, keys } = this.#options;
    return signStanding(primitives, keys.identitySeed, { v: 1, network: keys.network, id, state, at });
  }

  /** Is it this server's own word, and one that it does not have? */
  isLost(standing: Standing): boolean {
    const { primitives, keys } = this.#options;
    return (
      standing.network === keys.network &&
      this.#list.isNews(standing) &&
      verifyStanding(primitives, keys.identityKey, standing).ok
    );
  }

  /** To be written together with what they change. */
  puts(entries: readonly StandingEntry[]): StoreOperation[] {
    return entries.map(value => ({ type: 'put', key: `${KEY}${value.standing.id}`, value }));
  }

  /** That was written. */
  took(entry: StandingEntry): void {
    const { isNews, dropped } = this.#list.take(entry.standing);
    if (isNews) this.#entries.set(entry.standing.id, entry);
    if (dropped !== null) this.#entries.delete(dropped.id);
  }
}
