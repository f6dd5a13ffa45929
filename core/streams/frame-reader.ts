// Cuts what a TCP connection brings into frames, whatever the pieces: a frame that lies whole in a piece is handed on where
// it lies, one that straddles pieces is put together once.
import { FRAME_HEAD, readHead, type FrameHead, type FrameRefusal } from '../../protocol/stream/frame.ts';
import { accepted, type Result } from '../../protocol/result.ts';

/** The frame is whole and its taker's; the head is used again for the next one. */
export type FrameTaker = (frame: Uint8Array, head: FrameHead) => void;

export class FrameReader {
  readonly #take: FrameTaker;
  readonly #head: FrameHead = { kind: 'data', hops: 0, segment: 0, length: 0, number: 0 };
  /** Of a frame that is not whole yet: its head as far as it came, then all of it. */
  readonly #start = new Uint8Array(FRAME_HEAD);
  #startLength = 0;
  #frame: Uint8Array | null = null;
  #filled = 0;

  constructor(take: FrameTaker) {
    this.#take = take;
  }

  /** A refusal: what follows makes no sense any more. */
  add(bytes: Uint8Array): Result<null, FrameRefusal> {
    let at = 0;
    while (at < bytes.length) {
      if (this.#frame !== null) {
        at += this.#fill(this.#frame, bytes, at);
        continue;
      }
      if (this.#startLength === 0 && bytes.length - at >= FRAME_HEAD) {
        const head = readHead(bytes, at, this.#head);
        if (!head.ok) return head;
        const size = FRAME_HEAD + head.value.length;
        if (bytes.length - at >= size) {
          this.#take(bytes.subarray(at, at + size), head.value);
          at += size;
        } else at += this.#begin(bytes, at, size);
        continue;
      }
      const taken = Math.min(FRAME_HEAD - this.#startLength, bytes.length - at);
      this.#start.set(bytes.subarray(at, at + taken), this.#startLength);
      this.#startLength += taken;
      at += taken;
      if (this.#startLength < FRAME_HEAD) break;
      const head = readHead(this.#start, 0, this.#head);
      if (!head.ok) return head;
      this.#startLength = 0;
      this.#begin(this.#start, 0, FRAME_HEAD + head.value.length);
    }
    return accepted(null);
  }

  /** The rest of `bytes` begins a frame of `size`; answers how many it took. */
  #begin(bytes: Uint8Array, at: number, size: number): number {
    const frame = new Uint8Array(size);
    const part = bytes.subarray(at, Math.min(bytes.length, at + size));
    frame.set(part);
    this.#frame = frame;
    this.#filled = part.length;
    if (this.#filled === size) this.#whole(frame);
    return part.length;
  }

  #fill(frame: Uint8Array, bytes: Uint8Array, at: number): number {
    const taken = Math.min(frame.length - this.#filled, bytes.length - at);
    frame.set(bytes.subarray(at, at + taken), this.#filled);
    this.#filled += taken;
    if (this.#filled === frame.length) this.#whole(frame);
    return taken;
  }

  #whole(frame: Uint8Array): void {
    this.#frame = null;
    const head = readHead(frame, 0, this.#head);
    if (head.ok) this.#take(frame, head.value);
  }
}
