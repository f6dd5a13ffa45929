// Who is out of the network, told from node to node: a box that was removed stays out with the location server away.
import type { Standings } from '../peers/standings.ts';
import type { Topic } from './hearsay.ts';

export const standingsTopic = (standings: Pick<Standings, 'digest' | 'differing' | 'hear'>): Topic => ({
  name: 'standings',
  digest: () => standings.digest(),
  lacking: digest => standings.differing(digest),
  learn: item => standings.hear(item) === 'new',
});
