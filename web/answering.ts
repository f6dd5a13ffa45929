// The outermost part of each app: whatever was thrown becomes an answer of one shape.
import { randomUUID } from 'node:crypto';
import type Koa from 'koa';
import type { Counters } from '../base/counters.ts';
import { GinnelError } from '../base/errors.ts';
import type { Log } from '../base/log.ts';
import { errorAnswer, statusOf } from './answers.ts';
import { apiErrors } from './errors.ts';

type Context = Koa.ParameterizedContext;

export interface Answering {
  readonly log: Log;
  readonly counters: Counters;
}

export const answering =
  (options: Answering) =>
  async (context: Context, next: Koa.Next): Promise<void> => {
    try {
      await next();
    } catch (thrown) {
      const error = thrown instanceof GinnelError ? thrown : internal(thrown, options.log);
      options.counters.counter(`api.refused.${error.code}`).value++;
      context.status = statusOf(error);
      context.body = errorAnswer(error);
      // The rest of a body that nobody read must not be taken for the next request.
      if (!context.req.complete) context.set('Connection', 'close');
    }
  };

function internal(thrown: unknown, log: Log): GinnelError {
  const reference = randomUUID();
  const error = thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown);
  log.error('a request failed inside', { reference, error });
  return apiErrors('API_INTERNAL', { reference }, thrown);
}

/** The last one: nobody answered. */
export function nothingThere(context: Context): never {
  throw apiErrors('API_NOT_FOUND', { method: context.method, path: context.path });
}
