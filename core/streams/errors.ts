// What may go wrong between the TCP doors of two nodes.
import { defineErrors } from '../../base/errors.ts';

export const streamErrors = defineErrors({
  STREAM_UNREACHABLE: {
    what: '{name} does not answer over TCP at {places}.',
    why: 'It is off, or something between lets nothing through ({reason}).',
    todo: 'Nothing: other ways are tried. ginnel why {name} tells what was found.',
    retry: true,
  },
  STREAM_REFUSED: {
    what: '{name} was not let in, or is not who answers at {places} ({reason}).',
    why: 'Somebody else answers there, or this box is no member of the network for it.',
    todo: 'Where it goes on, look at ginnel status on both boxes.',
    retry: true,
  },
});
