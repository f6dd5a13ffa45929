// One relay that this node keeps (V9): the connection to it is opened, watched, and opened again for as long as it is wanted.
import type { Clock, Timer } from '../../base/clock.ts';
import type { Counters } from '../../base/counters.ts';
import type { Log } from '../../base/log.ts';
import type { Random } from '../../base/random.ts';
import type { Stream, StreamDoor } from '../../core/contract/plugin.ts';
import type { TcpPlace } from '../../protocol/location/messages.ts';
import { retryAfterMs, untilOpen } from './opening.ts';
import type { Visits } from './visits.ts';

export interface KeepingParts {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly counters: Counters;
  readonly streams: StreamDoor;
  readonly visits: Pick<Visits, 'adopt'>;
  /** Ends all tries. */
  readonly signal: AbortSignal;
}

const OPEN_TIMEOUT_MS = 10_000;
/** One that is no longer wanted stays so long: whoever still sends by it learns of the others meanwhile. */
export const GRACE_MS = 60_000;

export class KeptRelay {
  /** A stand-in for one that failed; the server did not ask for it. */
  isStandIn = false;
  readonly node: string;
  place: TcpPlace;
  readonly #parts: KeepingParts;
  readonly #changed: () => void;
  readonly #gone: (relay: KeptRelay) => void;
  readonly #ended = new AbortController();
  #stream: Stream | null = null;
  #isOpener = false;
  #isTrying = false;
  #failures = 0;
  #retry: Timer | null = null;
  #leaving: Timer | null = null;

  constructor(
    place: TcpPlace,
    parts: KeepingParts,
    events: { changed(): void; gone(relay: KeptRelay): void },
  ) {
    this.place = place;
    this.node = place.node.record.id;
    this.#parts = parts;
    this.#changed = () => events.changed();
    this.#gone = relay => events.gone(relay);
  }

  /** `opening`: not known yet whether it can be reached. */
  get state(): 'opening' | 'kept' | 'failed' {
    if (this.#stream !== null) return 'kept';
    return this.#failures > 0 ? 'failed' : 'opening';
  }

  get stream(): Stream | null {
    return this.#stream;
  }

  get isLeaving(): boolean {
    return this.#leaving !== null;
  }

  /** It is wanted, as of now: whatever time is left until the next try is not waited for. */
  want(place: TcpPlace): void {
    this.place = place;
    this.#leaving?.cancel();
    this.#leaving = null;
    this.tryNow();
  }

  /** It is wanted no longer. */
  leave(): void {
    if (this.#stream === null) this.end();
    else this.#leaving ??= this.#parts.clock.after(GRACE_MS, () => this.end());
  }

  tryNow(): void {
    this.#retry?.cancel();
    this.#retry = null;
    if (this.#stream === null && !this.#isTrying) void this.#try();
  }

  /** A connection with that node came about, whoever opened it; perhaps in the place of an older one. */
  arrived(stream: Stream): void {
    if (stream.node !== this.node) return;
    if (this.#stream === null) this.#stands(stream, false);
    else this.#stream = stream;
  }

  left(stream: Stream): void {
    if (stream !== this.#stream) return;
    this.#stream = null;
    if (this.#ended.signal.aborted) return;
    this.#parts.counters.counter('relays.lost').value++;
    if (this.isLeaving) this.end();
    else this.#failed();
  }

  /** Closes what was opened here; one that is in use is left to whoever closes it when it falls idle. */
  end(): void {
    if (this.#ended.signal.aborted) return;
    this.#ended.abort();
    this.#retry?.cancel();
    this.#leaving?.cancel();
    const stream = this.#stream;
    this.#stream = null;
    if (stream !== null && this.#isOpener) this.#letGo(stream);
    this.#gone(this);
  }

  #letGo(stream: Stream): void {
    const { clock, signal, visits } = this.#parts;
    if (!stream.isOurs) return;
    const isInUse = clock.monotonicMs() - stream.lastUsedAt < GRACE_MS;
    if (isInUse && !signal.aborted) visits.adopt(stream);
    else stream.close();
  }

  async #try(): Promise<void> {
    const { clock, streams, signal, log } = this.#parts;
    const ended = AbortSignal.any([signal, this.#ended.signal]);
    const isOver = (): boolean => ended.aborted;
    if (isOver()) return;
    this.#isTrying = true;
    try {
      const stream = await untilOpen(clock, streams, this.place, OPEN_TIMEOUT_MS, ended);
      this.#isTrying = false;
      if (isOver()) this.#letGo(stream);
      else if (stream.isClosed) this.#failed();
      else this.#stands(stream, true);
    } catch (error) {
      this.#isTrying = false;
      if (isOver()) return;
      const reason = error instanceof Error ? error.message : String(error);
      log.debug('a relay could not be reached', { relay: this.place.node.record.name, reason });
      this.#parts.counters.counter('relays.failed').value++;
      if (this.#stream === null) this.#failed();
    }
  }

  #stands(stream: Stream, isOpener: boolean): void {
    this.#isOpener ||= isOpener;
    if (this.#stream !== null && !this.#stream.isClosed) return;
    this.#stream = stream;
    this.#failures = 0;
    this.#retry?.cancel();
    this.#retry = null;
    this.#changed();
  }

  #failed(): void {
    this.#failures++;
    const waitMs = retryAfterMs(this.#failures, this.#parts.random);
    this.#retry = this.#parts.clock.after(waitMs, () => this.tryNow());
    this.#changed();
  }
}
