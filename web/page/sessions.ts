// Who is signed in. A token is 32 random bytes; only its hash is kept, here and in the store, so that a restart signs nobody
// out. All ages are of the clock that only grows: a machine that wakes in 1970, or jumps, ends none too early and keeps none
// for ever.
import { createHash, timingSafeEqual } from 'node:crypto';
import type { Clock } from '../../base/clock.ts';
import type { Random } from '../../base/random.ts';
import type { ScopedStore } from '../../base/store.ts';
import { keptSessions, sessionsToKeep } from './kept-sessions.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** Without a request for so long it is over. */
export const SILENCE_MS = 7 * DAY_MS;
/** However much it was used. */
const LONGEST_MS = 90 * DAY_MS;
const TOKEN_LIFE_MS = DAY_MS;
/** Requests that were under way while the token changed. */
const GRACE_MS = 60_000;
const MOST_SESSIONS = 32;
const TOKEN_BYTES = 32;
const KEY = 'sessions';

export interface Session {
  /** Public: names it in the list. */
  readonly id: string;
  readonly from: string;
  readonly browser: string;
  /** It came by TLS, and is good there alone; another may have been read along, and is good in plain alone. */
  readonly isSecure: boolean;
  hash: Buffer;
  /** The token of before, and when it changed. */
  previous: { readonly hash: Buffer; readonly at: number } | null;
  /** By the monotonic clock; of before a restart: less than now, maybe less than zero. */
  readonly born: number;
  seen: number;
  tokenBorn: number;
}

export interface SessionShown {
  readonly id: string;
  readonly from: string;
  readonly browser: string;
  /** Milliseconds since 1970. */
  readonly since: number;
  readonly lastSeen: number;
  readonly isThis: boolean;
}

export interface SessionsOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly store: ScopedStore;
  /** A list that could not be kept is kept in memory all the same. */
  readonly failed: (error: unknown) => void;
}

export class Sessions {
  readonly #options: SessionsOptions;
  readonly #byId = new Map<string, Session>();
  readonly #listeners = new Set<(id: string) => void>();
  #keptAt: number;
  #turns: Promise<void> = Promise.resolve();

  private constructor(options: SessionsOptions, kept: readonly Session[]) {
    this.#options = options;
    this.#keptAt = options.clock.monotonicMs();
    for (const session of kept) this.#byId.set(session.id, session);
    this.#sweep();
  }

  static async open(options: SessionsOptions): Promise<Sessions> {
    return new Sessions(options, keptSessions(await options.store.get(KEY), options.clock));
  }

  /** Called with the id of each that ended. */
  onEnd(listener: (id: string) => void): void {
    this.#listeners.add(listener);
  }

  /** Answers the token: a secret, told this once. */
  async begin(
    from: string,
    browser: string,
    isSecure = false,
  ): Promise<{ readonly session: Session; readonly token: string }> {
    const now = this.#now;
    const token = this.#freshToken();
    const id = textOf(this.#options.random.bytes(9));
    const times = { born: now, seen: now, tokenBorn: now };
    const session: Session = { id, from, browser, isSecure, hash: hashOf(token), previous: null, ...times };
    this.#byId.set(id, session);
    this.#makeRoom();
    await this.#keep();
    return { session, token };
  }

  /** Whose token that is; it counts as seen. Null: nobody's, or of a session that is over. */
  find(token: string, isSecure = false): Session | null {
    this.#sweep();
    const hash = hashOf(token);
    for (const session of this.#byId.values()) {
      if (session.isSecure !== isSecure) continue;
      if (timingSafeEqual(session.hash, hash)) return this.#touched(session);
      if (session.previous !== null && timingSafeEqual(session.previous.hash, hash))
        return this.#byPrevious(session, session.previous.at);
    }
    return null;
  }

  has(id: string): boolean {
    this.#sweep();
    return this.#byId.has(id);
  }

  /** A watched page is no silence. */
  touch(id: string): void {
    const session = this.#byId.get(id);
    if (session !== undefined) this.#touched(session);
  }

  /** The next token once the present one is a day old; null: it may be used on. */
  async renewed(session: Session): Promise<string | null> {
    return this.#now - session.tokenBorn < TOKEN_LIFE_MS ? null : this.renew(session, true);
  }

  /** `hasGrace`: what is under way by the old token still gets its answer. */
  async renew(session: Session, hasGrace: boolean): Promise<string> {
    const token = this.#freshToken();
    session.previous = hasGrace ? { hash: session.hash, at: this.#now } : null;
    session.hash = hashOf(token);
    session.tokenBorn = this.#now;
    await this.#keep();
    return token;
  }

  list(own: string): SessionShown[] {
    this.#sweep();
    const toWall = this.#options.clock.wallMs() - this.#now;
    return [...this.#byId.values()].map(({ id, from, browser, born, seen }) => ({
      ...{ id, from, browser, isThis: id === own },
      since: Math.round(born + toWall),
      lastSeen: Math.round(seen + toWall),
    }));
  }

  /** False: there is none. */
  async end(id: string): Promise<boolean> {
    if (!this.#drop(id)) return false;
    await this.#keep();
    return true;
  }

  async endAll(but: string | null): Promise<void> {
    for (const id of [...this.#byId.keys()]) if (id !== but) this.#drop(id);
    await this.#keep();
  }

  async close(): Promise<void> {
    await this.#keep();
  }

  get #now(): number {
    return this.#options.clock.monotonicMs();
  }

  #touched(session: Session): Session {
    session.seen = this.#now;
    if (this.#now - this.#keptAt > HOUR_MS) void this.#keep();
    return session;
  }

  /** A token that was replaced a while ago comes from somebody who copied it, or the newer one was copied: both lose it. */
  #byPrevious(session: Session, replacedAt: number): Session | null {
    if (this.#now - replacedAt <= GRACE_MS) return this.#touched(session);
    this.#drop(session.id);
    void this.#keep();
    return null;
  }

  #sweep(): void {
    for (const { id, seen, born } of [...this.#byId.values()])
      if (this.#now - seen > SILENCE_MS || this.#now - born > LONGEST_MS) this.#drop(id);
  }

  #makeRoom(): void {
    while (this.#byId.size > MOST_SESSIONS) {
      const [silent] = [...this.#byId.values()].sort((a, b) => a.seen - b.seen);
      this.#drop(silent?.id ?? '');
    }
  }

  #drop(id: string): boolean {
    if (!this.#byId.delete(id)) return false;
    for (const listener of [...this.#listeners]) listener(id);
    return true;
  }

  #freshToken(): string {
    return textOf(this.#options.random.bytes(TOKEN_BYTES));
  }

  /** In turn, so that the last is what stays. A disk that refuses does not keep anybody from signing in or out. */
  #keep(): Promise<void> {
    this.#keptAt = this.#now;
    const { store, clock, failed } = this.#options;
    this.#turns = this.#turns
      .then(() => store.put(KEY, sessionsToKeep([...this.#byId.values()], clock)))
      .catch(failed);
    return this.#turns;
  }
}

const hashOf = (token: string): Buffer => createHash('sha256').update(token).digest();
const textOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64url');
