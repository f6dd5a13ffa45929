// Looking for a peer without the server's help: its last known places are probed, often at first, then rarely, but
// often enough that the openings of both ends' NATs (30 s) overlap.
import { TIMING } from './timing.ts';

export class LonelySearch {
  readonly startedAt: number;
  #nextAt: number;

  constructor(startedAt: number) {
    this.startedAt = startedAt;
    this.#nextAt = startedAt;
  }

  get nextAt(): number {
    return this.#nextAt;
  }

  /** How many of the known places to ask now, best first; 0: it is not time yet. */
  due(now: number): number {
    if (now < this.#nextAt) return 0;
    const age = now - this.startedAt;
    const { every } = TIMING.lonely.find(({ youngerThan }) => age < youngerThan) ?? { every: 15_000 };
    this.#nextAt = now + every;
    return age < 10_000 ? 12 : 4;
  }
}
