// Signing in and out, the password, and who is signed in.
import type Router from '@koa/router';
import type Koa from 'koa';
import type { ReadBody } from '../body.ts';
import type { Cookies } from './cookies.ts';
import { pageErrors } from './errors.ts';
import { isAskedByAddress } from './guards.ts';
import type { Owner } from './owner.ts';
import type { Session, Sessions } from './sessions.ts';
import { addressOf, browserOf, isPassedOn, isSecure, sourceOf } from './visitor.ts';

type Context = Koa.ParameterizedContext;

export interface SessionParts {
  readonly owner: Owner;
  readonly sessions: Sessions;
  readonly cookies: Cookies;
  readonly read: ReadBody;
  readonly version: string;
  /** This box's, as its owner calls it. */
  readonly name: () => string;
  /** Is this box in no network, and runs none? Then a first visit goes on to that. */
  readonly isNew: () => boolean;
  /** Is that address of the home's own network, or this machine's? */
  readonly isNear: (address: string) => boolean;
}

/** Those that come before a session. */
export function openRoutes(router: Router, parts: SessionParts): void {
  const { owner, read, version, name, isNew } = parts;
  const needsCode = (context: Context): boolean => !owner.isSet && !isAtHome(context, parts);
  router.get('/session', async context => {
    const session = sessionOf(context, parts);
    if (session !== null) await renewIfOld(context, parts, session);
    const facts = { signedIn: session !== null, version, name: name(), isNew: isNew() };
    context.body = { owner: owner.isSet ? 'set' : 'none', needsCode: needsCode(context), ...facts };
  });
  router.post('/owner', async context => {
    const { password, code = '' } = await read(context.req, 'PageOwner');
    await owner.set(sourceOf(context.req), password, needsCode(context) ? code : null);
    await signIn(context, parts);
    context.body = {};
  });
  router.post('/sign-in', async context => {
    const { password } = await read(context.req, 'PageSignIn');
    await owner.check(sourceOf(context.req), password);
    await signIn(context, parts);
    context.body = {};
  });
}

/** `own`: the session that asks. */
export function sessionRoutes(router: Router, parts: SessionParts, own: (context: Context) => Session): void {
  const { owner, sessions, cookies, read } = parts;
  router.post('/page/sign-out', async context => {
    await read(context.req, 'Nothing');
    await sessions.end(own(context).id);
    cookies.take(context);
    context.body = {};
  });
  router.post('/page/password', async context => {
    const asked = await read(context.req, 'PagePassword');
    const session = own(context);
    await owner.change(sourceOf(context.req), asked.old, asked.new);
    await sessions.endAll(session.id);
    cookies.give(context, await sessions.renew(session, false));
    context.body = {};
  });
  router.get('/page/sessions', context => {
    context.body = { sessions: sessions.list(own(context).id) };
  });
  router.post('/page/sessions/:id/end', async context => {
    await read(context.req, 'Nothing');
    const id = String(context.params['id']);
    if (!(await sessions.end(id))) throw pageErrors('PAGE_SESSION_UNKNOWN');
    if (id === own(context).id) cookies.take(context);
    context.body = {};
  });
}

export function sessionOf({ req }: Context, { cookies, sessions }: SessionParts): Session | null {
  for (const token of cookies.tokensOf(req)) {
    const found = sessions.find(token, isSecure(req));
    if (found !== null) return found;
  }
  return null;
}

export async function renewIfOld(
  context: Context,
  { cookies, sessions }: SessionParts,
  session: Session,
): Promise<void> {
  const token = await sessions.renewed(session);
  if (token !== null) cookies.give(context, token);
}

/** Always a new token; one that the browser brought along is not signed in by this, and its session ends. */
async function signIn(context: Context, parts: SessionParts): Promise<void> {
  const { cookies, sessions } = parts;
  const { req } = context;
  const before = sessionOf(context, parts);
  if (before !== null) await sessions.end(before.id);
  const { token } = await sessions.begin(addressOf(req), browserOf(req), isSecure(req));
  cookies.give(context, token);
}

/** Behind a proxy of this box everybody seems to come from here: names and marks of one make it count as elsewhere. */
const isAtHome = ({ req }: Context, { isNear }: SessionParts): boolean =>
  isNear(addressOf(req)) && isAskedByAddress(req) && !isPassedOn(req);
