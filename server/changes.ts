// One change of the stored state after another, each written as a whole before anybody is told. A write that failed
// leaves open what the disk holds: then all is read anew before the next change.
import type { StoreOperation } from '../base/store.ts';
import type { Audit, AuditedChange } from './audit.ts';

export class Changes {
  readonly #audit: Audit;
  readonly #readAnew: () => Promise<void>;
  #last: Promise<void> = Promise.resolve();
  #stale = false;

  constructor(audit: Audit, readAnew: () => Promise<void>) {
    this.#audit = audit;
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

  /** Only from within a change. What the audit log tells of it is written along. */
  async write(operations: readonly StoreOperation[], ...told: readonly AuditedChange[]): Promise<void> {
    try {
      await this.#audit.batch(operations, ...told);
    } catch (error) {
      this.#stale = true;
      throw error;
    }
  }
}
