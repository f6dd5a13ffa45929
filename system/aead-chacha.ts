// ChaCha20-Poly1305 (RFC 8439, 2.8) from the routines that OpenSSL builds it of: half the cost of EVP. They are no public
// API: they may be missing, and are tested before use.
import type { AeadKey } from '../core/dataplane/aead.ts';
import {
  checkOpen,
  checkSeal,
  checkSecret,
  KEY_BYTES,
  TAG_BYTES,
  wiped,
  writeNonce,
  type KeyMaker,
} from './aead-openssl.ts';
import type { Arena } from './doors.ts';
import type { Libc, NativeCall } from './libc.ts';

/** Room for secrets, used again after a wipe: the arena itself takes nothing back. */
class Slots {
  readonly #arena: Arena;
  readonly #free: number[] = [];

  constructor(arena: Arena) {
    this.#arena = arena;
  }

  take(secret: Uint8Array): number {
    const slot = this.#free.pop() ?? this.#arena.allocate(KEY_BYTES, KEY_BYTES);
    this.#arena.memory.set(secret, slot);
    return slot;
  }

  giveBack(slot: number): void {
    this.#arena.memory.fill(0, slot, slot + KEY_BYTES);
    this.#free.push(slot);
  }
}

const BLOCK_BYTES = 64;
/** More than any version's POLY1305 structure (about 250). */
const POLY1305_BYTES = 512;

interface ChaChaParts {
  readonly arena: Arena;
  readonly slots: Slots;
  readonly chacha20: NativeCall<[out: number, input: number, bytes: number, key: number, counter: number]>;
  readonly polyInit: NativeCall<[context: number, key: number]>;
  readonly polyUpdate: NativeCall<[context: number, input: number, bytes: number]>;
  readonly polyFinal: NativeCall<[context: number, tag: number]>;
  readonly polyContext: number;
  /** Block counter and nonce. */
  readonly counter: number;
  readonly zeros: number;
  readonly oneTimeKey: number;
  /** 16 zero bytes of padding, then the two lengths. */
  readonly trailer: number;
  readonly tag: number;
}

export function lowLevelChaCha(libc: Libc, arena: Arena): KeyMaker {
  const library = libc.koffi.load(null);
  const [pointer, size] = ['uintptr_t', 'size_t'];
  const parts: ChaChaParts = {
    arena,
    slots: new Slots(arena),
    chacha20: library.func('ChaCha20_ctr32', 'void', [pointer, pointer, size, pointer, pointer]),
    polyInit: library.func('Poly1305_Init', 'void', [pointer, pointer]),
    polyUpdate: library.func('Poly1305_Update', 'void', [pointer, pointer, size]),
    polyFinal: library.func('Poly1305_Final', 'void', [pointer, pointer]),
    polyContext: arena.allocate(POLY1305_BYTES),
    counter: arena.allocate(16),
    zeros: arena.allocate(BLOCK_BYTES),
    oneTimeKey: arena.allocate(BLOCK_BYTES),
    trailer: arena.allocate(32),
    tag: arena.allocate(TAG_BYTES),
  };
  return secret => {
    checkSecret(secret);
    return new LowLevelKey(parts, secret);
  };
}

class LowLevelKey implements AeadKey {
  readonly #parts: ChaChaParts;
  #slot: number;

  constructor(parts: ChaChaParts, secret: Uint8Array) {
    this.#parts = parts;
    this.#slot = parts.slots.take(secret);
  }

  seal(counter: number, target: number, source: number, length: number): number {
    const { arena } = this.#parts;
    checkSeal(arena, target, source, length);
    this.#begin(counter);
    this.#crypt(target, source, length);
    this.#authenticate(target, length, target + length);
    return length + TAG_BYTES;
  }

  open(counter: number, target: number, source: number, length: number): number {
    const { arena, tag } = this.#parts;
    const plain = length - TAG_BYTES;
    if (plain < 0) return -1;
    checkOpen(arena, target, source, length);
    this.#begin(counter);
    this.#authenticate(source, plain, tag);
    if (!sameTag(arena.view, tag, source + plain)) return -1;
    this.#crypt(target, source, plain);
    return plain;
  }

  wipe(): void {
    if (this.#slot < 0) return;
    const { arena, slots, oneTimeKey, polyContext } = this.#parts;
    slots.giveBack(this.#slot);
    arena.memory.fill(0, oneTimeKey, oneTimeKey + BLOCK_BYTES);
    arena.memory.fill(0, polyContext, polyContext + POLY1305_BYTES);
    this.#slot = -1;
  }

  /** Block 0 of the key stream is the authenticator's one-time key. */
  #begin(counter: number): void {
    if (this.#slot < 0) throw wiped();
    const { arena, chacha20, oneTimeKey, zeros, counter: at } = this.#parts;
    arena.view.setUint32(at, 0, true);
    writeNonce(arena.view, at + 4, counter);
    chacha20(
      arena.base + oneTimeKey,
      arena.base + zeros,
      BLOCK_BYTES,
      arena.base + this.#slot,
      arena.base + at,
    );
  }

  #crypt(target: number, source: number, length: number): void {
    const { arena, chacha20, counter } = this.#parts;
    arena.view.setUint32(counter, 1, true);
    chacha20(arena.base + target, arena.base + source, length, arena.base + this.#slot, arena.base + counter);
  }

  /** Over the ciphertext, padding to 16 bytes, the length of the additional data (0), and that of the ciphertext. */
  #authenticate(source: number, length: number, tag: number): void {
    const { arena, polyContext, polyInit, polyUpdate, polyFinal, oneTimeKey, trailer } = this.#parts;
    const context = arena.base + polyContext;
    const padding = -length & 15;
    arena.view.setUint32(trailer + 24, length, true);
    polyInit(context, arena.base + oneTimeKey);
    polyUpdate(context, arena.base + source, length);
    polyUpdate(context, arena.base + trailer + 16 - padding, padding + 16);
    polyFinal(context, arena.base + tag);
  }
}

/** In constant time: where two tags differ must not show in how long it takes to say so. */
function sameTag(view: DataView, a: number, b: number): boolean {
  let difference = 0;
  for (let at = 0; at < TAG_BYTES; at += 4)
    difference |= view.getInt32(a + at, true) ^ view.getInt32(b + at, true);
  return difference === 0;
}
