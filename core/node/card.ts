// The virtual card over a stay: opened with the node's addresses (V1), opened anew when they are others or somebody
// deleted it, and gone at the end.
import type { Clock, Timer } from '../../base/clock.ts';
import type { Counters } from '../../base/counters.ts';
import type { Log } from '../../base/log.ts';
import type { SendResult } from '../contract/link.ts';
import type { PacketOffload } from '../../protocol/ip/offload.ts';
import type { Assignment } from '../../protocol/location/messages.ts';
import type { Doors, TunDoor, TunOffloads } from '../../system/doors.ts';

/** A card that was lost is opened again after this, then twice as late each time, up to the last. */
export const FIRST_RETRY_MS = 1_000;
export const LAST_RETRY_MS = 60_000;

/** The virtual addresses and the prefixes they stand in. */
export interface Place {
  readonly assignment: Assignment;
  readonly prefix4: string;
  readonly prefix6: string;
}

export interface CardOptions {
  readonly open: Doors['openTun'];
  /** `ginnel%d`. */
  readonly name: string;
  readonly mtu: number;
  /** A card that the process before left for this one; empty: none. */
  readonly left?: string;
  readonly onPacket: TunDoor['onPacket'];
  readonly onTurnEnded: TunDoor['onTurnEnded'];
  readonly clock: Clock;
  readonly counters: Counters;
  readonly log: Log;
}

export class Card {
  readonly #options: CardOptions;
  #place: Place | null = null;
  #tun: TunDoor | null = null;
  #problem: Error | null = null;
  #retry: Timer | null = null;
  #failures = 0;
  #left: string;

  constructor(options: CardOptions) {
    this.#options = options;
    this.#left = options.left ?? '';
  }

  /** Empty while there is none. */
  get name(): string {
    return this.#tun?.name ?? '';
  }

  get place(): Place | null {
    return this.#place;
  }

  /** Why there is no card where there should be one; null: there is, or none is wanted yet. */
  get problem(): Error | null {
    return this.#problem;
  }

  /** Throws where the card does not open; then it is tried again until `close`. */
  take(place: Place): void {
    const isSame = this.#place !== null && textOf(this.#place) === textOf(place);
    this.#place = place;
    if (!isSame || this.#tun === null) this.#open(place);
  }

  /** Null while there is none. */
  get offloads(): TunOffloads | null {
    return this.#tun?.offloads ?? null;
  }

  /** Which super-packets it takes now; null: none, and no open checksums either. */
  get superPackets(): TunOffloads | null {
    return this.offloads?.tcp === true ? this.offloads : null;
  }

  write(bytes: Uint8Array, offset: number, length: number, offload: PacketOffload): SendResult {
    return this.#tun?.write(bytes, offset, length, offload) ?? 'closed';
  }

  /** As `close`, but the card itself stays, for the process that comes; false: it could not. */
  leave(): boolean {
    const tun = this.#tun;
    if (tun?.leave === undefined) return false;
    this.#tun = null;
    tun.leave();
    this.close();
    return true;
  }

  close(): void {
    this.#retry?.cancel();
    this.#tun?.close();
    this.#tun = null;
    this.#place = null;
    this.#problem = null;
  }

  #open({ assignment, prefix4, prefix6 }: Place): void {
    const { open, name, mtu, onPacket, onTurnEnded } = this.#options;
    this.#retry?.cancel();
    this.#tun?.close();
    this.#tun = null;
    try {
      const addresses = [onLink(assignment.ip4, prefix4), onLink(assignment.ip6, prefix6)];
      const tun = this.#taken(addresses) ?? open({ name, mtu, addresses, routes: [] });
      Object.assign(tun, { onPacket, onTurnEnded, onLost: (error: Error) => this.#lost(tun, error) });
      this.#tun = tun;
      this.#problem = null;
      this.#failures = 0;
    } catch (error) {
      this.#failed(error instanceof Error ? error : new Error(String(error)));
      throw error;
    }
  }

  /** The card that was left for us, with its connections; null: there is none, or it is somebody else's by now. */
  #taken(addresses: readonly string[]): TunDoor | null {
    const name = this.#left;
    if (name === '') return null;
    this.#left = '';
    try {
      return this.#options.open({ name, mtu: this.#options.mtu, addresses, routes: [] });
    } catch (error) {
      this.#options.log.info('the card of before was not taken over', { name, reason: String(error) });
      return null;
    }
  }

  #lost(tun: TunDoor, error: Error): void {
    if (tun !== this.#tun) return;
    this.#tun = null;
    this.#failed(error);
  }

  #failed(problem: Error): void {
    const { clock, counters, log } = this.#options;
    const delayMs = Math.min(FIRST_RETRY_MS * 2 ** this.#failures++, LAST_RETRY_MS);
    this.#problem = problem;
    counters.counter('node.card.lost').value++;
    log.warn(problem.message, { delayMs });
    this.#retry = clock.after(delayMs, () => this.#again());
  }

  #again(): void {
    if (this.#place === null || this.#tun !== null) return;
    try {
      this.#open(this.#place);
      this.#options.log.info('the virtual card is there again', { card: this.name });
    } catch (error) {
      this.#options.log.debug('the virtual card did not open', { reason: String(error) });
    }
  }
}

const onLink = (address: string, prefix: string): string => `${address}/${prefix.split('/')[1] ?? ''}`;

const textOf = ({ assignment: { ip4, ip6 }, prefix4, prefix6 }: Place): string =>
  [ip4, prefix4, ip6, prefix6].join(' ');
