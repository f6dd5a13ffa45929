// What daemon, node and server answer, as routes: the sockets and the page mount the same ones.
import { setTimeout } from 'node:timers/promises';
import type Koa from 'koa';
import type Router from '@koa/router';
import type { Counters } from '../base/counters.ts';
import type { HealthLine } from '../base/health.ts';
import type { Log } from '../base/log.ts';
import type { SettingsAdmin } from '../base/settings.ts';
import type { StateReport } from '../base/state/check.ts';
import type { NodeAdmin } from '../core/admin.ts';
import type { ServerAdmin } from '../server/admin.ts';
import type { BackupAdmin } from './backup-admin.ts';
import { backupRoutes } from './backup-routes.ts';
import type { ReadBody } from './body.ts';
import type { DaemonAdmin } from './daemon-admin.ts';
import { daemonRoutes } from './daemon-routes.ts';
import { apiErrors } from './errors.ts';
import { eventStream } from './event-stream.ts';
import { logInRoutes } from './log-in-routes.ts';
import { membersRoutes } from './members-routes.ts';
import { peerRoutes } from './page/peer-routes.ts';
import type { PeersAdmin } from './peers-admin.ts';
import { pluginsRoutes } from './plugins-routes.ts';
import { relaysRoutes } from './relays-routes.ts';
import { settingsRoutes } from './settings-routes.ts';
import { untilHungUp } from './until-hung-up.ts';
import { stateRoutes } from './state-routes.ts';

/** What stands behind the routes. */
export interface RoutesOptions {
  readonly node: NodeAdmin | null;
  readonly server: ServerAdmin | null;
  /** The daemon's own. */
  readonly settings: SettingsAdmin;
  readonly daemon: DaemonAdmin;
  readonly checkState: () => Promise<StateReport>;
  readonly backup: BackupAdmin;
  readonly peers: PeersAdmin;
  readonly version: string;
  readonly pid: number;
  readonly log: Log;
  readonly counters: Counters;
  /** Called after the answer to a request that brought a role up or down, or failed to, was sent. */
  onRolesChanged?(): void;
}

export interface Health {
  readonly version: string;
  readonly pid: number;
  readonly roles: {
    readonly node: 'up' | 'starting' | 'down' | 'absent';
    readonly server: 'up' | 'down' | 'absent';
  };
  /** What is not well with the daemon itself, worst first. */
  readonly health: readonly HealthLine[];
}

type Context = Koa.ParameterizedContext;

/** All of them, into a router with the prefix `/v1`. */
export function registerRoutes(router: Router, options: RoutesOptions, read: ReadBody): void {
  router.get('/health', context => void (context.body = health(options)));
  settingsRoutes(router, '/settings', () => options.settings, read);
  daemonRoutes(router, options.daemon, read, options.log);
  stateRoutes(router, options.checkState);
  backupRoutes(router, options.backup, read);
  const node = (): NodeAdmin => {
    if (options.node === null) throw apiErrors('API_NO_NODE');
    return options.node;
  };
  const server = (): ServerAdmin => {
    if (options.server === null) throw apiErrors('API_NO_SERVER');
    return options.server;
  };
  nodeRoutes(router, node, options, read);
  serverRoutes(router, server, options, read);
  relaysRoutes(router, node, server);
  peerRoutes(router, node, () => options.peers, { read, log: options.log });
}

/** What `GET /v1/health` answers. */
export function health({ version, pid, node, server, daemon }: RoutesOptions): Health {
  return {
    version,
    pid,
    roles: { node: node?.status().state ?? 'absent', server: server?.summary().state ?? 'absent' },
    health: daemon.health(),
  };
}

function nodeRoutes(router: Router, node: () => NodeAdmin, options: RoutesOptions, read: ReadBody): void {
  router.get('/node/status', async context => {
    await looked(node());
    context.body = node().status();
  });
  settingsRoutes(router, '/node/settings', node, read);
  pluginsRoutes(router, () => node().plugins, read);
  router.get('/node/counters', context => void (context.body = node().counters()));
  router.get('/node/peers/:peer/why', async context => {
    await looked(node());
    context.body = node().why(String(context.params['peer']));
  });
  router.post('/node/up', async context => {
    rolesChange(context, options);
    context.body = await node().up(await read(context.req, 'NodeUp'));
  });
  router.post('/node/down', async context => {
    rolesChange(context, options);
    await read(context.req, 'Nothing');
    await node().down();
    context.body = node().status();
  });
  router.post('/node/netcheck', async context => {
    await read(context.req, 'Nothing');
    context.body = await node().netcheck(untilHungUp(context));
  });
  router.post('/node/ping', async context => {
    const asked = await read(context.req, 'Ping');
    context.body = await eventStream(node().ping(asked, untilHungUp(context)), options.log);
    context.type = 'application/x-ndjson';
  });
}

/** A server that does not answer at once is not waited for. */
const LOOK_WITHIN_MS = 500;

function looked(node: NodeAdmin): Promise<void> {
  return Promise.race([node.look(), setTimeout(LOOK_WITHIN_MS, undefined, { ref: false })]);
}

function serverRoutes(
  router: Router,
  server: () => ServerAdmin,
  options: RoutesOptions,
  read: ReadBody,
): void {
  router.get('/server', context => void (context.body = server().summary()));
  settingsRoutes(router, '/server/settings', server, read);
  router.post('/server/up', async context => {
    rolesChange(context, options);
    context.body = await server().up(await read(context.req, 'ServerUp'));
  });
  router.post('/server/down', async context => {
    rolesChange(context, options);
    await read(context.req, 'Nothing');
    await server().down();
    context.body = server().summary();
  });
  logInRoutes(router, server, read);
  membersRoutes(router, () => server().members, read);
  router.post('/server/export', async context => {
    const asked = await read(context.req, 'ServerExport');
    if (asked.move === true) rolesChange(context, options);
    context.body = await server().export(asked);
  });
  router.post('/server/import', async context => {
    rolesChange(context, options);
    context.body = await server().import(await read(context.req, 'ServerImport'));
  });
}

function rolesChange(context: Context, options: RoutesOptions): void {
  context.res.once('close', () => options.onRolesChanged?.());
}

/** Every route of a router, with `{parameters}`: `GET /v1/node/status`. */
export function routesOf(router: Router): readonly string[] {
  return router.stack.flatMap(layer =>
    layer.methods
      .filter(method => method !== 'HEAD')
      .map(method => `${method} ${String(layer.path).replaceAll(/:(\w+)/g, '{$1}')}`),
  );
}
