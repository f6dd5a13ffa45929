// The ways into the network that a location server carries: invites, accounts, certificates. What holds or makes secrets is a
// POST; no answer but that to a fresh invite or certificate holds one.
import type Router from '@koa/router';
import type { ServerAdmin } from '../server/admin.ts';
import type { AccountsAdmin, CertificatesAdmin } from '../server/log-in-admin.ts';
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
  accountRoutes(router, () => server().accounts, read);
  certificateRoutes(router, () => server().certificates, read);
}

function accountRoutes(router: Router, accounts: () => AccountsAdmin, read: ReadBody): void {
  router.get('/server/accounts', context => void (context.body = { accounts: accounts().list() }));
  router.post('/server/accounts', async context => {
    context.body = await accounts().add(await read(context.req, 'Account'));
  });
  router.post('/server/accounts/:account/password', async context => {
    const { password } = await read(context.req, 'AccountPassword');
    context.body = await accounts().setPassword(String(context.params['account']), password);
  });
  router.post('/server/accounts/:account/remove', async context => {
    await read(context.req, 'Nothing');
    context.body = await accounts().remove(String(context.params['account']));
  });
}

function certificateRoutes(router: Router, certificates: () => CertificatesAdmin, read: ReadBody): void {
  router.get('/server/certificates', context => void (context.body = certificates().list()));
  router.post('/server/certificates/issue', async context => {
    context.body = await certificates().issue(await read(context.req, 'CertificateIssue'));
  });
  router.post('/server/certificates/trust', async context => {
    const { certificate } = await read(context.req, 'CertificateTrust');
    context.body = await certificates().trust(certificate);
  });
  router.post('/server/certificates/authorities/:authority/untrust', async context => {
    await read(context.req, 'Nothing');
    context.body = await certificates().untrust(String(context.params['authority']));
  });
  router.post('/server/certificates/:serial/revoke', async context => {
    await read(context.req, 'Nothing');
    context.body = await certificates().revoke(String(context.params['serial']));
  });
}
