// Asks the traversal plugins to measure our mapped address afresh: many may want it at once, it happens once.
import type { Clock } from '../../base/clock.ts';
import type { Traversal } from '../contract/plugin.ts';

/** A measurement this young is taken as it is. */
const FRESH_MS = 500;
/** A NAT may contradict its report for good. */
const RECHECK_EVERY_MS = 600_000;

export class Refresher {
  readonly #clock: Clock;
  readonly #abort = new AbortController();
  #plugins: readonly Traversal[] = [];
  #unsubscribe: (() => void)[] = [];
  #waiting: (() => void)[] = [];
  #isRunning = false;
  #doneAt = -Infinity;
  #recheckedAt = -Infinity;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  setPlugins(plugins: readonly Traversal[], changed: () => void): void {
    for (const end of this.#unsubscribe.splice(0)) end();
    this.#plugins = plugins;
    this.#unsubscribe = plugins.map(plugin => plugin.onChange(changed));
  }

  /** Calls `done` when the mapped address is known afresh, or could not be. */
  refresh(done: () => void): void {
    if (this.#plugins.length === 0 || this.#clock.monotonicMs() - this.#doneAt < FRESH_MS) {
      done();
      return;
    }
    this.#waiting.push(done);
    if (!this.#isRunning) void this.#run();
  }

  /** The whole report, because something does not fit it. */
  recheck(): void {
    const now = this.#clock.monotonicMs();
    if (now - this.#recheckedAt < RECHECK_EVERY_MS) return;
    this.#recheckedAt = now;
    for (const plugin of this.#plugins) void plugin.refresh('full', this.#abort.signal);
  }

  stop(): void {
    this.#abort.abort();
    this.#waiting = [];
    for (const end of this.#unsubscribe.splice(0)) end();
  }

  async #run(): Promise<void> {
    this.#isRunning = true;
    await Promise.all(this.#plugins.map(plugin => plugin.refresh('quick', this.#abort.signal)));
    this.#isRunning = false;
    this.#doneAt = this.#clock.monotonicMs();
    for (const done of this.#waiting.splice(0)) done();
  }
}
