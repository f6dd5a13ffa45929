// The daemon's log: pino behind the house's `Log`. Keys, tokens and invites never reach it.
import { pino } from 'pino';
import type { DestinationStream, Logger } from 'pino';
import { LEVELS, LogLevels, type Level } from './log-levels.ts';
import type { LogRing } from './log-ring.ts';
import type { Log } from './log.ts';

export interface LogOptions {
  /** One level for all, or levels that may change. */
  readonly level: Level | LogLevels;
  /** A stream, a file's path (0600), or a file descriptor (1: standard output). */
  readonly destination: DestinationStream | string | number;
  /** Keeps the last lines too. */
  readonly ring?: LogRing;
}

const SECRET_NAMES = /token|invite|secret|seed|password|private|preshared|psk|proof|keepalive|cookie/i;
const INVITE = /ginnel:[A-Za-z0-9_-]{16,}/gi;
const MAX_DEPTH = 5;

/** A log whose levels can be set at any time, for all its children too. */
export interface LevelledLog extends Log {
  /** `info`, or `info,node.paths=debug`; false, and nothing is changed, where it does not say levels. */
  setLevel(levels: string): boolean;
}

export function openLog(options: LogOptions): LevelledLog {
  const { level, ring } = options;
  const levels = typeof level === 'string' ? new LogLevels(level) : level;
  const stream = streamOf(options.destination);
  const both: DestinationStream =
    ring === undefined
      ? stream
      : {
          write(line) {
            ring.write(line);
            stream.write(line);
          },
        };
  // Which lines are written is decided here, by part; pino lets all through.
  const logger = pino({ level: 'debug', base: null, timestamp: pino.stdTimeFunctions.isoTime }, both);
  return { ...partLog({ logger, levels }, ''), setLevel: text => levels.set(text) };
}

const streamOf = (destination: LogOptions['destination']): DestinationStream =>
  typeof destination === 'object'
    ? destination
    : pino.destination({ dest: destination, mode: 0o600, sync: true });

/** The same value without secrets: by the names of fields, and invites wherever they stand in text. */
export function redact(value: unknown, depth = 0): unknown {
  if (typeof value === 'string') return value.replaceAll(INVITE, 'ginnel:[redacted]');
  if (value instanceof Error) return redactError(value, depth);
  if (value instanceof Uint8Array) return `[${value.length} bytes]`;
  if (typeof value !== 'object' || value === null) return typeof value === 'bigint' ? String(value) : value;
  if (depth >= MAX_DEPTH) return '[deeper]';
  if (Array.isArray(value)) return value.map(item => redact(item, depth + 1));
  return Object.fromEntries(
    Object.entries(value).map(([name, field]) => [
      name,
      SECRET_NAMES.test(name) && field !== null && typeof field !== 'boolean'
        ? '[redacted]'
        : redact(field, depth + 1),
    ]),
  );
}

function redactError(error: Error, depth: number): unknown {
  const code = 'code' in error ? error.code : undefined;
  const cause = error.cause === undefined || depth >= MAX_DEPTH ? undefined : redact(error.cause, depth + 1);
  return { code, message: redact(error.message), cause };
}

interface Ground {
  readonly logger: Logger;
  readonly levels: LogLevels;
}

type Spoken = Exclude<Level, 'silent'>;

/** `part` is the whole way to it: `node.paths`. */
function partLog(ground: Ground, part: string): Log {
  const { logger, levels } = ground;
  const own = part === '' ? logger : logger.child({ part });
  let seen = -1;
  let threshold = 0;
  const isWritten = (level: Spoken): boolean => {
    if (seen !== levels.changes) {
      seen = levels.changes;
      threshold = LEVELS.indexOf(levels.of(part));
    }
    return LEVELS.indexOf(level) >= threshold;
  };
  const write =
    (level: Spoken) =>
    (message: string, facts?: Record<string, unknown>): void => {
      if (isWritten(level)) own[level](redact(facts ?? {}), String(redact(message)));
    };
  return {
    debug: write('debug'),
    info: write('info'),
    warn: write('warn'),
    error: write('error'),
    child: name => partLog(ground, part === '' ? name : `${part}.${name}`),
  };
}
