// Sealed datagrams on their way to links: equal-sized ones to the same link are laid end to end, so that one system call
// (and one GSO message) carries them all. They lie in memory of the arena until the turn ends.
import type { Batch, Link } from '../contract/link.ts';
import type { Counts } from './counts.ts';

/** As many as UDP GSO takes, in segments and bytes. */
export const MAX_SEGMENTS = 64;
export const MAX_BATCH_BYTES = 65_000;
const SLOTS = 4;
const SLOT_BYTES = 65_536;
export const OUTBOX_BYTES = SLOTS * SLOT_BYTES;

interface Slot {
  readonly base: number;
  readonly batch: Batch;
  link: Link | null;
  segments: number;
  /** Lent to a link: not to be written to. */
  lent: boolean;
}

export class Outbox {
  readonly #slots: readonly Slot[];
  readonly #counts: Counts['out'];
  readonly #closed: (link: Link) => void;
  #oldest = 0;

  /** `base`: where OUTBOX_BYTES of `memory` begin. `closed` is told a link that turned out to be closed. */
  constructor(memory: Uint8Array, base: number, counts: Counts['out'], closed: (link: Link) => void) {
    this.#counts = counts;
    this.#closed = closed;
    this.#slots = Array.from({ length: SLOTS }, (_, index) => ({
      base: base + index * SLOT_BYTES,
      batch: { bytes: memory, offset: base + index * SLOT_BYTES, length: 0, segment: 0 },
      link: null,
      segments: 0,
      lent: false,
    }));
  }

  /** Where the next datagram to `link` is to be written, `size` bytes, at once; -1 where there is no room at all. */
  place(link: Link, size: number): number {
    let slot = this.#slotOf(link);
    if (slot !== null && !fits(slot, size)) {
      this.#send(slot);
      slot = null;
    }
    slot ??= this.#emptySlot();
    if (slot === null || size > MAX_BATCH_BYTES) return -1;
    const { batch } = slot;
    if (slot.link === null) {
      slot.link = link;
      batch.segment = size;
    }
    const target = slot.base + batch.length;
    batch.length += size;
    slot.segments++;
    return target;
  }

  flush(): void {
    for (const slot of this.#slots) if (slot.link !== null && !slot.lent) this.#send(slot);
  }

  #slotOf(link: Link): Slot | null {
    for (const slot of this.#slots) if (slot.link === link && !slot.lent) return slot;
    return null;
  }

  #emptySlot(): Slot | null {
    for (const slot of this.#slots) if (slot.link === null) return slot;
    for (let tries = 0; tries < SLOTS; tries++) {
      const slot = this.#slots[(this.#oldest = (this.#oldest + 1) % SLOTS)]!;
      if (slot.lent) continue;
      this.#send(slot);
      return slot;
    }
    return null;
  }

  #send(slot: Slot): void {
    const { batch, link, segments } = slot;
    if (link === null) return;
    slot.lent = true;
    const result = link.send(batch);
    slot.lent = false;
    slot.link = null;
    slot.segments = 0;
    batch.length = 0;
    if (result === 'sent') this.#counts.batches.value++;
    else this.#counts[result].value += segments;
    if (result === 'closed') this.#closed(link);
  }
}

/** All but the last are equal: after a shorter one nothing follows. */
function fits(slot: Slot, size: number): boolean {
  const { length, segment } = slot.batch;
  return (
    size <= segment &&
    length === slot.segments * segment &&
    slot.segments < MAX_SEGMENTS &&
    length + size <= MAX_BATCH_BYTES
  );
}
