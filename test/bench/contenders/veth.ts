// Nothing at all between the two places but the cable: what the machine itself can do.
import { release } from 'node:os';
import type { Contender } from '../contender.ts';

export const bareVeth: Contender = {
  name: 'veth',
  label: 'bare veth',
  setUp: 'no tunnel at all',
  tools: {},
  version: () => Promise.resolve({ version: `Linux ${release()}`, date: '' }),
  start: ({ other }) => Promise.resolve({ target: other.address, pids: [] }),
};
