// The largest datagram that one path carries, found by asking, as in RFC 8899: padded probes that no hop may fragment. An
// answer proves a size; three losses in a row, while smaller ones get through, disprove it. ICMP has no say: it is
// dropped by many, and anybody can forge it. A machine without I/O.
import type { IpFamily } from '../../protocol/address.ts';

/** Of IP and UDP. */
const HEADER_BYTES: Readonly<Record<IpFamily, number>> = { 4: 28, 6: 48 };
/** Packets that lines of the field carry: jumbo frames, Ethernet, PPPoE, 6in4, DS-Lite, VXLAN, 464XLAT, other tunnels. */
const KNOWN_MTUS = [
  9000, 4352, 1500, 1492, 1480, 1472, 1460, 1454, 1450, 1440, 1430, 1420, 1400, 1380, 1358, 1340, 1320, 1300,
  1280,
];
/** STUN counts in fours. */
const STEP = 4;
/** Nobody searches on between two sizes that are closer. */
const NEAR_ENOUGH = 8;
const TRIES = 3;
const SPACING_MIN_MS = 200;
/** A size that carries data is asked again this often, and after a doubt at most this often. */
const CONFIRM_EVERY_MS = 30_000;
const DOUBT_EVERY_MS = 3_000;
/** A smaller size than wanted is left for a larger one so often (RFC 8899's PMTU_RAISE_TIMER). */
const RAISE_EVERY_MS = 600_000;
/** Not one size was answered, though the path lives: that calls for another look soon. */
const RAISE_SOON_MS = 60_000;
/** A round that began so lately stands for the next reason, too. */
const RESTART_AFTER_MS = 2_000;
const PAUSE_MIN_MS = 2_000;
const PAUSE_MAX_MS = 60_000;

/** In place of a size: an ordinary probe, which tells whether the path lives at all. */
export const SMALL = 0;

/** How the path itself stands. */
export interface Liveness {
  readonly srttMs: number | null;
  readonly heardAt: number | null;
}

interface Round {
  /** `whole`: all known sizes where the target gets no answer. `between`: the target alone. */
  readonly kind: 'whole' | 'between';
  readonly target: number;
  readonly startedAt: number;
  tries: number;
  nextAt: number;
  /** The largest that was answered; 0: none. */
  best: number;
  /** Since when all known sizes are asked for; null: not yet. */
  spreadAt: number | null;
}

export class PathMtu {
  /** All that is wanted: what a full packet of the card becomes. */
  readonly wanted: number;
  /** The largest first, all below what is wanted. */
  readonly #sizes: readonly number[];
  #size: number;
  #isProbed = false;
  #round: Round | null = null;
  /** The largest that is known not to pass, while a search goes on. */
  #tooLarge = Infinity;
  readonly #asked = new Map<string, number>();
  #checkedAt = -Infinity;
  #raiseAt = Infinity;
  #sentAt = -Infinity;
  #pauseMs = PAUSE_MIN_MS;

