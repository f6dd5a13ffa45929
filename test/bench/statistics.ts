// Few numbers, honestly told: the middle, the ends, and how far they lie apart.

/** NaN where there is none. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? NaN;
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] ?? NaN)) / 2;
}

/** The smallest value that at least `percent` of all do not exceed (nearest rank); NaN where there is none. */
export function percentile(values: readonly number[], percent: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  const rank = Math.max(1, Math.ceil((percent / 100) * sorted.length));
  return sorted[rank - 1] ?? NaN;
}

export interface Spread {
  readonly least: number;
  readonly most: number;
  /** (most - least) / median, in percent. */
  readonly percent: number;
}

export function spread(values: readonly number[]): Spread | null {
  if (values.length === 0) return null;
  const [least, most] = [Math.min(...values), Math.max(...values)];
  return { least, most, percent: ((most - least) / median(values)) * 100 };
}
