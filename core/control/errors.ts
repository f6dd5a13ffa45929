// What a person may meet on the node's way to its location server and to its own identity.
// What the server refuses (INVITE_USED, NODE_OFFLINE, …) is in its own catalogue and shown in its own words: `serverFailure`.
import { defineErrors, GinnelError } from '../../base/errors.ts';
import type { Facts } from '../../base/facts.ts';

export const controlErrors = defineErrors({
  SERVER_AWAY: {
    what: 'The location server is not reached at the moment.',
    why: '{reason}',
    todo: 'Boxes that know each other stay connected; it is tried again by itself.',
    retry: true,
  },
  SERVER_UNREACHABLE: {
    what: 'No location server answered.',
    why: 'Tried: {tried}.',
    todo: 'Check that the server runs (ginnel status there), that its port is forwarded, and that this box is online.',
    retry: true,
  },
  SERVER_KEY_WRONG: {
    what: 'The machine that answered is not the location server of this network: it has another key.',
    why: 'Asked: {tried}. The server was set up anew, or its address now belongs to another machine.',
    todo: 'If the server was set up anew, restore its backup, or join again with a new invite.',
    retry: true,
  },
  SERVER_WORD_WRONG: {
    what: 'The location server said something that does not hold ({reason}).',
    why: 'Its signature, or the addresses it gave, do not fit this box or this network.',
    todo: 'Update ginnel on both ends; if it stays, look at the log of the server.',
    retry: true,
  },
  CONTROL_BUSY: {
    what: 'Too many questions to the location server are waiting for an answer.',
    why: 'At most {limit} may wait at once.',
    todo: 'Try again in a few seconds.',
    retry: true,
  },
  PEER_REFUSED: {
    what: 'What the location server says of {name} was refused ({reason}).',
    why: 'A signature does not fit, or its keys are others than the ones this box has known it by.',
    todo: 'If that box was truly set up anew, remove it from the network and let it join again.',
    retry: false,
  },
  IDENTITY_DAMAGED: {
    what: 'The identity of this box cannot be read ({file}: {reason}).',
    why: 'The disk lost it, or someone changed it. It is not replaced by itself: to the network this would be another box.',
    todo: 'Run: sudo ginnel repair. Where that finds no export, restore the file from a backup; or move the state folder away and join again with a new invite.',
    retry: false,
  },
  MEMBERSHIP_DAMAGED: {
    what: 'The membership of this box cannot be read ({file}: {reason}).',
    why: 'The disk lost it, or someone changed it.',
    todo: 'Run: sudo ginnel repair. Where that finds no export, restore the file from a backup; or move it away and join again with a new invite (the identity stays).',
    retry: false,
  },
  IDENTITY_UNWRITABLE: {
    what: '{file} cannot be written ({reason}).',
    why: 'The disk is full or read-only, or ginnel may not write there.',
    todo: 'Make room or mend the rights of the state folder, then start again.',
    retry: true,
  },
  CLOCK_WRONG: {
    what: "This box's clock is {words} the location server's.",
    why: 'A router without a battery starts in 1970 until it reaches a time server.',
    todo: 'Turn on time synchronisation (NTP). Until then ginnel goes by the time of the location server.',
    retry: true,
  },
});

/** Refusals by the server after which trying again is no use until a person has acted. */
const PERMANENT = new Set([
  'INVITE_NEEDED',
  'INVITE_UNKNOWN',
  'INVITE_USED',
  'INVITE_EXPIRED',
  'INVITE_REVOKED',
  'ACCOUNT_REFUSED',
  'ACCOUNT_FULL',
  'CERTIFICATE_REFUSED',
  'CERTIFICATE_EXPIRED',
  'CERTIFICATE_REVOKED',
  'CERTIFICATE_USED',
  'KEY_CHANGED',
  'NODE_REMOVED',
  'PROOF_WRONG',
  'NETWORK_UNKNOWN',
  'NAME_TAKEN',
  'POOL_CLASH',
  'POOL_EXHAUSTED',
  'VERSION',
]);

/** A failure in the server's own words. */
export function serverFailure({ code, message, facts = {} }: Told): GinnelError {
  return new GinnelError(code, message, { retry: !PERMANENT.has(code), details: facts, facts });
}

interface Told {
  readonly code: string;
  readonly message: string;
  readonly facts?: Facts;
}

/** Refusals that end when somebody lets this box in: the server tells that on the connection, which stays open. */
export const isWaiting = (code: string): boolean => code === 'PENDING_APPROVAL' || code === 'NODE_DISABLED';

export const isPermanent = (code: string): boolean => PERMANENT.has(code);
