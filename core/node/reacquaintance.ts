// After each log-in the peers are looked up again, those last heard of first, a few a second: a server that started anew
// has forgotten who wants to hear of whose changes, and this node may have missed some.
import type { Clock, Timer } from '../../base/clock.ts';
import type { Random } from '../../base/random.ts';

/** So many peers at most; the rest is looked up when a packet wants to go there. */
export const MOST = 128;
export const EVERY_MS = 250;

export interface ReacquaintanceOptions {
  readonly clock: Clock;
  readonly random: Random;
  /** Node ids, the least lately heard of first. */
  readonly known: () => readonly string[];
  /** False: the server does not answer now, and the rest waits for the next log-in. */
  readonly lookUp: (id: string) => Promise<boolean>;
}

export class Reacquaintance {
  readonly #options: ReacquaintanceOptions;
  #left: string[] = [];
  #timer: Timer | null = null;

  constructor(options: ReacquaintanceOptions) {
    this.#options = options;
  }

  /** From the beginning, also where one is under way. */
  begin(): void {
    this.#left = this.#options.known().slice(-MOST);
    this.#plan();
  }

  stop(): void {
    this.#left = [];
    this.#timer?.cancel();
    this.#timer = null;
  }

  #plan(): void {
    this.#timer?.cancel();
    const { clock, random } = this.#options;
    this.#timer =
      this.#left.length === 0 ? null : clock.after(EVERY_MS + random.below(EVERY_MS / 2), () => this.#next());
  }

  #next(): void {
    const id = this.#left.pop();
    this.#plan();
    if (id === undefined) return;
    void this.#options.lookUp(id).then(isAnswered => {
      if (!isAnswered) this.stop();
    });
  }
}
