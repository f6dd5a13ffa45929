// UDP datagrams of one size, at rates that rise until more than one in a hundred is lost.
import type { Case } from '../case.ts';
import { udp as send } from '../measures.ts';
import { highestRate } from '../rate-search.ts';

const SECONDS = 2;
/** Packets a second. */
const RATES = [10_000, 20_000, 35_000, 50_000, 70_000, 85_000, 100_000, 125_000];

export const udp = (bytes: number): Pick<Case, 'name' | 'says' | 'each'> => ({
  name: `udp${bytes}`,
  says: `UDP, ${bytes} bytes: packets a second that arrived, at the highest rate with under 1 % lost`,
  async each({ ground, running }) {
    const best = await highestRate(RATES, rate => send(ground, running.target, bytes, rate, SECONDS));
    return best === null
      ? { packetsPerSecond: 0 }
      : { packetsPerSecond: best.arrivedPerSecond, lostPercent: best.lostShare * 100 };
  },
});
