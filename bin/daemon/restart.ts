// A restart with the shortest gap: the successor starts beside this daemon, loads all it needs, and only then is let in; the
// virtual card is left to it, with what is connected over it (docs/decisions: restart).
import { fork, type ChildProcess } from 'node:child_process';
import { commandErrors } from '../errors.ts';

/** A loaded machine takes long to load code. */
const LOAD_MS = 30_000;
/** What the successor says once nothing but the state folder is missing. */
export const LOADED = 'loaded';

export interface SuccessorOptions {
  /** Program, script and arguments that run a daemon. */
  readonly command: readonly [program: string, script: string, ...rest: string[]];
  readonly environment: Readonly<Record<string, string | undefined>>;
}

export interface Successor {
  readonly pid: number;
}

/** Resolves when it is loaded and waits for the state folder. Rejects with RESTART_FAILED; then none is left. */
export async function startSuccessor({ command, environment }: SuccessorOptions): Promise<Successor> {
  const [program, script, ...rest] = command;
  const child = fork(script, [...rest, '--successor'], {
    execPath: program,
    execArgv: [],
    // The watchdog that was meant for this process is the successor's now.
    env: { ...environment, WATCHDOG_PID: '' },
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    detached: rest.includes('--detached'),
  });
  try {
    await loaded(child);
  } catch (cause) {
    child.kill('SIGKILL');
    const problem = cause instanceof Error ? cause.message : String(cause);
    throw commandErrors('RESTART_FAILED', { problem }, cause);
  }
  child.disconnect();
  child.unref();
  return { pid: child.pid ?? 0 };
}

function loaded(child: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    const late = setTimeout(() => reject(new Error(`it was not ready within ${LOAD_MS / 1000} s`)), LOAD_MS);
    const settle = (work: () => void): void => {
      clearTimeout(late);
      work();
    };
    child.once('message', said =>
      settle(said === LOADED ? resolve : () => reject(new Error('it said something else'))),
    );
    child.once('error', error => settle(() => reject(error)));
    child.once('exit', (code, signal) =>
      settle(() => reject(new Error(`it ended with ${signal ?? `code ${String(code)}`}`))),
    );
  });
}
