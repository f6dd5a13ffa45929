// What `ginnel nodes`, `ginnel audit` and `ginnel rules` show. Names are others' words.
import type { AuditPage, NodeShown, NodesShown, RulesShown, ServerNode } from '../../server/admin.ts';
import { rowsWithin, wrap, type Row } from '../layout.ts';
import { durationInWords, plain, table } from '../words.ts';

export function nodesScreen({ nodes, removed }: NodesShown, nowMs: number, columns: number): string {
  if (nodes.length === 0 && removed.length === 0)
    return 'Nobody is in this network yet. Let a box in with: ginnel invite';
  const rows = [...nodes].sort(byAddress).map(node => rowOf(node, nowMs));
  const pending = nodes.find(({ standing }) => standing === 'pending');
  return [
    ...(rows.length === 0 ? [] : [rowsWithin(columns, rows, [0])]),
    ...removed.map(({ name, id, at }) => wrap(`Removed: ${plain(name) || id}, ${dayOf(at)}`, columns)),
    ...(pending === undefined
      ? []
      : [wrap(`Let it in with: ginnel nodes approve ${plain(pending.name)}`, columns)]),
  ].join('\n');
}

function rowOf({ name, ip4, standing, online, lastSeen, registered }: NodeShown, nowMs: number): Row {
  const ago = durationInWords(Math.max(0, nowMs - lastSeen) / 1000);
  const outside = registered.filter(({ scope }) => scope === 'public').map(({ endpoint }) => endpoint);
  const seen = online ? 'online' : `last seen ${ago} ago`;
  return { cells: [plain(name), ip4, STANDINGS[standing], seen], more: outside.join(' ') };
}

const STANDINGS = { member: 'member', pending: 'waits for approval', disabled: 'disabled' } as const;

const byAddress = (a: NodeShown, b: NodeShown): number =>
  a.ip4.localeCompare(b.ip4, 'en', { numeric: true }) || a.name.localeCompare(b.name, 'en');

export const approvedScreen = ({ name, ip4 }: ServerNode): string =>
  `${plain(name)} is in the network as ${ip4}.`;

export const renamedScreen = (before: string, { name, online }: ServerNode): string =>
  `${plain(before)} is called ${plain(name)} now.${online ? '' : ' It takes the name on when it is online again.'}`;

export const disabledScreen = ({ name }: ServerNode): string =>
  `${plain(name)} is shut out: no other box talks to it, also while the location server is away.\nLet it back in with: ginnel nodes enable ${plain(name)}`;

export const enabledScreen = ({ name }: ServerNode): string => `${plain(name)} is back in the network.`;

export const removedScreen = ({ name, ip4, cameBy }: ServerNode): string =>
  [
    `${plain(name)} (${ip4}) was removed: no other box talks to it, also while the location server is away.`,
    'To come back it needs a new invite: ginnel invite',
    ...(cameBy === undefined ? [] : [REOPENED[cameBy.by](plain(cameBy.id))]),
  ].join('\n');

const REOPENED = {
  account: (id: string) =>
    `It had come in by account ${id}, which may ask again, for your approval. To end that: ginnel accounts remove ${id}`,
  invite: (id: string) =>
    `It had come in by invite ${id}, which may ask again, for your approval. To end that: ginnel invite revoke ${id}`,
};

export const removeQuestion = (name: string): string =>
  `Remove ${plain(name)} from the network for good? It needs a new invite to come back. [y/N] `;

export function auditScreen({ entries }: AuditPage): string {
  if (entries.length === 0) return 'Nothing was written down.';
  return table(
    entries.map(({ at, by, words, facts }) => {
      const more = typeof facts['untold'] === 'number' ? ` (and ${facts['untold']} more like it before)` : '';
      return [timeOf(at), by === 'owner' ? '' : plain(by), `${plain(words)}${more}`];
    }),
  );
}

export function rulesScreen({ own, defaults }: RulesShown): string {
  const set = own.map(({ prefix, scope }) => [prefix, scope, 'set for this network']);
  const usual = defaults.map(({ prefix, scope, source }) => [prefix, scope, source]);
  return `${table([...set, ...usual])}\nOf several that fit, the longest counts. Set one with: ginnel rules set PREFIX private|public|…`;
}

const timeOf = (at: number): string => new Date(at).toISOString().slice(0, 19).replace('T', ' ');
const dayOf = (at: number): string => timeOf(at).slice(0, 10);
