// The daemon: one process per state folder, which plays a node, a location server, or both (docs/decisions/0001).
// It lives from the first role to the last, answers on two sockets, and leaves the box as it found it.
import type { Clock } from '../base/clock.ts';
import type { Counters } from '../base/counters.ts';
import { GinnelError } from '../base/errors.ts';
import type { Log } from '../base/log.ts';
import type { HealthLine } from '../base/health.ts';
import type { ScopedStore } from '../base/store.ts';
import type { StateReport } from '../base/state/check.ts';
import type { NodeAdmin } from '../core/admin.ts';
import type { ServerAdmin } from '../server/admin.ts';
import { createApi, type Access } from '../web/api.ts';
import type { BackupAdmin } from '../web/backup-admin.ts';
import type { DaemonAdmin } from '../web/daemon-admin.ts';
import type { PeersAdmin } from '../web/peers-admin.ts';
import type { Journal } from './daemon/admin.ts';
import { openHouse, type House } from './daemon/house.ts';
import { watchPeers } from './daemon/peer-watch.ts';
import type { Places } from './places.ts';
import { makePlaces } from './places.ts';
import { rolesOf, type Role, type Roles, type Wishes } from './roles.ts';
import type { DaemonSettings } from './settings.ts';
import { listenUnix, type OpenSocket } from './sockets.ts';

const ANSWER_MS = 20;
const HAND_OVER_MS = 30_000;
const HAND_OVER_LOOK_MS = 20;
const FIRST_RESUME_MS = 5_000;
const LAST_RESUME_MS = 5 * 60_000;
const ROLES: readonly Role[] = ['server', 'node'];
export const STATUS_GROUP = 'ginnel';

interface Closable {
  close(): Promise<void>;
}

interface NodeClosable {
  close(options?: { readonly leavesCard?: boolean }): Promise<void>;
}

/** What the daemon runs; built once the state folder is its own. */
export interface Parts {
  readonly node: (NodeAdmin & NodeClosable) | null;
  readonly server: ServerAdmin | null;
  readonly settings: DaemonSettings;
  readonly wishes: Wishes;
  /** What is restored lies in the state folder, and is there when the parts are built the next time. */
  readonly backup: BackupAdmin;
  /** The page's owner and sessions. */
  readonly pageStore: ScopedStore;
  /** An error that nobody caught: is somebody found for it, so that the daemon lives on? */
  takesBlame(error: unknown): boolean;
  /** Looks at all of the state while it is in use. */
  readonly checkState: () => Promise<StateReport>;
  /** What is not well with the state on the disk. */
  readonly stateHealth: () => readonly HealthLine[];
  /** Closes what stands under both: listener, doors, store. */
  close(): Promise<void>;
}

export interface DaemonOptions {
  readonly places: Places;
  readonly version: string;
  /** Default: an empty one. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
  readonly log: Log;
  readonly journal: Journal;
  readonly clock: Clock;
  readonly counters: Counters;
  /** Takes the state folder (rejects with DAEMON_RUNNING where another has it) and builds the parts. */
  build(): Promise<Parts>;
  /** What runs another daemon like this one, for a restart. */
  readonly successor?: readonly [program: string, script: string, ...rest: string[]];
  /** This one waits for the state folder of a daemon that is leaving. */
  readonly isSuccessor?: boolean;
  /** Without any role it ends after this long; null: it waits for one without limit. */
  readonly lingerMs: number | null;
  /** Aborted: end now, gracefully. */
  readonly signal: AbortSignal;
}

/** Resolves when it has ended and everything is undone. Rejects where it could not start. */
export async function runDaemon(options: DaemonOptions): Promise<void> {
  // A back-up that was restored makes another box of this one, in the same process.
  while ((await live(options)) === 'anew') options.log.info('another box from here on');
  // Whoever ends it because of a failure names that as the reason.
  if (options.signal.reason instanceof GinnelError) throw options.signal.reason;
}

type End = 'for good' | 'anew';

async function live(options: DaemonOptions): Promise<End> {
  makePlaces(options.places);
  const parts = await (options.isSuccessor === true ? patiently(options) : options.build());
  const closing: Closable[] = [parts];
  const { server, node } = parts;
  if (server !== null) closing.push({ close: () => server.down() });
  const leaving: { to: number | null } = { to: null };
  const ended = new AbortController();
  if (node !== null) closing.push({ close: () => node.close({ leavesCard: leaving.to !== null }) });
  try {
    const roles = rolesOf(parts.node, parts.server, parts.wishes);
    const ending = endOf(options, roles);
    const backup = backupOf(parts, roles, () => options.clock.after(ANSWER_MS, () => ending.end('anew')));
    const { clock, counters, log } = options;
    const peers = watchPeers({ node, settings: parts.settings, clock, counters, log: log.child('speed') });
    closing.push(peers);
    const own = { ...parts, backup, peers: peers.admin };
    const house = await openHouse(options, own, roles, pid => {
      leaving.to = pid;
      // The answer leaves first.
      options.clock.after(ANSWER_MS, () => ending.end('for good'));
    });
    closing.push(house);
    const rolesChanged = (): void => {
      house.rolesChanged();
      peers.look();
      ending.look();
    };
    for (const socket of await openSockets(options, own, roles, house.admin, rolesChanged))
      closing.push(socket);
    options.log.info('ready', { pid: process.pid, state: options.places.state });
    const signal = AbortSignal.any([options.signal, ended.signal]);
    await resumeAll({ ...options, signal }, roles, house);
    peers.look();
    house.supervisor.ready();
    house.rolesChanged();
    ending.linger();
    const end = await ending.reached;
    if (leaving.to === null && end === 'for good') house.supervisor.stopping();
    options.log.info('ending');
    return end;
  } finally {
    // No role is brought back any more: the one that comes next may hold its port already.
    ended.abort();
    // In reverse: nobody asks any more, then the node leaves, then the server, then what both stood on.
    for (const part of closing.reverse()) await closedOrLogged(part, options.log);
  }
}

