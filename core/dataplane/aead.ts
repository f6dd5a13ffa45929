// Sealing on one memory, by offsets: the fast way in which the data plane uses an AEAD. Handed in by system/.

export type AeadName = 'chacha20-poly1305' | 'aes-256-gcm';

/** One key for one direction. The nonce is WireGuard's: 32 zero bits, then the counter in little endian. */
export interface AeadKey {
  /**
   * Seals `memory[source..source+length)` to `memory[target..]`, the 16-byte tag behind it; returns length + 16.
   * `target === source` is allowed. There is no additional data.
   */
  seal(counter: number, target: number, source: number, length: number): number;
  /** Opens `length` bytes (tag included); returns the plaintext's length, or -1 where the tag does not fit. */
  open(counter: number, target: number, source: number, length: number): number;
  /** Overwrites the key; further calls throw. */
  wipe(): void;
}

/** The memory and what seals in it. */
export interface Aead {
  /** Which implementation passed its self-test, for stock messages: `openssl-lowlevel`, `openssl-evp`, `node-crypto`. */
  readonly implementation: string;
  /** The same for each cipher. */
  readonly implementations: Readonly<Record<AeadName, string>>;
  /** The memory that offsets refer to. */
  readonly memory: Uint8Array;
  /** Those that are fast on this machine: AES only where the CPU has instructions for it. */
  readonly fastCiphers: readonly AeadName[];
  key(name: AeadName, secret: Uint8Array): AeadKey;
}
