// Receiver indices: by the 32 bits that a message carries we find the handshake or the keys that it is for.
import type { Random } from '../../base/random.ts';
import type { Keypair } from './keypairs.ts';
import type { Peer } from './peer.ts';

export interface IndexEntry {
  readonly peer: Peer;
  /** Null while its handshake is on the way. */
  keypair: Keypair | null;
}

/** Indices are signed here (`| 0`): V8 keeps such numbers without an allocation. */
export class Indices {
  readonly #random: Random;
  readonly #entries = new Map<number, IndexEntry>();

  constructor(random: Random) {
    this.#random = random;
  }

  get size(): number {
    return this.#entries.size;
  }

  claim(peer: Peer): number {
    for (;;) {
      const index = this.#random.below(2 ** 32) | 0;
      if (this.#entries.has(index)) continue;
      this.#entries.set(index, { peer, keypair: null });
      return index;
    }
  }

  find(index: number): IndexEntry | undefined {
    return this.#entries.get(index | 0);
  }

  release(index: number): void {
    this.#entries.delete(index | 0);
  }
}
