// Relays over the interface: those of the network, why a box has the ones it has, and those that this box keeps.
import type Router from '@koa/router';
import type { NodeAdmin } from '../core/admin.ts';
import type { ServerAdmin } from '../server/admin.ts';

export function relaysRoutes(router: Router, node: () => NodeAdmin, server: () => ServerAdmin): void {
  router.get('/node/relays', context => void (context.body = node().relays()));
  router.get('/server/relays', context => void (context.body = server().relays.shown()));
  router.get('/server/relays/why/:node', context => {
    context.body = server().relays.why(String(context.params['node']));
  });
}
