// Notices by the router's seconds since its start that it has started again, and lost what it had.
import type { EpochRead } from '../../protocol/portmap/epoch.ts';
import { refuse, type Ground, type Look } from './protocol.ts';

/** So many losses in a row, at each look one: its clock means nothing. */
const TRUSTED = 3;

export class EpochWatch {
  readonly #ground: Ground;
  readonly #isGood: (before: EpochRead, now: EpochRead) => boolean;
  #before: EpochRead | null = null;
  #isLost = false;
  #inARow = 0;

  constructor(ground: Ground, isGood: (before: EpochRead, now: EpochRead) => boolean) {
    this.#ground = ground;
    this.#isGood = isGood;
  }

  /** By an answer that was not a look: the next look tells. */
  noted(epochS: number): void {
    const now = { epochS, atMs: this.#ground.clock.monotonicMs() };
    if (this.#before !== null && !this.#isGood(this.#before, now)) {
      this.#isLost = true;
      refuse(this.#ground, 'epoch');
    }
    this.#before = now;
  }

  heard(epochS: number): Exclude<Look, 'silent'> {
    this.noted(epochS);
    this.#inARow = this.#isLost ? this.#inARow + 1 : 0;
    const isRestart = this.#isLost && this.#inARow <= TRUSTED;
    this.#isLost = false;
    return isRestart ? 'restarted' : 'same';
  }
}
