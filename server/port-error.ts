// Why a port could not be opened, in words.
import type { GinnelError } from '../base/errors.ts';
import { serverErrors } from './errors.ts';

export function portError(error: Error, address: string, port: number): GinnelError {
  const code = 'code' in error ? String(error.code) : '';
  const shown = address === '' ? 'this machine' : address;
  return code === 'EADDRINUSE'
    ? serverErrors('SERVER_PORT_TAKEN', { port, address: shown }, error)
    : serverErrors('SERVER_PORT_FORBIDDEN', { port, address: shown, problem: code || error.message }, error);
}
