// Why a port could not be opened, in words.
import { GinnelError } from '../base/errors.ts';
import { serverErrors } from './errors.ts';

interface Wanted {
  readonly address: string;
  readonly port: number;
  readonly setting: 'port' | 'second-port' | 'web-port';
}

export function portError(error: Error, { address, port, setting }: Wanted): GinnelError {
  const code = 'code' in error ? String(error.code) : '';
  const shown = address === '' ? 'this machine' : address;
  return code === 'EADDRINUSE'
    ? serverErrors('SERVER_PORT_TAKEN', { port, setting, address: shown }, error)
    : serverErrors(
        'SERVER_PORT_FORBIDDEN',
        { port, setting, address: shown, problem: code || error.message },
        error,
      );
}

/** What a claim of a TCP port was refused with, as the location server says it. */
export function claimError(error: unknown, wanted: Wanted): unknown {
  if (!(error instanceof GinnelError)) return error;
  return portError(error.cause instanceof Error ? error.cause : error, wanted);
}
