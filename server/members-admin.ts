// What the owner of a network sees and does of those in it, as the admin interface says it: names to numbers, the change in
// the registry, then whoever is connected hears of it.
import { ADDRESS_RULES, scopeOf } from '../protocol/ip/classify.ts';
import { formatHostPort } from '../protocol/location/addresses.ts';
import type { ScopeRule } from '../protocol/location/messages.ts';
import type { AuditPage, AuditShown, MembersAdmin, NodesShown, RulesShown, ServerNode } from './admin.ts';
import { AUDIT_KINDS } from './audit-kinds.ts';
import type { AuditEntry } from './audit.ts';
import { serverErrors } from './errors.ts';
import type { StandingChange } from './members.ts';
import { tellAll, tellStanding } from './news.ts';
import type { NodeEntry } from './registry-entries.ts';
import type { Running } from './start.ts';

type Place = Pick<Running, 'registry' | 'station'>;

const AUDIT_PAGE = 500;

export const membersAdmin = (up: () => Place): MembersAdmin => ({
  nodes: () => nodesShown(up()),
  approveNode: async node => approveNode(up(), node),
  renameNode: async (node, name) => renameNode(up(), node, name),
  disableNode: async node => disableNode(up(), node),
  enableNode: async node => enableNode(up(), node),
  removeNode: async node => removeNode(up(), node),
  audit: (after, most) => auditPage(up(), after, most),
  rules: () => rulesShown(up()),
  setRule: async rule => setRule(up(), rule),
  unsetRule: async prefix => unsetRule(up(), prefix),
});

/** Lets in a box that waits. */
async function approveNode({ registry, station }: Place, what: string): Promise<ServerNode> {
  const { id } = found({ registry }, what);
  const approved = await registry.members.approve(id);
  const node = told(station, approved);
  station.letIn(id);
  return node;
}

async function renameNode({ registry, station }: Place, what: string, name: string): Promise<ServerNode> {
  const entry = await registry.members.rename(found({ registry }, what).id, name);
  if (typeof entry.wantedName === 'string')
    station.desk.presence.session(entry.id)?.send({ type: 'renamed', name: entry.wantedName });
  return station.nodeOf(entry);
}

async function disableNode({ registry, station }: Place, what: string): Promise<ServerNode> {
  return told(station, await registry.members.disable(found({ registry }, what).id));
}

async function enableNode({ registry, station }: Place, what: string): Promise<ServerNode> {
  return told(station, await registry.members.enable(found({ registry }, what).id));
}

/** Answers what it was. */
async function removeNode({ registry, station }: Place, what: string): Promise<ServerNode> {
  const change = await registry.members.remove(found({ registry }, what).id);
  const cameBy = stillOpen(registry, change.entry);
  return { ...told(station, change), online: false, ...(cameBy === null ? {} : { cameBy }) };
}

function stillOpen(
  { accounts, invites }: Place['registry'],
  { admission }: NodeEntry,
): NonNullable<ServerNode['cameBy']> | null {
  if (admission?.by === 'account') {
    const account = accounts.list().find(({ name }) => name.toLowerCase() === admission.account);
    return account === undefined ? null : { by: 'account', id: account.name };
  }
  if (admission?.by !== 'invite') return null;
  const isOpen = invites.list().some(({ id, state }) => id === admission.invite && state === 'open');
  return isOpen ? { by: 'invite', id: admission.invite } : null;
}

function nodesShown({ registry, station }: Place): NodesShown {
  const nodes = [...registry.nodes.values()].map(entry => {
    const registration = station.desk.presence.registration(entry.id);
    const endpoints = [...(registration?.privateAddresses ?? []), ...(registration?.publicAddresses ?? [])];
    const registered = endpoints.map(endpoint => ({
      endpoint: formatHostPort(endpoint.address, endpoint.port),
      scope: scopeOf(registry.rules.table, endpoint.address),
    }));
    return { ...station.nodeOf(entry), registered };
  });
  const removed = registry.standings.entries.flatMap(({ standing, name }) => {
    const isBack = registry.nodes.has(standing.id);
    return standing.state === 'removed' && !isBack ? { id: standing.id, name, at: standing.at } : [];
  });
  return { nodes, removed };
}

function auditPage({ registry: { audit } }: Place, after: number | null, most: number): AuditPage {
  const bounded = Math.min(most, AUDIT_PAGE);
  const entries = after === null ? audit.latest(bounded) : audit.after(after, bounded);
  return { entries: entries.map(shown) };
}

function rulesShown({ registry: { rules } }: Place): RulesShown {
  const isOwn = (prefix: string): boolean => rules.own.some(own => own.prefix === prefix);
  return { own: rules.own, defaults: ADDRESS_RULES.filter(({ prefix }) => !isOwn(prefix)) };
}

async function setRule(place: Place, rule: ScopeRule): Promise<RulesShown> {
  await place.registry.rules.set(rule);
  return rulesTold(place);
}

async function unsetRule(place: Place, prefix: string): Promise<RulesShown> {
  await place.registry.rules.unset(prefix);
  return rulesTold(place);
}

function rulesTold(place: Place): RulesShown {
  tellAll(place.station.desk, { type: 'rules', rules: place.registry.rules.own });
  return rulesShown(place);
}

function told(station: Place['station'], { entry, standing }: StandingChange): ServerNode {
  if (standing !== null) tellStanding(station.desk, standing);
  return station.nodeOf(entry);
}

/** Error: NODE_UNKNOWN. */
function found({ registry }: Pick<Place, 'registry'>, what: string): NodeEntry {
  const entry = registry.find(what);
  if (entry === undefined) throw serverErrors('NODE_UNKNOWN');
  return entry;
}

function shown({ seq, at, what, by, subject, facts }: AuditEntry): AuditShown {
  const told: Readonly<Record<string, unknown>> = { ...facts, by, subject };
  const words = AUDIT_KINDS[what].replaceAll(/\{(\w+)\}/g, (whole, key: string) =>
    key in told ? String(told[key]) : whole,
  );
  return { seq, at, what, by, subject, facts, words };
}
