// Errors as failures on the wire: codes and words a node may see, and nothing of the server's own paths.
import { GinnelError } from '../base/errors.ts';
import type { Failure } from '../protocol/location/messages.ts';
import { serverErrors } from './errors.ts';

const DISK_FULL =
  'The location server cannot store anything. Its disk is full. Whoever runs it must make room; it is tried again by itself. (DISK_FULL)';

export function toFailure(re: number, error: unknown): Failure {
  if (!(error instanceof GinnelError)) return failure(re, serverErrors('SERVER_STATE'));
  if (error.code === 'DISK_FULL') return { type: 'failure', re, code: 'DISK_FULL', message: DISK_FULL };
  return failure(re, error.code in serverErrors.kinds ? error : serverErrors('SERVER_STATE'));
}

const failure = (re: number, { code, message }: GinnelError): Failure => ({
  type: 'failure',
  re,
  code,
  message: message.slice(0, 1000),
});
