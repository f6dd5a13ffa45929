// The owner's password: set once at the first visit, kept as a slow hash. While none is set there is a code, which this box
// alone prints; a visitor from elsewhere shows by it that the box is theirs.
import { timingSafeEqual } from 'node:crypto';
import type { Clock } from '../../base/clock.ts';
import type { Random } from '../../base/random.ts';
import type { ScopedStore } from '../../base/store.ts';
import { Attempts } from './attempts.ts';
import { pageErrors } from './errors.ts';

export interface HashCost {
  readonly N: number;
  readonly r: number;
  readonly p: number;
}

export type HashPassword = (password: string, salt: Uint8Array, cost: HashCost) => Promise<Uint8Array>;

/** 16 MiB while it runs, and some 0.2 s on a PC of today (OWASP's fourth line). */
const COST: HashCost = { N: 2 ** 14, r: 8, p: 5 };
const SALT_BYTES = 16;
const LEAST_CHARACTERS = 8;
const KEY = 'owner';
/** Without those that look alike. */
const CODE_LETTERS = 'abcdefghjkmnpqrstuvwxyz23456789';
const CODE_LENGTH = 10;

export interface OwnerOptions {
  readonly store: ScopedStore;
  readonly clock: Clock;
  readonly random: Random;
  readonly hashPassword: HashPassword;
}

interface Kept {
  readonly salt: Uint8Array;
  readonly hash: Uint8Array;
  readonly cost: HashCost;
}

export class Owner {
  readonly #options: OwnerOptions;
  readonly #attempts: Attempts;
  /** Null: none is set. `unreadable`: one is set by a version that this one does not understand. */
  #kept: Kept | 'unreadable' | null;
  #code: string;

  private constructor(options: OwnerOptions, kept: Kept | 'unreadable' | null) {
    this.#options = options;
    this.#attempts = new Attempts(options.clock);
    this.#kept = kept;
    this.#code = freshCode(options.random);
  }

  static async open(options: OwnerOptions): Promise<Owner> {
    const kept = await options.store.get(KEY);
    return new Owner(options, kept === undefined ? null : keptFrom(kept));
  }

  get isSet(): boolean {
    return this.#kept !== null;
  }

  /** `k7mpx-2xqdf`; null once a password is set. */
  get code(): string | null {
    return this.isSet ? null : this.#code;
  }

  /** `code`: what was shown; null: none is needed. Errors: PAGE_OWNER_SET, PAGE_CODE, PAGE_PASSWORD_SHORT, PAGE_TRIES. */
  async set(source: string, password: string, code: string | null): Promise<void> {
    if (this.isSet) throw pageErrors('PAGE_OWNER_SET');
    refuseShort(password);
    if (code !== null) {
      const isRight = await this.#attempts.try(source, () => Promise.resolve(isSame(code, this.#code)));
      if (!isRight) throw pageErrors('PAGE_CODE');
    }
    await this.#attempts.inTurn(async () => {
      // Another may have been faster.
      if (this.isSet) throw pageErrors('PAGE_OWNER_SET');
      await this.#keep(password);
    });
  }

  /** Errors: PAGE_OWNER_NONE, PAGE_PASSWORD_WRONG, PAGE_TRIES. */
  async check(source: string, password: string): Promise<void> {
    if (!this.isSet) throw pageErrors('PAGE_OWNER_NONE');
    if (!(await this.#attempts.try(source, () => this.#isRight(password))))
      throw pageErrors('PAGE_PASSWORD_WRONG');
  }

  /** Errors: those of `check`, and PAGE_PASSWORD_SHORT. */
  async change(source: string, old: string, password: string): Promise<void> {
    refuseShort(password);
    const before = this.#kept;
    await this.check(source, old);
    await this.#attempts.inTurn(async () => {
      // Changed or taken away meanwhile: what was shown is not the password any more.
      if (this.#kept !== before) throw pageErrors('PAGE_PASSWORD_WRONG');
      await this.#keep(password);
    });
  }

  /** Takes the password away; there is a new code. */
  reset(): Promise<void> {
    return this.#attempts.inTurn(async () => {
      await this.#options.store.delete(KEY);
      this.#kept = null;
      this.#code = freshCode(this.#options.random);
    });
  }

  async #isRight(password: string): Promise<boolean> {
    const kept = this.#kept;
    if (kept === null || kept === 'unreadable') return false;
    const given = await this.#options.hashPassword(password, kept.salt, kept.cost);
    return given.length === kept.hash.length && timingSafeEqual(given, kept.hash);
  }

  async #keep(password: string): Promise<void> {
    const { random, store, hashPassword } = this.#options;
    const salt = random.bytes(SALT_BYTES);
    const hash = await hashPassword(password, salt, COST);
    await store.put(KEY, { v: 1, salt: inText(salt), hash: inText(hash), cost: COST });
    this.#kept = { salt, hash, cost: COST };
  }
}

function refuseShort(password: string): void {
  if (Array.from(password).length < LEAST_CHARACTERS)
    throw pageErrors('PAGE_PASSWORD_SHORT', { least: LEAST_CHARACTERS });
}

function freshCode(random: Random): string {
  const letters = Array.from({ length: CODE_LENGTH }, () => CODE_LETTERS[random.below(CODE_LETTERS.length)]);
  return `${letters.slice(0, 5).join('')}-${letters.slice(5).join('')}`;
}

/** Typed by hand: capitals and blanks make no difference. */
function isSame(shown: string, code: string): boolean {
  const bare = (text: string): Buffer => Buffer.from(text.toLowerCase().replaceAll(/[^a-z0-9]/g, ''));
  const [given, wanted] = [bare(shown), bare(code)];
  return given.length === wanted.length && timingSafeEqual(given, wanted);
}

const inText = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64url');

function keptFrom(value: unknown): Kept | 'unreadable' {
  const { v, salt, hash, cost } = { ...(value as Record<string, unknown> | null) };
  const { N, r, p } = { ...(cost as Record<string, unknown> | undefined) };
  const isWhole =
    v === 1 &&
    typeof salt === 'string' &&
    typeof hash === 'string' &&
    [N, r, p].every(number => Number.isSafeInteger(number));
  if (!isWhole) return 'unreadable';
  const bytes = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'base64url'));
  return { salt: bytes(salt), hash: bytes(hash), cost: { N, r, p } as HashCost };
}
