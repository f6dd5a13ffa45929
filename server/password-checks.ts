// Passwords at the log-in, checked slowly on purpose. Who guesses is slowed down: its own address after a few wrong ones,
// and everybody who tries at one account, by a delay that has an end. So nobody can lock the owner out: from another
// address the right password gets in, at worst some seconds later. Whether there is such an account shows neither in the
// answer nor in its time.
import type { Clock } from '../base/clock.ts';
import type { Primitives } from '../protocol/primitives.ts';
import { hashPassword } from '../system/passwords.ts';
import type { ScryptCost } from '../system/passwords.ts';
import { serverErrors } from './errors.ts';
import { FailureCounts } from '../base/failure-counts.ts';

export interface PasswordHash {
  /** base64url is the store's matter. */
  readonly salt: Uint8Array;
  readonly hash: Uint8Array;
  readonly cost: ScryptCost;
}

/** 32 MiB and some 0.2 s on a PC of today (OWASP's third line). */
export const COST: ScryptCost = { N: 2 ** 15, r: 8, p: 3 };
const SALT_BYTES = 16;
/** At once, so that a small box keeps memory and threads for other things. */
const PARALLEL = 2;
/** Delayed, waiting or being computed: what comes on top is refused, to come again. */
const MOST_CHECKS = 24;
const BUSY_SECONDS = 5;

/** Wrong ones of one source before it has to wait: then one a minute. */
const SOURCE_FREE = 5;
/** Wrong ones at one account before all who try at it wait a little, and the most they wait. */
const ACCOUNT_FREE = 3;
const FIRST_DELAY_MS = 250;
const LAST_DELAY_MS = 4_000;
const MOST_COUNTED = 12;

export interface PasswordChecksOptions {
  readonly clock: Clock;
  readonly primitives: Primitives;
}

export class PasswordChecks {
  readonly #options: PasswordChecksOptions;
  readonly #bySource: FailureCounts;
  readonly #byAccount: FailureCounts;
  /** Compared with where there is no such account: as much work, and never right. */
  readonly #nobody: PasswordHash;
  readonly #queue: (() => void)[] = [];
  #running = 0;
  #checks = 0;

  constructor(options: PasswordChecksOptions) {
    this.#options = options;
    this.#bySource = new FailureCounts(options.clock, SOURCE_FREE);
    this.#byAccount = new FailureCounts(options.clock, MOST_COUNTED);
    const { primitives } = options;
    this.#nobody = { salt: primitives.randomBytes(SALT_BYTES), hash: primitives.randomBytes(32), cost: COST };
  }

  /** For a new password. */
  async make(password: string): Promise<PasswordHash> {
    const salt = this.#options.primitives.randomBytes(SALT_BYTES);
    return { salt, cost: COST, hash: await this.#hash(password, salt, COST) };
  }

  /**
   * Is it the password of that account (`known`; null: there is none)? Error: LOGIN_RATE_LIMITED. A try counts as a
   * failure until it is known to be none, so that many at once gain nothing.
   */
  async check(
    source: string,
    account: string,
    known: PasswordHash | null,
    password: string,
  ): Promise<boolean> {
    this.#refuseGuessers(source);
    this.#bySource.change(source, 1);
    this.#checks++;
    try {
      await this.#delay(account);
      const { salt, hash, cost } = known ?? this.#nobody;
      const given = await this.#hash(password, salt, cost);
      const isRight = this.#options.primitives.equal(given, hash) && known !== null;
      this.#noteOutcome(source, account, isRight);
      return isRight;
    } finally {
      this.#checks--;
    }
  }

  #refuseGuessers(source: string): void {
    const waitMs = this.#bySource.untilBelow(source, SOURCE_FREE);
    if (waitMs > 0) {
      const seconds = Math.ceil(waitMs / 1000);
      throw serverErrors('LOGIN_RATE_LIMITED', {
        problem: 'too many wrong passwords came from this address',
        seconds,
      });
    }
    if (this.#checks >= MOST_CHECKS) {
      const problem = 'too many log in with a password at this moment';
      throw serverErrors('LOGIN_RATE_LIMITED', { problem, seconds: BUSY_SECONDS });
    }
  }

  /** The same whether it will turn out right or wrong. */
  #delay(account: string): Promise<void> {
    const delayMs = delayFor(this.#byAccount.of(account));
    if (delayMs === 0) return Promise.resolve();
    return new Promise(resolve => this.#options.clock.after(delayMs, resolve));
  }

  #noteOutcome(source: string, account: string, isRight: boolean): void {
    if (isRight) {
      this.#bySource.change(source, -1);
      this.#byAccount.forget(account);
    } else this.#byAccount.change(account, 1);
  }

  async #hash(password: string, salt: Uint8Array, cost: ScryptCost): Promise<Uint8Array> {
    if (this.#running >= PARALLEL) await new Promise<void>(resolve => this.#queue.push(resolve));
    else this.#running++;
    try {
      return await hashPassword(password, salt, cost);
    } finally {
      const next = this.#queue.shift();
      if (next === undefined) this.#running--;
      else next();
    }
  }
}

export function delayFor(failures: number): number {
  const over = Math.floor(failures) - ACCOUNT_FREE;
  return over < 0 ? 0 : Math.min(LAST_DELAY_MS, FIRST_DELAY_MS * 2 ** over);
}
