// Where Ginnel keeps its state and its sockets on this box.
import { accessSync, chmodSync, constants, mkdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { GinnelError } from '../base/errors.ts';
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

/** For those who look into the state folder themselves. Throws STATE_MISSING, DAEMON_NOT_ALLOWED. */
export function needState({ state: folder }: Places): void {
  try {
    accessSync(folder, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch (cause) {
    const denied = deniedFile(cause);
    if (denied !== null) throw denied;
    throw commandErrors('STATE_MISSING', { folder }, cause);
  }
}

/** A file that the kernel kept from this user, most often one of root's, as what to do about it; null: another error. */
export function deniedFile(error: unknown): GinnelError | null {
  if (!(error instanceof Error)) return null;
  const isDenied = 'code' in error && (error.code === 'EACCES' || error.code === 'EPERM');
  if (isDenied && 'path' in error) return commandErrors('DAEMON_NOT_ALLOWED', { path: error.path }, error);
  return deniedFile(error.cause);
}

function makeFolder(folder: string, mode: number): void {
  try {
    mkdirSync(folder, { recursive: true, mode });
    if ((statSync(folder).mode & 0o777 & ~mode) !== 0) chmodSync(folder, mode);
  } catch (cause) {
    const denied = deniedFile(cause);
    if (denied !== null) throw denied;
    const problem = cause instanceof Error ? cause.message : String(cause);
    throw commandErrors('STATE_FOLDER', { folder, problem }, cause);
  }
}
