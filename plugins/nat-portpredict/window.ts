// To how many of the other end's next ports to send, from which one on, and how far apart: so many that those which
// went to others meanwhile at both ends do not matter.
import { averageOf, USUAL_DRIFT } from './noise.ts';

export const MIN_WINDOW = 8;
export const MAX_WINDOW = 32;

/** Destinations `first`, `first + stride`, … as many as `count`, counted in steps of the other end's NAT. */
export interface Window {
  readonly first: number;
  readonly stride: number;
  readonly count: number;
}

/** To an end that counts, from one that does not: its one packet goes by the port that `drift` others left it. */
export function windowTo(drift: number, most: number): Window {
  const furthest = Math.ceil(1.5 * drift);
  const wanted = 1 + furthest;
  const first = drift <= USUAL_DRIFT ? 0 : skipped(averageOf(drift), furthest, most);
  return { first, stride: 1, count: clamp(wanted - first, most) };
}

/**
 * Both count. Of `a` and `b` ports that went to others behind offerer and answerer, the offerer's packet `k` leaves by its
 * port `k + a` to the answerer's port `k`, the answerer's packet `m` by its port `m + b` to the offerer's `2m`. They meet
 * where k = m + b and 2m = k + a: at m = a + b, k = a + 2b. There is one such pair for every a and b; with equal strides
 * there would be one only where a = −b. `most`: what both ends know of each other, and what the settings allow here.
 */
export function windowBetween(
  role: 'offerer' | 'answerer',
  drift: { readonly offerer: number; readonly answerer: number },
  most: { readonly anyone: number; readonly here: number },
): Window {
  const [a, b] = [averageOf(drift.offerer), averageOf(drift.answerer)];
  const kMost = Math.ceil(a + 2 * b + 3 * Math.sqrt(a + 4 * b));
  const mMost = Math.ceil(a + b + 3 * Math.sqrt(a + b));
  // What is skipped must fit: with first ones f and g, k = a + 2b − (2f + g) and m = a + b − (f + g).
  const isBusy = Math.max(drift.offerer, drift.answerer) > USUAL_DRIFT;
  const kSkipped = isBusy ? skipped(a + 2 * b, kMost, most.anyone) : 0;
  const mSkipped = Math.ceil(kSkipped / 2);
  return role === 'offerer'
    ? { first: kSkipped - mSkipped, stride: 1, count: clamp(kMost + 1 - kSkipped, most.here) }
    : { first: 2 * mSkipped - kSkipped, stride: 2, count: clamp(mMost + 1 - mSkipped, most.here) };
}

/**
 * Where not all fits: no more than has to be left out, and of what lies around the average as much on both sides. Only
 * of what was measured: where the usual is assumed, it may be quiet, and the first ones are the likeliest.
 */
const skipped = (average: number, largest: number, most: number): number =>
  Math.max(0, Math.min(largest + 1 - most, Math.round(average - most / 2)));

const clamp = (count: number, most: number): number => Math.min(most, Math.max(MIN_WINDOW, count));
