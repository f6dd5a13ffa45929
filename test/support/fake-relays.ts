// Made-up relays of a made-up network, for tests of the interface and the command.
import type { NodeRelays } from '../../core/admin.ts';
import { serverErrors } from '../../server/errors.ts';
import type { RelaysAdmin } from '../../server/relays/admin.ts';

export const fakeRelays: RelaysAdmin = {
  shown: () => ({
    choice: 'balanced',
    relays: [
      {
        ...{ id: 'office-id', name: 'office-vps', region: 'falkenstein', usable: true, problem: '' },
        ...{ door: ['203.0.113.9:7443'], nodes: 12, firsts: 7, mostNodes: 512 },
        ...{ limit: 200e6, spare: 150e6, cpuLoad: 0.05, load: 0.17 },
      },
      {
        ...{ id: 'shed-id', name: 'shed', region: '', usable: false, door: [], nodes: 0, firsts: 0 },
        problem: 'its TCP door does not answer from outside',
        ...{ mostNodes: 64, limit: null, spare: null, cpuLoad: null, load: null },
      },
    ],
  }),
  why: node => {
    if (node === 'nobody') throw serverErrors('NODE_UNKNOWN');
    return {
      ...{ id: 'cellar-id', name: 'cellar-router', choice: 'balanced' },
      need: 'It needs relays: its TCP door does not answer from outside.',
      ranking: [
        { id: 'office-id', name: 'office-vps', use: 'first', words: '17 % loaded.' },
        { id: 'shed-id', name: 'shed', use: 'not used', words: '40 % loaded; no better than those in use.' },
      ],
    };
  },
};

export const fakeNodeRelays: NodeRelays = {
  serves: { limit: null, spare: 90e6, nodes: 3, mostNodes: 512 },
  region: 'hamburg',
  relays: [
    {
      ...{ id: 'office-id', name: 'office-vps', state: 'kept', isWanted: true, rttMs: 12.25 },
      places: ['203.0.113.9:7443'],
    },
    { id: 'shed-id', name: 'shed', state: 'failed', isWanted: false, rttMs: null, places: [] },
  ],
};
