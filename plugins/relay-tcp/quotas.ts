// How much of what its owner gives each node may use. Rates are recomputed every 250 ms from what nodes were seen to ask
// for; a node over its rate is not read from until it may send again, so that its own TCP slows it, and nobody else.
import type { Clock, Timer } from '../../base/clock.ts';
import type { Counters } from '../../base/counters.ts';
import type { Stream } from '../../core/contract/plugin.ts';
import { FRAME_HEAD, MAX_FRAME_PAYLOAD } from '../../protocol/stream/frame.ts';
import { fairRates } from './fair.ts';

export interface Limits {
  /** Infinity: none. */
  readonly bytesPerSecond: number;
  readonly nodeBytesPerSecond: number;
}

/** Of one node whose frames are forwarded. */
export interface Share {
  readonly key: string;
  /** What is not read from when it sends too much; null: its frames come through another relay, and are dropped instead. */
  readonly stream: Stream | null;
  /** Bytes per second. */
  rate: number;
  /** Bytes that it may send now; negative: sent in advance. */
  tokens: number;
  at: number;
  /** Bytes asked for since the last measurement. */
  offered: number;
  /** It wanted more than it got. */
  isShort: boolean;
  isPaused: boolean;
  pausedAt: number;
  isGone: boolean;
  resuming: Timer | null;
}

const RECOMPUTE_MS = 250;
/** A node that was silent may send so much at once, */
const BURST_S = 0.1;
/** and be ahead of its rate by so much: what has been read already when it is paused. */
const MOST_AHEAD_S = 0.2;
/** Whoever is not read from for longer cannot be told from one that is gone: its answers to pings wait, too. */
const MOST_PAUSE_MS = 3_000;
const LARGEST_FRAME = FRAME_HEAD + MAX_FRAME_PAYLOAD;
/** After so many measurements without a frame nothing is measured any more. */
const IDLE_ROUNDS = 40;
/** Nodes behind other relays; those beyond share what is left. */
const MAX_SHARES = 4096;
const LEAST_RATE = 1000;

export class Quotas {
  readonly #clock: Clock;
  readonly #counts: { readonly slowed: { value: number }; readonly dropped: { value: number } };
  readonly #shares = new Map<string, Share>();
  #limits: Limits;
  #idleRate: number;
  /** Of all those beyond MAX_SHARES. */
  #rest: Share | null = null;
  #ticking: Timer | null = null;
  #idleRounds = 0;
  #measuredAt = 0;
  /** Bytes let through since the last measurement, and those above the limit that are still to be saved. */
  #passed = 0;
  #excess = 0;

  constructor(clock: Clock, counters: Counters, limits: Limits) {
    this.#clock = clock;
    this.#counts = { slowed: counters.counter('slowed'), dropped: counters.counter('dropped.quota') };
    this.#limits = limits;
    this.#idleRate = this.#firstRate();
  }

