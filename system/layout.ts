// Where the kernel's structures have their fields, from the size of a pointer: 64-bit and 32-bit machines differ.
// All CPUs served are little-endian.
import type { Arena } from './doors.ts';

export interface Layout {
  readonly pointerBytes: number;
  /** struct iovec */
  readonly iovec: { readonly bytes: number; readonly base: number; readonly length: number };
  /** struct mmsghdr, which begins with its struct msghdr */
  readonly message: {
    readonly bytes: number;
    readonly name: number;
    readonly nameLength: number;
    readonly iov: number;
    readonly iovCount: number;
    readonly control: number;
    readonly controlLength: number;
    readonly flags: number;
    readonly length: number;
  };
  /** struct cmsghdr, and how control messages follow each other */
  readonly control: {
    readonly level: number;
    readonly type: number;
    readonly data: number;
    align(bytes: number): number;
  };
}

export function layoutOf(pointerBytes: number): Layout {
  const p = pointerBytes;
  return {
    pointerBytes,
    iovec: { bytes: 2 * p, base: 0, length: p },
    message: {
      bytes: 8 * p,
      name: 0,
      nameLength: p,
      iov: 2 * p,
      iovCount: 3 * p,
      control: 4 * p,
      controlLength: 5 * p,
      flags: 6 * p,
      length: 7 * p,
    },
    control: { level: p, type: p + 4, data: p + 8, align: bytes => Math.ceil(bytes / p) * p },
  };
}

/** Writes a pointer, or a size_t, at offset `at`. */
export function setWord(arena: Arena, layout: Layout, at: number, value: number): void {
  arena.view.setUint32(at, value >>> 0, true);
  if (layout.pointerBytes === 8) arena.view.setUint32(at + 4, Math.floor(value / 2 ** 32), true);
}
