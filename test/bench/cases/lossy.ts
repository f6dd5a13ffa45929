// One TCP stream over a line that takes 20 ms each way and loses one packet in a hundred, each way too. The lab's delay is a process
// (netem is not in every kernel) and shares the processors; packets come to it one by one.
import type { Case } from '../case.ts';
import { tcp } from '../measures.ts';

export const LOSSY = { delayMs: 20, lossRate: 0.01 };
const SECONDS = 8;

export const lossy: Pick<Case, 'name' | 'says' | 'each'> = {
  name: 'lossy',
  says: 'TCP, one stream, over a line that takes 20 ms and loses 1 % of the packets, each way',
  each: ({ ground, running }) => tcp(ground, running, SECONDS),
};
