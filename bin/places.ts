// Where Ginnel keeps its state and its sockets on this box.
import { chmodSync, mkdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { commandErrors } from './errors.ts';

export interface Places {
  /** 0700: keys and what must last. */
  readonly state: string;
  /** Sockets and log; in memory (/run) unless GINNEL_STATE names a folder of its own. */
  readonly runtime: string;
  readonly store: string;
  readonly controlSocket: string;
  readonly statusSocket: string;
  readonly log: string;
  /** Opens the figures for Prometheus; a secret. */
  readonly metricsToken: string;
}

/** `sockaddr_un` holds no longer path (108 bytes with the final zero). */
const MAX_SOCKET_PATH_BYTES = 107;

/** Throws STATE_FOLDER where the folder's name is too long for a socket in it. */
export function placesOf(environment: Readonly<Record<string, string | undefined>>): Places {
  const own = environment['GINNEL_STATE'];
  const hasOwn = own !== undefined && own !== '';
  const state = hasOwn ? own : '/var/lib/ginnel';
  const runtime = hasOwn ? own : '/run/ginnel';
  const places = {
    state,
    runtime,
    store: join(state, 'store'),
    controlSocket: join(runtime, 'control.sock'),
    statusSocket: join(runtime, 'status.sock'),
    log: join(runtime, 'daemon.log'),
    metricsToken: join(state, 'metrics.token'),
  };
  if (Buffer.byteLength(places.controlSocket) <= MAX_SOCKET_PATH_BYTES) return places;
  const problem = `its name is too long for a socket in it (${MAX_SOCKET_PATH_BYTES} bytes with /control.sock)`;
  throw commandErrors('STATE_FOLDER', { folder: state, problem });
}

/** Makes both folders. Throws STATE_FOLDER where that is not possible. */
export function makePlaces(places: Places): void {
  makeFolder(places.state, 0o700);
  if (places.runtime !== places.state) makeFolder(places.runtime, 0o755);
}

function makeFolder(folder: string, mode: number): void {
  try {
    mkdirSync(folder, { recursive: true, mode });
    if ((statSync(folder).mode & 0o777 & ~mode) !== 0) chmodSync(folder, mode);
  } catch (cause) {
    const problem = cause instanceof Error ? cause.message : String(cause);
    throw commandErrors('STATE_FOLDER', { folder, problem }, cause);
  }
}
