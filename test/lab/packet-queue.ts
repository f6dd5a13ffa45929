// A ring of packets with the time at which each is due, in a piece of memory shared with a card; first in, first out.

/** Each entry: due time (8 bytes), length (4), then the packet, rounded up to 8. A due time of -1: skip to the start. */
const HEADER = 12;
const SKIP = -1;

export class PacketQueue {
  /** Packets that found no room. */
  dropped = 0;
  readonly #memory: Uint8Array;
  readonly #view: DataView;
  readonly #start: number;
  #head: number;
  #tail: number;
  #used = 0;

  /** Uses `memory` from `start` to its end; `start` is a multiple of 8. */
  constructor(memory: Uint8Array, start: number) {
    this.#memory = memory;
    this.#view = new DataView(memory.buffer);
    this.#start = start;
    this.#head = start;
    this.#tail = start;
  }

  /** Copies the packet at `memory[offset]`. */
  push(offset: number, length: number, due: number): void {
    const size = (HEADER + length + 7) & ~7;
    if (!this.#makeRoom(size)) {
      this.dropped += 1;
      return;
    }
    this.#view.setFloat64(this.#tail, due);
    this.#view.setUint32(this.#tail + 8, length);
    this.#memory.copyWithin(this.#tail + HEADER, offset, offset + length);
    this.#tail += size;
    this.#used += size;
  }

  /** When the oldest is due; Infinity: there is none. */
  due(): number {
    return this.#used === 0 ? Infinity : this.#view.getFloat64(this.#head);
  }

  /** Takes the oldest out; it stands at `memory[offset]` until `take` returns. */
  shift(take: (offset: number, length: number) => void): void {
    const length = this.#view.getUint32(this.#head + 8);
    take(this.#head + HEADER, length);
    this.#forget((HEADER + length + 7) & ~7);
    const rest = this.#memory.length - this.#head;
    if (this.#used === 0) this.#head = this.#tail = this.#start;
    else if (rest < HEADER || this.#view.getFloat64(this.#head) === SKIP) {
      this.#forget(rest);
      this.#head = this.#start;
    }
  }

  #forget(size: number): void {
    this.#head += size;
    this.#used -= size;
  }

  /** An entry is never torn: where the rest of the memory is too short for it, the rest is skipped. */
  #makeRoom(size: number): boolean {
    const capacity = this.#memory.length - this.#start;
    const rest = this.#memory.length - this.#tail;
    if (size <= rest) return this.#used + size <= capacity;
    if (this.#used + rest + size > capacity) return false;
    if (rest >= HEADER) this.#view.setFloat64(this.#tail, SKIP);
    this.#used += rest;
    this.#tail = this.#start;
    return true;
  }
}
