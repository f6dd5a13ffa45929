// How fast others behind the same NAT take ports away, from one measurement to the next, and what that means for a
// forecast: so many may be gone until the other end's packets arrive.

/** Others' new mappings per second, where nothing is known yet: a home with a few people and their machines. */
export const USUAL_RATE = 10;
/** The other end's packets leave so long after the measurement, at the least: a signal there and back, and its own measuring. */
export const HORIZON_MS = 500;
export const MAX_DRIFT = 64;

const [LOWEST_RATE, HIGHEST_RATE] = [2, 100];
const UNLIKELY_RATE = 2 * HIGHEST_RATE;
/** Of shorter intervals chance makes too much; in longer ones too much happens, and a range may end. */
const [SHORTEST_MS, LONGEST_MS] = [1_000, 60_000];

/** As many as will not be exceeded in 49 of 50 cases, given how many there are on average (Poisson). */
export const atMost = (average: number): number => Math.ceil(average + 2 * Math.sqrt(average));

/** What `atMost` was made from. */
export const averageOf = (most: number): number => (Math.sqrt(most + 1) - 1) ** 2;

export const driftAt = (rate: number): number =>
  Math.min(MAX_DRIFT, Math.max(2, atMost((rate * HORIZON_MS) / 1_000)));

export const USUAL_DRIFT = driftAt(USUAL_RATE);

/** The rate, now that `foreign` mappings were seen in so many ms; null where that says nothing. */
export function rateFrom(foreign: number, elapsedMs: number, before: number | null): number | null {
  if (foreign < 0 || elapsedMs < SHORTEST_MS || elapsedMs > LONGEST_MS) return before;
  const rate = ((foreign + 1) * 1_000) / elapsedMs;
  // Nobody opens so many: the router counts from somewhere else now.
  if (rate > UNLIKELY_RATE) return before;
  // It comes in bursts: what it was a moment ago counts as much as what it is.
  const blended = before === null || rate > before ? rate : (rate + before) / 2;
  return Math.min(HIGHEST_RATE, Math.max(LOWEST_RATE, blended));
}
