// What `ginnel server` shows.
import type { Forwarding, IssuedInvite, ServerSummary } from '../../server/admin.ts';
import { plain, table } from '../words.ts';
import { inviteScreen } from './invites.ts';
import { changedScreen, type OwnedSetting } from './settings.ts';

export function serverScreen(server: ServerSummary, invite: IssuedInvite, validMs: number): string {
  const hosts = server.addresses.map(address => address.replace(/:\d+$/, ''));
  const where = hosts[0] === undefined ? '' : ` at ${plain(hosts[0])}`;
  const second = server.secondPort === null ? '' : `, second port ${server.secondPort} (UDP)`;
  const web = server.webPort === null ? '' : `, web port ${server.webPort} (TCP)`;
  const outside =
    server.seenFromOutside.length === 0
      ? 'not yet known; the first box to join tells'
      : server.seenFromOutside.map(plain).join(', ');
  const facts = [['  Seen from outside:', outside]];
  if (server.forwarding !== null) facts.push(['  Behind a router:', forwardingInWords(server.forwarding)]);
  return [
    `Location server ready${where}, port ${server.port} (TCP and UDP)${second}${web}.`,
    table(facts),
    inviteScreen(invite, validMs),
  ].join('\n');
}

/** It runs on as it was: what was asked for takes another start. */
export const pendingScreen = (server: ServerSummary, pending: readonly OwnedSetting[]): string =>
  [
    `The location server runs on as it was, port ${server.port} (TCP and UDP). It is not changed yet:`,
    ...changedScreen(pending)
      .split('\n')
      .map(line => `  ${line}`),
    'It prints an invite then; one of now would name what is about to change.',
  ].join('\n');

/** What the router must pass on to which address, and whether that was seen to work. */
export function forwardingInWords({ to, tcp, udp, reachedAs, outside, mapped }: Forwarding): string {
  const both = tcp.filter(port => udp.includes(port)).map(port => `${port} TCP+UDP`);
  const udpOnly = udp.filter(port => !tcp.includes(port)).map(port => `${port} UDP`);
  const tcpOnly = tcp.filter(port => !udp.includes(port)).map(port => `${port} TCP`);
  const ports = inARow([...both, ...udpOnly, ...tcpOnly]);
  const seen = outside.length === 0 ? '' : `; the router is ${outside.map(plain).join(', ')} outside`;
  if (mapped !== null && mapped.length > 0)
    return `it passes ${ports} on to ${to} by itself, as ${mapped.map(plain).join(', ')}`;
  if (reachedAs !== null) return `${ports} to ${to}: reached from outside as ${plain(reachedAs)}${seen}`;
  return `forward ${ports} to ${to}${seen}; not yet reached from outside`;
}

/** `a, b and c`. */
const inARow = (parts: readonly string[]): string =>
  [parts.slice(0, -1).join(', '), ...parts.slice(-1)].filter(part => part !== '').join(' and ');
