// The ways into the network that a location server carries: invites.
import type Router from '@koa/router';
import type { ServerAdmin } from '../server/admin.ts';
import type { ReadBody } from './body.ts';

export function logInRoutes(router: Router, server: () => ServerAdmin, read: ReadBody): void {
  router.get('/server/invites', context => void (context.body = { invites: server().invites() }));
  router.post('/server/invites', async context => {
    context.body = await server().invite(await read(context.req, 'Invite'));
  });
  router.post('/server/invites/:id/revoke', async context => {
    await read(context.req, 'Nothing');
    context.body = await server().revokeInvite(String(context.params['id']));
  });
}
