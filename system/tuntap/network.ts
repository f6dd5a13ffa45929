// The machine's networks without rtnetlink: they are looked at again and again, and a difference is a change.
import type { Clock, Timer } from '../../base/clock.ts';
import type { Counters } from '../../base/counters.ts';
import type { IpFamily } from '../../protocol/address.ts';
import type { NetworkDoor, NetworkInterface } from '../doors.ts';
import { defaultGateway, networkPicture, readAddresses } from '../network-picture.ts';

/** A look costs some 0.2 ms. */
export const LOOK_EVERY_MS = 1000;

export interface PolledNetworkParts {
  readonly clock: Clock;
  readonly counters: Counters;
}

export class PolledNetwork implements NetworkDoor {
  readonly #parts: PolledNetworkParts;
  readonly #listeners = new Set<() => void>();
  #known = networkPicture();
  #timer: Timer;

  constructor(parts: PolledNetworkParts) {
    this.#parts = parts;
    this.#timer = this.#lookLater();
  }

  addresses(): readonly NetworkInterface[] {
    return readAddresses();
  }

  gateway(family: IpFamily): string | null {
    return defaultGateway(family);
  }

  onChange(changed: () => void): () => void {
    const listener = (): void => changed();
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  close(): void {
    this.#timer.cancel();
    this.#listeners.clear();
  }

  #lookLater(): Timer {
    return this.#parts.clock.after(LOOK_EVERY_MS, () => {
      this.#timer = this.#lookLater();
      this.#look();
    });
  }

  #look(): void {
    const now = networkPicture();
    if (now === this.#known) return;
    this.#known = now;
    this.#parts.counters.counter('network.changes').value++;
    for (const listener of [...this.#listeners]) listener();
  }
}
