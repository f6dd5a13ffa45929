// `ginnel run`: this process is the daemon. Under systemd or procd, and what `up` and `server` start in the background.
import { setTimeout as pause } from 'node:timers/promises';
import type { Command } from 'commander';
import { commandErrors } from '../errors.ts';
import type { Kit } from './command.ts';
import { withJson } from './command.ts';

/** A daemon that was started for a command ends if that command brings it no role. */
const LINGER_MS = 30_000;
const LOOK_EVERY_MS = 50;

export function runCommands(program: Command, kit: () => Kit): void {
  withJson(program.command('run'))
    .summary('be the daemon, in the foreground (for systemd, procd, containers)')
    .option('--detached', 'log to a bounded file, and end where no role comes within 30 s')
    .action((flags: { detached?: boolean }) =>
      be(kit(), flags.detached === true, flags.detached === true ? LINGER_MS : null),
    );
}

async function be(
  kit: Kit,
  isDetached: boolean,
  lingerMs: number | null,
  signal = kit.around.interrupted,
): Promise<void> {
  const { around, places } = kit;
  const { runDaemon } = await import('../daemon.ts');
  await runDaemon({
    ...around.daemon(places, isDetached),
    places,
    version: around.version,
    environment: around.environment,
    lingerMs,
    signal,
  });
}

/** Runs the daemon in this process and `work`, which talks to it like any command, beside it; ends with the daemon. */
export async function alongsideDaemon(kit: Kit, work: () => Promise<void>): Promise<void> {
  if (await isWhole(kit)) throw commandErrors('DAEMON_RUNNING', { folder: kit.places.state });
  let ended = false;
  const failed = new AbortController();
  const signal = AbortSignal.any([kit.around.interrupted, failed.signal]);
  const daemon = be(kit, false, LINGER_MS, signal).finally(() => (ended = true));
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
