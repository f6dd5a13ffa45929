// Invites (V3): which tokens let boxes in, how many, and for how long. A token itself is not stored, only what it hashes
// to; people name an invite by a short public id.
import type { ScopedStore, StoreOperation } from '../base/store.ts';
import { fromBase64Url, toBase64Url } from '../protocol/base64.ts';
import type { Primitives } from '../protocol/primitives.ts';
import type { InviteOptions, InviteSummary } from './admin.ts';
import type { Changes } from './changes.ts';
import { serverErrors } from './errors.ts';
import { isForgotten, publicId, refuseOver, summaryOf, usedOf } from './invite-entry.ts';
import type { InviteEntry } from './registry-entries.ts';
import type { Ticket } from './ticket.ts';
import type { ServerTime } from './time.ts';

export interface InvitesOptions {
  readonly store: ScopedStore;
  readonly primitives: Primitives;
  readonly time: ServerTime;
  readonly changes: Changes;
}

const TOKEN_BYTES = 16;
const HASH_DOMAIN = new TextEncoder().encode('ginnel invite v1\n');
const KEY = 'invite/';

export class Invites {
  readonly #options: InvitesOptions;
  /** By the hash of the token, base64url. */
  #entries = new Map<string, InviteEntry>();

  constructor(options: InvitesOptions) {
    this.#options = options;
  }

  async load(): Promise<void> {
    const pairs = await this.#options.store.entries(KEY);
    this.#entries = new Map(pairs.map(([key, value]) => [key.slice(KEY.length), value as InviteEntry]));
  }

  list(): InviteSummary[] {
    const summaries = [...this.#entries].map(([hash, entry]) => this.#summary(hash, entry));
    return summaries.sort((a, b) => a.issued - b.issued);
  }

  /** Rejects with the store's errors. */
  add(options: InviteOptions): Promise<{ readonly token: Uint8Array; readonly summary: InviteSummary }> {
    const { changes, time } = this.#options;
    return changes.run(async () => {
      const { token, hash } = this.#newToken();
      const fresh = { issued: time.now(), usedBy: null, usedAt: null, used: 0 };
      const entry: InviteEntry = { v: 1, ...fresh, ...options };
      const id = idOf(hash);
      await changes.write([{ type: 'put', key: KEY + hash, value: entry }], {
        what: 'invite-made',
        subject: id,
        facts: { note: options.note, uses: options.uses ?? 'any', approval: options.approval },
      });
      this.#entries.set(hash, entry);
      time.note(entry.issued);
      return { token, summary: this.#summary(hash, entry) };
    });
  }

  /** Errors: INVITE_UNKNOWN, and the store's. */
  revoke(id: string): Promise<InviteSummary> {
    const { changes, time } = this.#options;
    return changes.run(async () => {
      const [hash, entry] = [...this.#entries].find(([each]) => idOf(each) === id.toLowerCase()) ?? [];
      if (hash === undefined || entry === undefined) throw serverErrors('INVITE_UNKNOWN');
      if (entry.revokedAt !== undefined) return this.#summary(hash, entry);
      const revoked: InviteEntry = { ...entry, revokedAt: time.now() };
      await changes.write([{ type: 'put', key: KEY + hash, value: revoked }], {
        what: 'invite-revoked',
        subject: idOf(hash),
      });
      this.#entries.set(hash, revoked);
      return this.#summary(hash, revoked);
    });
  }

  /** From within a change. Errors: INVITE_NEEDED, INVITE_UNKNOWN, INVITE_USED, INVITE_EXPIRED, INVITE_REVOKED. */
  ticket(tokenText: string | undefined): Ticket {
    const token = tokenText === undefined ? null : fromBase64Url(tokenText);
    if (token === null) throw serverErrors('INVITE_NEEDED');
    const hash = this.#hashOf(token);
    const invite = this.#entries.get(hash);
    if (invite === undefined) throw serverErrors('INVITE_UNKNOWN');
    refuseOver(invite, this.#options.time);
    let after = invite;
    return {
      needsApproval: invite.approval === true,
      admission: { by: 'invite', invite: idOf(hash) },
      told: name => ({ what: 'invite-used', by: name, subject: idOf(hash) }),
      use: (node, at) => {
        after = { ...invite, used: usedOf(invite) + 1, usedBy: node, usedAt: at };
        return [{ type: 'put', key: KEY + hash, value: after }];
      },
      used: () => void this.#entries.set(hash, after),
    };
  }

  /** Forgets old ones; those issued by a wrong clock count from now on, once it is right. */
  tidy(): Promise<void> {
    const { changes, time } = this.#options;
    return changes.run(async () => {
      if (!time.isRight()) return;
      const operations: StoreOperation[] = [];
      for (const [hash, entry] of this.#entries) {
        if (isForgotten(entry, time)) operations.push({ type: 'delete', key: KEY + hash });
        else if (!time.wasRight(entry.issued)) {
          operations.push({ type: 'put', key: KEY + hash, value: { ...entry, issued: time.now() } });
        }
      }
      if (operations.length === 0) return;
      await changes.write(operations);
      await this.load();
    });
  }

  #summary(hash: string, entry: InviteEntry): InviteSummary {
    return summaryOf(idOf(hash), entry, this.#options.time);
  }

  /** One whose public id no other has. */
  #newToken(): { readonly token: Uint8Array; readonly hash: string } {
    for (;;) {
      const token = this.#options.primitives.randomBytes(TOKEN_BYTES);
      const hash = this.#hashOf(token);
      if (![...this.#entries.keys()].some(other => idOf(other) === idOf(hash))) return { token, hash };
    }
  }

  #hashOf(token: Uint8Array): string {
    return toBase64Url(this.#options.primitives.blake2s(HASH_DOMAIN, token));
  }
}

const idOf = (hash: string): string => publicId(fromBase64Url(hash) ?? new Uint8Array());
