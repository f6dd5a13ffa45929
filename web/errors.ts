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
  API_INTERNAL: {
    what: 'Something went wrong inside Ginnel.',
    why: 'The log says more, under {reference}.',
    todo: 'Try again; if it happens again, report it with the log.',
    retry: true,
  },
});
