// Settings over the interface: the same two routes for each owner. Secrets are set here and never told again.
import type Router from '@koa/router';
import type { SettingsAdmin } from '../base/settings.ts';
import type { ReadBody } from './body.ts';

/** `GET path` answers all settings of that owner, `POST path` changes some and answers all. */
export function settingsRoutes(
  router: Router,
  path: string,
  owner: () => SettingsAdmin,
  read: ReadBody,
): void {
  router.get(path, async context => {
    context.body = { settings: await owner().settings() };
  });
  router.post(path, async context => {
    const change = await read(context.req, 'SettingsChange');
    context.body = { settings: await owner().changeSettings(change) };
  });
}
