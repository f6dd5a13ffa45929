// What every request has to pass before it reaches a route: the name it was asked by, where it comes from, what it carries.
import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';
import type Koa from 'koa';
import { pageErrors } from './errors.ts';
import { isSecure } from './visitor.ts';

type Context = Koa.ParameterizedContext;

const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "connect-src 'self'",
  "img-src 'self' data:",
  "font-src 'self'",
  "manifest-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

const HEADERS: Readonly<Record<string, string>> = {
  'Content-Security-Policy': CONTENT_SECURITY_POLICY,
  'X-Frame-Options': 'DENY',
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'no-referrer',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Permissions-Policy': 'camera=(self), geolocation=(), microphone=()',
  // A file with a hash in its name says otherwise.
  'Cache-Control': 'no-store',
};

/** On every answer, refusals too. */
export function secureHeaders(context: Context, next: Koa.Next): Promise<unknown> {
  context.set(HEADERS);
  return next();
}

export const isApiPath = (path: string): boolean => /^\/v1(\/|$)/i.test(path);

const isLook = (method: string | undefined): boolean => method === 'GET' || method === 'HEAD';

/** `names`: by which this box is known beside its addresses; lower case. */
export const ownHostAlone =
  (names: () => readonly string[]) =>
  ({ req }: Context, next: Koa.Next): Promise<unknown> => {
    if (!isOwnHost(req, names())) throw pageErrors('PAGE_HOST', { host: namedHost(req) });
    return next();
  };

export function fromHereAlone(context: Context, next: Koa.Next): Promise<unknown> {
  const { req } = context;
  if (!isFromHere(req, isApiPath(context.path))) throw pageErrors('PAGE_CROSS_SITE');
  if (!isLook(req.method) && !isJson(req)) throw pageErrors('PAGE_BODY_TYPE');
  return next();
}

/**
 * A site that has its name resolved to this box's address (DNS rebinding) asks by that name. An address cannot be rebound,
 * so all addresses will do: a forwarded port or a tunnel may have made it another than this box's own.
 */
function isOwnHost({ headers, rawHeaders, url }: IncomingMessage, names: readonly string[]): boolean {
  const count = rawHeaders.filter((name, at) => at % 2 === 0 && name.toLowerCase() === 'host').length;
  // `GET http://elsewhere/` would be of another host than its header says.
  if (count !== 1 || url?.startsWith('/') !== true) return false;
  const name = hostName(headers.host ?? '');
  if (name === null) return false;
  return isAddress(name) || names.includes(name);
}

const isAddress = (name: string): boolean => isIP(name.replaceAll(/^\[|\]$/g, '')) !== 0;

/** Without its port; null where it is none. */
function hostName(host: string): string | null {
  const found = /^(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::\d{1,5})?$/i.exec(host);
  return found?.[1] === undefined ? null : found[1].toLowerCase().replace(/\.$/, '');
}

/** As far as it may be repeated in an answer. */
const namedHost = ({ headers }: IncomingMessage): string =>
  (hostName(headers.host ?? '') ?? '?').slice(0, 253);

/** Is it this box by one of its addresses, or `localhost`? Otherwise something with a name may stand between. */
export function isAskedByAddress({ headers }: IncomingMessage): boolean {
  const name = hostName(headers.host ?? '');
  return name !== null && (name === 'localhost' || isAddress(name));
}

/**
 * Browsers say where a request comes from by Sec-Fetch-Site (over TLS and to localhost) or Origin; what says nothing may
 * look, but changes nothing. Both are believed only where they agree.
 */
function isFromHere(asked: IncomingMessage, isApi: boolean): boolean {
  const { headers, method } = asked;
  const site = headers['sec-fetch-site'];
  const { origin } = headers;
  if (isLook(method)) {
    // A link from elsewhere may lead to the page, but no other site asks the interface.
    return !isApi || site === undefined || site === 'same-origin' || site === 'none';
  }
  const own = `${isSecure(asked) ? 'https' : 'http'}://${headers.host ?? ''}`.toLowerCase();
  if (origin !== undefined && origin.toLowerCase() !== own) return false;
  return site === undefined ? origin !== undefined : site === 'same-origin';
}

const isJson = ({ headers }: IncomingMessage): boolean =>
  /^application\/json(\s*;\s*charset=utf-8)?$/i.test((headers['content-type'] ?? '').trim());
