// The Internet checksum (RFC 1071) at the speed of the data plane: over memory, four bytes a step, nothing made.
// Sums are of little-endian words: a one's complement sum is the same in either order, bytes swapped.

/**
 * The sum of `length` bytes at `view[at]`, added to `sum` (of an earlier, even-sized part), not yet folded. `length` up to
 * 65,536.
 */
export function sumOf(view: DataView, at: number, length: number, sum = 0): number {
  const end = at + length;
  let total = sum;
  for (const whole = at + (length & ~15); at < whole; at += 16) {
    const a = view.getUint32(at, true);
    const b = view.getUint32(at + 4, true);
    const c = view.getUint32(at + 8, true);
    const d = view.getUint32(at + 12, true);
    total += (a & 0xffff) + (a >>> 16) + (b & 0xffff) + (b >>> 16);
    total += (c & 0xffff) + (c >>> 16) + (d & 0xffff) + (d >>> 16);
  }
  for (; at + 1 < end; at += 2) total += view.getUint16(at, true);
  if (at < end) total += view.getUint8(at);
  return total;
}

/** A sum as 16 bits, little endian: what stands in a header where the rest of the sum is still to be added. */
export function folded(sum: number): number {
  let rest = sum;
  while (rest > 0xffff) rest = (rest & 0xffff) + Math.floor(rest / 0x10000);
  return rest;
}

/** The checksum to write, little endian (`setUint16(at, value, true)`). */
export const checksumOf = (sum: number): number => ~folded(sum) & 0xffff;

const swapped = (value: number): number => ((value & 0xff) << 8) | (value >> 8);

/**
 * The sum of the pseudo-header of TCP and UDP over the IP packet at `view[at]`; `length`: of what is behind its headers.
 */
export function pseudoSum(
  view: DataView,
  at: number,
  isIpv4: boolean,
  protocol: number,
  length: number,
): number {
  const addresses = isIpv4 ? sumOf(view, at + 12, 8) : sumOf(view, at + 8, 32);
  return addresses + swapped(protocol) + swapped(length & 0xffff) + (length >>> 16);
}
