// The session's token in a cookie that no script reads and no other site's request carries.
import type { IncomingMessage } from 'node:http';
import type Koa from 'koa';
import type { Random } from '../../base/random.ts';
import type { ScopedStore } from '../../base/store.ts';
import { SILENCE_MS } from './sessions.ts';
import { isSecure } from './visitor.ts';

/** Another service of this host may have set some of the same name. */
const MOST_TRIED = 4;
const KEY = 'cookie-tag';
const TAG_LENGTH = 8;
const LETTERS = 'abcdefghijklmnopqrstuvwxyz';

export interface CookiesOptions {
  readonly store: ScopedStore;
  readonly random: Random;
  /** What could not be kept; it holds for this run. */
  readonly failed: (error: unknown) => void;
}

/**
 * Cookies do not tell ports apart: two boxes that are reached by one name (tunnels) would sign each other's owners out. So
 * each has a tag of its own in the cookie's name.
 */
export class Cookies {
  readonly #tag: string;

  constructor(tag: string) {
    this.#tag = tag;
  }

  static async open({ store, random, failed }: CookiesOptions): Promise<Cookies> {
    const kept = await store.get(KEY);
    if (typeof kept === 'string' && /^[a-z]{8}$/.test(kept)) return new Cookies(kept);
    const tag = Array.from({ length: TAG_LENGTH }, () => LETTERS[random.below(LETTERS.length)]).join('');
    await store.put(KEY, tag).catch(failed);
    return new Cookies(tag);
  }

  tokensOf(asked: IncomingMessage): string[] {
    const name = this.#nameFor(asked);
    return (asked.headers.cookie ?? '')
      .split(';')
      .map(each => each.trim())
      .filter(each => each.startsWith(`${name}=`))
      .map(each => each.slice(name.length + 1))
      .filter(token => /^[A-Za-z0-9_-]{43}$/.test(token))
      .slice(0, MOST_TRIED);
  }

  give(context: Koa.ParameterizedContext, token: string): void {
    this.#set(context, token, SILENCE_MS / 1000);
  }

  take(context: Koa.ParameterizedContext): void {
    this.#set(context, '', 0);
  }

  #set({ req, res }: Koa.ParameterizedContext, value: string, seconds: number): void {
    const secure = isSecure(req) ? '; Secure' : '';
    res.setHeader(
      'Set-Cookie',
      `${this.#nameFor(req)}=${value}; Path=/; HttpOnly; SameSite=Strict; Max-Age=${seconds}${secure}`,
    );
  }

  #nameFor(asked: IncomingMessage): string {
    return `${isSecure(asked) ? '__Host-' : ''}ginnel-${this.#tag}`;
  }
}
