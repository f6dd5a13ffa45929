// AES-256-GCM (NIST SP 800-38D) from the routines that OpenSSL builds it of: GCM by `openssl/modes.h`, AES by the CPU's
// instructions. A quarter cheaper than EVP, for short packets half. The AES routines are no public API: they may be missing,
// and are tested before use. x86 only.
import type { AeadKey } from '../core/dataplane/aead.ts';
import {
  checkOpen,
  checkSeal,
  checkSecret,
  KEY_BYTES,
  NONCE_BYTES,
  TAG_BYTES,
  wiped,
  writeNonce,
  type KeyMaker,
} from './aead-openssl.ts';
import type { Arena } from './doors.ts';
import type { Libc, NativeCall } from './libc.ts';

/** AES_KEY: 15 round keys and their number. */
const SCHEDULE_BYTES = 256;
const KEY_BITS = 256;

type Crypt = NativeCall<[context: number, input: number, out: number, bytes: number, stream: number]>;

interface GcmParts {
  readonly arena: Arena;
  readonly allocate: NativeCall<[bytes: number, file: number, line: number]>;
  readonly free: NativeCall<[pointer: number, bytes: number, file: number, line: number]>;
  readonly expandKey: NativeCall<[key: number, bits: number, schedule: number]>;
  readonly create: NativeCall<[schedule: number, block: number]>;
  readonly release: NativeCall<[context: number]>;
  readonly setNonce: NativeCall<[context: number, nonce: number, bytes: number]>;
  readonly encrypt: Crypt;
  readonly decrypt: Crypt;
  readonly tagOf: NativeCall<[context: number, tag: number, bytes: number]>;
  /** 0 where the tag fits; compares in constant time. */
  readonly finish: NativeCall<[context: number, tag: number, bytes: number]>;
  /** Addresses of AES in single blocks and in counter mode. */
  readonly block: number;
  readonly stream: number;
  readonly nonce: number;
  readonly secret: number;
}

export function lowLevelGcm(libc: Libc, arena: Arena): KeyMaker {
  const library = libc.koffi.load(null);
  const [pointer, size, int] = ['uintptr_t', 'size_t', 'int'];
  const addressOf: NativeCall<[library: number, name: string]> = library.func('dlsym', pointer, [
    pointer,
    'str',
  ]);
  const crypt = [pointer, pointer, pointer, size, pointer];
  const parts: GcmParts = {
    arena,
    allocate: library.func('CRYPTO_malloc', pointer, [size, pointer, int]),
    free: library.func('CRYPTO_clear_free', 'void', [pointer, size, pointer, int]),
    expandKey: library.func('aesni_set_encrypt_key', int, [pointer, int, pointer]),
    create: library.func('CRYPTO_gcm128_new', pointer, [pointer, pointer]),
    release: library.func('CRYPTO_gcm128_release', 'void', [pointer]),
    setNonce: library.func('CRYPTO_gcm128_setiv', 'void', [pointer, pointer, size]),
    encrypt: library.func('CRYPTO_gcm128_encrypt_ctr32', int, crypt),
    decrypt: library.func('CRYPTO_gcm128_decrypt_ctr32', int, crypt),
    tagOf: library.func('CRYPTO_gcm128_tag', 'void', [pointer, pointer, size]),
    finish: library.func('CRYPTO_gcm128_finish', int, [pointer, pointer, size]),
    block: addressOf(0, 'aesni_encrypt'),
    stream: addressOf(0, 'aesni_ctr32_encrypt_blocks'),
    nonce: arena.allocate(NONCE_BYTES),
    secret: arena.allocate(KEY_BYTES),
  };
  if (parts.block === 0 || parts.stream === 0) throw new Error('this node lacks the AES routines');
  return secret => {
    checkSecret(secret);
    return new GcmKey(parts, secret);
  };
}

class GcmKey implements AeadKey {
  readonly #parts: GcmParts;
  /** Both in OpenSSL's own memory, away from packets: a key that is dropped without `wipe` is not given back. */
  #schedule: number;
  #context = 0;

  constructor(parts: GcmParts, secret: Uint8Array) {
    const { arena } = parts;
    this.#parts = parts;
    this.#schedule = parts.allocate(SCHEDULE_BYTES, 0, 0);
    arena.memory.set(secret, parts.secret);
    const isExpanded =
      this.#schedule !== 0 && parts.expandKey(arena.base + parts.secret, KEY_BITS, this.#schedule) === 0;
    arena.memory.fill(0, parts.secret, parts.secret + KEY_BYTES);
    if (isExpanded) this.#context = parts.create(this.#schedule, parts.block);
    if (this.#context !== 0) return;
    this.wipe();
    throw new Error('OpenSSL refused an AES key');
  }

  seal(counter: number, target: number, source: number, length: number): number {
    const { arena, encrypt, tagOf, stream } = this.#parts;
    checkSeal(arena, target, source, length);
    this.#begin(counter);
    const context = this.#context;
    const { base } = arena;
    // An error here would send plaintext or a wrong tag: nothing the caller could do is right.
    if (length > 0 && encrypt(context, base + source, base + target, length, stream) !== 0)
      throw new Error('OpenSSL failed to seal');
    tagOf(context, base + target + length, TAG_BYTES);
    return length + TAG_BYTES;
  }

  open(counter: number, target: number, source: number, length: number): number {
    const { arena, decrypt, finish, stream } = this.#parts;
    const plain = length - TAG_BYTES;
    if (plain < 0) return -1;
    checkOpen(arena, target, source, length);
    this.#begin(counter);
    const context = this.#context;
    const { base } = arena;
    // Opened in place, the tag stays where it is: it lies behind the plaintext.
    const isDone = plain === 0 || decrypt(context, base + source, base + target, plain, stream) === 0;
    if (isDone && finish(context, base + source + plain, TAG_BYTES) === 0) return plain;
    // It deciphers before it knows the tag to be right: what it wrote must not be read by anyone.
    arena.memory.fill(0, target, target + plain);
    return -1;
  }

  wipe(): void {
    const { free, release } = this.#parts;
    if (this.#context !== 0) release(this.#context);
    if (this.#schedule !== 0) free(this.#schedule, SCHEDULE_BYTES, 0, 0);
    this.#context = this.#schedule = 0;
  }

  #begin(counter: number): void {
    if (this.#context === 0) throw wiped();
    const { arena, setNonce, nonce } = this.#parts;
    writeNonce(arena.view, nonce, counter);
    setNonce(this.#context, arena.base + nonce, NONCE_BYTES);
  }
}
