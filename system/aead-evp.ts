// AEADs by OpenSSL's public EVP interface (man 3 EVP_EncryptInit).
import type { AeadKey, AeadName } from '../core/dataplane/aead.ts';
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

const EVP_NAMES: Record<AeadName, string> = {
  'chacha20-poly1305': 'ChaCha20-Poly1305',
  'aes-256-gcm': 'AES-256-GCM',
};
const EVP_CTRL_AEAD_GET_TAG = 0x10;
const EVP_CTRL_AEAD_SET_TAG = 0x11;

type EvpInit = NativeCall<[context: number, cipher: number, engine: number, key: number, nonce: number]>;
type EvpUpdate = NativeCall<[context: number, out: number, outBytes: number, input: number, bytes: number]>;
type EvpFinal = NativeCall<[context: number, out: number, outBytes: number]>;

interface EvpParts {
  readonly arena: Arena;
  readonly cipher: number;
  readonly create: NativeCall<[]>;
  readonly free: NativeCall<[context: number]>;
  readonly control: NativeCall<[context: number, what: number, argument: number, pointer: number]>;
  readonly encryptInit: EvpInit;
  readonly encryptUpdate: EvpUpdate;
  readonly encryptFinal: EvpFinal;
  readonly decryptInit: EvpInit;
  readonly decryptUpdate: EvpUpdate;
  readonly decryptFinal: EvpFinal;
  readonly nonce: number;
  readonly outBytes: number;
  readonly secret: number;
}

export function evpCipher(libc: Libc, arena: Arena, name: AeadName): KeyMaker {
  const library = libc.koffi.load(null);
  const [pointer, int] = ['uintptr_t', 'int'];
  const init = [pointer, pointer, pointer, pointer, pointer];
  const update = [pointer, pointer, pointer, pointer, int];
  const final = [pointer, pointer, pointer];
  const fetch: NativeCall<[library: number, name: string, properties: string]> = library.func(
    'EVP_CIPHER_fetch',
    pointer,
    [pointer, 'str', 'str'],
  );
  const cipher = fetch(0, EVP_NAMES[name], '');
  if (cipher === 0) throw new Error(`OpenSSL has no ${name}`);
  const parts: EvpParts = {
    arena,
    cipher,
    create: library.func('EVP_CIPHER_CTX_new', pointer, []),
    free: library.func('EVP_CIPHER_CTX_free', 'void', [pointer]),
    control: library.func('EVP_CIPHER_CTX_ctrl', int, [pointer, int, int, pointer]),
    encryptInit: library.func('EVP_EncryptInit_ex', int, init),
    encryptUpdate: library.func('EVP_EncryptUpdate', int, update),
    encryptFinal: library.func('EVP_EncryptFinal_ex', int, final),
    decryptInit: library.func('EVP_DecryptInit_ex', int, init),
    decryptUpdate: library.func('EVP_DecryptUpdate', int, update),
    decryptFinal: library.func('EVP_DecryptFinal_ex', int, final),
    nonce: arena.allocate(NONCE_BYTES),
    outBytes: arena.allocate(8),
    secret: arena.allocate(KEY_BYTES),
  };
  return secret => {
    checkSecret(secret);
    return new EvpKey(parts, secret);
  };
}

class EvpKey implements AeadKey {
  readonly #parts: EvpParts;
  /** OpenSSL's own memory: a key that is dropped without `wipe` is not given back. */
  #sealing: number;
  #opening: number;

  constructor(parts: EvpParts, secret: Uint8Array) {
    const { arena, create, encryptInit, decryptInit } = parts;
    this.#parts = parts;
    this.#sealing = create();
    this.#opening = create();
    arena.memory.set(secret, parts.secret);
    const key = arena.base + parts.secret;
    const done =
      encryptInit(this.#sealing, parts.cipher, 0, key, 0) === 1 &&
      decryptInit(this.#opening, parts.cipher, 0, key, 0) === 1;
    arena.memory.fill(0, parts.secret, parts.secret + KEY_BYTES);
    if (done) return;
    this.wipe();
    throw new Error('OpenSSL refused an AEAD key');
  }

  seal(counter: number, target: number, source: number, length: number): number {
    const { arena, encryptInit, encryptUpdate, encryptFinal, control, nonce, outBytes } = this.#parts;
    const context = this.#sealing;
    if (context === 0) throw wiped();
    checkSeal(arena, target, source, length);
    const { base } = arena;
    writeNonce(arena.view, nonce, counter);
    const done =
      encryptInit(context, 0, 0, 0, base + nonce) === 1 &&
      encryptUpdate(context, base + target, base + outBytes, base + source, length) === 1 &&
      encryptFinal(context, base + target + length, base + outBytes) === 1 &&
      control(context, EVP_CTRL_AEAD_GET_TAG, TAG_BYTES, base + target + length) === 1;
    // An error here would send plaintext or a wrong tag: nothing the caller could do is right.
    if (!done) throw new Error('OpenSSL failed to seal');
    return length + TAG_BYTES;
  }

  open(counter: number, target: number, source: number, length: number): number {
    const { arena, decryptInit, decryptUpdate, decryptFinal, control, nonce, outBytes } = this.#parts;
    const context = this.#opening;
    if (context === 0) throw wiped();
    const plain = length - TAG_BYTES;
    if (plain < 0) return -1;
    checkOpen(arena, target, source, length);
    const { base } = arena;
    writeNonce(arena.view, nonce, counter);
    const done =
      decryptInit(context, 0, 0, 0, base + nonce) === 1 &&
      control(context, EVP_CTRL_AEAD_SET_TAG, TAG_BYTES, base + source + plain) === 1 &&
      decryptUpdate(context, base + target, base + outBytes, base + source, plain) === 1 &&
      decryptFinal(context, base + outBytes, base + outBytes + 4) === 1;
    if (done) return plain;
    // EVP deciphers before it knows the tag to be right: what it wrote must not be read by anyone.
    arena.memory.fill(0, target, target + plain);
    return -1;
  }

  wipe(): void {
    for (const context of [this.#sealing, this.#opening]) if (context !== 0) this.#parts.free(context);
    this.#sealing = this.#opening = 0;
  }
}
