// The daemon under a service manager that wants to hear of it (systemd, Type=notify): that it is ready, how it is, that it
// lives, that it ends. Where nobody listens all of it is nothing.
import type { Clock, Timer } from '../../base/clock.ts';
import type { Counters } from '../../base/counters.ts';
import type { Log } from '../../base/log.ts';
import type { NotifySocket } from '../../system/notify.ts';

export interface SupervisorOptions {
  /** NOTIFY_SOCKET, WATCHDOG_USEC, WATCHDOG_PID. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly pid: number;
  readonly open: (path: string) => NotifySocket;
  readonly clock: Clock;
  readonly counters: Counters;
  readonly log: Log;
  /** One line on how the daemon is. */
  readonly status: () => string;
}

export class Supervisor {
  readonly #options: SupervisorOptions;
  readonly #socket: NotifySocket | null;
  readonly #everyMs: number | null;
  #timer: Timer | null = null;
  #told = '';

  constructor(options: SupervisorOptions) {
    this.#options = options;
    this.#socket = openSocket(options);
    this.#everyMs = watchdogMs(options) === null ? null : (watchdogMs(options) ?? 0) / 2;
  }

  /** The roles of before are up, or are tried again. */
  ready(): void {
    this.#send(`READY=1\n${this.#statusLine()}`);
    this.#watch();
  }

  /** Something about the roles changed. */
  changed(): void {
    const line = this.#statusLine();
    if (line !== this.#told) this.#send(line);
  }

  /** Another process of ours is the service from now on. */
  handOver(pid: number): void {
    this.#timer?.cancel();
    this.#timer = null;
    this.#send(`MAINPID=${pid}\nSTATUS=another process takes over`);
  }

  stopping(): void {
    this.#timer?.cancel();
    this.#timer = null;
    this.#send('STOPPING=1\nSTATUS=ending');
  }

  close(): void {
    this.#timer?.cancel();
    this.#socket?.close();
  }

  #watch(): void {
    if (this.#everyMs === null || this.#socket === null) return;
    this.#timer = this.#options.clock.after(this.#everyMs, () => {
      this.#send(`WATCHDOG=1\n${this.#statusLine()}`);
      this.#watch();
    });
  }

  #statusLine(): string {
    return (this.#told = `STATUS=${this.#options.status().replaceAll('\n', ' ')}`);
  }

  #send(words: string): void {
    if (this.#socket === null) return;
    const outcome = this.#socket.send(words) ? 'sent' : 'refused';
    this.#options.counters.counter(`notify.${outcome}`).value++;
  }
}

function openSocket({ environment, open, log }: SupervisorOptions): NotifySocket | null {
  const path = environment['NOTIFY_SOCKET'] ?? '';
  if (path === '') return null;
  try {
    return open(path);
  } catch (error) {
    log.warn('the service manager cannot be told', {
      path,
      problem: error instanceof Error ? error.message : String(error),
    });
    return null;
  }
}

/** Null: nobody watches, or another process is watched. */
function watchdogMs({ environment, pid }: SupervisorOptions): number | null {
  const microseconds = Number(environment['WATCHDOG_USEC'] ?? '');
  const watched = environment['WATCHDOG_PID'] ?? '';
  if (!Number.isSafeInteger(microseconds) || microseconds <= 0) return null;
  return watched === '' || watched === String(pid) ? microseconds / 1000 : null;
}
