// Max-min fairness: how much each may have of what is too little for all. Whoever wants less than an equal part gets what
// it wants, and what it leaves is divided among the others ("water filling").

/**
 * The level to which everybody may fill up: the sum of min(demand, level) is `capacity`. Infinity: there is enough for all.
 * Demands and capacity in the same unit; a demand may be Infinity.
 */
export function waterLevel(demands: readonly number[], capacity: number): number {
  const rising = [...demands].sort((a, b) => a - b);
  let left = capacity;
  for (const [served, demand] of rising.entries()) {
    const level = left / (rising.length - served);
    if (demand > level) return level;
    left -= demand;
  }
  return Infinity;
}

export interface FairRates {
  /** For each demand, in its order: at least what it asks for, where there is enough. */
  readonly rates: readonly number[];
  /** For one that asks for nothing yet. */
  readonly idle: number;
}

/** What each may send until the next measurement. `cap` bounds each; nothing is promised twice. */
export function fairRates(demands: readonly number[], capacity: number, cap: number): FairRates {
  const capped = demands.map(demand => Math.min(demand, cap));
  if (capacity === Infinity) return { rates: capped.map(() => cap), idle: cap };
  const level = waterLevel(capped, capacity);
  if (level !== Infinity)
    return { rates: capped.map(() => Math.min(cap, level)), idle: Math.min(cap, level) };
  // Room for each to grow, and for one more.
  const room = (capacity - capped.reduce((sum, demand) => sum + demand, 0)) / (capped.length + 1);
  return { rates: capped.map(demand => Math.min(cap, demand + room)), idle: Math.min(cap, room) };
}
