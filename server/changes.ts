// One change of the stored state after another, each written as a whole before anybody is told. A write that failed
// leaves open what the disk holds: then all is read anew before the next change.
import type { ScopedStore, StoreOperation } from '../base/store.ts';

export class Changes {
  readonly #store: ScopedStore;
  readonly #readAnew: () => Promise<void>;
  #last: Promise<void> = Promise.resolve();
  #stale = false;

  constructor(store: ScopedStore, readAnew: () => Promise<void>) {
    this.#store = store;
    this.#readAnew = readAnew;
  }

  /** `work` begins when all earlier changes have ended; what it rejects with, this rejects with. */
  run<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#last.then(async () => {
      if (this.#stale) await this.#readAnew();
      this.#stale = false;
      return work();
    });
    this.#last = done.then(
      () => undefined,
      () => undefined,
    );
    return done;
  }

  /** Only from within a change. */
  async write(operations: readonly StoreOperation[]): Promise<void> {
    try {
      await this.#store.batch(operations);
    } catch (error) {
      this.#stale = true;
      throw error;
    }
  }
}
