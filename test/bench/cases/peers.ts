// Many peers configured, one of them busy: what the others cost with nothing to do, and whether they cost speed.
import type { Case } from '../case.ts';
import { idlePercent, memoryMb, tcp } from '../measures.ts';

const IDLE_S = 20;

export const peers = (count: number): Pick<Case, 'name' | 'says' | 'together' | 'each'> => ({
  name: `peers${count}`,
  says: `${count.toLocaleString('en')} peers at the first place, all but one away: its idle CPU and memory; TCP with the one`,
  async together({ running: { pids } }) {
    const first = pids.slice(0, 1);
    return { cpuPercent: await idlePercent(first, IDLE_S), memoryMb: await memoryMb(first) };
  },
  each: ({ ground, running, settings }) => tcp(ground, running, settings.seconds),
});
