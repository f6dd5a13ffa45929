// The daemon's log: pino behind the house's `Log`. Keys, tokens and invites never reach it.
import { pino } from 'pino';
import type { DestinationStream, Logger } from 'pino';
import type { Log } from './log.ts';

export interface LogOptions {
  readonly level: 'debug' | 'info' | 'warn' | 'error' | 'silent';
  /** A stream, a file's path (0600), or a file descriptor (1: standard output). */
  readonly destination: DestinationStream | string | number;
}

const SECRET_NAMES = /token|invite|secret|seed|password|private|preshared|psk|proof|keepalive|cookie/i;
const INVITE = /ginnel:[A-Za-z0-9_-]{16,}/gi;
const MAX_DEPTH = 5;

export function openLog(options: LogOptions): Log {
  const { destination } = options;
  const stream =
    typeof destination === 'object'
      ? destination
      : pino.destination({ dest: destination, mode: 0o600, sync: true });
  return wrap(pino({ level: options.level, base: null, timestamp: pino.stdTimeFunctions.isoTime }, stream));
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

function wrap(logger: Logger): Log {
  const write =
    (level: 'debug' | 'info' | 'warn' | 'error') =>
    (message: string, facts?: Record<string, unknown>): void => {
      if (logger.isLevelEnabled(level)) logger[level](redact(facts ?? {}), String(redact(message)));
    };
  return {
    debug: write('debug'),
    info: write('info'),
    warn: write('warn'),
    error: write('error'),
    child: name => wrap(logger.child({ part: name })),
  };
}
