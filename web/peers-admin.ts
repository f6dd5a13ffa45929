// What page and command learn of one peer over time: the last hour of its path, and how fast it is. Plain JSON.
import type { Facts } from '../base/said.ts';
import type { PathStatus, PeerStatus } from '../core/admin.ts';

export interface PathSample {
  /** Milliseconds since 1970. */
  readonly at: number;
  /** Null: it had no path, or none was measured. */
  readonly rttMs: number | null;
  /** 0 to 1. */
  readonly loss: number;
  /** `none`: it was sought. */
  readonly class: PathStatus['class'] | 'none';
  /** `direct UDP`, `via office-vps`; empty: no path. */
  readonly label: string;
}

export interface PathChange {
  readonly at: number;
  /** Labels; empty: no path. */
  readonly from: string;
  readonly to: string;
  /** In words; and the same for other languages (base/said.ts). */
  readonly reason: string;
  readonly reasonCode: string;
  readonly reasonFacts: Facts;
}

/** Oldest first; of the last hour at most. */
export interface PeerHistory {
  readonly everyMs: number;
  readonly samples: readonly PathSample[];
  readonly changes: readonly PathChange[];
}

export type SpeedEvent =
  | {
      readonly type: 'sample';
      /** Since the test began. */
      readonly afterMs: number;
      readonly bitsPerSecond: number;
      readonly direction: 'down' | 'up';
    }
  /** Bits per second, without the first moments of each direction. */
  | { readonly type: 'done'; readonly down: number; readonly up: number };

export interface PeersAdmin {
  /** By the peer's id. */
  history(peer: string): PeerHistory;
  /** Ten seconds. Errors: SPEED_*. */
  speed(peer: PeerStatus, signal: AbortSignal): AsyncIterable<SpeedEvent>;
}
