// What every contender is to the bench: what it is called and which version it is, and how a pair of it is started.
import type { Place } from '../lab/place.ts';
import type { LocationServer } from '../lab/ginnel.ts';
import type { Home, Lab } from '../lab/topology.ts';
import type { Version } from './figures.ts';

/** One contender's part of a lab: the two places between which everything is measured. */
export interface Ground {
  readonly lab: Lab;
  readonly homes: readonly [Home, Home];
  readonly one: Place;
  readonly other: Place;
  /** The same for all of a lab; started when first asked for. */
  locationServer(): Promise<LocationServer>;
}

export interface Contender {
  readonly name: string;
  readonly label: string;
  readonly setUp: string;
  /** Programs it needs, and the Debian package of each. */
  readonly tools: Readonly<Record<string, string>>;
  /** Throws where it can't be told: without it there is no comparison. */
  version(): Promise<Version>;
  /** Starts both ends and returns once packets pass. Throws an Error with the reason. */
  start(ground: Ground): Promise<Running>;
}

export interface Running {
  /** The second place's address inside, to measure against from the first. */
  readonly target: string;
  /** The processes whose time and memory count; the first place's first. */
  readonly pids: readonly number[];
}

/** Packets pass, within ten seconds; throws an Error where they don't. */
export async function meets(from: Place, target: string): Promise<void> {
  await from.exec(
    `for try in {1..50}; do ping -c 1 -W 1 -q ${target} >/dev/null && exit; sleep 0.2; done; exit 1`,
    { timeoutMs: 60_000 },
  );
}
