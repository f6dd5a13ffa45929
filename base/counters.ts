// One registry of figures: every drop, refusal and retry is counted under a dotted name; gauges are read when somebody
// looks. What the names mean is base/counter-words.ts's; how they look to Prometheus is base/prometheus.ts's.

/** A counter is bumped on the hot path as `counter.value++`. */
export interface Counter {
  value: number;
}

/** Figures of a moment, by their full names in order. */
export interface Readings {
  /** These only grow, from the start of the process. */
  readonly counters: Record<string, number>;
  readonly gauges: Record<string, number>;
}

type Sampler = () => Readonly<Record<string, number>>;

interface Registry {
  readonly counters: Map<string, Counter>;
  readonly samplers: Set<Sampler>;
}

export class Counters {
  readonly #registry: Registry;
  readonly #prefix: string;

  constructor(registry: Registry = { counters: new Map(), samplers: new Set() }, prefix = '') {
    this.#registry = registry;
    this.#prefix = prefix;
  }

  /** The counter of that name, made at first use. */
  counter(name: string): Counter {
    const full = this.#prefix + name;
    const { counters } = this.#registry;
    let counter = counters.get(full);
    if (counter === undefined) counters.set(full, (counter = { value: 0 }));
    return counter;
  }

  /** `read` is asked at each reading, for figures by name (under this prefix). Returns the way to stop that. */
  gauges(read: Sampler): () => void {
    const sampler: Sampler = () => under(this.#prefix, read());
    this.#registry.samplers.add(sampler);
    return () => void this.#registry.samplers.delete(sampler);
  }

  /** The same registry, seen under a prefix: `counters.scope('dataplane')`. */
  scope(prefix: string): Counters {
    return new Counters(this.#registry, `${this.#prefix}${prefix}.`);
  }

  /** The counters alone. */
  snapshot(): Record<string, number> {
    return sorted([...this.#registry.counters].map(([name, { value }]) => [name, value]));
  }

  /** A gauge that cannot be read now is left out, and counted. */
  readings(): Readings {
    const gauges = [...this.#registry.samplers].flatMap(sampler => this.#sample(sampler));
    return { counters: this.snapshot(), gauges: sorted(gauges) };
  }

  #sample(sampler: Sampler): [string, number][] {
    try {
      return Object.entries(sampler()).filter(([, value]) => Number.isFinite(value));
    } catch {
      const failed = 'gauges.unreadable';
      this.#registry.counters.set(failed, {
        value: (this.#registry.counters.get(failed)?.value ?? 0) + 1,
      });
      return [];
    }
  }
}

const under = (prefix: string, figures: Readonly<Record<string, number>>): Record<string, number> =>
  Object.fromEntries(Object.entries(figures).map(([name, value]) => [prefix + name, value]));

const sorted = (entries: [string, number][]): Record<string, number> =>
  Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)));
