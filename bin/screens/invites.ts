// What `ginnel invite` shows. Notes are others' words.
import type { InviteSummary, IssuedInvite } from '../../server/admin.ts';
import { rowsWithin } from '../layout.ts';
import { durationInWords, plain } from '../words.ts';

export function inviteScreen({ invite, uses, approval, id }: IssuedInvite, validMs: number): string {
  const whom = uses === 1 ? 'one box' : uses === null ? 'any number of boxes' : `${uses} boxes`;
  const waits = approval ? ', which then wait for approval' : '';
  const named = uses === 1 && !approval ? '' : ` (${id})`;
  return `Invite${named} for ${whom}${waits}, valid ${durationInWords(validMs / 1000)}:\n  ${invite}`;
}

export function invitesScreen(invites: readonly InviteSummary[], columns: number): string {
  if (invites.length === 0) return 'No invites. Make one with: ginnel invite';
  const rows = invites.map(({ id, state, uses, usesLeft, approval, expires, note }) => ({
    cells: [
      id,
      state,
      uses === null ? 'any number' : `${usesLeft ?? 0} of ${uses} left`,
      dateInWords(expires),
      approval ? 'with approval' : '',
    ],
    more: plain(note),
  }));
  return rowsWithin(columns, [{ cells: ['invite', 'state', 'uses', 'good until', ''] }, ...rows], [0]);
}

export const revokedScreen = ({ id }: InviteSummary): string =>
  `Invite ${plain(id)} lets nobody in any more. Boxes that it let in stay; see ginnel nodes.`;

/** To the minute, in UTC: server and reader may sit in different places. */
export const dateInWords = (ms: number): string =>
  `${new Date(ms).toISOString().slice(0, 16).replace('T', ' ')} UTC`;
