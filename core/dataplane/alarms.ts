// One peer's alarms. They are moved with every packet, so a move is a store to an array: one timer a peer stands behind
// them, which fires at the earliest time it was ever told and then looks again.
import type { Clock, Timer } from '../../base/clock.ts';

/** The handshake has not been answered: send it again. */
export const RETRANSMIT = 0;
/** We heard data and said nothing since: say an empty word. */
export const KEEPALIVE = 1;
/** We sent data and heard nothing since: the session may be gone at the other end. */
export const SILENCE = 2;
/** Overwrite all keys. */
export const WIPE = 3;
/** WireGuard's persistent keepalive. */
export const PERSISTENT = 4;
/** The session is too old to send in. */
export const SESSION_END = 5;

export type Alarm = 0 | 1 | 2 | 3 | 4 | 5;
const ALARMS: readonly Alarm[] = [RETRANSMIT, KEEPALIVE, SILENCE, WIPE, PERSISTENT, SESSION_END];

export class Alarms {
  readonly #clock: Clock;
  readonly #ring: (alarm: Alarm, nowMs: number) => void;
  readonly #at = new Float64Array(ALARMS.length).fill(Infinity);
  #timer: Timer | null = null;
  #wakeAt = Infinity;

  constructor(clock: Clock, ring: (alarm: Alarm, nowMs: number) => void) {
    this.#clock = clock;
    this.#ring = ring;
  }

  set(alarm: Alarm, atMs: number): void {
    this.#at[alarm] = atMs;
    if (atMs < this.#wakeAt) this.#wakeBy(atMs);
  }

  /** The timer stays: to cancel it would cost more than to wake for nothing. */
  clear(alarm: Alarm): void {
    this.#at[alarm] = Infinity;
  }

  pending(alarm: Alarm): boolean {
    return this.#at[alarm] !== Infinity;
  }

  close(): void {
    this.#at.fill(Infinity);
    this.#timer?.cancel();
    this.#timer = null;
    this.#wakeAt = Infinity;
  }

  #wakeBy(atMs: number): void {
    this.#timer?.cancel();
    this.#wakeAt = atMs;
    this.#timer = this.#clock.after(Math.max(0, atMs - this.#clock.monotonicMs()), () => this.#wake());
  }

  #wake(): void {
    this.#timer = null;
    this.#wakeAt = Infinity;
    const now = this.#clock.monotonicMs();
    for (const alarm of ALARMS) {
      if (this.#at[alarm]! > now) continue;
      this.#at[alarm] = Infinity;
      this.#ring(alarm, now);
    }
    const next = Math.min(...this.#at);
    if (next < this.#wakeAt) this.#wakeBy(next);
  }
}
