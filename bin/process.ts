// This process as a command sees it: arguments' surroundings, signals, the terminal.
import { createInterface } from 'node:readline/promises';
import { Writable } from 'node:stream';
import { systemClock } from '../base/clock.ts';
import { Counters } from '../base/counters.ts';
import { LogLevels } from '../base/log-levels.ts';
import { LogRing } from '../base/log-ring.ts';
import type { LevelledLog } from '../base/pino-log.ts';
import { boundedFile } from './bounded-file.ts';
import type { Ground } from './assemble.ts';
import type { Parts } from './daemon.ts';
import type { Journal } from './daemon/admin.ts';
import { LOADED } from './daemon/restart.ts';
import { commandErrors } from './errors.ts';
import { SCREEN } from './help.ts';
import { makePlaces, type Places } from './places.ts';
import type { Surroundings } from './surroundings.ts';

/** If cleaning up takes longer than this, something hangs, and the process ends all the same. */
const CLEAN_UP_MS = 15_000;

export interface ProcessOptions {
  readonly version: string;
  /** The script that this process runs. */
  readonly script: string;
  readonly assemble: (ground: Ground) => Promise<Parts>;
  /** Loads what `assemble` will need. */
  readonly preload: () => Promise<unknown>;
  readonly atRest: Surroundings['pluginsAtRest'];
}

export function processSurroundings({
  version,
  script,
  assemble,
  preload,
  atRest,
}: ProcessOptions): Surroundings {
  const end = new AbortController();
  let isListening = false;
  return {
    version,
    environment: process.env,
    daemonCommand: [process.execPath, script, 'run', '--detached', '--json'],
    input: process.stdin,
    isTerminal: { out: process.stdout.isTTY, err: process.stderr.isTTY },
    // A terminal that was told no size has none.
    columns: process.stdout.isTTY ? process.stdout.columns || SCREEN.columns : Infinity,
    out: text => void process.stdout.write(text),
    err: text => void process.stderr.write(text),
    ask: question => askOnTerminal(question),
    askSecret: askSecretOnTerminal,
    get interrupted() {
      // Only where it is asked for: all other commands die of a signal as usual.
      if (!isListening) endOnSignals(end);
      isListening = true;
      return end.signal;
    },
    pluginsAtRest: atRest,
    async readyToSucceed() {
      await preload();
      process.send?.(LOADED);
    },
    async daemon(places, isDetached) {
      makePlaces(places);
      const journal = { ring: new LogRing(), levels: new LogLevels(isDebugged() ? 'debug' : 'info') };
      const log = await daemonLog(journal, places, isDetached);
      const built: { parts?: Parts } = {};
      endOnCrash(end, log, error => built.parts?.takesBlame(error) === true);
      const around = { log, clock: systemClock, counters: new Counters() };
      const ground = { places, environment: process.env, ...around };
      return { ...around, journal, build: async () => (built.parts = await assemble(ground)) };
    },
  };
}

const isDebugged = (): boolean => process.env['GINNEL_DEBUG'] === '1';

/** A memory ring always; beside it standard error under a supervisor, or a bounded file. GINNEL_DEBUG=1 outweighs the setting. */
async function daemonLog(
  { ring, levels }: Journal,
  places: Places,
  isDetached: boolean,
): Promise<LevelledLog> {
  // Commands write no log.
  const { openLog } = await import('../base/pino-log.ts');
  const destination = isDetached ? boundedFile(places.log) : process.stderr.fd;
  const log = openLog({ level: levels, ring, destination });
  return isDebugged() ? { ...log, setLevel: () => true } : log;
}

function endOnSignals(end: AbortController): void {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
    process.once(signal, () => {
      end.abort();
      exitIfHanging(0);
    });
}

/**
 * An error that nobody caught leaves the process in an unknown state: it cleans up and ends. Not so where it came from a
 * plugin's own code: then it is the plugin that ends.
 */
function endOnCrash(end: AbortController, log: LevelledLog, takesBlame: (error: unknown) => boolean): void {
  const crash = (error: unknown): void => {
    if (takesBlame(error)) return;
    const problem = error instanceof Error ? error.message : String(error);
    log.error('an error that nobody caught; ending', {
      problem,
      stack: error instanceof Error ? error.stack : '',
    });
    end.abort(commandErrors('INTERNAL', { problem }, error));
    exitIfHanging(1);
  };
  process.on('uncaughtException', crash);
  process.on('unhandledRejection', crash);
}

function exitIfHanging(code: number): void {
  setTimeout(() => process.exit(code === 0 ? 1 : code), CLEAN_UP_MS).unref();
}

/** Nothing of what is typed is shown. */
async function askSecretOnTerminal(question: string): Promise<string> {
  const silence = new Writable({ write: (_part, _encoding, done) => done() });
  process.stderr.write(question);
  try {
    return await askOnTerminal('', silence);
  } finally {
    process.stderr.write('\n');
  }
}

async function askOnTerminal(question: string, output: Writable = process.stderr): Promise<string> {
  const terminal = createInterface({
    input: process.stdin,
    output,
    terminal: true,
    historySize: 0,
  });
  try {
    return await new Promise<string>((resolve, reject) => {
      terminal.once('close', () => reject(commandErrors('INTERRUPTED')));
      terminal.once('SIGINT', () => terminal.close());
      terminal.question(question).then(resolve, reject);
    });
  } finally {
    terminal.removeAllListeners('close');
    terminal.close();
  }
}
