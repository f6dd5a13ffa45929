// Packets to overlay addresses that no peer has yet (V10): a bounded few wait while the route is asked for, once.
import { formatIp } from '../../protocol/ip/address.ts';
import type { Clock, Timer } from '../../base/clock.ts';
import type { Counter } from '../../base/counters.ts';
import { PacketQueue } from './packet-queue.ts';

const MAX_DESTINATIONS = 32;
const WAIT_MS = 5000;
const BOUNDS = { packets: 4, bytes: 128 * 1024 };

interface Wanted {
  readonly address: Uint8Array;
  readonly held: PacketQueue;
  readonly expiry: Timer;
}

export class WantedRoutes {
  readonly #clock: Clock;
  readonly #dropped: Counter;
  readonly #ask: (destination: string) => void;
  readonly #wanted = new Map<string, Wanted>();

  constructor(clock: Clock, dropped: Counter, ask: (destination: string) => void) {
    this.#clock = clock;
    this.#dropped = dropped;
    this.#ask = ask;
  }

  /** Holds the packet, and asks for the route to `address` (4 or 16 bytes) where that is new. */
  hold(address: Uint8Array, bytes: Uint8Array, offset: number, length: number): void {
    const destination = formatIp(address);
    const known = this.#wanted.get(destination);
    if (known !== undefined) {
      known.held.hold(bytes, offset, length);
      return;
    }
    if (this.#wanted.size >= MAX_DESTINATIONS) {
      this.#dropped.value++;
      return;
    }
    const held = new PacketQueue(BOUNDS, this.#dropped);
    held.hold(bytes, offset, length);
    const expiry = this.#clock.after(WAIT_MS, () => this.drop(destination));
    this.#wanted.set(destination, { address: address.slice(), held, expiry });
    this.#ask(destination);
  }

  drop(destination: string): void {
    const wanted = this.#wanted.get(destination);
    if (wanted === undefined) return;
    wanted.expiry.cancel();
    this.#wanted.delete(destination);
    wanted.held.drop();
  }

  /** Routes changed: sends on what is held for addresses that `routed` says have one now. */
  release(
    routed: (address: Uint8Array) => boolean,
    send: (bytes: Uint8Array, offset: number, length: number) => void,
  ): void {
    for (const [destination, wanted] of this.#wanted) {
      if (!routed(wanted.address)) continue;
      wanted.expiry.cancel();
      this.#wanted.delete(destination);
      wanted.held.release(send);
    }
  }

  close(): void {
    for (const destination of [...this.#wanted.keys()]) this.drop(destination);
  }
}
