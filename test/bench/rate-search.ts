// The highest rate of packets that comes through: fixed rates upwards, until too many are lost.

export interface RateTry {
  /** Packets a second that arrived. */
  readonly arrivedPerSecond: number;
  /** 0 to 1, of those that were sent. */
  readonly lostShare: number;
}

/** So many may be lost. */
export const LOST_ALLOWED = 0.01;
/** A sender that stays further below the rate than this is at its own end. */
const REACHED = 0.9;
/** One unlucky moment of the machine is no answer. */
const TRIES = 2;

/** The best try under the allowed loss; null: even the lowest rate lost more. `attempt` sends at that many a second. */
export async function highestRate(
  rates: readonly number[],
  attempt: (perSecond: number) => Promise<RateTry>,
): Promise<RateTry | null> {
  let best: RateTry | null = null;
  for (const rate of rates) {
    const passed = await tryTwice(rate, attempt);
    if (passed === null) break;
    if (best === null || passed.arrivedPerSecond > best.arrivedPerSecond) best = passed;
    if (passed.arrivedPerSecond < rate * REACHED) break;
  }
  return best;
}

async function tryTwice(
  rate: number,
  attempt: (perSecond: number) => Promise<RateTry>,
): Promise<RateTry | null> {
  for (let count = 0; count < TRIES; count += 1) {
    const tried = await attempt(rate);
    if (tried.lostShare < LOST_ALLOWED) return tried;
  }
  return null;
}
