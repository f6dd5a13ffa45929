// Cuts what a TCP connection brings into frames, whatever the pieces: a frame that lies whole in a piece is shown where it
// lies, one that straddles pieces is put together once.
import { FRAME_HEAD, readHead, type FrameHead, type FrameRefusal } from '../../protocol/stream/frame.ts';
import { accepted, type Result } from '../../protocol/result.ts';
import type { FramePool } from './frame-pool.ts';

/** The frame is whole, and lent until the call returns, as is its head. */
export type FrameTaker = (frame: Uint8Array, head: FrameHead) => void;

export class FrameReader {
  readonly #take: FrameTaker;
  readonly #pool: FramePool;
  readonly #head: FrameHead = { kind: 'data', hops: 0, segment: 0, length: 0, number: 0 };
  /** A frame that is not whole yet: as far as it came; null: the next byte begins one. */
  #part: Uint8Array | null = null;
  #filled = 0;
  /** As long as the whole is, once its head is there; FRAME_HEAD before. */
  #wanted = FRAME_HEAD;

  constructor(take: FrameTaker, pool: FramePool) {
    this.#take = take;
    this.#pool = pool;
  }

  /** A refusal: what follows makes no sense any more. */
  add(bytes: Uint8Array): Result<null, FrameRefusal> {
    let at = 0;
    while (at < bytes.length) {
      const taken = this.#part === null ? this.#begin(bytes, at) : this.#fill(this.#part, bytes, at);
      if (!taken.ok) return taken;
      at += taken.value;
    }
    return accepted(null);
  }

  /** Nothing more comes. */
  end(): void {
    if (this.#part !== null) this.#pool.give(this.#part);
    this.#part = null;
  }

  /** Answers how many bytes it took. */
  #begin(bytes: Uint8Array, at: number): Result<number, FrameRefusal> {
    const left = bytes.length - at;
    let size = FRAME_HEAD;
    if (left >= FRAME_HEAD) {
      const head = readHead(bytes, at, this.#head);
      if (!head.ok) return head;
      size += head.value.length;
      if (left >= size) {
        this.#take(bytes.subarray(at, at + size), head.value);
        return accepted(size);
      }
    }
    this.#part = this.#pool.take(size);
    this.#part.set(bytes.subarray(at));
    this.#filled = left;
    this.#wanted = size;
    return accepted(left);
  }

  #fill(part: Uint8Array, bytes: Uint8Array, at: number): Result<number, FrameRefusal> {
    const taken = Math.min(this.#wanted - this.#filled, bytes.length - at);
    part.set(bytes.subarray(at, at + taken), this.#filled);
    this.#filled += taken;
    if (this.#filled < this.#wanted) return accepted(taken);
    const head = readHead(part, 0, this.#head);
    if (!head.ok) return head;
    const size = FRAME_HEAD + head.value.length;
    if (size > this.#wanted) this.#grow(part, size);
    else {
      this.#take(part.subarray(0, size), head.value);
      this.end();
    }
    return accepted(taken);
  }

  /** Its head tells how long it is. */
  #grow(part: Uint8Array, size: number): void {
    this.#wanted = size;
    if (part.length >= size) return;
    const larger = this.#pool.take(size);
    larger.set(part.subarray(0, this.#filled));
    this.#pool.give(part);
    this.#part = larger;
  }
}
