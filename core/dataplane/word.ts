// Words between two Ginnel nodes inside their session: a data message whose plaintext is no IP packet. Whoever else speaks
// WireGuard drops it as such. Layout: 0x10 (IP version 1: none), 0, length (2, big endian), body.

const MARK = 0x10;
export const WORD_HEADER_BYTES = 4;
/** A body fits every path whole. */
export const MAX_WORD_BYTES = 1200;

/** TypeError: a body that is empty or too long. */
export function wordOf(body: Uint8Array): Uint8Array {
  if (body.length === 0 || body.length > MAX_WORD_BYTES)
    throw new TypeError(`a word has 1 to ${MAX_WORD_BYTES} bytes`);
  const word = new Uint8Array(WORD_HEADER_BYTES + body.length);
  word.set([MARK, 0, body.length >> 8, body.length & 0xff]);
  word.set(body, WORD_HEADER_BYTES);
  return word;
}

/** A copy of the body of the word at `bytes[at..at+length)`; null where there is none. What follows it is padding. */
export function bodyOf(bytes: Uint8Array, at: number, length: number): Uint8Array | null {
  if (length < WORD_HEADER_BYTES || bytes[at] !== MARK || bytes[at + 1] !== 0) return null;
  const size = (bytes[at + 2]! << 8) | bytes[at + 3]!;
  const start = at + WORD_HEADER_BYTES;
  if (size === 0 || size > MAX_WORD_BYTES || WORD_HEADER_BYTES + size > length) return null;
  return bytes.slice(start, start + size);
}
