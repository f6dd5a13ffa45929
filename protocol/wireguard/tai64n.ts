// TAI64N timestamps, which keep an initiation from being accepted twice (whitepaper section 5.1).
// Times are in ms since 1970; how two timestamps compare is all that the other end looks at.
import { TIMESTAMP_BYTES } from './constants.ts';

/** 2^62, and the 10 s by which TAI was ahead of UTC in 1970. */
const TAI_EPOCH = 0x4000_0000_0000_000an;

/** 12 bytes, big endian: seconds, nanoseconds. */
export function encodeTimestamp(wallMs: number): Uint8Array {
  const bytes = new Uint8Array(TIMESTAMP_BYTES);
  const view = new DataView(bytes.buffer);
  view.setBigUint64(0, TAI_EPOCH + BigInt(Math.floor(wallMs / 1000)));
  view.setUint32(8, (wallMs % 1000) * 1_000_000);
  return bytes;
}

/** Is `a` later than `b`? Both 12 bytes. */
export function isLater(a: Uint8Array, b: Uint8Array): boolean {
  for (let index = 0; index < TIMESTAMP_BYTES; index++) {
    if (a[index] !== b[index]) return a[index]! > b[index]!;
  }
  return false;
}
