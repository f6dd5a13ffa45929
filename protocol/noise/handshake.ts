// The Noise Protocol Framework (revision 34), as far as this house needs it: IK for the channel to the location server,
// IKpsk2 for WireGuard, K for a sealed message from one node to another. All over X25519, ChaCha20-Poly1305, BLAKE2s.
import type { DhKeyPair, Primitives } from '../primitives.ts';
import type { Result } from '../result.ts';

export type NoisePattern = 'IK' | 'IKpsk2' | 'K';

export interface NoiseOptions {
  readonly primitives: Primitives;
  readonly pattern: NoisePattern;
  readonly initiator: boolean;
  readonly prologue: Uint8Array;
  readonly localStatic: DhKeyPair;
  /** Known beforehand by the initiator of IK and IKpsk2, and by both ends of K. */
  readonly remoteStatic?: Uint8Array;
  /** IKpsk2: 32 bytes. */
  readonly presharedKey?: Uint8Array;
  /** For test vectors; otherwise made afresh. */
  readonly localEphemeral?: DhKeyPair;
}

export type NoiseRefusal =
  'noise.truncated' | 'noise.tag' | 'noise.low-order' | 'noise.order' | 'noise.exhausted';

/** One direction of a finished handshake. Counters count by themselves; in order, nothing lost. */
export interface NoiseCipher {
  seal(plaintext: Uint8Array, ad?: Uint8Array): Uint8Array;
  open(sealed: Uint8Array, ad?: Uint8Array): Result<Uint8Array, NoiseRefusal>;
}

export interface NoiseHandshake {
  /** Known to the responder of IK after the first message. */
  readonly remoteStatic: Uint8Array | null;
  /** True when all messages of the pattern have passed (K: after its only one). */
  readonly finished: boolean;
  write(payload: Uint8Array): Uint8Array;
  read(message: Uint8Array): Result<Uint8Array, NoiseRefusal>;
  /** The transcript hash: binds what is said later to this very handshake. */
  hash(): Uint8Array;
  split(): { readonly send: NoiseCipher; readonly receive: NoiseCipher };
}

export type StartNoise = (options: NoiseOptions) => NoiseHandshake;
