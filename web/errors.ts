// What the interface itself refuses; all other codes come from the node and the server behind it.
import { defineErrors } from '../base/errors.ts';

export const apiErrors = defineErrors({
  API_NOT_FOUND: {
    what: 'There is nothing at {method} {path}.',
    why: 'This daemon does not know that address.',
    todo: 'See docs/openapi.yaml for what there is.',
    retry: false,
  },
  API_BODY: {
    what: 'The request was not understood.',
    why: '{problem}.',
    todo: 'Correct the request; docs/openapi.yaml describes each.',
    retry: false,
  },
  API_BODY_TOO_LARGE: {
    what: 'The request was refused.',
    why: 'Its body is larger than {limit} bytes.',
    todo: 'Send less.',
    retry: false,
  },
  API_READ_ONLY: {
    what: 'This socket only answers questions.',
    why: 'It is open to a group; changes go through the control socket.',
    todo: 'Run the command as root: sudo ginnel.',
    retry: false,
  },
  API_NO_NODE: {
    what: 'This daemon cannot run a node.',
    why: 'It was built without that part.',
    todo: 'Reinstall Ginnel.',
    retry: false,
  },
  API_NO_SERVER: {
    what: 'This daemon cannot run a location server.',
    why: 'It was built without that part.',
    todo: 'Reinstall Ginnel.',
    retry: false,
  },
  PEER_NOT_SHOWN: {
    what: 'Nothing is known of {peer} over time.',
    why: 'This box is not in touch with it.',
    todo: 'Reach it first: ginnel ping {peer}.',
    retry: true,
  },
  SPEED_UNDER_WAY: {
    what: 'No speed was measured.',
    why: 'This box is measuring another speed just now; two at once would halve each other.',
    todo: 'Try again in ten seconds.',
    retry: true,
  },
  SPEED_BUSY: {
    what: 'No speed was measured.',
    why: '{peer} is measuring with another box just now.',
    todo: 'Try again in ten seconds.',
    retry: true,
  },
  SPEED_NOT_OFFERED: {
    what: '{peer} takes part in no speed test.',
    why: 'Its setting speed-test is off, its Ginnel is older than this one, or something there keeps the port {port} closed.',
    todo: 'On that box: ginnel set speed-test true, or install the newer Ginnel.',
    retry: false,
  },
  SPEED_OTHER_VERSION: {
    what: '{peer} measures speed in another way than this box.',
    why: 'Another version of Ginnel, or another program, answers at its port {port}.',
    todo: 'Install the same Ginnel on both.',
    retry: false,
  },
  SPEED_UNREACHABLE: {
    what: '{peer} did not answer the speed test.',
    why: '{problem}.',
    todo: 'See whether it is there with: ginnel ping {peer}. A firewall on that box may keep port {port} of its virtual card closed.',
    retry: true,
  },
  SPEED_BROKEN: {
    what: 'The speed test with {peer} broke off.',
    why: '{problem}.',
    todo: 'Try again; how it is reached says: ginnel why {peer}.',
    retry: true,
  },
  API_INTERNAL: {
    what: 'Something went wrong inside Ginnel.',
    why: 'The log says more, under {reference}.',
    todo: 'Try again; if it happens again, report it with the log.',
    retry: true,
  },
});
