// Whose an error is that nobody caught. A plugin's code runs in a context of its own, which promises, timers and sockets
// that it makes carry on; what comes out at the end of the process can so be led back to the plugin that began it.
import { AsyncLocalStorage } from 'node:async_hooks';

export class Blame<Culprit extends object> {
  readonly #running = new AsyncLocalStorage<Culprit | null>();

  /** Runs foreign code. */
  inside<T>(culprit: Culprit, work: () => T): T {
    return this.#running.run(culprit, work);
  }

  /** Runs our own code, called by foreign code. */
  outside<T>(work: () => T): T {
    return this.#running.run(null, work);
  }

  /** Whose code runs now; null: our own. */
  get culprit(): Culprit | null {
    return this.#running.getStore() ?? null;
  }
}

/** The source file that an error was made in, as a URL; empty: not known. */
export function originOf(error: unknown): string {
  try {
    const stack = error instanceof Error ? String(error.stack) : '';
    return /\bfile:\/\/[^\s()]+?(?=:\d+:\d+)/.exec(stack)?.[0] ?? '';
  } catch {
    // An error that does not let itself be looked at.
    return '';
  }
}
