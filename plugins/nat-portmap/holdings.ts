// What stands at one router, what it refused, and when each is to be asked for again.
import type { Clock } from '../../base/clock.ts';
import type { WantedPort } from '../../core/contract/plugin.ts';
import type { Endpoint } from '../../protocol/address.ts';
import type { Asked, MapAnswer, PortProtocol } from './protocol.ts';

export type Wanted = Pick<WantedPort, 'transport' | 'port'>;

/** What was asked of whom; where it is outside, as far as is known. */
export interface Asking {
  readonly asked: Asked;
  readonly outer: Endpoint;
  readonly protocol: PortProtocol;
}

interface Held extends Asking {
  readonly endsAtMs: number;
  dueAtMs: number;
}

const LEAST_RENEWAL_MS = 5_000;
const MOST_LEASE_MS = 86_400_000;
/** Between two tries at a port that was refused, twice as long each time. */
const REFUSED_MS = [60_000, 15 * 60_000] as const;

export class Holdings {
  readonly #clock: Clock;
  readonly #held = new Map<string, Held>();
  readonly #refused = new Map<string, { readonly untilMs: number; readonly times: number }>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get size(): number {
    return this.#held.size;
  }

  get all(): readonly Asking[] {
    return [...this.#held.values()];
  }

  find(wanted: Wanted): Asking | null {
    return this.#held.get(keyOf(wanted)) ?? null;
  }

  isDue(wanted: Wanted): boolean {
    const now = this.#clock.monotonicMs();
    const key = keyOf(wanted);
    const held = this.#held.get(key);
    return (held?.dueAtMs ?? this.#refused.get(key)?.untilMs ?? 0) <= now;
  }

  /** Renewed at half of its lease. */
  made(protocol: PortProtocol, asked: Asked, { outer, leaseS }: Extract<MapAnswer, { ok: true }>): void {
    const now = this.#clock.monotonicMs();
    const leaseMs = Math.min(leaseS === 0 ? MOST_LEASE_MS : leaseS * 1000, MOST_LEASE_MS);
    const key = keyOf(asked);
    this.#refused.delete(key);
    this.#held.set(key, {
      ...{ asked, protocol, outer },
      endsAtMs: leaseS === 0 ? Infinity : now + leaseMs,
      dueAtMs: now + Math.max(leaseMs / 2, LEAST_RENEWAL_MS),
    });
  }

  refused(wanted: Wanted): void {
    const key = keyOf(wanted);
    const times = this.#refused.get(key)?.times ?? 0;
    const untilMs = this.#clock.monotonicMs() + laterEachTime(REFUSED_MS, times);
    this.#refused.set(key, { untilMs, times: times + 1 });
    this.putOff(wanted);
  }

  /** One that stands is asked for again when half of what is left of it is over. */
  putOff(wanted: Wanted): void {
    const held = this.#held.get(keyOf(wanted));
    if (held === undefined) return;
    const now = this.#clock.monotonicMs();
    held.dueAtMs = now + Math.max(Math.min(held.endsAtMs - now, MOST_LEASE_MS) / 2, LEAST_RENEWAL_MS);
  }

  allDue(): void {
    for (const one of this.#held.values()) one.dueAtMs = 0;
  }

  forgetRefusals(): void {
    this.#refused.clear();
  }

  /** Until something that was refused may be asked for again, in ms. */
  get soonestMs(): number {
    const now = this.#clock.monotonicMs();
    return Math.min(REFUSED_MS[1], ...[...this.#refused.values()].map(({ untilMs }) => untilMs - now));
  }

  expire(): void {
    const now = this.#clock.monotonicMs();
    for (const [key, { endsAtMs }] of this.#held) if (endsAtMs <= now) this.#held.delete(key);
  }

  /** Takes out what is not wanted any more. */
  take(wanted: readonly Wanted[]): readonly Asking[] {
    const keys = new Set(wanted.map(keyOf));
    const taken = [...this.#held].filter(([key]) => !keys.has(key));
    for (const [key] of taken) this.#held.delete(key);
    return taken.map(([, held]) => held);
  }
}

const keyOf = ({ transport, port }: Wanted): string => `${transport} ${port}`;

/** The first wait, doubled so many times, up to the last. */
export const laterEachTime = ([first, last]: readonly [number, number], times: number): number =>
  Math.min(first * 2 ** times, last);
