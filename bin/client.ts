// The command's end of the daemon's sockets: asks, and turns answers back into values and errors.
import { request, type IncomingMessage } from 'node:http';
import { GinnelError } from '../base/errors.ts';
import { commandErrors } from './errors.ts';
import type { Places } from './places.ts';

export interface Client {
  /** From the control socket, or, for those who may not open that, from the read-only one. */
  get<T>(path: string): Promise<T>;
  post<T>(path: string, body: object): Promise<T>;
  /** A stream of NDJSON objects. */
  stream<T extends object>(path: string, body: object, signal: AbortSignal): AsyncIterable<T>;
}

/** Errors: DAEMON_NOT_RUNNING, DAEMON_NOT_ALLOWED, DAEMON_SILENT, and every code the daemon answers with. */
export function clientOf(places: Places): Client {
  const control = (
    method: string,
    path: string,
    body: object | null,
    signal?: AbortSignal,
  ): Promise<IncomingMessage> => ask({ socket: places.controlSocket, method, path, body, signal });
  return {
    async get<T>(path: string): Promise<T> {
      try {
        return await valueOf<T>(await control('GET', path, null));
      } catch (error) {
        if (!(error instanceof GinnelError) || error.code !== 'DAEMON_NOT_ALLOWED') throw error;
        return valueOf<T>(
          await ask({ socket: places.statusSocket, method: 'GET', path, body: null, signal: undefined }),
        );
      }
    },
    post: async <T>(path: string, body: object): Promise<T> => valueOf<T>(await control('POST', path, body)),
    async *stream<T extends object>(path: string, body: object, signal: AbortSignal): AsyncIterable<T> {
      const answer = await control('POST', path, body, signal).catch((error: unknown) => {
        if (signal.aborted) return null;
        throw error;
      });
      if (answer === null) return;
      if (answer.statusCode !== 200) await valueOf(answer);
      yield* linesOf<T>(answer, signal);
    },
  };
}

interface Asked {
  readonly socket: string;
  readonly method: string;
  readonly path: string;
  readonly body: object | null;
  readonly signal: AbortSignal | undefined;
}

function ask({ socket, method, path, body, signal }: Asked): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const text = body === null ? '' : JSON.stringify(body);
    const headers = {
      Host: 'localhost',
      'Content-Type': 'application/json',
      'Content-Length': Buffer.byteLength(text),
    };
    const asking = request({ socketPath: socket, method, path, headers, agent: false, signal }, resolve);
    asking.on('error', error => reject(unreachable(error, socket)));
    asking.end(text);
  });
}

function unreachable(error: Error, socket: string): GinnelError {
  const code = 'code' in error ? error.code : '';
  if (code === 'EACCES' || code === 'EPERM')
    return commandErrors('DAEMON_NOT_ALLOWED', { path: socket }, error);
  if (code === 'ENOENT' || code === 'ECONNREFUSED')
    return commandErrors('DAEMON_NOT_RUNNING', { socket }, error);
  return commandErrors('DAEMON_SILENT', { problem: error.message }, error);
}

async function valueOf<T>(answer: IncomingMessage): Promise<T> {
  const parts: Buffer[] = [];
  try {
    for await (const part of answer as AsyncIterable<Buffer>) parts.push(part);
    const value: unknown = JSON.parse(Buffer.concat(parts).toString('utf8'));
    if (answer.statusCode === 200) return value as T;
    throw errorOf(value);
  } catch (error) {
    if (error instanceof GinnelError) throw error;
    throw commandErrors(
      'DAEMON_SILENT',
      { problem: error instanceof Error ? error.message : String(error) },
      error,
    );
  }
}

async function* linesOf<T extends object>(answer: IncomingMessage, signal: AbortSignal): AsyncIterable<T> {
  let rest = '';
  answer.setEncoding('utf8');
  try {
    for await (const part of answer as AsyncIterable<string>) {
      const lines = (rest + part).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) yield eventOf(line) as T;
    }
  } catch (error) {
    if (signal.aborted) return;
    if (error instanceof GinnelError) throw error;
    throw commandErrors(
      'DAEMON_SILENT',
      { problem: error instanceof Error ? error.message : String(error) },
      error,
    );
  }
}

function eventOf(line: string): object {
  const value = JSON.parse(line) as object;
  if ('type' in value && value.type === 'error') throw errorOf(value);
  return value;
}

/** The daemon's error answer as the error it was. */
export function errorOf(value: unknown): GinnelError {
  const { code, message, retry, details } = { ...(typeof value === 'object' ? value : {}) } as Record<
    string,
    unknown
  >;
  if (typeof code !== 'string' || typeof message !== 'string')
    return commandErrors('DAEMON_SILENT', { problem: 'its answer makes no sense' });
  const facts = typeof details === 'object' && details !== null ? { ...details } : {};
  return new GinnelError(code, message, { retry: retry === true, details: facts });
}
