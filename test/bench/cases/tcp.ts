// TCP through the tunnel: one stream, eight, the other way round, both ways at once.
import type { Case } from '../case.ts';
import { memoryMb, tcp } from '../measures.ts';

type Part = Pick<Case, 'name' | 'says' | 'each'>;

const run = (name: string, says: string, flags: string): Part => ({
  name,
  says,
  each: ({ ground, running, settings }) => tcp(ground, running, settings.seconds, flags),
});

export const one: Part = {
  name: 'tcp',
  says: 'TCP, one stream; memory of the larger daemon after it',
  async each({ ground, running, settings }) {
    const figures = await tcp(ground, running, settings.seconds);
    return running.pids.length === 0 ? figures : { ...figures, memoryMb: await memoryMb(running.pids) };
  },
};
export const eight = run('tcp8', 'TCP, eight streams', '-P 8');
export const reverse = run('reverse', 'TCP, one stream the other way', '-R');
export const both = run('both', 'TCP, both ways at once, added up', '--bidir');
