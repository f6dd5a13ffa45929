// By what a node that is not known yet comes in: an invite, an account with its password, or a certificate. What takes
// long is done here, before the registry's turn; what counts is judged in that turn.
import { sourceOf } from '../protocol/ip/source.ts';
import type { LoginRequest } from '../protocol/location/messages.ts';
import { serverErrors } from './errors.ts';
import type { Registry } from './registry.ts';
import type { Ticket } from './ticket.ts';

export interface Knocking {
  readonly channelHash: Uint8Array;
  readonly place: { readonly remote: { readonly address: string } };
}

/** The answer is called from within a change, for a node that is new. Errors: ACCOUNT_REFUSED, LOGIN_RATE_LIMITED. */
export async function ticketFor(
  { nodes, invites, accounts, certificates }: Registry,
  { channelHash, place }: Knocking,
  { node, token, credential }: LoginRequest,
): Promise<() => Ticket> {
  // Known by its key: what it brings beside that is not looked at.
  if (nodes.has(node)) {
    return () => {
      throw serverErrors('INVITE_NEEDED');
    };
  }
  switch (credential?.kind) {
    case 'account':
      return accounts.ticketFor(credential, sourceOf(place.remote.address));
    case 'certificate':
      return () => certificates.ticket(credential, channelHash);
    case undefined:
      return () => invites.ticket(token);
  }
}