  set(limits: Limits): void {
    this.#limits = limits;
    this.#idleRate = this.#firstRate();
    this.#excess = 0;
    if (!this.#isLimited) this.#resumeAll();
    for (const share of this.#all()) share.rate = this.#idleRate;
    if (this.#ticking !== null) this.#measure();
  }

  /** The share of a node, made at first use. `stream`: its own; null: its frames come through another relay. */
  share(node: string, stream: Stream | null): Share {
    const key = stream === null ? `>${node}` : node;
    const known = this.#shares.get(key);
    if (known?.stream === stream) return known;
    if (known !== undefined) this.forget(key);
    if (stream === null && this.#shares.size >= MAX_SHARES) return (this.#rest ??= this.#made('>', null));
    const made = this.#made(key, stream);
    this.#shares.set(key, made);
    return made;
  }

  /** May these bytes pass? They count as asked for either way. Its stream may be paused by this. */
  take(share: Share, bytes: number): boolean {
    if (!this.#isLimited) return true;
    share.offered += bytes;
    this.#keepMeasuring();
    this.#refill(share);
    if (share.tokens < -Math.max(share.rate * MOST_AHEAD_S, LARGEST_FRAME)) {
      this.#slow(share);
      this.#counts.dropped.value++;
      return false;
    }
    share.tokens -= bytes;
    this.#passed += bytes;
    if (share.tokens < 0) this.#slow(share);
    return true;
  }

  /** Its stream is gone, or nothing of it is forwarded any more. */
  forget(key: string): void {
    const share = this.#shares.get(key);
    if (share === undefined) return;
    this.#end(share);
    this.#shares.delete(key);
  }

  stop(): void {
    this.#ticking?.cancel();
    this.#ticking = null;
    for (const key of [...this.#shares.keys()]) this.forget(key);
  }

  get #isLimited(): boolean {
    return this.#limits.bytesPerSecond !== Infinity || this.#limits.nodeBytesPerSecond !== Infinity;
  }

  #firstRate(): number {
    return Math.min(this.#limits.bytesPerSecond, this.#limits.nodeBytesPerSecond);
  }

  #made(key: string, stream: Stream | null): Share {
    const rate = this.#idleRate;
    const at = this.#clock.monotonicMs();
    const state = { offered: 0, isShort: false, isPaused: false, pausedAt: 0, isGone: false, resuming: null };
    return { key, stream, rate, tokens: rate === Infinity ? 0 : rate * BURST_S, at, ...state };
  }

  #refill(share: Share): void {
    const now = this.#clock.monotonicMs();
    if (share.rate === Infinity) share.tokens = Infinity;
    else {
      const more = ((now - share.at) * share.rate) / 1000;
      share.tokens = Math.min(share.rate * BURST_S, share.tokens + more);
    }
    share.at = now;
  }

  // ---- slowing

  #slow(share: Share): void {
    share.isShort = true;
    if (share.stream === null || share.isPaused) return;
    share.isPaused = true;
    share.pausedAt = share.at;
    this.#counts.slowed.value++;
    share.stream.pause();
    this.#resumeWhenPaid(share);
  }

  #resumeWhenPaid(share: Share): void {
    share.resuming?.cancel();
    share.resuming = null;
    this.#refill(share);
    const mayWaitMs = share.pausedAt + MOST_PAUSE_MS - share.at;
    if (share.tokens >= 0 || mayWaitMs <= 0) {
      this.#resume(share);
      return;
    }
    const waitMs = Math.min(mayWaitMs, Math.max(1, (-share.tokens / share.rate) * 1000));
    share.resuming = this.#clock.after(waitMs, () => this.#resumeWhenPaid(share));
  }

  #resume(share: Share): void {
    share.resuming?.cancel();
    share.resuming = null;
    if (!share.isPaused) return;
    share.isPaused = false;
    share.stream?.resume();
  }

  #resumeAll(): void {
    for (const share of this.#shares.values()) this.#resume(share);
  }

  #end(share: Share): void {
    share.isGone = true;
    this.#resume(share);
  }

  // ---- measuring

  #keepMeasuring(): void {
    this.#idleRounds = 0;
    if (this.#ticking !== null) return;
    this.#measuredAt = this.#clock.monotonicMs();
    this.#tickLater();
  }

  #tickLater(): void {
    this.#ticking = this.#clock.after(RECOMPUTE_MS, () => {
      this.#measure();
      if (++this.#idleRounds < IDLE_ROUNDS) this.#tickLater();
      else this.#settle();
    });
  }

  #settle(): void {
    this.#ticking = null;
    for (const share of [...this.#shares.values()]) if (share.stream === null) this.forget(share.key);
  }

  *#all(): Iterable<Share> {
    yield* this.#shares.values();
    if (this.#rest !== null) yield this.#rest;
  }

  #measure(): void {
    const now = this.#clock.monotonicMs();
    const spanS = (now - this.#measuredAt) / 1000;
    if (spanS <= 0) return;
    this.#measuredAt = now;
    const [active, silent]: [Share[], Share[]] = [[], []];
    for (const share of this.#all()) (share.offered > 0 || share.isPaused ? active : silent).push(share);
    const demands = active.map(share => demandOf(share, spanS));
    const { rates, idle } = fairRates(demands, this.#capacity(spanS), this.#limits.nodeBytesPerSecond);
    this.#idleRate = Math.max(LEAST_RATE, idle);
    for (const share of silent) this.#setRate(share, this.#idleRate);
    active.forEach((share, at) => this.#setRate(share, Math.max(LEAST_RATE, rates[at]!)));
    for (const share of active) this.#begin(share);
  }

  /** What was let through above the limit is saved in the next interval. */
  #capacity(spanS: number): number {
    const { bytesPerSecond } = this.#limits;
    const passed = this.#passed;
    this.#passed = 0;
    if (bytesPerSecond === Infinity) return Infinity;
    const excess = this.#excess + passed - bytesPerSecond * spanS;
    this.#excess = Math.min(bytesPerSecond, Math.max(0, excess));
    return Math.max(0, bytesPerSecond - this.#excess / (RECOMPUTE_MS / 1000));
  }

  /** What it earned at the old rate stays earned. */
  #setRate(share: Share, rate: number): void {
    if (share.rate === rate) return;
    this.#refill(share);
    if (share.tokens === Infinity) share.tokens = rate * BURST_S;
    share.rate = rate;
  }

  #begin(share: Share): void {
    share.offered = 0;
    share.isShort = share.isPaused;
    if (share.isPaused) this.#resumeWhenPaid(share);
  }
}

/** Bytes per second; Infinity where it was held back, or used all that it had: what it would have sent is not known. */
function demandOf(share: Share, spanS: number): number {
  const used = share.offered / spanS;
  return share.isShort || used > share.rate * 0.9 ? Infinity : used;
}
