// `ginnel ping`: echo requests that enter the data plane as if they came from the card, and whose replies are caught before
// they reach it. So it needs no raw socket, and measures just what any program's packet would see.
import type { Clock, Timer } from '../../base/clock.ts';
import type { Random } from '../../base/random.ts';
import { buildEcho, readEcho } from '../../protocol/ip/icmp.ts';

const PAYLOAD_BYTES = 56;
/** Room that the data plane wants before and behind a packet. */
const ROOM = 64;

export interface EchoOutcome {
  /** Null: no reply within the time. */
  readonly ms: number | null;
}

interface Waiting {
  readonly sentAt: number;
  readonly timer: Timer;
  readonly settle: (outcome: EchoOutcome) => void;
}

export interface EchoerOptions {
  readonly clock: Clock;
  readonly random: Random;
  /** Memory of the data plane, and a piece of it for one packet. */
  readonly memory: Uint8Array;
  readonly allocate: (bytes: number) => number;
  /** Puts a packet on its way out. */
  readonly outbound: (bytes: Uint8Array, offset: number, length: number) => void;
}

export class Echoer {
  readonly #options: EchoerOptions;
  readonly #identifier: number;
  readonly #at: number;
  readonly #waiting = new Map<number, Waiting>();
  #sequence = 0;

  constructor(options: EchoerOptions) {
    this.#options = options;
    this.#identifier = options.random.below(0x10000);
    this.#at = options.allocate(ROOM + 48 + PAYLOAD_BYTES + ROOM) + ROOM;
  }

  /** One echo from `source` to `destination` (4 or 16 bytes each). Never rejects. */
  send(source: Uint8Array, destination: Uint8Array, timeoutMs: number): Promise<EchoOutcome> {
    const { clock, random, memory, outbound } = this.#options;
    const sequence = (this.#sequence = (this.#sequence + 1) & 0xffff);
    const packet = buildEcho({
      kind: 'request',
      source,
      destination,
      identifier: this.#identifier,
      sequence,
      payload: random.bytes(PAYLOAD_BYTES),
    });
    memory.set(packet, this.#at);
    return new Promise(resolve => {
      const settle = (outcome: EchoOutcome): void => {
        this.#waiting.get(sequence)?.timer.cancel();
        this.#waiting.delete(sequence);
        resolve(outcome);
      };
      const timer = clock.after(timeoutMs, () => settle({ ms: null }));
      this.#waiting.set(sequence, { sentAt: clock.monotonicMs(), timer, settle });
      outbound(memory, this.#at, packet.length);
    });
  }

  /** Is this delivered packet the reply to one of ours? Then it ends here. */
  takes(bytes: Uint8Array, offset: number, length: number): boolean {
    if (this.#waiting.size === 0) return false;
    const echo = readEcho(bytes, offset, length);
    if (!echo.ok || echo.value.kind !== 'reply' || echo.value.identifier !== this.#identifier) return false;
    const waiting = this.#waiting.get(echo.value.sequence);
    waiting?.settle({ ms: this.#options.clock.monotonicMs() - waiting.sentAt });
    return waiting !== undefined;
  }

  close(): void {
    for (const { settle } of [...this.#waiting.values()]) settle({ ms: null });
  }
}
