// The replay window (RFC 6479): which counters of a key have been seen. A packet may come late, by another path,
// but never twice.

const WORD_BITS = 32;
/** 3 Gbit/s for a quarter of a second: room for a move to a path with a longer delay. 8 KiB a key. */
const WORDS = 2048;

/** Counters older than the newest by more than this are refused. */
export const REPLAY_WINDOW = (WORDS - 1) * WORD_BITS;

export class ReplayWindow {
  readonly #ring = new Int32Array(WORDS);
  #newest = -1;

  /** Marks the counter as seen; false where it was, or is too old to tell. Call only for what was authenticated. */
  accept(counter: number): boolean {
    const word = Math.floor(counter / WORD_BITS);
    if (counter > this.#newest) this.#slide(word, counter);
    else if (this.#newest - counter > REPLAY_WINDOW) return false;
    const index = word % WORDS;
    const bit = 1 << (counter % WORD_BITS);
    const seen = this.#ring[index]!;
    this.#ring[index] = seen | bit;
    return (seen & bit) === 0;
  }

  #slide(word: number, counter: number): void {
    const from = Math.floor(Math.max(this.#newest, 0) / WORD_BITS);
    const steps = Math.min(word - from, WORDS);
    for (let step = 1; step <= steps; step++) this.#ring[(from + step) % WORDS] = 0;
    this.#newest = counter;
  }
}
