// The daemon in one line, as `systemctl status` shows it.
import type { NodeAdmin } from '../../core/admin.ts';
import type { ServerAdmin } from '../../server/admin.ts';
import { plain } from '../words.ts';

export interface StatusLineOf {
  readonly node: Pick<NodeAdmin, 'status'> | null;
  readonly server: Pick<ServerAdmin, 'summary'> | null;
  readonly waiting: ReadonlyMap<string, string>;
}

/** `attic-nas 10.77.0.2, 2 of 3 boxes direct; location server, 3 of 4 boxes online`: of those that it has to do with now. */
export function statusLine({ node, server, waiting }: StatusLineOf): string {
  const parts = [
    ...nodePart(node),
    ...serverPart(server),
    ...[...waiting.keys()].map(role => `the ${role} did not come up and is tried again`),
  ];
  return parts.length === 0 ? 'no role yet: ginnel up, or ginnel server' : parts.join('; ');
}

function nodePart(node: StatusLineOf['node']): string[] {
  const status = node?.status();
  if (status === undefined || status.state === 'down') return [];
  if (status.state === 'starting') return ['the node starts'];
  const inTouch = status.peers.filter(({ state }) => state !== 'idle' && state !== 'offline');
  const direct = inTouch.filter(({ state }) => state === 'direct').length;
  const away = status.server.state === 'connected' ? '' : ', location server not reached';
  return [`${plain(status.name)} ${status.ip4}, ${direct} of ${inTouch.length} boxes direct${away}`];
}

function serverPart(server: StatusLineOf['server']): string[] {
  const summary = server?.summary();
  if (summary?.state !== 'up') return [];
  const online = summary.nodes.filter(node => node.online).length;
  return [`location server, ${online} of ${summary.nodes.length} boxes online`];
}
