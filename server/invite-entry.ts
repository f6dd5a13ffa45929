// One invite: whether it lets a box in now, and what is shown of it.
import type { InviteSummary } from './admin.ts';
import { serverErrors } from './errors.ts';
import { KEPT_MS } from './registry-entries.ts';
import type { InviteEntry } from './registry-entries.ts';
import type { ServerTime } from './time.ts';

/** Of the hash under which an invite is kept: short enough to type, and of no use to whoever wants in. */
const ID_DIGITS = 8;

export const publicId = (hash: Uint8Array): string => Buffer.from(hash).toString('hex').slice(0, ID_DIGITS);

export const usedOf = ({ used, usedBy }: InviteEntry): number => used ?? (usedBy === null ? 0 : 1);

export function usesLeft(entry: InviteEntry): number | null {
  const { uses = 1 } = entry;
  return uses === null ? null : Math.max(0, uses - usedOf(entry));
}

/** Milliseconds since 1970; null where it was issued by a clock that was wrong: then it counts from when that is mended. */
export const expiryOf = (entry: InviteEntry, time: ServerTime): number | null =>
  time.wasRight(entry.issued) ? entry.issued + entry.validMs : null;

export function stateOf(entry: InviteEntry, time: ServerTime): InviteSummary['state'] {
  if (entry.revokedAt !== undefined) return 'revoked';
  if (usesLeft(entry) === 0) return 'used';
  const expiry = expiryOf(entry, time);
  return expiry !== null && time.isRight() && time.now() > expiry ? 'expired' : 'open';
}

/** Errors: INVITE_REVOKED, INVITE_USED, INVITE_EXPIRED. */
export function refuseOver(entry: InviteEntry, time: ServerTime): void {
  switch (stateOf(entry, time)) {
    case 'revoked':
      throw serverErrors('INVITE_REVOKED');
    case 'used': {
      const { uses = 1 } = entry;
      throw serverErrors('INVITE_USED', { boxes: uses === 1 ? 'one box' : `${String(uses)} boxes` });
    }
    case 'expired':
      throw serverErrors('INVITE_EXPIRED', {
        until: new Date(entry.issued + entry.validMs).toISOString(),
      });
    case 'open':
  }
}

/** Over for so long that nobody asks why it does not work. */
export function isForgotten(entry: InviteEntry, time: ServerTime): boolean {
  const expiry = expiryOf(entry, time);
  const last = Math.max(entry.usedAt ?? 0, entry.revokedAt ?? 0);
  return expiry !== null && time.now() > Math.max(expiry, last) + KEPT_MS;
}

export function summaryOf(id: string, entry: InviteEntry, time: ServerTime): InviteSummary {
  const { uses = 1, note = '', approval = false, issued, validMs } = entry;
  const state = stateOf(entry, time);
  return { id, note, state, uses, usesLeft: usesLeft(entry), approval, issued, expires: issued + validMs };
}
