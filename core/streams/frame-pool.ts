// Buffers for frames on their way, used again and again: a new one for each would be garbage by the gigabit.
import { FRAME_HEAD, MAX_FRAME_PAYLOAD } from '../../protocol/stream/frame.ts';

/** The last fits the largest frame. */
const SIZES = [256, 2_048, 16_384, FRAME_HEAD + MAX_FRAME_PAYLOAD] as const;
/** So many of each size lie ready; those beyond are left to the collector. */
const KEPT = [256, 256, 64, 48] as const;

export class FramePool {
  readonly #free: Uint8Array[][] = SIZES.map(() => []);

  /** At least so many bytes. */
  take(bytes: number): Uint8Array {
    const at = SIZES.findIndex(size => bytes <= size);
    if (at < 0) throw new TypeError(`no frame has ${bytes} bytes`);
    return this.#free[at]!.pop() ?? Buffer.allocUnsafeSlow(SIZES[at]!);
  }

  /** One that `take` gave: nobody looks at it any more. */
  give(buffer: Uint8Array): void {
    const at = SIZES.indexOf(buffer.length);
    const free = this.#free[at];
    if (free !== undefined && free.length < KEPT[at]!) free.push(buffer);
  }
}
