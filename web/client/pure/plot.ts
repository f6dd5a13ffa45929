// The history of a path as a picture: round trips as lines, broken where nothing answered, and where the path became
// another. Coordinates are of a box `WIDTH` by `HEIGHT`.
import type { History, Path } from './wire.ts';

export const WIDTH = 720;
export const HEIGHT = 180;

export interface Run {
  readonly isRelayed: boolean;
  /** For an SVG path. */
  readonly d: string;
}

export interface Plot {
  readonly runs: readonly Run[];
  /** Where nothing answered, as positions from left to right. */
  readonly losses: readonly number[];
  readonly changes: readonly { readonly x: number; readonly at: number }[];
  readonly ticks: readonly { readonly y: number; readonly ms: number }[];
  readonly from: number;
  readonly to: number;
  readonly least: number | null;
  readonly middle: number | null;
  readonly most: number | null;
}

const isRelay = (one: Path['class'] | 'none'): boolean => one === 'relay' || one === 'turn';

/** Null: there is too little to be drawn. */
export function plotOf({ samples, changes, everyMs }: History): Plot | null {
  const first = samples[0];
  const last = samples.at(-1);
  if (first === undefined || last === undefined || samples.length < 2) return null;
  const [from, to] = [first.at, Math.max(last.at, first.at + everyMs)];
  const figures = samples.flatMap(({ rttMs }) => (rttMs === null ? [] : [rttMs])).sort((a, b) => a - b);
  const top = roundUp(figures.at(-1) ?? 1);
  const xOf = (at: number): number => rounded(((at - from) / (to - from)) * WIDTH);
  const yOf = (ms: number): number => rounded(HEIGHT - (ms / top) * HEIGHT);
  return {
    runs: runsOf(samples, everyMs, xOf, yOf),
    losses: samples
      .filter(({ rttMs, loss, class: kind }) => kind !== 'none' && (rttMs === null || loss >= 0.5))
      .map(({ at }) => xOf(at)),
    changes: changes.filter(({ at }) => at >= from && at <= to).map(({ at }) => ({ at, x: xOf(at) })),
    ticks: [0, 0.5, 1].map(share => ({ ms: top * share, y: yOf(top * share) })),
    ...{ from, to, least: figures[0] ?? null, most: figures.at(-1) ?? null },
    middle: figures[Math.floor(figures.length / 2)] ?? null,
  };
}

function runsOf(
  samples: History['samples'],
  everyMs: number,
  xOf: (at: number) => number,
  yOf: (ms: number) => number,
): Run[] {
  const runs: { isRelayed: boolean; points: string[]; lastAt: number }[] = [];
  for (const { at, rttMs, class: kind } of samples) {
    if (rttMs === null) continue;
    const isRelayed = isRelay(kind);
    const run = runs.at(-1);
    const goesOn = run !== undefined && run.isRelayed === isRelayed && at - run.lastAt <= everyMs * 1.6;
    const point = `${xOf(at)} ${yOf(rttMs)}`;
    if (goesOn) {
      run.points.push(point);
      run.lastAt = at;
    } else runs.push({ isRelayed, points: [point], lastAt: at });
  }
  // A single point is drawn too: round ends make a dot of it.
  return runs.map(({ isRelayed, points }) => ({
    isRelayed,
    d: `M${points.join('L')}${points.length === 1 ? 'h0' : ''}`,
  }));
}

/** To 1, 2 or 5 times a power of ten. */
export function roundUp(value: number): number {
  const power = 10 ** Math.floor(Math.log10(Math.max(value, 0.1)));
  return [1, 2, 5, 10].map(step => step * power).find(step => step >= value) ?? value;
}

const rounded = (value: number): number => Math.round(value * 10) / 10;
