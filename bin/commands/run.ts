// `ginnel run`: this process is the daemon. Under systemd or procd, and what `up` and `server` start in the background.
import { setTimeout as pause } from 'node:timers/promises';
import { Option, type Command } from 'commander';
import type { Health } from '../../web/api.ts';
import { commandErrors } from '../errors.ts';
import type { Kit } from './command.ts';
import { withJson } from './command.ts';

/** A daemon that was started for a command ends if that command brings it no role. */
const LINGER_MS = 30_000;
const LOOK_EVERY_MS = 50;
const TAKE_OVER_MS = 45_000;

export function runCommands(program: Command, kit: () => Kit): void {
  withJson(program.command('run'))
    .summary('be the daemon, in the foreground (for systemd, procd, containers)')
    .option('--detached', 'log to a bounded file, and end where no role comes within 30 s')
    .addOption(new Option('--successor', 'take over from the daemon that started this one').hideHelp())
    .action((flags: { detached?: boolean; successor?: boolean }) => {
      const isDetached = flags.detached === true;
      const isSuccessor = flags.successor === true;
      return be(kit(), { isDetached, isSuccessor, lingerMs: isDetached ? LINGER_MS : null });
    });
  withJson(program.command('restart'))
    .summary('let a new process take over: after an update, with the shortest gap')
    .action((flags: { json?: boolean }) => restart(kit(), flags.json === true));
}

interface Being {
  readonly isDetached: boolean;
  readonly isSuccessor: boolean;
  readonly lingerMs: number | null;
  readonly signal?: AbortSignal;
}

async function be(kit: Kit, { isDetached, isSuccessor, lingerMs, signal }: Being): Promise<void> {
  const { around, places } = kit;
  const { runDaemon } = await import('../daemon.ts');
  if (isSuccessor) await around.readyToSucceed();
  const [program, script = '', ...rest] = around.daemonCommand;
  await runDaemon({
    ...(await around.daemon(places, isDetached)),
    ...{ places, lingerMs, isSuccessor },
    version: around.version,
    environment: around.environment,
    successor: [program, script, ...rest.filter(word => isDetached || word !== '--detached')],
    signal: signal ?? around.interrupted,
  });
}

/** Waits until the new process answers in the place of the old one. */
async function restart(kit: Kit, json: boolean): Promise<void> {
  const before = await kit.client.get<Health>('/v1/health');
  const { pid } = await kit.client.post<{ pid: number }>('/v1/restart', {});
  const end = performance.now() + TAKE_OVER_MS;
  while (!(await isBack(kit, pid, before))) {
    if (performance.now() > end) throw notBack(kit);
    await pause(LOOK_EVERY_MS);
  }
  kit.show(json, { pid }, () => `Restarted: process ${pid} took over from ${before.pid}.`);
}

const isBack = ({ client }: Kit, pid: number, { roles }: Health): Promise<boolean> =>
  client.get<Health>('/v1/health').then(
    now => now.pid === pid && now.roles.node === roles.node && now.roles.server === roles.server,
    () => false,
  );

const notBack = ({ places }: Kit): Error =>
  commandErrors('DAEMON_SLOW', {
    socket: places.controlSocket,
    seconds: TAKE_OVER_MS / 1000,
    log: places.log,
  });

/** Runs the daemon in this process and `work`, which talks to it like any command, beside it; ends with the daemon. */
export async function alongsideDaemon(kit: Kit, work: () => Promise<void>): Promise<void> {
  if (await isWhole(kit)) throw commandErrors('DAEMON_RUNNING', { folder: kit.places.state });
  let ended = false;
  const failed = new AbortController();
  const signal = AbortSignal.any([kit.around.interrupted, failed.signal]);
  const daemon = be(kit, { isDetached: false, isSuccessor: false, lingerMs: LINGER_MS, signal }).finally(
    () => (ended = true),
  );
  const beside = async (): Promise<void> => {
    while (!(await isWhole(kit)) && !ended) await pause(LOOK_EVERY_MS);
    if (!ended) await work();
  };
  const working = beside().catch((error: unknown) => {
    failed.abort();
    throw error;
  });
  // What the work failed of is the reason to tell, once the daemon has cleaned up.
  const [daemonEnd, workEnd] = await Promise.allSettled([daemon, working]);
  if (daemonEnd.status === 'rejected') throw daemonEnd.reason;
  // Cut short because a person ended it: no failure.
  if (workEnd.status === 'rejected' && !kit.around.interrupted.aborted) throw workEnd.reason;
}

const isWhole = ({ client }: Kit): Promise<boolean> =>
  client.get('/v1/health').then(
    () => true,
    () => false,
  );
