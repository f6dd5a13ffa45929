// A peer with a short past and a steady speed.
import type { PeersAdmin } from '../../web/peers-admin.ts';

const AT = Date.UTC(2026, 0, 1);

export const fakePeers: PeersAdmin = {
  history: () => ({
    everyMs: 15_000,
    samples: [
      { at: AT, rttMs: null, loss: 0, class: 'none', label: '' },
      { at: AT + 15_000, rttMs: 61.2, loss: 0.01, class: 'relay', label: 'via office-vps' },
      { at: AT + 30_000, rttMs: 22.4, loss: 0, class: 'direct', label: 'direct UDP' },
    ],
    changes: [
      {
        ...{ at: AT + 30_000, from: 'via office-vps', to: 'direct UDP' },
        ...{ reason: 'the shortest that answers', reasonCode: '', reasonFacts: {} },
      },
    ],
  }),
  async *speed() {
    await Promise.resolve();
    yield { type: 'sample', afterMs: 500, bitsPerSecond: 40_000_000, direction: 'down' };
    yield { type: 'sample', afterMs: 5_500, bitsPerSecond: 12_000_000, direction: 'up' };
    yield { type: 'done', down: 40_000_000, up: 12_000_000 };
  },
};
