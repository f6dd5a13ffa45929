// What a command sees of the process around it; handed in, so that a test can stand there.
import type { Readable } from 'node:stream';
import type { PluginAdmin } from '../core/admin.ts';
import type { DaemonOptions } from './daemon.ts';

/** What can be done about plugins while no daemon runs. */
export interface PluginsAtRest {
  readonly plugins: PluginAdmin;
  close(): Promise<void>;
}

export interface Surroundings {
  readonly version: string;
  readonly environment: NodeJS.ProcessEnv;
  /** Program and arguments that run the daemon detached. */
  readonly daemonCommand: readonly [program: string, ...rest: string[]];
  readonly input: Readable & { readonly isTTY?: boolean };
  readonly isTerminal: { readonly out: boolean; readonly err: boolean };
  /** How wide the terminal is; infinite where standard output is none. */
  readonly columns: number;
  out(text: string): void;
  err(text: string): void;
  /** Asks on the terminal; what is typed is kept in no history. */
  ask(question: string): Promise<string>;
  /** The same, and what is typed is not shown. */
  askSecret(question: string): Promise<string>;
  /** Aborted by Ctrl-C or a polite kill. */
  readonly interrupted: AbortSignal;
  /** Rejects with DAEMON_RUNNING where there is a daemon after all. */
  pluginsAtRest(places: DaemonOptions['places']): Promise<PluginsAtRest>;
  /** Loads what a daemon needs and tells the process that started this one. */
  readyToSucceed(): Promise<void>;
  /** How this process would be the daemon. */
  daemon(
    places: DaemonOptions['places'],
    isDetached: boolean,
  ): Promise<Pick<DaemonOptions, 'log' | 'journal' | 'clock' | 'counters' | 'build'>>;
}
