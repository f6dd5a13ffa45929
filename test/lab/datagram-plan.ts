// Which datagrams a bulk of UDP consists of: sender and receiver work out each by its number alone, so that what arrives is
// checked bit by bit without having been kept. Runs of one size, which a kernel may bundle, alternate with mixed ones.
import { seededRandom } from '../../base/random.ts';

/** Datagrams of one group: a run of one size, or all of different sizes. */
export const GROUP = 32;
const SMALLEST = 4;
const POOL_BYTES = 1 << 18;
/** Prime, so that neighbours lie far apart in the pool. */
const STRIDE = 7919;
const SIZES = 256;

export class DatagramPlan {
  readonly #largest: number;
  readonly #pool: Buffer;
  readonly #sizes: readonly number[];

  /** `largest`: payload bytes that fit the way. */
  constructor(seed: number, largest: number) {
    const random = seededRandom(seed);
    this.#largest = largest;
    this.#pool = Buffer.from(random.bytes(POOL_BYTES));
    this.#sizes = Array.from({ length: SIZES }, () => SMALLEST + random.below(largest - SMALLEST + 1));
  }

  /** A run has one size, but its last datagram may be shorter, as with a file's end. */
  isRun(group: number): boolean {
    return group % 4 !== 3;
  }

  sizeOf(number: number): number {
    const group = Math.floor(number / GROUP);
    const kind = group % 4;
    if (kind === 2) return this.#largest;
    const size = this.#sizes[(kind === 3 ? number * 7 : group) % SIZES]!;
    return kind === 1 && number % GROUP === GROUP - 1 ? Math.max(SMALLEST, size >> 1) : size;
  }

  /** Writes that datagram to `target[at]`; answers its size. */
  write(number: number, target: Buffer, at: number): number {
    const size = this.sizeOf(number);
    const from = this.#placeOf(number);
    this.#pool.copy(target, at, from, from + size);
    target.writeUInt32BE(number, at);
    return size;
  }

  /** Its number, where these bytes are a datagram of the plan and nothing else; -1. */
  numberOf(bytes: Buffer, length: number): number {
    if (length < SMALLEST) return -1;
    const number = bytes.readUInt32BE(0);
    if (length !== this.sizeOf(number)) return -1;
    const from = this.#placeOf(number);
    return this.#pool.compare(bytes, SMALLEST, length, from + SMALLEST, from + length) === 0 ? number : -1;
  }

  #placeOf(number: number): number {
    return (number * STRIDE) % (POOL_BYTES - this.#largest);
  }
}
