// Invites (V3): which tokens let a box in, and for how long. The token itself is not stored, only what it hashes to.
import type { ScopedStore, StoreOperation } from '../base/store.ts';
import { fromBase64Url, toBase64Url } from '../protocol/base64.ts';
import type { Primitives } from '../protocol/primitives.ts';
import type { Changes } from './changes.ts';
import { serverErrors } from './errors.ts';
import { expiryOf, inviteEntries, isForgotten } from './registry-entries.ts';
import type { InviteEntry } from './registry-entries.ts';
import type { Ticket } from './ticket.ts';
import type { ServerTime } from './time.ts';

export interface InvitesOptions {
  readonly store: ScopedStore;
  readonly primitives: Primitives;
  readonly time: ServerTime;
  readonly changes: Changes;
}

export class Invites {
  readonly #options: InvitesOptions;
  #entries = new Map<string, InviteEntry>();

  constructor(options: InvitesOptions) {
    this.#options = options;
  }

  async load(): Promise<void> {
    this.#entries = await inviteEntries(this.#options.store);
  }

  /** Milliseconds since 1970 at which it expires. */
  add(token: Uint8Array, validMs: number): Promise<number> {
    const { changes, time } = this.#options;
    return changes.run(async () => {
      const id = this.#idOf(token);
      const entry: InviteEntry = { v: 1, issued: time.now(), validMs, usedBy: null, usedAt: null };
      await changes.write([{ type: 'put', key: `invite/${id}`, value: entry }]);
      this.#entries.set(id, entry);
      time.note(entry.issued);
      return entry.issued + validMs;
    });
  }

  /** From within a change. Errors: INVITE_NEEDED, INVITE_UNKNOWN, INVITE_USED, INVITE_EXPIRED. */
  ticket(tokenText: string | undefined): Ticket {
    const token = tokenText === undefined ? null : fromBase64Url(tokenText);
    if (token === null) throw serverErrors('INVITE_NEEDED');
    const id = this.#idOf(token);
    const invite = this.#usable(id);
    let after = invite;
    return {
      use: (node, at) => {
        after = { ...invite, usedBy: node, usedAt: at };
        return [{ type: 'put', key: `invite/${id}`, value: after }];
      },
      used: () => void this.#entries.set(id, after),
    };
  }

  /** Forgets old ones; those issued by a wrong clock count from now on, once it is right. */
  tidy(): Promise<void> {
    const { changes, time } = this.#options;
    return changes.run(async () => {
      if (!time.isRight()) return;
      const operations: StoreOperation[] = [];
      for (const [id, entry] of this.#entries) {
        if (isForgotten(entry, time)) operations.push({ type: 'delete', key: `invite/${id}` });
        else if (!time.wasRight(entry.issued)) {
          operations.push({ type: 'put', key: `invite/${id}`, value: { ...entry, issued: time.now() } });
        }
      }
      if (operations.length === 0) return;
      await changes.write(operations);
      await this.load();
    });
  }

  #usable(id: string): InviteEntry {
    const { time } = this.#options;
    const invite = this.#entries.get(id);
    if (invite === undefined) throw serverErrors('INVITE_UNKNOWN');
    if (invite.usedBy !== null) throw serverErrors('INVITE_USED');
    const expiry = expiryOf(invite, time);
    if (expiry !== null && time.isRight() && time.now() > expiry) {
      throw serverErrors('INVITE_EXPIRED', { until: new Date(expiry).toISOString() });
    }
    return invite;
  }

  #idOf(token: Uint8Array): string {
    return toBase64Url(
      this.#options.primitives.blake2s(new TextEncoder().encode('ginnel invite v1\n'), token),
    );
  }
}
