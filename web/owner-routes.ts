// The page as the command sees it. Not a part of the page itself: who has a session there must not take the password away.
import type Router from '@koa/router';
import type { ReadBody } from './body.ts';
import type { DaemonAdmin } from './daemon-admin.ts';

export function ownerRoutes(router: Router, daemon: DaemonAdmin, read: ReadBody): void {
  // A POST because the answer may hold the code, which the read-only socket must not tell.
  router.post('/owner', async context => {
    await read(context.req, 'Nothing');
    context.body = await daemon.page();
  });
  router.post('/owner/reset', async context => {
    await read(context.req, 'Nothing');
    context.body = await daemon.resetOwner();
  });
}
