// Stands between one run of a plugin and the core: whatever the plugin's code throws, rejects or answers, the core gets an
// answer that it can use, and the plugin's state says what was wrong.
import type { Blame } from './blame.ts';
import { within, type Patience } from './deadline.ts';
import { wordsOf } from './words.ts';

export interface GuardOptions {
  readonly blame: Blame<Guard>;
  /** Takes out of a text what a person wants kept secret. */
  scrub(text: string): string;
  /** A part began to give no usable answers. */
  wrong(fault: Fault): void;
  /** Its code failed where nobody waited for an answer: in a timer, a callback, a promise of its own. */
  crashed(guard: Guard, problem: string): void;
}

export interface Fault {
  /** `candidates()`. */
  readonly part: string;
  readonly problem: string;
}

export class Guard {
  readonly #options: GuardOptions;
  readonly #faults = new Map<string, Fault>();
  #depth = 0;
  #isOver = false;

  constructor(options: GuardOptions) {
    this.#options = options;
  }

  /** What it gives no usable answer to now; null: all is well. */
  get fault(): Fault | null {
    return [...this.#faults.values()][0] ?? null;
  }

  /** Is an answer of the plugin awaited further up the stack? */
  get isAsking(): boolean {
    return this.#depth > 0;
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  /** From now on none of its callbacks is called any more. */
  end(): void {
    this.#isOver = true;
  }

  /** Runs the plugin's code; throws what it throws. */
  inside<T>(work: () => T): T {
    return this.#options.blame.inside(this, work);
  }

  /** Runs the core's code that the plugin called. */
  outside<T>(work: () => T): T {
    return this.#options.blame.outside(work);
  }

  /** What `read` makes of the plugin's answer; null where it threw, or `read` did. */
  ask<T>(part: string, work: () => unknown, read: (answer: unknown) => T): T | null {
    this.#depth++;
    try {
      // Reading is the plugin's code too, where it answered with getters.
      const answer = this.inside(() => read(expectPresent(work())));
      this.#faults.delete(part);
      return answer;
    } catch (error) {
      this.#wrong(part, error);
      return null;
    } finally {
      this.#depth--;
    }
  }

  /** Settles when the plugin is done, failed or out of time; never rejects. */
  async wait(part: string, patience: Omit<Patience, 'late'>, work: () => unknown): Promise<void> {
    const late = (): void => undefined;
    try {
      const outcome = await within({ ...patience, late }, async () => {
        await this.inside(work);
      });
      if (outcome.kind === 'timeout')
        this.#wrong(part, new Error(`it was not done within ${patience.timeoutMs / 1000} s`));
      else if (outcome.kind === 'done') this.#faults.delete(part);
    } catch (error) {
      this.#wrong(part, error);
    }
  }

  /** Calls a callback of the plugin. */
  callback(work: () => void): void {
    if (this.#isOver) return;
    try {
      this.inside(work);
    } catch (error) {
      this.crash(error);
    }
  }

  crash(error: unknown): void {
    this.#options.crashed(this, this.words(error));
  }

  words(error: unknown): string {
    return this.#options.scrub(wordsOf(error));
  }

  #wrong(part: string, error: unknown): void {
    const isNew = !this.#faults.has(part);
    const fault = { part, problem: this.words(error) };
    this.#faults.set(part, fault);
    if (isNew) this.#options.wrong(fault);
  }
}

/** Answers are wanted at once; a promise is none, and must not fail with nobody listening. */
function expectPresent(answer: unknown): unknown {
  if (!(answer instanceof Promise)) return answer;
  answer.catch(() => undefined);
  throw new Error('it answered with a promise');
}
