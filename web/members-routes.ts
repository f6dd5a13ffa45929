// Those in the network, what was done to it (the audit log), and its own rules for private and public (V3, V5).
import type Router from '@koa/router';
import type { MembersAdmin } from '../server/admin.ts';
import type { ReadBody } from './body.ts';
import { apiErrors } from './errors.ts';

const AUDIT_MOST = 500;
const AUDIT_USUAL = 100;

export function membersRoutes(router: Router, members: () => MembersAdmin, read: ReadBody): void {
  router.get('/server/nodes', context => void (context.body = members().nodes()));
  for (const [verb, act] of [
    ['approve', 'approveNode'],
    ['disable', 'disableNode'],
    ['enable', 'enableNode'],
    ['remove', 'removeNode'],
  ] as const)
    router.post(`/server/nodes/:node/${verb}`, async context => {
      await read(context.req, 'Nothing');
      context.body = await members()[act](String(context.params['node']));
    });
  router.post('/server/nodes/:node/rename', async context => {
    const { name } = await read(context.req, 'NodeRename');
    context.body = await members().renameNode(String(context.params['node']), name);
  });
  router.get('/server/audit', context => {
    const { after, most } = context.query;
    context.body = members().audit(
      after === undefined ? null : wholeNumber('after', after, Number.MAX_SAFE_INTEGER),
      most === undefined ? AUDIT_USUAL : wholeNumber('most', most, AUDIT_MOST),
    );
  });
  router.get('/server/rules', context => void (context.body = members().rules()));
  router.post('/server/rules', async context => {
    context.body = await members().setRule(await read(context.req, 'Rule'));
  });
  router.post('/server/rules/unset', async context => {
    const { prefix } = await read(context.req, 'RuleUnset');
    context.body = await members().unsetRule(prefix);
  });
}

function wholeNumber(name: string, text: string | readonly string[], most: number): number {
  const value = Number(text);
  if (typeof text !== 'string' || !/^\d{1,16}$/.test(text) || value > most)
    throw apiErrors('API_BODY', { problem: `${name} is a whole number up to ${most}` });
  return value;
}
