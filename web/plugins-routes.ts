// The node's plugins over the interface: list and look, turn on and off, set, try again. Secrets are set and never told.
import type Router from '@koa/router';
import type { PluginAdmin, PluginStatus } from '../core/admin.ts';
import type { ReadBody } from './body.ts';

const ORDERS = {
  enable: (admin, plugin) => admin.enable(plugin),
  disable: (admin, plugin) => admin.disable(plugin),
  retry: (admin, plugin) => admin.retry(plugin),
} as const satisfies Readonly<Record<string, (admin: PluginAdmin, plugin: string) => Promise<PluginStatus>>>;

export function pluginsRoutes(router: Router, admin: () => PluginAdmin, read: ReadBody): void {
  router.get('/node/plugins', async context => {
    context.body = { plugins: await admin().list() };
  });
  router.get('/node/plugins/:plugin', async context => {
    context.body = await admin().detail(String(context.params['plugin']));
  });
  router.post('/node/plugins/:plugin/settings', async context => {
    const change = await read(context.req, 'SettingsChange');
    context.body = await admin().configure(String(context.params['plugin']), change);
  });
  for (const [name, order] of Object.entries(ORDERS))
    router.post(`/node/plugins/:plugin/${name}`, async context => {
      await read(context.req, 'Nothing');
      context.body = await order(admin(), String(context.params['plugin']));
    });
}
