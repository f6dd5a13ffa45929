// Whose turn it is to be looked at: first come, first served, in two queues. What is news goes first, but not always, so
// that a crowd that comes and goes does not keep the server from looking at anybody else.

/** After so many turns for news in a row the next one is a regular one's. */
const MOST_IN_A_ROW = 3;

export class LookQueue<T> {
  readonly #urgent = new Set<T>();
  readonly #regular = new Set<T>();
  #inARow = 0;
  /** Where the last one came from. */
  #last = this.#regular;

  /** Waiting already, it keeps its place, or gets a better one. */
  add(one: T, isUrgent: boolean): void {
    if (this.#urgent.has(one)) return;
    if (isUrgent) this.#regular.delete(one);
    (isUrgent ? this.#urgent : this.#regular).add(one);
  }

  /** Null: nobody waits. */
  take(): T | null {
    const isRegular = this.#urgent.size === 0 || (this.#regular.size > 0 && this.#inARow >= MOST_IN_A_ROW);
    this.#inARow = isRegular ? 0 : this.#inARow + 1;
    this.#last = isRegular ? this.#regular : this.#urgent;
    for (const one of this.#last) {
      this.#last.delete(one);
      return one;
    }
    return null;
  }

  /** The one just taken: it has more to look at, after the others. */
  putBack(one: T): void {
    this.#last.add(one);
  }

  remove(one: T): void {
    this.#urgent.delete(one);
    this.#regular.delete(one);
  }
}
