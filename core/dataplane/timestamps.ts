// The timestamps of our initiations: they only ever grow, also over a restart with a clock that fell back to 1970
// (a router without a battery): peers would refuse an older one for as long as they remember the newer.

/** Where the floor is kept. */
export interface TimestampFloor {
  /** Wall ms below which every timestamp may have been used; 0 for a new node. Called once. */
  load(): number;
  /** Told a floor well ahead of what is in use, so that a write may take its time. Rare (flash wears). */
  save(wallMs: number): void;
}

/** Coarse, so that the timestamp does not tell how this machine's clock drifts. */
const GRAIN_MS = 16;
/** One write is good for so long. */
const RESERVE_MS = 10 * 60_000;

export class Timestamps {
  readonly #floor: TimestampFloor;
  readonly #wallMs: () => number;
  #last: number;
  #reserved: number;

  constructor(floor: TimestampFloor, wallMs: () => number) {
    this.#floor = floor;
    this.#wallMs = wallMs;
    this.#last = this.#reserved = floor.load();
  }

  /** Wall ms, later than any before. */
  next(): number {
    const wall = Math.floor(this.#wallMs() / GRAIN_MS) * GRAIN_MS;
    this.#last = Math.max(wall, this.#last + GRAIN_MS);
    if (this.#last >= this.#reserved) {
      this.#reserved = this.#last + RESERVE_MS;
      this.#floor.save(this.#reserved);
    }
    return this.#last;
  }
}
