// The time by the location server's clock once it is known: a router without a battery starts in 1970.
import type { Clock } from '../../base/clock.ts';

/** Further off than this is worth a person's attention. */
const TELL_BEYOND_MS = 10 * 60_000;

export class NetworkTime {
  readonly #clock: Clock;
  #serverAtZero: number | null = null;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Milliseconds since 1970: the server's word where there is one in this run, else this machine's clock. */
  nowMs(): number {
    const time =
      this.#serverAtZero === null ? this.#clock.wallMs() : this.#serverAtZero + this.#clock.monotonicMs();
    return Math.floor(time);
  }

  /** `serverTime` came in an answer that took `rttMs`. */
  learn(serverTime: number, rttMs: number): void {
    this.#serverAtZero = serverTime + rttMs / 2 - this.#clock.monotonicMs();
  }

  /** How far this machine's clock is off the server's, in ms (positive: fast); null: not known. */
  skewMs(): number | null {
    return this.#serverAtZero === null ? null : Math.round(this.#clock.wallMs() - this.nowMs());
  }

  /** `55 years behind`; null where nobody need care. */
  skewInWords(): string | null {
    const skew = this.skewMs();
    if (skew === null || Math.abs(skew) < TELL_BEYOND_MS) return null;
    return `${duration(Math.abs(skew))} ${skew < 0 ? 'behind' : 'ahead'}`;
  }
}

function duration(ms: number): string {
  const units: readonly (readonly [string, number])[] = [
    ['years', 365.25 * 86_400_000],
    ['days', 86_400_000],
    ['hours', 3_600_000],
  ];
  const [word, size] = units.find(([, unit]) => ms >= 2 * unit) ?? ['minutes', 60_000];
  return `${Math.floor(ms / size)} ${word}`;
}
