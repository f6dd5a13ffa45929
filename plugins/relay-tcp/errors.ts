// What can stand between this plugin and its work; its report carries the codes.
import { defineErrors } from '../../base/errors.ts';

export const relayErrors = defineErrors({
  RELAY_UNREACHABLE: {
    what: 'None of the boxes that should forward for this one can be reached over TCP.',
    why: 'They are off, or TCP to their ports is blocked on the way out of this network.',
    todo: 'It is tried again at least once a minute. Allow outgoing TCP to port 7443, or let the relays listen on port 443 (web-port), too.',
    retry: true,
  },
  RELAY_ONLY_ONE: {
    what: 'Only one of the boxes that should forward for this one can be reached.',
    why: 'The others are off, or TCP to their ports is blocked.',
    todo: 'Nothing is lost while that one works; the others are tried again at least once a minute.',
    retry: true,
  },
  RELAY_BAD_REGION: {
    what: 'The region in the settings of relay-tcp is not used.',
    why: 'It may have up to 32 letters, digits, blanks, dots, underscores and hyphens, and begins with a letter or digit.',
    todo: 'Choose another: ginnel plugins set relay-tcp region=NAME.',
    retry: false,
  },
  RELAY_NOT_KNOWN: {
    what: 'The way through the relay {relay} cannot be opened.',
    why: 'Where its TCP door is, is not known to the location server.',
    todo: 'Other ways are tried meanwhile.',
    retry: true,
  },
});
