// Base64 in the two spellings this house uses: url (no padding) for everything of ours, standard for WireGuard keys.
// Strict: what decodes, encodes to the same text again.

const STANDARD = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
const URL_SAFE = STANDARD.slice(0, 62) + '-_';

/** Base64url without padding (RFC 4648 section 5). */
export const toBase64Url = (bytes: Uint8Array): string => encode(bytes, URL_SAFE);

/** The bytes, or null where the text is not canonical base64url without padding. */
export const fromBase64Url = (text: string): Uint8Array | null => decode(text, URL_SAFE);

/** Standard base64 with padding (RFC 4648 section 4): WireGuard's spelling of keys. */
export const toBase64 = (bytes: Uint8Array): string =>
  encode(bytes, STANDARD) + '='.repeat((3 - (bytes.length % 3)) % 3);

/** The bytes, or null where the text is not canonical padded base64. */
export function fromBase64(text: string): Uint8Array | null {
  if (text.length % 4 !== 0) return null;
  const bytes = decode(text.replace(/={1,2}$/, ''), STANDARD);
  return bytes !== null && toBase64(bytes) === text ? bytes : null;
}

function encode(bytes: Uint8Array, alphabet: string): string {
  let text = '';
  for (let at = 0; at < bytes.length; at += 3) {
    const three = (bytes[at]! << 16) | ((bytes[at + 1] ?? 0) << 8) | (bytes[at + 2] ?? 0);
    const digits = Math.min(bytes.length - at, 3) + 1;
    for (let digit = 0; digit < digits; digit++) text += alphabet[(three >> (18 - 6 * digit)) & 63]!;
  }
  return text;
}

function decode(text: string, alphabet: string): Uint8Array | null {
  if (text.length % 4 === 1) return null;
  const bytes = new Uint8Array(Math.floor((text.length * 3) / 4));
  let bits = 0;
  let held = 0;
  let length = 0;
  for (const letter of text) {
    const digit = alphabet.indexOf(letter);
    if (digit < 0) return null;
    held = ((held << 6) | digit) & 0xffff;
    bits += 6;
    if (bits >= 8) bytes[length++] = (held >> (bits -= 8)) & 0xff;
  }
  return (held & ((1 << bits) - 1)) === 0 ? bytes : null;
}
