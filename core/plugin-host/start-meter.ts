// What the process grew by while a plugin was loaded and started. All plugins live in one process, so no other figure of
// one plugin's memory can be told; this one holds because they start one after the other.
import type { Clock } from '../../base/clock.ts';

/** One that takes longer to start, because it waits for the network, lets the next one begin; its figure ends there. */
export const HAND_OVER_MS = 50;

export interface StartMeterOptions {
  readonly clock: Clock;
  /** Bytes of memory that this process has now (resident set). */
  readonly residentBytes: () => number;
}

export class StartMeter {
  readonly #options: StartMeterOptions;
  #handedOver: Promise<void> = Promise.resolve();
  #endLast: () => void = () => undefined;

  constructor(options: StartMeterOptions) {
    this.#options = options;
  }

  /** Begins `start` when it is its turn, and answers as that does. `grew` is called once, before the next one begins. */
  async measured(start: () => Promise<void>, grew: (bytes: number) => void): Promise<void> {
    const { clock, residentBytes } = this.#options;
    const turn = this.#handedOver;
    let handOver = (): void => undefined;
    this.#handedOver = new Promise(resolve => (handOver = resolve));
    await turn;
    this.#endLast();
    const before = residentBytes();
    let isTold = false;
    const end = (this.#endLast = (): void => {
      if (!isTold) grew(Math.max(0, residentBytes() - before));
      isTold = true;
    });
    const timer = clock.after(HAND_OVER_MS, () => handOver());
    try {
      await start();
    } finally {
      timer.cancel();
      end();
      handOver();
    }
  }
}
