// One peer over time: its last hour, and a test of its speed. Routes of the shared interface: the command has them too.
import type Router from '@koa/router';
import type { Log } from '../../base/log.ts';
import type { NodeAdmin, PeerStatus } from '../../core/admin.ts';
import type { ReadBody } from '../body.ts';
import { eventStream } from '../event-stream.ts';
import type { PeersAdmin } from '../peers-admin.ts';
import { untilHungUp } from '../until-hung-up.ts';
import { apiErrors } from '../errors.ts';

export function peerRoutes(
  router: Router,
  node: () => NodeAdmin,
  peers: () => PeersAdmin,
  { read, log }: { readonly read: ReadBody; readonly log: Log },
): void {
  router.get('/page/peers/:peer/history', context => {
    // Of one that this box knows and is not in touch with, nothing was seen.
    context.body = peers().history(peerOf(node(), String(context.params['peer']))?.id ?? '');
  });
  router.post('/page/peers/:peer/speed', async context => {
    await read(context.req, 'Nothing');
    const named = String(context.params['peer']);
    const peer = peerOf(node(), named);
    if (peer === null) throw apiErrors('PEER_NOT_SHOWN', { peer: named.slice(0, 64) });
    context.body = await eventStream(peers().speed(peer, untilHungUp(context)), log);
    context.type = 'application/x-ndjson';
  });
}

/** By id, name or virtual address; null: it is known, and out of touch. Errors: PEER_UNKNOWN, NODE_DOWN. */
function peerOf(node: NodeAdmin, named: string): PeerStatus | null {
  const { peers } = node.status();
  const found = peers.find(({ id, name, ip4, ip6 }) => [id, name, ip4, ip6].includes(named));
  if (found !== undefined) return found;
  // The node says itself why there is none.
  node.why(named);
  return null;
}
