// Randomness is handed in, so that a test can repeat it. Keys and nonces come from `systemRandom` only.
import { randomFillSync, randomInt } from 'node:crypto';

export interface Random {
  bytes(length: number): Uint8Array;
  /** A whole number from 0 up to, not including, `limit`. */
  below(limit: number): number;
}

export const systemRandom: Random = {
  bytes: length => randomFillSync(new Uint8Array(length)),
  below: limit => randomInt(limit),
};

/** The same sequence for the same seed (mulberry32): for tests, simulations and fuzzing, never for keys. */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return (mixed ^ (mixed >>> 14)) >>> 0;
  };
  return {
    bytes: length => Uint8Array.from({ length }, () => next() & 0xff),
    below: limit => next() % limit,
  };
}
