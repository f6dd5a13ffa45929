// What a person may meet of what a node keeps of its peers.
import { defineErrors } from '../../base/errors.ts';

export const peerErrors = defineErrors({
  PEER_KEY_CHANGED: {
    what: '{name} shows another key than the one this box knows it by.',
    why: 'Parts of its state were replaced, or someone pretends to be it. The known key stays in use.',
    todo: 'Ask its owner. A box that was set up anew joins with a new invite; then both know each other again.',
    retry: false,
  },
});
