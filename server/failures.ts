// Errors as failures on the wire: codes and words a node may see, and nothing of the server's own paths.
import { GinnelError } from '../base/errors.ts';
import type { Facts } from '../base/facts.ts';
import type { Failure } from '../protocol/location/messages.ts';
import { serverErrors } from './errors.ts';

const DISK_FULL =
  'The location server cannot store anything. Its disk is full. Whoever runs it must make room; it is tried again by itself. (DISK_FULL)';

export function toFailure(re: number, error: unknown): Failure {
  if (!(error instanceof GinnelError)) return failure(re, serverErrors('SERVER_STATE'));
  if (error.code === 'DISK_FULL') return { type: 'failure', re, code: 'DISK_FULL', message: DISK_FULL };
  return failure(re, error.code in serverErrors.kinds ? error : serverErrors('SERVER_STATE'));
}

const failure = (re: number, { code, message, facts }: GinnelError): Failure => ({
  type: 'failure',
  re,
  code,
  message: message.slice(0, 1000),
  ...told(facts),
});

/** Names, times and counts; what is long or an error of its own is in the words alone. */
function told(facts: Facts): Pick<Failure, 'facts'> {
  const short = Object.entries(facts).filter(
    (entry): entry is [string, string | number] =>
      typeof entry[1] === 'number' || (typeof entry[1] === 'string' && entry[1].length <= 300),
  );
  return short.length === 0 ? {} : { facts: Object.fromEntries(short.slice(0, 8)) };
}
