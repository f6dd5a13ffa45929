// Starting the daemon beside the command: detached, in a session of its own, with its errors brought back if it dies.
import { spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync, statfsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { baseErrors, type GinnelError } from '../base/errors.ts';
import { errorOf, type Client } from './client.ts';
import { commandErrors } from './errors.ts';
import { makePlaces, type Places } from './places.ts';

export interface LaunchOptions {
  readonly places: Places;
  readonly client: Client;
  /** Program and arguments that run the daemon; it writes its error as JSON on standard error. */
  readonly command: readonly [program: string, ...rest: string[]];
  readonly environment: NodeJS.ProcessEnv;
  /** Where a service manager has the daemon, it is the one to start it. */
  readonly service?: { isOurs(): boolean; start(): void };
  /** How long its socket may stay silent; default 15 s. */
  readonly patienceMs?: number;
}

const LOOK_EVERY_MS = 50;
const ROOM_FOR_WORDS_BYTES = 4096;

/** Whether it had to be started. Rejects with what the daemon died of, or DAEMON_SLOW. */
export async function ensureDaemon(options: LaunchOptions): Promise<'running' | 'started'> {
  if (await answers(options.client)) return 'running';
  const { places, patienceMs = 15_000 } = options;
  makePlaces(places);
  if (options.service?.isOurs() === true) {
    options.service.start();
    return 'started';
  }
  const end = performance.now() + patienceMs;
  let child = launch(options);
  while (performance.now() < end) {
    await new Promise(resolve => setTimeout(resolve, LOOK_EVERY_MS));
    if (await answers(options.client)) return 'started';
    const death = child.death();
    // One that is just leaving still holds the state folder; or another command was faster.
    if (death?.code === 'DAEMON_RUNNING') child = launch(options);
    else if (death !== null) throw death;
  }
  const death = child.death();
  if (death !== null) throw death;
  throw commandErrors('DAEMON_SLOW', {
    socket: places.controlSocket,
    seconds: patienceMs / 1000,
    log: places.log,
  });
}

interface Launched {
  /** What it died of; null while it lives. */
  death(): GinnelError | null;
}

function launch({ places, command, environment }: LaunchOptions): Launched {
  const [program, ...rest] = command;
  const lastWords = join(places.runtime, 'daemon.err');
  const descriptor = openSync(lastWords, 'w', 0o600);
  const stdio = ['ignore', 'ignore', descriptor] as const;
  // One heap for all threads: five megabytes less.
  const env = { MALLOC_ARENA_MAX: '1', ...environment };
  const child = spawn(program, rest, { detached: true, stdio: [...stdio], env, cwd: '/' });
  closeSync(descriptor);
  let failure: Error | null = null;
  child.once('error', error => (failure = error));
  child.unref();
  return {
    death() {
      if (failure !== null) return commandErrors('DAEMON_DIED', { problem: failure.message }, failure);
      const { exitCode, signalCode } = child;
      return exitCode === null && signalCode === null ? null : causeOfDeath(lastWords, exitCode, signalCode);
    },
  };
}

async function answers(client: Client): Promise<boolean> {
  try {
    await client.get('/v1/health');
    return true;
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : '';
    if (code === 'DAEMON_NOT_RUNNING' || code === 'DAEMON_SILENT') return false;
    throw error;
  }
}

function causeOfDeath(lastWords: string, code: number | null, signal: string | null): GinnelError {
  const text = readFileSync(lastWords, 'utf8').trim();
  const told = text.split('\n').find(line => line.startsWith('{"error":'));
  if (told !== undefined) return errorOf((JSON.parse(told) as { error: unknown }).error);
  const folder = dirname(lastWords);
  const free = freeBytes(folder);
  // A full disk takes no last words either.
  if (text === '' && free < ROOM_FOR_WORDS_BYTES)
    return baseErrors('DISK_FULL', { path: folder, freeBytes: free });
  const problem = text === '' ? `it ended with ${signal ?? `code ${String(code)}`}` : text.slice(-500);
  return commandErrors('DAEMON_DIED', { problem });
}

function freeBytes(folder: string): number {
  const { bavail, bsize } = statfsSync(folder);
  return bavail * bsize;
}
