// Round trips to relays that are not kept: the location server chooses among them by these (V8). One at a time, each at
// most once in ten minutes, over a connection that is closed again.
import type { Clock, Timer } from '../../base/clock.ts';
import type { Stream } from '../../core/contract/plugin.ts';
import type { RelayInUse, TcpPlace } from '../../protocol/location/messages.ts';

export interface SurveyParts {
  readonly clock: Clock;
  /** Ends all tries. */
  readonly signal: AbortSignal;
  readonly isKept: (node: string) => boolean;
  readonly find: (place: TcpPlace) => Stream | null;
  /** Opens one. */
  readonly open: (place: TcpPlace) => Promise<Stream>;
  readonly changed: () => void;
}

export const AGAIN_MS = 600_000;
const LOOK_EVERY_MS = 100;
const PATIENCE_MS = 5_000;

interface Finding {
  readonly at: number;
  readonly words: RelayInUse;
}

export class Surveyor {
  readonly #parts: SurveyParts;
  readonly #findings = new Map<string, Finding>();
  #places: readonly TcpPlace[] = [];
  #isBusy = false;
  #again: Timer | null = null;

  constructor(parts: SurveyParts) {
    this.#parts = parts;
  }

  /** Of those to be measured, and not kept. */
  get findings(): readonly RelayInUse[] {
    return this.#places.flatMap(({ node: { record } }) => {
      const finding = this.#findings.get(record.id);
      return finding === undefined || this.#parts.isKept(record.id) ? [] : [finding.words];
    });
  }

  told(places: readonly TcpPlace[]): void {
    this.#places = places;
    const now = this.#parts.clock.monotonicMs();
    for (const [node, { at }] of this.#findings) if (now - at >= AGAIN_MS) this.#findings.delete(node);
    void this.#measureAll();
  }

  stop(): void {
    this.#again?.cancel();
    this.#again = null;
    this.#places = [];
  }

  async #measureAll(): Promise<void> {
    if (this.#isBusy) return;
    this.#isBusy = true;
    for (let place = this.#due(); place !== null; place = this.#due()) {
      const words = await this.#measure(place);
      if (this.#parts.signal.aborted) break;
      const { id } = place.node.record;
      this.#findings.set(id, { at: this.#parts.clock.monotonicMs(), words });
      this.#parts.changed();
    }
    this.#isBusy = false;
    if (this.#parts.signal.aborted || this.#places.length === 0) return;
    this.#again?.cancel();
    this.#again = this.#parts.clock.after(AGAIN_MS / 10, () => void this.#measureAll());
  }

  #due(): TcpPlace | null {
    const now = this.#parts.clock.monotonicMs();
    const isDue = ({ node: { record } }: TcpPlace): boolean =>
      now - (this.#findings.get(record.id)?.at ?? -Infinity) >= AGAIN_MS && !this.#parts.isKept(record.id);
    return this.#places.find(isDue) ?? null;
  }

  async #measure(place: TcpPlace): Promise<RelayInUse> {
    const node = place.node.record.id;
    const standing = this.#parts.find(place);
    try {
      const stream = standing ?? (await this.#parts.open(place));
      const rttMs = await this.#roundTrip(stream);
      if (standing === null && stream.links === 0 && !this.#parts.isKept(node)) stream.close();
      return { node, state: rttMs === null ? 'failed' : 'measured', rttMs };
    } catch {
      return { node, state: 'failed', rttMs: null };
    }
  }

  /** As soon as the connection's own pings have brought it. */
  async #roundTrip(stream: Stream): Promise<number | null> {
    const { clock, signal } = this.#parts;
    const until = clock.monotonicMs() + PATIENCE_MS;
    while (stream.rttMs === null && !stream.isClosed && clock.monotonicMs() < until && !signal.aborted)
      await new Promise<void>(resolve => clock.after(LOOK_EVERY_MS, resolve));
    return stream.rttMs;
  }
}
