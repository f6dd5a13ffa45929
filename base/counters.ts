// One registry of counters: every drop, refusal and retry is counted under a dotted name, and shown by `status --json`.

/** A counter is bumped on the hot path as `counter.value++`. */
export interface Counter {
  value: number;
}

export class Counters {
  readonly #all: Map<string, Counter>;
  readonly #prefix: string;

  constructor(all = new Map<string, Counter>(), prefix = '') {
    this.#all = all;
    this.#prefix = prefix;
  }

  /** The counter of that name, made at first use. */
  counter(name: string): Counter {
    const full = this.#prefix + name;
    let counter = this.#all.get(full);
    if (counter === undefined) this.#all.set(full, (counter = { value: 0 }));
    return counter;
  }

  /** The same registry, seen under a prefix: `counters.scope('dataplane')`. */
  scope(prefix: string): Counters {
    return new Counters(this.#all, `${this.#prefix}${prefix}.`);
  }

  snapshot(): Record<string, number> {
    return Object.fromEntries(
      [...this.#all].sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, { value }]) => [name, value]),
    );
  }
}
