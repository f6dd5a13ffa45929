// Packets that wait for a path, a session or a route: a bounded few, the oldest dropped first. A session that comes up
// within a second shall not cost the first packet; a file's worth of them would only arrive too late.
import type { Counter } from '../../base/counters.ts';

/** Room that `Engine.outbound` asks for before and behind a packet. */
export const PACKET_ROOM = 64;

export interface QueueBounds {
  readonly packets: number;
  readonly bytes: number;
}

/** What several queues may hold together: a thousand peers out of reach at once must not fill a router's memory. */
export interface SharedRoom {
  bytesLeft: number;
}

export class PacketQueue {
  readonly #bounds: QueueBounds;
  readonly #dropped: Counter;
  readonly #room: SharedRoom;
  #copies: Uint8Array[] = [];
  #bytes = 0;

  /** `room`: absent, only its own bounds hold. */
  constructor(bounds: QueueBounds, dropped: Counter, room: SharedRoom = { bytesLeft: Infinity }) {
    this.#bounds = bounds;
    this.#dropped = dropped;
    this.#room = room;
  }

  get size(): number {
    return this.#copies.length;
  }

  hold(bytes: Uint8Array, offset: number, length: number): void {
    const copy = new Uint8Array(length + 2 * PACKET_ROOM);
    copy.set(bytes.subarray(offset, offset + length), PACKET_ROOM);
    this.#copies.push(copy);
    this.#took(copy.length);
    while (
      this.#copies.length > this.#bounds.packets ||
      this.#bytes > this.#bounds.bytes ||
      this.#room.bytesLeft < 0
    ) {
      this.#took(-this.#copies.shift()!.length);
      this.#dropped.value++;
    }
  }

  /** Empties the queue, then hands each packet to `send`, with room around it, in order. */
  release(send: (bytes: Uint8Array, offset: number, length: number) => void): void {
    const copies = this.#copies;
    this.#copies = [];
    this.#took(-this.#bytes);
    for (const copy of copies) send(copy, PACKET_ROOM, copy.length - 2 * PACKET_ROOM);
  }

  drop(): void {
    this.#dropped.value += this.#copies.length;
    this.#copies = [];
    this.#took(-this.#bytes);
  }

  #took(bytes: number): void {
    this.#bytes += bytes;
    this.#room.bytesLeft -= bytes;
  }
}
