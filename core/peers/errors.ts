// What a person may meet of what a node keeps of its peers.
import { defineErrors } from '../../base/errors.ts';

export const peerErrors = defineErrors({
  PEER_KEY_CHANGED: {
    what: '{name} shows another key than the one this box knows it by.',
    why: 'It was set up anew while keeping its identity, or someone pretends to be it. The known key stays in use.',
    todo: 'If it was set up anew: ginnel forget {name}. Otherwise ask whoever runs the network.',
    retry: false,
  },
});
