// Writes peers to the store: what is new at once, what changes all the time at most every 30 s a peer.
import type { Clock, Timer } from '../../base/clock.ts';
import type { Counters } from '../../base/counters.ts';
import type { Log } from '../../base/log.ts';
import type { NodeId } from '../../protocol/location/messages.ts';
import type { KnownPeer } from './peer.ts';

export const COALESCE_MS = 30_000;

/** What is needed of a store; keys are node ids. */
export interface PeerStore {
  put(key: string, value: unknown): Promise<void>;
  delete(key: string): Promise<void>;
  entries(prefix: string): Promise<readonly (readonly [key: string, value: unknown])[]>;
}

export interface PeerWriterOptions {
  readonly store: PeerStore;
  readonly clock: Clock;
  readonly log: Log;
  readonly counters: Counters;
  /** The peer as it is now; null: it was forgotten. */
  readonly read: (id: NodeId) => KnownPeer | null;
}

export class PeerWriter {
  readonly #options: PeerWriterOptions;
  readonly #waiting = new Map<NodeId, Timer>();
  /** A new peer does not count: where it was first met must outlast a power cut a moment later. */
  readonly #lastChange = new Map<NodeId, number>();
  #writing: Promise<void> = Promise.resolve();

  constructor(options: PeerWriterOptions) {
    this.#options = options;
  }

  now(id: NodeId): void {
    this.#waiting.get(id)?.cancel();
    this.#waiting.delete(id);
    if (this.#options.read(id) === null) this.#lastChange.delete(id);
    this.#writing = this.#writing.then(() => this.#write(id));
  }

  later(id: NodeId): void {
    if (this.#waiting.has(id)) return;
    const { clock } = this.#options;
    const sinceMs = clock.monotonicMs() - (this.#lastChange.get(id) ?? -Infinity);
    // Even the first change waits: others follow within the second.
    const delayMs = Math.max(1_000, COALESCE_MS - sinceMs);
    const write = (): void => {
      this.#lastChange.set(id, clock.monotonicMs());
      this.now(id);
    };
    this.#waiting.set(id, clock.after(delayMs, write));
  }

  async flush(): Promise<void> {
    for (const id of [...this.#waiting.keys()]) this.now(id);
    await this.#writing;
  }

  async #write(id: NodeId): Promise<void> {
    const { store, counters, log } = this.#options;
    const peer = this.#options.read(id);
    try {
      await (peer === null ? store.delete(id) : store.put(id, peer));
      counters.counter('peers.written').value++;
    } catch (error) {
      counters.counter('peers.unwritten').value++;
      log.error('a peer could not be kept', {
        id,
        reason: error instanceof Error ? error.message : String(error),
      });
    }
  }
}
