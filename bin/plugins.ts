// The plugins of this box, asked of the daemon, or, where none runs, of the state folder itself.
import { setTimeout as pause } from 'node:timers/promises';
import { GinnelError } from '../base/errors.ts';
import type { SettingsChange } from '../base/settings.ts';
import type { PluginAdmin, PluginStatus } from '../core/admin.ts';
import type { Client } from './client.ts';
import type { Kit } from './commands/command.ts';

/** A daemon that is just coming or going is waited for. */
const PATIENCE_MS = 5_000;
const LOOK_EVERY_MS = 100;

/** What the daemon or the state folder refuses is passed on; DAEMON_RUNNING where a daemon does not get to answering. */
export async function withPlugins<T>(kit: Kit, work: (plugins: PluginAdmin) => Promise<T>): Promise<T> {
  const end = performance.now() + PATIENCE_MS;
  for (;;) {
    if (await answers(kit.client)) return work(pluginsOverApi(kit.client));
    try {
      return await atRest(kit, work);
    } catch (error) {
      if (!hasCode(error, 'DAEMON_RUNNING') || performance.now() > end) throw error;
    }
    await pause(LOOK_EVERY_MS);
  }
}

async function atRest<T>({ around, places }: Kit, work: (plugins: PluginAdmin) => Promise<T>): Promise<T> {
  const resting = await around.pluginsAtRest(places);
  try {
    return await work(resting.plugins);
  } finally {
    await resting.close();
  }
}

const hasCode = (error: unknown, code: string): boolean =>
  error instanceof GinnelError && error.code === code;

const answers = (client: Client): Promise<boolean> =>
  client.get('/v1/health').then(
    () => true,
    (error: unknown) => {
      if (hasCode(error, 'DAEMON_NOT_RUNNING')) return false;
      throw error;
    },
  );

function pluginsOverApi(client: Client): PluginAdmin {
  const path = (plugin: string): string => `/v1/node/plugins/${encodeURIComponent(plugin)}`;
  return {
    list: async () => (await client.get<{ plugins: readonly PluginStatus[] }>('/v1/node/plugins')).plugins,
    detail: plugin => client.get(path(plugin)),
    enable: plugin => client.post(`${path(plugin)}/enable`, {}),
    disable: plugin => client.post(`${path(plugin)}/disable`, {}),
    retry: plugin => client.post(`${path(plugin)}/retry`, {}),
    configure: (plugin, change: SettingsChange) => client.post(`${path(plugin)}/settings`, change),
  };
}
