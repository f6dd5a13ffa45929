// One piece of memory for all packets and kernel structures. It never moves, so that its parts can be told to the kernel
// as plain numbers. Pages that were never touched cost nothing.
import type { Arena } from './doors.ts';
import { systemErrors } from './errors.ts';
import type { Libc } from './libc.ts';

export const ARENA_BYTES = 8 * 1024 * 1024;

/** Without a C library there is nobody to tell addresses to: `base` is 0 then. */
export function createArena(libc: Libc | null, bytes = ARENA_BYTES): Arena {
  const buffer = new ArrayBuffer(bytes);
  const memory = new Uint8Array(buffer);
  let top = 0;
  return {
    memory,
    view: new DataView(buffer),
    base: libc === null ? 0 : Number(libc.koffi.address(memory)),
    allocate(wanted, align = 64) {
      const start = Math.ceil(top / align) * align;
      if (start + wanted > bytes) {
        throw systemErrors('ARENA_FULL', { wanted, left: Math.max(0, bytes - start), size: bytes });
      }
      top = start + wanted;
      return start;
    },
  };
}
