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
/** What the authenticator takes after the ciphertext, at most. */
const TRAILER_BYTES = 32;
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
  /** What stood in front of the packets. */
  readonly beforeTarget: number;
  readonly beforeSource: number;
  /** What stood behind the ciphertext. */
  readonly behind: number;
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
    beforeTarget: arena.allocate(BLOCK_BYTES),
    beforeSource: arena.allocate(KEY_BYTES),
    behind: arena.allocate(TRAILER_BYTES),
    trailer: arena.allocate(16 + TRAILER_BYTES),
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
    checkSeal(this.#parts.arena, target, source, length);
    this.#begin(counter);
    if (isApart(target, source, length) || (target === source && target >= BLOCK_BYTES))
      this.#startAndCrypt(target, source, length);
    else {
      this.#start();
      this.#crypt(target, source, length);
    }
    this.#authenticate(target, length, target + length);
    return length + TAG_BYTES;
  }

  open(counter: number, target: number, source: number, length: number): number {
    const plain = length - TAG_BYTES;
    if (plain < 0) return -1;
    const { arena, tag } = this.#parts;
    checkOpen(arena, target, source, length);
    this.#begin(counter);
    if (isApart(target, source, length)) {
      this.#startAndCrypt(target, source, plain);
      this.#authenticate(source, plain, tag);
      if (sameTag(arena.view, tag, source + plain)) return plain;
      // It was deciphered before the tag was known to be wrong: nobody must read it.
      arena.memory.fill(0, target, target + plain);
      return -1;
    }
    this.#start();
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

  #begin(counter: number): void {
    if (this.#slot < 0) throw wiped();
    const { arena, counter: at } = this.#parts;
    writeNonce(arena.view, at + 4, counter);
  }

  /** Block 0 of the key stream is the authenticator's one-time key. */
  #start(): void {
    const { arena, polyInit, polyContext, oneTimeKey, zeros } = this.#parts;
    this.#chacha20(0, oneTimeKey, zeros, BLOCK_BYTES);
    polyInit(arena.base + polyContext, arena.base + oneTimeKey);
  }

  #crypt(target: number, source: number, length: number): void {
    this.#chacha20(1, target, source, length);
  }

  /** Both in one call: block 0 goes over the 64 bytes in front of the packet, which are put back. */
  #startAndCrypt(target: number, source: number, length: number): void {
    const { arena, polyInit, polyContext, beforeTarget, beforeSource } = this.#parts;
    const { view, base } = arena;
    const from = source - BLOCK_BYTES;
    const to = target - BLOCK_BYTES;
    copy(view, beforeTarget, to, BLOCK_BYTES);
    if (from !== to) copy(view, beforeSource, from, KEY_BYTES);
    for (let at = from; at < from + KEY_BYTES; at += 4) view.setInt32(at, 0, true);
    this.#chacha20(0, to, from, BLOCK_BYTES + length);
    polyInit(base + polyContext, base + to);
    copy(view, to, beforeTarget, BLOCK_BYTES);
    if (from !== to) copy(view, from, beforeSource, KEY_BYTES);
  }

  #chacha20(block: number, target: number, source: number, length: number): void {
    const { arena, chacha20, counter } = this.#parts;
    const { view, base } = arena;
    view.setUint32(counter, block, true);
    chacha20(base + target, base + source, length, base + this.#slot, base + counter);
  }

  /**
   * Over the ciphertext, padding to 16 bytes, the length of the additional data (0), and that of the ciphertext. They are
   * laid behind it for as long as it takes: one call costs less than two.
   */
  #authenticate(source: number, length: number, tag: number): void {
    const { arena, polyContext, polyUpdate, polyFinal, trailer, behind } = this.#parts;
    const { view, base } = arena;
    const context = base + polyContext;
    const padding = -length & 15;
    const end = source + length;
    const rest = trailer + 16 - padding;
    view.setUint32(trailer + 24, length, true);
    if (end + TRAILER_BYTES > arena.memory.length) {
      polyUpdate(context, base + source, length);
      polyUpdate(context, base + rest, padding + 16);
    } else {
      copy(view, behind, end, TRAILER_BYTES);
      copy(view, end, rest, TRAILER_BYTES);
      polyUpdate(context, base + source, length + padding + 16);
      copy(view, end, behind, TRAILER_BYTES);
    }
    polyFinal(context, base + tag);
  }
}

/** Is there room in front of both, and does neither reach into what the other reads or writes? */
const isApart = (target: number, source: number, length: number): boolean =>
  target >= BLOCK_BYTES && source >= BLOCK_BYTES && Math.abs(target - source) >= BLOCK_BYTES + length;

/** For a few words: the built-in costs a call. */
function copy(view: DataView, to: number, from: number, bytes: number): void {
  for (let at = 0; at < bytes; at += 4) view.setInt32(to + at, view.getInt32(from + at, true), true);
}

/** In constant time: where two tags differ must not show in how long it takes to say so. */
function sameTag(view: DataView, a: number, b: number): boolean {
  let difference = 0;
  for (let at = 0; at < TAG_BYTES; at += 4)
    difference |= view.getInt32(a + at, true) ^ view.getInt32(b + at, true);
  return difference === 0;
}
