// What a bench run leaves: every figure measured, by case and contender, with all that is needed to judge it later.
// Table, drawing, targets and the page in docs/ are made of it alone.

/** One measurement: by the name of each figure, in the unit that the name says. */
export type Figures = Readonly<Record<string, number>>;

/** By the name of each figure, one number for each round. */
export type Samples = Record<string, number[]>;

export interface Version {
  readonly version: string;
  /** `2022-08-21`: when this version was packaged first; for Ginnel, the day of its last commit. */
  readonly date: string;
}

export interface Measured extends Version {
  readonly name: string;
  readonly label: string;
  /** How it seals, and what else a reader has to know of its set-up. */
  readonly setUp: string;
}

export interface Failure {
  readonly contender: string;
  readonly case: string;
  readonly reason: string;
}

export interface Machine {
  readonly model: string;
  readonly cpus: number;
  readonly memoryMb: number;
  readonly kernel: string;
  readonly system: string;
  readonly node: string;
  /** TCP's congestion control, which all connections here take: it decides what a lossy line gives. */
  readonly congestion: string;
}

export interface Noise {
  /** Milliseconds that one and the same calculation took, before each measurement. */
  readonly calculationMs: number[];
  /** The machine's load (one minute) as the run began: work of others. */
  readonly loadBefore: number;
  /** Of the contenders that waited while another was measured, the one that took most: in percent of one core. */
  busiestWaiting: { readonly contender: string; readonly percent: number };
  /** Contenders that were held still (SIGSTOP) while others were measured, since they do not idle quietly. */
  readonly heldStill: string[];
}

export interface Report {
  /** ISO, UTC. */
  readonly startedAt: string;
  minutes: number;
  readonly command: string;
  readonly machine: Machine;
  readonly noise: Noise;
  readonly contenders: Measured[];
  /** By case, then by the contender's name. */
  readonly samples: Record<string, Record<string, Samples>>;
  /** What the product cannot do yet, or a contender was not asked: by case and contender, with the reason. */
  readonly notYet: Failure[];
  readonly failures: Failure[];
}

export function addFigures(report: Report, testCase: string, contender: string, figures: Figures): void {
  const samples = ((report.samples[testCase] ??= {})[contender] ??= {});
  for (const [name, value] of Object.entries(figures)) (samples[name] ??= []).push(value);
}

export function samplesOf(report: Report, testCase: string, contender: string, figure: string): number[] {
  return report.samples[testCase]?.[contender]?.[figure] ?? [];
}