/** No role comes up or down while a box is restored, nor after that: the daemon builds itself anew. */
const backupOf = ({ backup }: Pick<Parts, 'backup'>, roles: Roles, anew: () => void): BackupAdmin => ({
  make: passphrase => backup.make(passphrase),
  restore: (file, passphrase) =>
    roles.last(async () => {
      const restored = await backup.restore(file, passphrase);
      anew();
      return restored;
    }),
});

/** As soon as the daemon of before has left the state folder. */
async function patiently(options: DaemonOptions): Promise<Parts> {
  const { clock, signal } = options;
  const end = clock.monotonicMs() + HAND_OVER_MS;
  for (;;) {
    try {
      return await options.build();
    } catch (error) {
      const isHeld = error instanceof GinnelError && error.code === 'DAEMON_RUNNING';
      if (!isHeld || signal.aborted || clock.monotonicMs() > end) throw error;
    }
    await new Promise<void>(resolve => setTimeout(resolve, HAND_OVER_LOOK_MS));
  }
}

async function closedOrLogged(part: Closable, log: Log): Promise<void> {
  try {
    await part.close();
  } catch (error) {
    log.error('a part did not close cleanly', {
      error: error instanceof Error ? error.message : String(error),
    });
  }
}

async function openSockets(
  options: DaemonOptions,
  { settings, checkState, backup, peers }: Parts & { readonly peers: PeersAdmin },
  roles: Roles,
  daemon: DaemonAdmin,
  onRolesChanged: () => void,
): Promise<OpenSocket[]> {
  const { places, version, log, counters } = options;
  const open = (access: Access, path: string, mode: number, group: string | null): Promise<OpenSocket> => {
    const { node, server } = roles;
    const around = { version, pid: process.pid, log, counters };
    const own = { daemon, settings, checkState, backup, peers };
    const api = createApi({ access, node, server, ...own, ...around, onRolesChanged });
    return listenUnix({ path, mode, group, answer: (asked, answer) => void api.callback(asked, answer) });
  };
  const status = await open('read-only', places.statusSocket, 0o660, STATUS_GROUP);
  // Last: who finds this one answering finds a whole daemon.
  return [status, await open('control', places.controlSocket, 0o600, null)];
}

interface Ending {
  readonly end: (end: End) => void;
  readonly reached: Promise<End>;
  /** Ends the daemon if its last role is gone. */
  readonly look: () => void;
  readonly linger: () => void;
}

function endOf({ signal, clock, lingerMs }: DaemonOptions, roles: Roles): Ending {
  let end: (end: End) => void = () => undefined;
  const reached = new Promise<End>(resolve => {
    end = resolve;
    if (signal.aborted) resolve('for good');
    signal.addEventListener('abort', () => resolve('for good'));
  });
  let hadRole = false;
  const isUp = (): boolean => ROLES.some(role => roles.isUp(role));
  const isIdle = (): boolean => !roles.busy && !isUp();
  const linger = (): void => {
    hadRole ||= !roles.busy && isUp();
    if (lingerMs !== null) clock.after(lingerMs, () => isIdle() && end('for good'));
  };
  const look = (): void => {
    // An order that is under way may still fail; it is looked at when it is answered.
    if (roles.busy) return;
    if (isUp()) hadRole = true;
    else if (hadRole) end('for good');
    // Its first order failed: the next one may be on its way, with the invite that was missing.
    else linger();
  };
  return { reached, look, linger, end: how => end(how) };
}

/** Brings back the roles of before. Where none comes, a daemon that is not waiting for orders gives up with the reason. */
async function resumeAll(options: DaemonOptions, roles: Roles, house: House): Promise<void> {
  let failure: Error | null = null;
  for (const role of ROLES) {
    if (!(await roles.wanted(role))) continue;
    try {
      await roles.resume(role);
    } catch (error) {
      failure ??= error instanceof Error ? error : new Error(String(error));
      resumeLater({ ...options, roles, house }, role, failure, FIRST_RESUME_MS);
    }
  }
  if (failure !== null && options.lingerMs === null && !ROLES.some(role => roles.isUp(role))) throw failure;
}

interface Resuming extends DaemonOptions {
  readonly roles: Roles;
  readonly house: House;
}

function resumeLater(resuming: Resuming, role: Role, error: Error, delayMs: number): void {
  const { log, clock, signal, roles, house } = resuming;
  if (error instanceof GinnelError && error.code === 'SERVER_MOVED') {
    log.warn(error.message);
    return;
  }
  log.warn(`the ${role} did not come up; it is tried again`, { error: error.message, delayMs });
  house.waiting.set(role, error.message);
  const again = async (): Promise<void> => {
    const isWanted = await roles.wanted(role);
    if (isWanted && !signal.aborted) await roles.resume(role);
  };
  clock.after(delayMs, () => {
    house.waiting.delete(role);
    again().catch((next: unknown) => {
      const failure = next instanceof Error ? next : new Error(String(next));
      resumeLater(resuming, role, failure, Math.min(delayMs * 2, LAST_RESUME_MS));
    });
  });
}
