// The page on the LAN: the interface of the sockets for a signed-in owner, what a browser needs around it, and the client's
// files. Guards come first, in the order of docs/decisions/0018. Listeners are opened by whoever runs it.
import type { RequestListener } from 'node:http';
import Router from '@koa/router';
import Koa from 'koa';
import type { Clock } from '../../base/clock.ts';
import type { Random } from '../../base/random.ts';
import type { ScopedStore } from '../../base/store.ts';
import { answering, nothingThere } from '../answering.ts';
import { bodyReader } from '../body.ts';
import { registerRoutes, routesOf, type RoutesOptions } from '../routes.ts';
import { pageErrors } from './errors.ts';
import { Cookies } from './cookies.ts';
import { files, inWords } from './files.ts';
import { fromHereAlone, ownHostAlone, secureHeaders } from './guards.ts';
import { Live, MOST_WATCHERS } from './live.ts';
import { Owner, type HashPassword } from './owner.ts';
import { openRoutes, renewIfOld, sessionOf, sessionRoutes, type SessionParts } from './session-routes.ts';
import { Sessions, type Session } from './sessions.ts';
import { byTlsAlone, certificateRoute, type TlsOptions } from './tls.ts';

export interface PageOptions extends RoutesOptions, TlsOptions {
  readonly clock: Clock;
  readonly random: Random;
  /** A corner of its own, for owner and sessions. */
  readonly store: ScopedStore;
  readonly hashPassword: HashPassword;
  /** Where the client was built to. */
  readonly folder: string;
  /** By which this box is known beside its addresses; lower case. */
  readonly names: () => readonly string[];
  /** What this box is called on the page. */
  readonly name: () => string;
  /** Is that address of the home's own network, or this machine's? */
  readonly isNear: (address: string) => boolean;
}

export interface Page {
  /** For `http.createServer`. */
  readonly callback: RequestListener;
  /** Every route it answers, with `{parameters}`, and those of them that need no session. */
  readonly routes: readonly string[];
  readonly openRoutes: readonly string[];
  readonly owner: Owner;
  readonly sessions: Sessions;
  readonly live: Live;
  close(): Promise<void>;
}

type Context = Koa.ParameterizedContext;

export async function createPage(options: PageOptions): Promise<Page> {
  const { log, clock } = options;
  const owner = await Owner.open(options);
  const failed = (error: unknown): void =>
    log.warn('who is signed in was not kept', { error: String(error) });
  const sessions = await Sessions.open({ ...options, failed });
  const live = new Live({
    ...{ clock, routes: options },
    isSignedIn: id => sessions.has(id),
    stillWatching: id => sessions.touch(id),
  });
  sessions.onEnd(id => live.endOf(id));
  const read = bodyReader();
  const cookies = await Cookies.open({ ...options, failed });
  const parts = { ...options, owner, sessions, cookies, read, isNew: () => isNew(options) };
  const open = new Router({ prefix: '/v1/page' });
  openRoutes(open, parts);
  const signedIn = new Router({ prefix: '/v1' });
  sessionRoutes(signedIn, parts, ownSession);
  certificateRoute(signedIn, options);
  liveRoute(signedIn, live);
  registerRoutes(signedIn, options, read);

  const app = new Koa();
  app.use(secureHeaders);
  app.use(inWords);
  app.use(answering(options));
  app.use(ownHostAlone(options.names));
  app.use(byTlsAlone(options));
  app.use(fromHereAlone);
  app.use(files(options.folder));
  app.use(open.routes());
  app.use((context, next) => needSession(context, next, parts));
  app.use(signedIn.routes());
  app.use(nothingThere);
  app.on('error', (error: unknown) => log.debug('an answer was cut short', { error: String(error) }));
  const callback = app.callback();
  return {
    ...{ owner, sessions, live },
    callback: (asked, answer) => void callback(asked, answer),
    routes: [...routesOf(open), ...routesOf(signedIn)],
    openRoutes: routesOf(open),
    async close() {
      live.close();
      await sessions.close();
    },
  };
}

function isNew({ node, server }: PageOptions): boolean {
  const status = node?.status();
  return status?.state === 'down' && status.network === '' && server?.summary().state !== 'up';
}

async function needSession(context: Context, next: Koa.Next, parts: SessionParts): Promise<void> {
  const session = sessionOf(context, parts);
  if (session === null) throw pageErrors('PAGE_SIGN_IN');
  context.state['session'] = session;
  await renewIfOld(context, parts, session);
  await next();
}

const ownSession = (context: Context): Session => context.state['session'] as Session;

function liveRoute(router: Router, live: Live): void {
  router.get('/page/live', context => {
    if (context.method === 'HEAD') {
      context.body = '';
      return;
    }
    if (live.watchers >= MOST_WATCHERS) throw pageErrors('PAGE_BUSY', { most: MOST_WATCHERS });
    context.respond = false;
    live.watch(context.res, ownSession(context).id);
  });
}
