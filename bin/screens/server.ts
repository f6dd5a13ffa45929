// What `ginnel server` and `ginnel invite` show.
import type { IssuedInvite, ServerSummary } from '../../server/admin.ts';
import { durationInWords, plain, table } from '../words.ts';

export function serverScreen(server: ServerSummary, invite: IssuedInvite, validMs: number): string {
  const ports = [server.port, ...(server.secondPort === null ? [] : [`${server.secondPort} (UDP)`])].join(
    ' and ',
  );
  const first = server.addresses[0];
  const where = first === undefined ? '' : ` at ${plain(first)}`;
  const outside =
    server.seenFromOutside.length === 0
      ? 'not yet known; the first box to join tells'
      : server.seenFromOutside.map(plain).join(', ');
  const facts = [['  Seen from outside:', outside]];
  const own = server.addresses.find(isPrivate4);
  if (own !== undefined && server.addresses.every(address => isPrivate4(address) || address.includes(':')))
    facts.push(['  Behind a router?', `forward ${ports} TCP+UDP to ${own}`]);
  return [
    `Location server ready${where}, port ${ports} (TCP and UDP).`,
    table(facts),
    inviteScreen(invite, validMs),
  ].join('\n');
}

export const inviteScreen = ({ invite }: IssuedInvite, validMs: number): string =>
  `Invite for one box, valid ${durationInWords(validMs / 1000)}:\n  ${invite}`;

/** RFC 1918 and RFC 6598: what a router in front hides. */
function isPrivate4(address: string): boolean {
  const [a, b] = address.split('.').map(Number);
  if (a === undefined || b === undefined || !/^\d+(\.\d+){3}$/.test(address)) return false;
  return (
    a === 10 ||
    (a === 172 && b >= 16 && b < 32) ||
    (a === 192 && b === 168) ||
    (a === 100 && b >= 64 && b < 128)
  );
}
