// The state on the disk: a look at all of it. To mend it, the daemon has to be stopped: ginnel repair.
import type Router from '@koa/router';
import type { StateReport } from '../base/state/check.ts';

export function stateRoutes(router: Router, check: () => Promise<StateReport>): void {
  router.get('/state/check', async context => void (context.body = await check()));
}
