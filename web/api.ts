// The interface of the daemon for command and LuCI: HTTP with JSON, described by docs/openapi.yaml. It knows the admin
// interfaces and nothing of what stands behind them. Sockets are opened by whoever runs it.
import Router from '@koa/router';
import Koa from 'koa';
import { answering, nothingThere } from './answering.ts';
import { bodyReader } from './body.ts';
import { apiErrors } from './errors.ts';
import { ownerRoutes } from './owner-routes.ts';
import { registerRoutes, routesOf, type RoutesOptions } from './routes.ts';

export type { Health } from './routes.ts';

/** `read-only`: answers GETs alone, for a socket that a group may open. */
export type Access = 'control' | 'read-only';

export interface ApiOptions extends RoutesOptions {
  readonly access: Access;
}

export interface Api {
  /** For `http.createServer`. */
  readonly callback: ReturnType<Koa['callback']>;
  /** Every route it answers, with `{parameters}`: `GET /v1/node/status`. */
  readonly routes: readonly string[];
}

export function createApi(options: ApiOptions): Api {
  const app = new Koa();
  const router = new Router({ prefix: '/v1' });
  const read = bodyReader();
  registerRoutes(router, options, read);
  ownerRoutes(router, options.daemon, read);
  app.use(answering(options));
  app.use((context, next) => {
    if (options.access === 'read-only' && context.method !== 'GET') throw apiErrors('API_READ_ONLY');
    return next();
  });
  app.use(router.routes());
  app.use(nothingThere);
  app.on('error', (error: unknown) => options.log.debug('an answer was cut short', { error: String(error) }));
  return { callback: app.callback(), routes: routesOf(router) };
}
