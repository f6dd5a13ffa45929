// What the data plane is handed: it opens no socket, reads no clock and makes no key of its own accord.
import type { Clock } from '../../base/clock.ts';
import type { Counters } from '../../base/counters.ts';
import type { Log } from '../../base/log.ts';
import type { Random } from '../../base/random.ts';
import type { DhKeyPair, Primitives } from '../../protocol/primitives.ts';
import type { Aead, AeadName } from './aead.ts';
import type { Deliver, SuperPackets } from './coalescer.ts';
import type { Counts } from './counts.ts';
import type { EngineEvents } from './engine.ts';
import type { TimestampFloor } from './timestamps.ts';
import type { Timings } from './timings.ts';

export interface EngineOptions {
  readonly aead: Aead;
  /** An offset into `aead.memory`; called a few times, at the start only (about 1,050 KiB in all, of which a node that is in touch with few uses half). */
  readonly allocate: (bytes: number) => number;
  readonly primitives: Primitives;
  readonly clock: Clock;
  readonly random: Random;
  /** A scope of its own: `counters.scope('dataplane')`. */
  readonly counters: Counters;
  readonly log: Log;
  readonly localStatic: DhKeyPair;
  readonly timestampFloor: TimestampFloor;
  readonly events: EngineEvents;
  /**
   * Takes each opened, allowed IP packet: `bytes` is `aead.memory`, with 64 bytes of room before and behind the
   * packet, which may be written to; lent until the call returns. Must not throw.
   */
  readonly deliver: Deliver;
  /** With which ciphers the fast profile may be agreed on; default ChaCha20-Poly1305; empty: not at all. */
  readonly fastCiphers?: readonly AeadName[];
  /** Which super-packets the card takes now. Asked in each turn; absent, or null: none, and no open checksums. */
  readonly superPackets?: () => SuperPackets | null;
  /** The virtual card's: padding does not lead beyond it. */
  readonly mtu: number;
  /** Overlay prefixes from the start; later by `setOverlay`. */
  readonly overlay?: readonly string[];
  readonly timings?: Partial<Timings>;
}

/** The options as the parts of the engine see them: filled up, and with the counters at hand. */
export interface Setting extends EngineOptions {
  readonly timings: Timings;
  readonly fastCiphers: readonly AeadName[];
  readonly counts: Counts;
}
