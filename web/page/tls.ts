// Where the page is served by TLS, plain HTTP leads there and to nothing else; and by which certificate it is served.
import type { IncomingMessage } from 'node:http';
import type Router from '@koa/router';
import type Koa from 'koa';
import type { CertificateShown } from '../daemon-admin.ts';
import { pageErrors } from './errors.ts';
import { isSecure } from './visitor.ts';

export interface TlsOptions {
  /** May that one be answered by TLS alone? */
  readonly isTlsNeeded: (asked: IncomingMessage) => boolean;
  /** Null: the page goes without TLS. */
  readonly certificate: () => CertificateShown | null;
}

/** Comes after the check of `Host`: to that one it leads. Not kept by browsers: the owner may turn TLS off again. */
export const byTlsAlone =
  ({ isTlsNeeded }: TlsOptions) =>
  (context: Koa.ParameterizedContext, next: Koa.Next): Promise<unknown> | undefined => {
    const { req } = context;
    if (isSecure(req) || !isTlsNeeded(req)) return next();
    if (req.method !== 'GET' && req.method !== 'HEAD') throw pageErrors('PAGE_TLS');
    context.status = 308;
    context.set('Location', `https://${req.headers.host ?? ''}${req.url ?? '/'}`);
    context.set('Connection', 'close');
    context.body = '';
    return undefined;
  };

export function certificateRoute(router: Router, { certificate }: TlsOptions): void {
  router.get('/page/certificate', context => {
    context.body = { certificate: certificate() };
  });
}
