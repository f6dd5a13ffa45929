// How datagrams lie in the channel's messages: two bytes say how long each is, then come equal ones end to end; the last may
// be shorter. One message for many costs far less than one for each, and is lost as a whole.
import type { Batch } from '../../core/contract/link.ts';

const HEAD = 2;
/** Of a message: what is lost together. */
export const MESSAGE_BYTES = 12 * 1024;
/** Nothing larger is taken in. */
export const MAX_MESSAGE_BYTES = 64 * 1024;

const space = new Uint8Array(HEAD + MAX_MESSAGE_BYTES);

/** Hands each message to `send` until that refuses one; it is lent until the call returns. False: one was refused. */
export function pack(
  { bytes, offset, length, segment }: Batch,
  send: (message: Uint8Array) => boolean,
  most = MESSAGE_BYTES,
): boolean {
  const together = Math.max(1, Math.floor(most / segment)) * segment;
  space[0] = segment >>> 8;
  space[1] = segment & 0xff;
  for (let at = 0; at < length; at += together) {
    const size = Math.min(together, length - at);
    space.set(bytes.subarray(offset + at, offset + at + size), HEAD);
    if (!send(space.subarray(0, HEAD + size))) return false;
  }
  return true;
}

/** Null: no message of this kind. The bytes are the message's own. */
export function unpack(message: Uint8Array): Batch | null {
  const length = message.length - HEAD;
  if (length < 1 || length > MAX_MESSAGE_BYTES) return null;
  const segment = (message[0]! << 8) | message[1]!;
  if (segment < 1) return null;
  return { bytes: message, offset: HEAD, length, segment: Math.min(segment, length) };
}
