// Exit codes are honest and stable: scripts rely on them.
import { CommanderError } from 'commander';
import { GinnelError } from '../base/errors.ts';
import { isPermanent } from '../core/control/errors.ts';

/** 130: as a shell says that Ctrl-C ended it. */
export const EXIT = {
  ok: 0,
  failed: 1,
  usage: 2,
  noDaemon: 3,
  refused: 4,
  waiting: 5,
  interrupted: 130,
} as const;

export const EXIT_CODES_IN_WORDS =
  'Exit codes: 0 done, 1 failed, 2 wrong usage, 3 Ginnel does not run here (or cannot be talked to), 4 refused by the location server, 5 waits for approval';

const NO_DAEMON = new Set(['DAEMON_NOT_RUNNING', 'DAEMON_NOT_ALLOWED', 'DAEMON_SILENT', 'DAEMON_SLOW']);
const MISUSE = new Set([
  'ABILITY_UNKNOWN',
  'API_BODY',
  'POOL_INVALID',
  'SECRET_IN_ARGUMENTS',
  'SECRET_IN_ARGV',
  'SETTING_INVALID',
  'SETTING_UNKNOWN',
  'VALUE_NEEDED',
]);
const ASKED_FOR = new Set(['INVITE_NEEDED', 'INVITE_FILE', 'INVITE_UNREADABLE']);

export function exitCodeOf(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
  if (!(error instanceof GinnelError)) return EXIT.failed;
  if (NO_DAEMON.has(error.code)) return EXIT.noDaemon;
  if (error.code === 'INTERRUPTED') return EXIT.interrupted;
  if (MISUSE.has(error.code)) return EXIT.usage;
  if (ASKED_FOR.has(error.code)) return EXIT.failed;
  const isRefusal =
    isPermanent(error.code) || error.code === 'NODE_DISABLED' || /^(LOGIN|RECORD)_/.test(error.code);
  return isRefusal ? EXIT.refused : EXIT.failed;
}
