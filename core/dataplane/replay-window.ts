// The replay window (RFC 6479): which counters of a key have been seen. A packet may come late, by another path,
// but never twice.

const WORD_BITS = 32;
/** 2 to this is WORD_BITS. */
const WORD_SHIFT = 5;
/** 3 Gbit/s for a quarter of a second: room for a move to a path with a longer delay. 8 KiB a key. */
const WORDS = 2048;

/** Counters older than the newest by more than this are refused. */
export const REPLAY_WINDOW = (WORDS - 1) * WORD_BITS;

export class ReplayWindow {
  readonly #ring = new Int32Array(WORDS);
  #newest = -1;

  /** Marks the counter as seen; false where it was, or is too old to tell. Call only for what was authenticated. */
  accept(counter: number): boolean {
    if (counter > this.#newest) this.#slide(counter);
    else if (this.#newest - counter > REPLAY_WINDOW) return false;
    // Integer arithmetic on the lower 32 bits: the ring's size divides 2^32, so the place is the same.
    const index = ((counter | 0) >>> WORD_SHIFT) & (WORDS - 1);
    const bit = 1 << (counter | 0);
    const seen = this.#ring[index]!;
    this.#ring[index] = seen | bit;
    return (seen & bit) === 0;
  }

  #slide(counter: number): void {
    const from = Math.max(this.#newest, 0);
    this.#newest = counter;
    if (counter - from >= WORDS * WORD_BITS) {
      this.#ring.fill(0);
      return;
    }
    const last = (counter | 0) >>> WORD_SHIFT;
    for (let word = (from | 0) >>> WORD_SHIFT; word !== last;) {
      word = (word + 1) & (2 ** (32 - WORD_SHIFT) - 1);
      this.#ring[word & (WORDS - 1)] = 0;
    }
  }
}
