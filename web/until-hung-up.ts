// For work that makes no sense without its asker.
import type Koa from 'koa';

/** Aborted when the asker goes away before the answer is whole. */
export function untilHungUp(context: Koa.ParameterizedContext): AbortSignal {
  const abort = new AbortController();
  context.res.once('close', () => abort.abort());
  return abort.signal;
}
