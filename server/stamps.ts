// The times that this server signs into assignments and standings: each later than all before it, whatever the clock says,
// for the later word counts.

export class Stamps {
  #last = 0;

  /** This server said it before. */
  note(time: number): void {
    if (time > this.#last) this.#last = time;
  }

  next(now: number): number {
    this.note(Math.max(now, this.#last + 1));
    return this.#last;
  }
}
