// The session's token in a cookie that no script reads and no other site's request carries.
import type { IncomingMessage } from 'node:http';
import type Koa from 'koa';
import { SILENCE_MS } from './sessions.ts';
import { isSecure } from './visitor.ts';

/** Cookies do not tell ports apart: another service of this box may have set some of the same name. */
const MOST_TRIED = 4;

const nameFor = (asked: IncomingMessage): string => (isSecure(asked) ? '__Host-ginnel' : 'ginnel');

export function tokensOf(asked: IncomingMessage): string[] {
  const name = nameFor(asked);
  return (asked.headers.cookie ?? '')
    .split(';')
    .map(each => each.trim())
    .filter(each => each.startsWith(`${name}=`))
    .map(each => each.slice(name.length + 1))
    .filter(token => /^[A-Za-z0-9_-]{43}$/.test(token))
    .slice(0, MOST_TRIED);
}

export function giveToken(context: Koa.ParameterizedContext, token: string): void {
  set(context, token, SILENCE_MS / 1000);
}

export function takeToken(context: Koa.ParameterizedContext): void {
  set(context, '', 0);
}

function set({ req, res }: Koa.ParameterizedContext, value: string, seconds: number): void {
  const secure = isSecure(req) ? '; Secure' : '';
  res.setHeader(
    'Set-Cookie',
    `${nameFor(req)}=${value}; Path=/; HttpOnly; SameSite=Strict; Max-Age=${seconds}${secure}`,
  );
}
