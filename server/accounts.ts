// Accounts (V3): a name and a password by which a person brings in boxes. The password is kept as its scrypt hash; a box
// that is in stays in, known by its own key, whatever becomes of the account.
import { schemaProblem } from '../base/config.ts';
import type { ScopedStore } from '../base/store.ts';
import { fromBase64Url, toBase64Url } from '../protocol/base64.ts';
import { compileSchema } from '../protocol/location/codec.ts';
import type { AccountCredential } from '../protocol/location/messages.ts';
import { accountSchema } from '../protocol/location/schema.ts';
import type { ScryptCost } from '../system/passwords.ts';
import type { AuditedChange } from './audit.ts';
import type { Changes } from './changes.ts';
import { serverErrors } from './errors.ts';
import type { AccountsAdmin, AccountSummary, NewAccount } from './log-in-admin.ts';
import type { PasswordChecks, PasswordHash } from './password-checks.ts';
import type { NodeEntry } from './registry-entries.ts';
import type { Ticket } from './ticket.ts';
import type { ServerTime } from './time.ts';

interface AccountEntry {
  readonly v: 1;
  readonly name: string;
  readonly boxes: number | null;
  /** base64url. */
  readonly salt: string;
  readonly hash: string;
  readonly cost: ScryptCost;
  readonly created: number;
  readonly changed: number;
}

export interface AccountsOptions {
  readonly store: ScopedStore;
  readonly time: ServerTime;
  readonly changes: Changes;
  readonly checks: PasswordChecks;
  readonly nodes: () => Iterable<NodeEntry>;
}

/** Machines try all shorter ones in little time. */
export const SHORTEST_PASSWORD = 10;
const LONGEST_PASSWORD = 256;
const MOST_ACCOUNTS = 10_000;
const KEY = 'account/';
const BOXES = { anyOf: [{ type: 'integer', minimum: 1, maximum: 1000 }, { type: 'null' }] };

export class Accounts implements AccountsAdmin {
  readonly #options: AccountsOptions;
  /** By name in small letters. */
  #entries = new Map<string, AccountEntry>();

  constructor(options: AccountsOptions) {
    this.#options = options;
  }

  async load(): Promise<void> {
    const pairs = await this.#options.store.entries(KEY);
    this.#entries = new Map(pairs.map(([key, value]) => [key.slice(KEY.length), value as AccountEntry]));
  }

  list(): AccountSummary[] {
    return [...this.#entries.values()].map(entry => this.#summary(entry));
  }

  async add({ name, password, boxes = null }: NewAccount): Promise<AccountSummary> {
    if (!compileSchema(accountSchema)(name)) throw serverErrors('ACCOUNT_NAME_WRONG', { name });
    const isCount = compileSchema(BOXES);
    if (!isCount(boxes)) throw serverErrors('SERVER_OPTIONS', { problem: schemaProblem(isCount.errors) });
    const secret = await this.#hashOf(password);
    return this.#options.changes.run(async () => {
      if (this.#entries.has(keyOf(name))) throw serverErrors('ACCOUNT_EXISTS', { name });
      if (this.#entries.size >= MOST_ACCOUNTS)
        throw serverErrors('SERVER_OPTIONS', { problem: `there are ${MOST_ACCOUNTS} accounts already` });
      const now = this.#options.time.now();
      const entry: AccountEntry = { v: 1, name, boxes, ...secret, created: now, changed: now };
      return this.#keep(entry, { what: 'account-made', subject: name, facts: { boxes: boxes ?? 'any' } });
    });
  }

  async setPassword(name: string, password: string): Promise<AccountSummary> {
    const secret = await this.#hashOf(password);
    return this.#options.changes.run(async () => {
      const entry = this.#known(name);
      const changed = { ...entry, ...secret, changed: this.#options.time.now() };
      return this.#keep(changed, { what: 'account-changed', subject: entry.name });
    });
  }

  remove(name: string): Promise<AccountSummary> {
    return this.#options.changes.run(async () => {
      const entry = this.#known(name);
      await this.#options.changes.write([{ type: 'delete', key: KEY + keyOf(name) }], {
        what: 'account-removed',
        subject: entry.name,
      });
      this.#entries.delete(keyOf(name));
      return this.#summary(entry);
    });
  }

  /**
   * Checks the password; the answer, called from within a change, lets one box in. Errors: ACCOUNT_REFUSED,
   * LOGIN_RATE_LIMITED; then ACCOUNT_FULL.
   */
  async ticketFor({ account, password }: AccountCredential, source: string): Promise<() => Ticket> {
    const key = keyOf(account);
    const entry = this.#entries.get(key);
    const known = entry === undefined ? null : secretOf(entry);
    if (!(await this.#options.checks.check(source, key, known, password)))
      throw serverErrors('ACCOUNT_REFUSED');
    return () => {
      const now = this.#entries.get(key);
      // Removed, or given another password, while it was being checked.
      if (now === undefined || now.hash !== entry?.hash) throw serverErrors('ACCOUNT_REFUSED');
      return this.#ticket(now);
    };
  }

  #ticket({ name, boxes }: AccountEntry): Ticket {
    if (boxes !== null && this.#boxesOf(name).length >= boxes)
      throw serverErrors('ACCOUNT_FULL', { name, boxes: boxes === 1 ? 'one box' : `${boxes} boxes` });
    return {
      needsApproval: false,
      admission: { by: 'account', account: keyOf(name) },
      told: node => ({ what: 'account-used', by: node, subject: name }),
      // The node itself is the record of it.
      use: () => [],
      used: () => undefined,
    };
  }

  async #hashOf(password: string): Promise<Pick<AccountEntry, 'salt' | 'hash' | 'cost'>> {
    const length = Array.from(password).length;
    if (length < SHORTEST_PASSWORD) throw serverErrors('PASSWORD_SHORT', { least: SHORTEST_PASSWORD });
    if (password.length > LONGEST_PASSWORD)
      throw serverErrors('SERVER_OPTIONS', {
        problem: `a password has at most ${LONGEST_PASSWORD} characters`,
      });
    const { salt, hash, cost } = await this.#options.checks.make(password);
    return { salt: toBase64Url(salt), hash: toBase64Url(hash), cost };
  }

  async #keep(entry: AccountEntry, told: AuditedChange): Promise<AccountSummary> {
    const key = keyOf(entry.name);
    await this.#options.changes.write([{ type: 'put', key: KEY + key, value: entry }], told);
    this.#entries.set(key, entry);
    return this.#summary(entry);
  }

  #known(name: string): AccountEntry {
    const entry = this.#entries.get(keyOf(name));
    if (entry === undefined) throw serverErrors('ACCOUNT_UNKNOWN', { name });
    return entry;
  }

  #boxesOf(name: string): string[] {
    const nodes = [...this.#options.nodes()];
    const own = nodes.filter(
      ({ admission }) => admission?.by === 'account' && admission.account === keyOf(name),
    );
    return own.map(node => node.name);
  }

  #summary({ name, boxes, created, changed }: AccountEntry): AccountSummary {
    return { name, boxes, used: this.#boxesOf(name), created, changed };
  }
}

const keyOf = (name: string): string => name.toLowerCase();

const secretOf = ({ salt, hash, cost }: AccountEntry): PasswordHash => ({
  salt: fromBase64Url(salt) ?? new Uint8Array(),
  hash: fromBase64Url(hash) ?? new Uint8Array(),
  cost,
});