  /** Datagrams, in bytes: `wanted`, and what is `assumed` to pass until more is known. */
  constructor(family: IpFamily, wanted: number, assumed: number) {
    this.wanted = Math.ceil(wanted / STEP) * STEP;
    this.#size = Math.min(this.wanted, assumed);
    this.#sizes = KNOWN_MTUS.map(mtu => inSteps(mtu - HEADER_BYTES[family])).filter(
      size => size < this.wanted,
    );
  }

  /** Datagrams of at most so many bytes are carried, as far as known. */
  get size(): number {
    return this.#size;
  }

  /** Was that proved by an answer, or is it only assumed? */
  get isProbed(): boolean {
    return this.#isProbed;
  }

  get isSearching(): boolean {
    return this.#round !== null;
  }

  // ---- what starts a round

  /** The path was taken into use, or what lies beneath it may be another. */
  begin(now: number): void {
    // Networks that change and change again shall not keep it from ever ending.
    const round = this.#round;
    if (round?.target === this.wanted && now - round.startedAt < RESTART_AFTER_MS) return;
    this.#tooLarge = Infinity;
    this.#start('whole', this.wanted, now);
  }

  /** Data went out by this path. */
  sent(now: number): void {
    this.#sentAt = now;
  }

  /** Data has gone out and nothing came back: what is too large now would look just so. */
  doubted(now: number): void {
    if (this.#round === null && now - this.#checkedAt >= DOUBT_EVERY_MS) this.#confirm(now);
  }

  #beginDue(now: number): void {
    // On an idle path nobody misses anything.
    if (this.#sentAt <= this.#checkedAt) return;
    if (now >= this.#raiseAt) this.begin(now);
    else if (now - this.#checkedAt >= CONFIRM_EVERY_MS) this.#confirm(now);
  }

  #confirm(now: number): void {
    this.#tooLarge = Infinity;
    this.#start('whole', inSteps(this.#size), now);
  }

  #start(kind: Round['kind'], target: number, now: number): void {
    this.#asked.clear();
    this.#round = { kind, target, startedAt: now, tries: 0, nextAt: now, best: 0, spreadAt: null };
  }

  // ---- time

  get wakeAt(): number | null {
    return this.#round?.nextAt ?? null;
  }

  /** The sizes to ask for now, SMALL among them; each that left is told by `asked`. */
  tick(now: number, life: Liveness): readonly number[] {
    if (this.#round === null) this.#beginDue(now);
    while (this.#round !== null && now >= this.#round.nextAt) {
      if (this.#round.tries < TRIES) return this.#ask(this.#round, now, life);
      this.#fail(this.#round, now, life);
    }
    return [];
  }

  #ask(round: Round, now: number, life: Liveness): readonly number[] {
    round.nextAt = now + Math.max(SPACING_MIN_MS, 2 * (life.srttMs ?? 100) + 100);
    if (round.tries === 0 || round.kind === 'between') return [round.target];
    if (!livedSince(round.startedAt, life)) return [round.target, SMALL];
    const isFirst = round.spreadAt === null;
    round.spreadAt ??= now;
    return [round.target, ...this.#below(round), ...(isFirst ? [SMALL] : [])];
  }

  /** All known sizes, and the one in use, that would be news. */
  #below({ target, best }: Round): number[] {
    const sizes = new Set([inSteps(this.#size), ...this.#sizes]);
    return [...sizes].filter(size => size < target && size > best);
  }

  /** One left, with this name. What the budget kept back was not tried. */
  asked(transaction: string, size: number): void {
    this.#asked.set(transaction, size);
    if (this.#round?.target === size) this.#round.tries++;
  }

  /** False: not one of ours, or of a round that is over. */
  answered(transaction: string, now: number): boolean {
    const size = this.#asked.get(transaction);
    if (size === undefined || this.#round === null) return false;
    this.#asked.delete(transaction);
    const round = this.#round;
    round.best = Math.max(round.best, size);
    if (size >= round.target) this.#found(round, now);
    return true;
  }

  // ---- ends of a round

  #found({ target }: Round, now: number): void {
    this.#take(target);
    if (target < this.wanted) this.#search(now);
    else this.#settle(now);
  }

  #fail(round: Round, now: number, life: Liveness): void {
    if (round.kind === 'between') {
      this.#tooLarge = round.target;
      this.#search(now);
    } else if (round.best > 0) {
      this.#tooLarge = this.#sizes.findLast(size => size > round.best && size < round.target) ?? round.target;
      this.#take(round.best);
      this.#raiseAt = now + RAISE_EVERY_MS;
      this.#search(now);
    } else if (!livedSince(round.spreadAt ?? round.startedAt, life)) this.#wait(round, now);
    else if (round.spreadAt === null) round.tries = 1;
    else {
      this.#size = Math.min(this.#size, this.#sizes.at(-1) ?? this.#size);
      this.#isProbed = false;
      this.#settle(now);
      this.#raiseAt = now + RAISE_SOON_MS;
    }
  }

  /** The path is silent altogether: that says nothing of sizes. */
  #wait(round: Round, now: number): void {
    this.#start('whole', round.target, now);
    this.#round!.nextAt = now + this.#pauseMs;
    this.#pauseMs = Math.min(PAUSE_MAX_MS, 2 * this.#pauseMs);
  }

  /** Between what passes and what does not. */
  #search(now: number): void {
    const middle = inSteps((this.#size + this.#tooLarge) / 2);
    if (this.#tooLarge - this.#size > NEAR_ENOUGH && this.#tooLarge < Infinity)
      this.#start('between', middle, now);
    else this.#settle(now);
  }

  #take(size: number): void {
    this.#size = size;
    this.#isProbed = true;
  }

  #settle(now: number): void {
    this.#round = null;
    this.#asked.clear();
    this.#checkedAt = now;
    this.#pauseMs = PAUSE_MIN_MS;
    if (this.#size >= this.wanted) this.#raiseAt = Infinity;
  }
}

const inSteps = (bytes: number): number => Math.floor(bytes / STEP) * STEP;

const livedSince = (at: number, { heardAt }: Liveness): boolean => heardAt !== null && heardAt >= at;
