// Trouble for a lab: everything that crosses `core` takes the way through one TUN card and a process that holds, drops,
// repeats and swaps packets (netem is not in every kernel), and counts what it did.
import type { ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { endOf } from './place.ts';
import type { Place } from './place.ts';

export interface Trouble {
  /** One way. */
  readonly delayMs: number;
  /** Up to so much more, at random; order is kept. */
  readonly jitterMs: number;
  /** 0 to 1, for each packet. */
  readonly lossRate: number;
  /** 0 to 1: so many packets are overtaken by those behind them; default 0. */
  readonly reorderRate?: number;
  /** 0 to 1: so many packets come twice; default 0. */
  readonly duplicateRate?: number;
  /** The same seed gives the same dice; default 1. */
  readonly seed?: number;
}

/** What was done to datagrams; a super-packet counts as what it would be cut into. */
export interface Done {
  readonly seen: number;
  readonly dropped: number;
  readonly duplicated: number;
  readonly reordered: number;
}

export interface DelayReport {
  /** WireGuard's data messages, by their source address as text: `198.51.100.10`. */
  readonly data: Readonly<Record<string, Done>>;
  readonly other: Done;
  /** Packets for which there was no room, and those that the kernel did not take back. */
  readonly full: number;
  readonly refused: number;
}

export const DELAY_DEVICE = 'delay0';

/** What came in from a cable goes into the card; what comes out of the card goes where the main table says. */
const ROUTING = `
ip link set ${DELAY_DEVICE} mtu 1500 txqueuelen 10000 up
for family in -4 -6; do
  ip $family route add default dev ${DELAY_DEVICE} table 100
  ip $family rule add pref 10 iif ${DELAY_DEVICE} lookup main
  ip $family rule add pref 11 iif lo lookup main
  ip $family rule add pref 20 lookup 100
done`;

/** The process that makes the trouble. */
export class Delay {
  readonly #child: ChildProcess;
  readonly #waiting: ((line: string) => void)[] = [];

  private constructor(child: ChildProcess) {
    this.#child = child;
    if (child.stdout === null) throw new TypeError('no standard output');
    createInterface({ input: child.stdout }).on('line', line => this.#waiting.shift()?.(line));
  }

  static async start(core: Place, trouble: Trouble): Promise<Delay> {
    const program = fileURLToPath(new URL('./delayer.js', import.meta.url));
    const child = core.spawn(process.execPath, [program, DELAY_DEVICE, JSON.stringify(trouble)], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    const delay = new Delay(child);
    const ended = endOf(child).then(code => {
      throw new Error(`the delay ended with exit code ${code}`);
    });
    await Promise.race([delay.#answer(), ended]);
    // Later it ends with the lab.
    ended.catch(() => undefined);
    await core.exec(ROUTING);
    return delay;
  }

  /** Other trouble from now on, with the dice and the counters begun anew. */
  async set(trouble: Trouble): Promise<void> {
    await this.#ask({ trouble });
  }

  /**
   * What the server says over TCP to these addresses comes so many ms later still, from now on: two ends that begin at its
   * word begin apart. Others as before.
   */
  async hold(signalling: Readonly<Record<string, number>>): Promise<void> {
    await this.#ask({ signalling });
  }

  async report(): Promise<DelayReport> {
    return JSON.parse(await this.#ask({ report: true })) as DelayReport;
  }

  #ask(question: object): Promise<string> {
    this.#child.stdin?.write(`${JSON.stringify(question)}\n`);
    return this.#answer();
  }

  #answer(): Promise<string> {
    return new Promise(resolve => this.#waiting.push(resolve));
  }
}
