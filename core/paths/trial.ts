// Is the way through others honest? Whoever forwards may let probes pass and lose, hold up or alter what the session sends.
// So a word is said inside the session now and then, which looks like any other datagram, and must come back in time.
import type { Random } from '../../base/random.ts';
import type { Path } from './path.ts';

const EVERY_MS = 900;
/** A session that sent so lately is worth the words. */
const IN_USE_FOR_MS = 5_000;
const REMEMBERED = 6;
const BAD_MISSES = 3;
/** Left for so long; longer each time. */
const SHUN_FOR_MS = 60_000;
const SHUN_MOST_MS = 30 * 60_000;
const REMEMBER_FOR_MS = 2 * 60 * 60_000;

export class Trial {
  readonly #random: Random;
  /** Of the path that is tried now: which words came back. */
  #path: Path | null = null;
  #outcomes: boolean[] = [];
  #asked: { readonly token: string; readonly at: number; readonly patienceMs: number } | null = null;
  #nextAt = Infinity;
  readonly #shunned = new Map<string, { until: number; readonly times: number; readonly since: number }>();

  constructor(random: Random) {
    this.#random = random;
  }

  get nextAt(): number | null {
    const ends = [...this.#shunned.values()].map(({ until }) => until);
    const due = this.#asked === null ? this.#nextAt : this.#asked.at + this.#asked.patienceMs;
    const next = Math.min(due, ...ends.filter(until => until > 0));
    return next === Infinity ? null : next;
  }

  /** The session goes by this path now, and carried a packet last at that time. Answers the word to say; null: none yet. */
  tick(path: Path, usedAt: number, now: number): string | null {
    if (path !== this.#path) this.#begin(path, now);
    if (this.#asked !== null && now - this.#asked.at >= this.#asked.patienceMs) this.#note(false);
    if (now - usedAt >= IN_USE_FOR_MS) this.#nextAt = Infinity;
    else if (this.#nextAt === Infinity) this.#nextAt = now;
    if (this.#asked !== null || now < this.#nextAt) return null;
    this.#nextAt = now + EVERY_MS + this.#random.below(EVERY_MS / 3);
    const token = Buffer.from(this.#random.bytes(8)).toString('hex');
    this.#asked = { token, at: now, patienceMs: patienceMs(path) };
    return token;
  }

  /** No session could take the word: that says nothing of the path. */
  unsaid(token: string): void {
    if (this.#asked?.token === token) this.#asked = null;
  }

  answered(token: string): void {
    if (this.#asked?.token === token) this.#note(true);
  }

  /** Too much of what goes by this path is lost. */
  get isBad(): boolean {
    return this.#outcomes.filter(came => !came).length >= BAD_MISSES;
  }

  shun(path: Path, now: number): void {
    const times = (this.#shunned.get(path.way.key)?.times ?? 0) + 1;
    const forMs = Math.min(SHUN_MOST_MS, SHUN_FOR_MS * 2 ** (times - 1));
    this.#shunned.set(path.way.key, { until: now + forMs, times, since: now });
    path.shunned = true;
    this.#begin(null, now);
  }

  /** Paths whose time is over are as good as any other. */
  forgive(paths: Iterable<Path>, now: number): void {
    for (const [key, entry] of this.#shunned) {
      if (now >= entry.until) entry.until = 0;
      // What was fine for long is a stranger again.
      if (now >= entry.since + REMEMBER_FOR_MS) this.#shunned.delete(key);
    }
    for (const path of paths) path.shunned = (this.#shunned.get(path.way.key)?.until ?? 0) > 0;
  }

  /** No path through others is in use. */
  rest(): void {
    this.#path = null;
    this.#nextAt = Infinity;
    this.#asked = null;
  }

  #begin(path: Path | null, now: number): void {
    this.#path = path;
    this.#outcomes = [];
    this.#asked = null;
    this.#nextAt = path === null ? Infinity : now + EVERY_MS;
  }

  #note(came: boolean): void {
    this.#asked = null;
    this.#outcomes = [...this.#outcomes, came].slice(-REMEMBERED);
  }
}

const patienceMs = ({ srttMs }: Path): number => Math.max(400, 4 * (srttMs ?? 100) + 100);
