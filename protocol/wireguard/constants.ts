// The constants of the WireGuard specification (whitepaper sections 5.4 and 6). Our own choices stand elsewhere.

export const NOISE_PROLOGUE = 'WireGuard v1 zx2c4 Jason@zx2c4.com';
export const LABEL_MAC1 = 'mac1----';
export const LABEL_COOKIE = 'cookie--';

export const TYPE_INITIATION = 1;
export const TYPE_RESPONSE = 2;
export const TYPE_COOKIE_REPLY = 3;
export const TYPE_DATA = 4;

export const INITIATION_BYTES = 148;
export const RESPONSE_BYTES = 92;
export const COOKIE_REPLY_BYTES = 64;
/** Type, receiver index and counter. */
export const DATA_HEADER_BYTES = 16;
export const TAG_BYTES = 16;
/** An empty data message: a keepalive. */
export const DATA_MIN_BYTES = DATA_HEADER_BYTES + TAG_BYTES;
export const PADDING_BYTES = 16;
export const MAC_BYTES = 16;
export const KEY_BYTES = 32;
export const NONCE_BYTES = 24;
export const TIMESTAMP_BYTES = 12;

export const REKEY_AFTER_MESSAGES = 2n ** 60n;
export const REJECT_AFTER_MESSAGES = 2n ** 64n - 2n ** 13n - 1n;
export const REKEY_AFTER_MS = 120_000;
export const REJECT_AFTER_MS = 180_000;
export const REKEY_ATTEMPT_MS = 90_000;
export const REKEY_TIMEOUT_MS = 5_000;
export const KEEPALIVE_TIMEOUT_MS = 10_000;
/** A secret for cookies, and a cookie, are good for this long. */
export const COOKIE_MS = 120_000;
