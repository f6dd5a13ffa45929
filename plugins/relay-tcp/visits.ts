// Connections opened for a while: to other nodes' relays. Who keeps none of them open closes them when they fall idle.
import type { Clock, Timer } from '../../base/clock.ts';
import type { Stream, StreamDoor } from '../../core/contract/plugin.ts';
import type { TcpPlace } from '../../protocol/location/messages.ts';
import { keyOf } from './keys.ts';
import { untilOpen } from './opening.ts';

export interface VisitParts {
  readonly clock: Clock;
  readonly streams: StreamDoor;
  /** Ends all tries. */
  readonly signal: AbortSignal;
  /** Is it one that this node keeps anyway? */
  readonly isKept: (node: string) => boolean;
  /** Was anything of others forwarded on it since this was last asked? */
  readonly wasUsed: (stream: Stream) => boolean;
}

export const IDLE_MS = 90_000;
const LOOK_EVERY_MS = 15_000;

export class Visits {
  readonly #parts: VisitParts;
  /** When each was opened, or last seen in use for others. */
  readonly #open = new Map<Stream, number>();
  #looking: Timer | null = null;

  constructor(parts: VisitParts) {
    this.#parts = parts;
  }

  /** The connection that stands, or a new one. Rejects with a GinnelError, or the signal's reason. */
  async open(place: TcpPlace, timeoutMs: number, signal: AbortSignal = this.#parts.signal): Promise<Stream> {
    const { clock, streams } = this.#parts;
    const standing = streams.find(keyOf(place));
    if (standing !== null && !standing.isClosed) return standing;
    const ended = AbortSignal.any([signal, this.#parts.signal]);
    const stream = await untilOpen(clock, streams, place, timeoutMs, ended);
    this.adopt(stream);
    return stream;
  }

  /** It is to be closed when it falls idle. */
  adopt(stream: Stream): void {
    const { clock } = this.#parts;
    if (stream.isClosed || this.#parts.signal.aborted) return;
    this.#open.set(stream, clock.monotonicMs());
    this.#looking ??= clock.after(LOOK_EVERY_MS, () => this.#look());
  }

  /** Perhaps in the place of an older connection with the same node. */
  arrived(stream: Stream): void {
    for (const [older, usedAt] of this.#open) {
      if (older === stream || older.address !== stream.address) continue;
      this.#open.delete(older);
      if (stream.isOurs) this.#open.set(stream, usedAt);
      return;
    }
  }

  left(stream: Stream): void {
    this.#open.delete(stream);
  }

  stop(): void {
    this.#looking?.cancel();
    this.#looking = null;
    for (const stream of this.#open.keys()) stream.close();
    this.#open.clear();
  }

  #look(): void {
    this.#looking = null;
    const { clock, isKept, wasUsed } = this.#parts;
    const now = clock.monotonicMs();
    for (const [stream, usedAt] of [...this.#open]) {
      if (stream.isClosed) this.#open.delete(stream);
      // One that is kept has its time here once it is let go there.
      else if (wasUsed(stream) || isKept(stream.node)) this.#open.set(stream, now);
      else if (now - Math.max(usedAt, stream.lastUsedAt) >= IDLE_MS) {
        this.#open.delete(stream);
        stream.close();
      }
    }
    if (this.#open.size > 0) this.#looking = clock.after(LOOK_EVERY_MS, () => this.#look());
  }
}
