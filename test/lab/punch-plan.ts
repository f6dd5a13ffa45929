// Which homes punch through to which, how often and how: the cells of `npm run grid -- --punch` as data. A cell is a kind of
// home at either end; it is tried by several boxes of each kind, so that each try is the first between its two boxes.
import { shapeOf } from './kinds.ts';
import type { HomeOptions } from './plan.ts';

/** How a pair ends up: by which method directly, or over a relay. */
export type PunchExpectation = 'plain' | 'predict' | 'birthday' | 'tcp' | 'relay';

export interface Cell {
  readonly from: string;
  readonly to: string;
}

export interface PunchSettings {
  readonly tries: number;
  /** `tcp`: no UDP passes at either home. */
  readonly transport: 'udp' | 'tcp';
  /** Another user behind the router of the end that is met, or behind both, opens flows to new addresses all the while. */
  readonly noise: 'none' | 'one' | 'both';
  /**
   * The server's word comes so many ms late to whoever began; null: to each end any time up to `MOST_SKEW_MS`; `each`: from
   * try to try `SKEW_STEP_MS` later, from none to the most.
   */
  readonly skewMs: number | 'each' | null;
  /** Tries under way at once. */
  readonly atOnce: number;
}

export const MOST_SKEW_MS = 100;
export const SKEW_STEP_MS = 10;
export const FOREIGN_PER_SECOND = 10;

/** One port outside for all remotes, and nobody gets in who was not written to. */
const STEADY = ['prc', 'prcnp', 'naive', 'carrier', 'onrouter'];
/** A new port for each remote, by a rule: upwards, downwards, over the end of the range. */
const SEQUENTIAL = ['seq1', 'seq2', 'seq5', 'seqd1', 'seqw2'];
/** A new port for each remote address, or for each remote, without a rule. */
const RULELESS = ['adm', 'sym'];
export const PUNCH_KINDS = [...STEADY, ...SEQUENTIAL, ...RULELESS];

/** With UDP, where both let it pass. */
export function punchExpectation(one: string, other: string): PunchExpectation {
  const [a, b] = [withoutTraits(one), withoutTraits(other)];
  const some = (kinds: readonly string[]): boolean => kinds.includes(a) || kinds.includes(b);
  if (!some(RULELESS)) return some(SEQUENTIAL) ? 'predict' : 'plain';
  return some(STEADY) ? 'birthday' : 'relay';
}

/** Without UDP: both ends call at once, to the port that the other end's NAT will pick. */
export function callExpectation(one: string, other: string): PunchExpectation {
  return punchExpectation(one, other) === 'plain' || punchExpectation(one, other) === 'predict'
    ? 'tcp'
    : 'relay';
}

export function expects({ from, to }: Cell, transport: PunchSettings['transport']): PunchExpectation {
  return transport === 'tcp' ? callExpectation(from, to) : punchExpectation(from, to);
}

/** From the first packet to the direct path, in ms. */
export const BOUND_MS: Readonly<Record<PunchExpectation, number>> = {
  plain: 3000,
  predict: 3000,
  tcp: 3000,
  birthday: 8000,
  /** So long it stays that way. */
  relay: 4000,
};

export function wholeTable(kinds: readonly string[] = PUNCH_KINDS): Cell[] {
  return kinds.flatMap(from => kinds.map(to => ({ from, to })));
}

/** Those that are measured beside other traffic. */
export const NOISY: readonly Cell[] = [
  { from: 'prc', to: 'seq1' },
  { from: 'carrier', to: 'seq1' },
  { from: 'onrouter', to: 'seq2' },
  { from: 'seq1', to: 'seq1' },
  { from: 'seq1', to: 'seq2' },
  { from: 'seq2', to: 'seq5' },
];

export const BIRTHDAYS: readonly Cell[] = ['prc', 'prcnp', 'carrier'].map(to => ({ from: 'sym', to }));

