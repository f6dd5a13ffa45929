// What `ginnel server` shows.
import type { IssuedInvite, ServerSummary } from '../../server/admin.ts';
import { plain, table } from '../words.ts';
import { inviteScreen } from './invites.ts';

export function serverScreen(server: ServerSummary, invite: IssuedInvite, validMs: number): string {
  const hosts = server.addresses.map(address => address.replace(/:\d+$/, ''));
  const where = hosts[0] === undefined ? '' : ` at ${plain(hosts[0])}`;
  const second = server.secondPort === null ? '' : `, second port ${server.secondPort} (UDP)`;
  const outside =
    server.seenFromOutside.length === 0
      ? 'not yet known; the first box to join tells'
      : server.seenFromOutside.map(plain).join(', ');
  const facts = [['  Seen from outside:', outside]];
  const own = hosts.find(isPrivate4);
  if (own !== undefined && hosts.every(host => isPrivate4(host) || host.includes(':')))
    facts.push(['  Behind a router?', `forward ${server.port} TCP+UDP${second} to ${own}`]);
  return [
    `Location server ready${where}, port ${server.port} (TCP and UDP)${second}.`,
    table(facts),
    inviteScreen(invite, validMs),
  ].join('\n');
}

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
