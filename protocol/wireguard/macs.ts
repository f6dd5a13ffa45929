// mac1, mac2 and the cookie (whitepaper sections 5.4.4 and 5.4.7): what an end shows before another spends a
// Diffie-Hellman on it. Time is handed in, in monotonic ms.
import type { Primitives } from '../primitives.ts';
import { accepted, refused, type Result } from '../result.ts';
import { COOKIE_MS, LABEL_COOKIE, LABEL_MAC1, MAC_BYTES, NONCE_BYTES } from './constants.ts';
import { encodeCookieReply, readUint32, type CookieReply } from './messages.ts';

export type CookieRefusal = 'wireguard.cookie-unasked' | 'wireguard.cookie-tag';

const SECRET_BYTES = 32;

/** Puts the macs on what is sent to one peer, and keeps the cookie that it handed out. */
export class MacSigner {
  readonly #primitives: Primitives;
  readonly #mac1Key: Uint8Array;
  readonly #cookieKey: Uint8Array;
  #lastMac1: Uint8Array | null = null;
  #cookie: Uint8Array | null = null;
  #cookieAt = 0;

  constructor(primitives: Primitives, remoteStatic: Uint8Array) {
    this.#primitives = primitives;
    this.#mac1Key = labelled(primitives, LABEL_MAC1, remoteStatic);
    this.#cookieKey = labelled(primitives, LABEL_COOKIE, remoteStatic);
  }

  /** Fills in both macs of an initiation or a response. */
  sign(message: Uint8Array, nowMs: number): void {
    const mac1At = message.length - 2 * MAC_BYTES;
    const mac2At = message.length - MAC_BYTES;
    const mac1 = this.#primitives.macBlake2s(this.#mac1Key, message.subarray(0, mac1At));
    message.set(mac1, mac1At);
    this.#lastMac1 = mac1;
    if (this.#cookie !== null && nowMs - this.#cookieAt < COOKIE_MS) {
      message.set(this.#primitives.macBlake2s(this.#cookie, message.subarray(0, mac2At)), mac2At);
    }
  }

  /** Takes a cookie for the next messages; only one that answers the last message sent. */
  takeCookie(reply: CookieReply, nowMs: number): Result<null, CookieRefusal> {
    if (this.#lastMac1 === null) return refused('wireguard.cookie-unasked');
    const cookie = this.#primitives.xaeadOpen(this.#cookieKey, reply.nonce, reply.cookie, this.#lastMac1);
    if (cookie === null) return refused('wireguard.cookie-tag');
    this.#cookie = cookie;
    this.#cookieAt = nowMs;
    this.#lastMac1 = null;
    return accepted(null);
  }
}

/** Checks the macs of what comes in, and hands out cookies. */
export class MacChecker {
  readonly #primitives: Primitives;
  readonly #mac1Key: Uint8Array;
  readonly #cookieKey: Uint8Array;
  #secret: Uint8Array | null = null;
  #secretAt = 0;

  constructor(primitives: Primitives, localStatic: Uint8Array) {
    this.#primitives = primitives;
    this.#mac1Key = labelled(primitives, LABEL_MAC1, localStatic);
    this.#cookieKey = labelled(primitives, LABEL_COOKIE, localStatic);
  }

  /** Does the sender know our public key? `message` is an initiation or a response. */
  mac1Holds(message: Uint8Array): boolean {
    const mac1At = message.length - 2 * MAC_BYTES;
    const expected = this.#primitives.macBlake2s(this.#mac1Key, message.subarray(0, mac1At));
    return this.#primitives.equal(expected, message.subarray(mac1At, mac1At + MAC_BYTES));
  }

  /** Does the sender get what is sent to `source` (address and port as bytes)? */
  mac2Holds(message: Uint8Array, source: Uint8Array, nowMs: number): boolean {
    if (this.#secret === null || nowMs - this.#secretAt >= COOKIE_MS) return false;
    const mac2At = message.length - MAC_BYTES;
    const cookie = this.#primitives.macBlake2s(this.#secret, source);
    const expected = this.#primitives.macBlake2s(cookie, message.subarray(0, mac2At));
    return this.#primitives.equal(expected, message.subarray(mac2At));
  }

  /** The 64 bytes to send back instead of an answer. */
  cookieReply(message: Uint8Array, source: Uint8Array, nowMs: number): Uint8Array {
    if (this.#secret === null || nowMs - this.#secretAt >= COOKIE_MS) {
      this.#secret = this.#primitives.randomBytes(SECRET_BYTES);
      this.#secretAt = nowMs;
    }
    const cookie = this.#primitives.macBlake2s(this.#secret, source);
    const nonce = this.#primitives.randomBytes(NONCE_BYTES);
    const mac1 = message.subarray(message.length - 2 * MAC_BYTES, message.length - MAC_BYTES);
    const sealed = this.#primitives.xaeadSeal(this.#cookieKey, nonce, cookie, mac1);
    return encodeCookieReply(readUint32(message, 4), nonce, sealed);
  }
}

function labelled(primitives: Primitives, label: string, publicKey: Uint8Array): Uint8Array {
  return primitives.blake2s(new TextEncoder().encode(label), publicKey);
}