const SETS: Readonly<Record<string, readonly Cell[]>> = {
  all: wholeTable(),
  noisy: NOISY,
  birthday: BIRTHDAYS,
  itself: [...STEADY, 'seq1', 'seq2', 'seq5'].map(kind => ({ from: kind, to: kind })),
};

/** Reads `prc:seq1,noisy`. Throws TypeError on a kind that there is not. */
export function cellsOf(text: string): Cell[] {
  return text.split(',').flatMap(word => {
    const set = SETS[word];
    if (set !== undefined) return set;
    const [from = '', to = ''] = word.split(':');
    for (const kind of [from, to]) shapeOf(kind);
    return [{ from, to }];
  });
}

export interface PunchBox {
  readonly name: string;
  readonly kind: string;
  /** Another user is busy behind its router, all the while. */
  readonly isNoisy: boolean;
}

export interface Meeting {
  readonly from: string;
  readonly to: string;
  readonly cell: Cell;
}

export interface PunchPlan {
  readonly homes: readonly HomeOptions[];
  /** In the order of `homes`. */
  readonly boxes: readonly PunchBox[];
  /** Between two sweeps all boxes and routers forget each other. */
  readonly sweeps: readonly (readonly Meeting[])[];
}

/** More would starve each other on two cores. */
const MOST_BOXES = 26;

/** Throws a TypeError on a kind that there is not. */
export function planPunch(cells: readonly Cell[], settings: PunchSettings): PunchPlan {
  const sides = [cells.map(({ from }) => from), cells.map(({ to }) => to)].map(kinds => [...new Set(kinds)]);
  const count = sides.reduce((sum, kinds) => sum + kinds.length, 0);
  const copies = Math.max(1, Math.min(Math.floor(MOST_BOXES / count), Math.ceil(Math.sqrt(settings.tries))));
  const boxes = sides.flatMap((kinds, side) =>
    kinds.flatMap(kind =>
      Array.from({ length: copies }, (_, copy) => ({
        kind,
        name: nameOf(kind, side, copy),
        isNoisy: settings.noise === 'both' || (settings.noise === 'one' && side === 1),
      })),
    ),
  );
  return {
    boxes,
    homes: boxes.map(({ kind }) => homeFor(kind, settings)),
    sweeps: sweepsOf(cells, settings, copies),
  };
}

function sweepsOf(cells: readonly Cell[], { tries, transport }: PunchSettings, copies: number): Meeting[][] {
  const sweeps: Meeting[][] = [];
  for (let done = 0; done < tries; done += copies * copies) {
    // Round by round each box has another partner.
    const meetings = Array.from({ length: copies * copies }, (_, index) => {
      const [round, copy] = [Math.floor(index / copies), index % copies];
      return cells.map(cell => ({
        cell,
        from: nameOf(cell.from, 0, copy),
        to: nameOf(cell.to, 1, (copy + round) % copies),
      }));
    });
    const wanted = meetings.slice(0, tries - done).flat();
    // Who cannot meet directly tries for a while, and would be in the way of the others.
    sweeps.push(wanted.sort((a, b) => rank(a.cell, transport) - rank(b.cell, transport)));
  }
  return sweeps;
}

const RANKS: readonly PunchExpectation[] = ['plain', 'predict', 'tcp', 'birthday', 'relay'];

function rank(cell: Cell, transport: PunchSettings['transport']): number {
  return RANKS.indexOf(expects(cell, transport));
}

function homeFor(kind: string, { transport, noise }: PunchSettings): HomeOptions {
  return {
    kind: transport === 'tcp' ? `${kind}+noudp` : kind,
    ...(noise === 'none' ? {} : { hosts: 2 }),
  };
}

function nameOf(kind: string, side: number, copy: number): string {
  return `${kind.replaceAll('+', '-')}-${side === 0 ? 'a' : 'b'}${copy}`;
}

function withoutTraits(kind: string): string {
  return kind.split('+')[0] ?? kind;
}
