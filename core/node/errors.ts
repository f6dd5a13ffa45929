// What may go wrong with a node as a whole.
import { defineErrors } from '../../base/errors.ts';

export const nodeErrors = defineErrors({
  NODE_DOWN: {
    what: 'This box is not on the network.',
    why: '',
    todo: 'Bring it up: ginnel up.',
    retry: false,
  },
  // The location server's catalogue has the same code for a box that it does not know: whoever reads it does the same.
  INVITE_NEEDED: {
    what: 'This box belongs to no network yet.',
    why: 'The first time, it needs an invite, and none was given.',
    todo: 'Get one from whoever runs the network (ginnel invite there), and hand it to ginnel up when asked, on standard input or with --invite-file.',
    retry: false,
  },
  INVITE_UNREADABLE: {
    what: 'This is not a whole invite ({reason}).',
    why: 'A letter may be missing or mistyped.',
    todo: 'Copy the whole line that starts with "ginnel:" and paste it again.',
    retry: false,
  },
  INVITE_EMPTY: {
    what: 'This line tells where the network is, but lets nobody in.',
    why: 'It is the address of the network, not an invite.',
    todo: 'Get an invite from whoever runs the network (ginnel invite there), or log in with ginnel up --account NAME --network LINE.',
    retry: false,
  },
  NETWORK_NEEDED: {
    what: 'This box does not know where the network is.',
    why: 'An account or a certificate says who may come in, not where.',
    todo: 'Add --network LINE_OR_FILE; whoever runs the network gets the line from: ginnel invite --address-only.',
    retry: false,
  },
  ACCOUNT_UNFIT: {
    what: 'There can be no account {name}.',
    why: 'A name has 1 to 63 letters, digits and . _ @ + -, and starts and ends with a letter or digit.',
    todo: 'Check the name: ginnel up --account NAME.',
    retry: false,
  },
  CERTIFICATE_UNFIT: {
    what: 'The certificate cannot be used: {problem}.',
    why: 'Its file holds the certificate of this box first, then those of who issued it; the other file holds its key.',
    todo: 'Check both: ginnel up --certificate FILE --key FILE.',
    retry: false,
  },
  NAME_WRONG: {
    what: 'The name {name} cannot be used.',
    why: 'A name has 1 to 63 letters, digits or hyphens, and starts and ends with a letter or digit.',
    todo: 'Choose another: ginnel up --name NAME.',
    retry: false,
  },
  NAME_NEEDED: {
    what: 'A box always has a name.',
    why: '',
    todo: 'Choose another: ginnel set name NAME.',
    retry: false,
  },
  NOT_JOINED: {
    what: 'This box belongs to no network yet.',
    why: 'Its name and its port are chosen when it joins.',
    todo: 'Join with: ginnel up --name NAME --udp-port PORT.',
    retry: false,
  },
  // Both have the same code in the location server's catalogue: there it is said to the box, here shown by it.
  NODE_REMOVED: {
    what: 'This box was removed from the network.',
    why: 'Whoever runs the network took it out; the other boxes do not talk to it any more.',
    todo: 'To come back it needs a new invite: ginnel invite there, ginnel up --invite-file - here.',
    retry: false,
  },
  NODE_DISABLED: {
    what: 'This box is disabled in the network.',
    why: 'Whoever runs the network shut it out for a while; the other boxes do not talk to it meanwhile.',
    todo: 'It comes back by itself once somebody there says: ginnel nodes enable NAME.',
    retry: false,
  },
  PEER_UNKNOWN: {
    what: 'No box called {peer} is known here.',
    why: 'It is neither a name nor an address in this network.',
    todo: 'Look at ginnel status for the names, or use the address.',
    retry: false,
  },
  PEER_IS_SELF: {
    what: '{peer} is this box itself.',
    why: '',
    todo: 'Name another box; ginnel status lists them.',
    retry: false,
  },
});
