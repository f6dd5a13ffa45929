// What a case is to the bench: data in a table (cases/table.ts), so that adding one is adding an entry.
import type { Trouble } from '../lab/delay.ts';
import type { HomeOptions } from '../lab/plan.ts';
import type { Contender, Ground, Running } from './contender.ts';
import type { Figures } from './figures.ts';

export interface Settings {
  /** Of one TCP run. */
  readonly seconds: number;
  readonly rounds: number;
  /** By which door to the kernel Ginnel goes; empty: koffi. */
  readonly door: string;
}

export interface Measuring {
  readonly ground: Ground;
  readonly running: Running;
  readonly contender: Contender;
  readonly settings: Settings;
}

/** Where cases are measured: what the homes are like, and who is started in them. All cases of one stage share both. */
export interface Stage {
  readonly name: string;
  /** Every contender has a pair of homes of its own, all alike: some would find a way through another's tunnel. */
  readonly homes: readonly [HomeOptions, HomeOptions];
  readonly trouble?: Partial<Trouble>;
  readonly contenders: readonly Contender[];
}

export interface Case {
  readonly name: string;
  /** For the list and the page: what is done, in a few words. */
  readonly says: string;
  readonly stage: Stage;
  /** How many rounds at most; costly ones are content with one. */
  readonly rounds: number;
  /** Part of a quick run too. */
  readonly isQuick?: boolean;
  /** Measured while nothing else goes on, all contenders at once. */
  readonly together?: (measuring: Measuring) => Promise<Figures>;
  /** Measured one contender after the other. Throws NotYet where it has to be left out. */
  readonly each?: (measuring: Measuring) => Promise<Figures>;
}

/** The contender cannot do that, which is an answer and no failure. */
export class NotYet extends Error {}
