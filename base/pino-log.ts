// The daemon's log: pino behind the house's `Log`. Keys, tokens and invites never reach it.
import { pino } from 'pino';
import type { DestinationStream, Logger } from 'pino';
import type { Log } from './log.ts';

export const LOG_LEVELS = ['debug', 'info', 'warn', 'error', 'silent'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

export interface LogOptions {
  readonly level: LogLevel;
  /** A stream, a file's path (0600), or a file descriptor (1: standard output). */
  readonly destination: DestinationStream | string | number;
}

const SECRET_NAMES = /token|invite|secret|seed|password|private|preshared|psk|proof|keepalive|cookie/i;
const INVITE = /ginnel:[A-Za-z0-9_-]{16,}/gi;
const MAX_DEPTH = 5;

/** A log whose level, and that of all its children, can be set at any time. */
export interface LevelledLog extends Log {
  setLevel(level: LogLevel): void;
}

export function openLog(options: LogOptions): LevelledLog {
  const { destination } = options;
  const stream =
    typeof destination === 'object'
      ? destination
      : pino.destination({ dest: destination, mode: 0o600, sync: true });
  const logger = pino({ level: 'debug', base: null, timestamp: pino.stdTimeFunctions.isoTime }, stream);
  const gate: Gate = { level: options.level };
  return { ...wrap(logger, gate), setLevel: level => void (gate.level = level) };
}

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

/** One for a log and all its children: pino's own level is copied when a child is made. */
interface Gate {
  level: LogLevel;
}

function wrap(logger: Logger, gate: Gate): Log {
  const write =
    (level: Exclude<LogLevel, 'silent'>) =>
    (message: string, facts?: Record<string, unknown>): void => {
      if (LOG_LEVELS.indexOf(level) >= LOG_LEVELS.indexOf(gate.level))
        logger[level](redact(facts ?? {}), String(redact(message)));
    };
  return {
    debug: write('debug'),
    info: write('info'),
    warn: write('warn'),
    error: write('error'),
    child: name => wrap(logger.child({ part: name }), gate),
  };
}
