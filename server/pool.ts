// The overlay's IPv4 pool (V1): which one to take at set-up, and which address is free.
import { parseIp, formatIp } from '../protocol/ip/address.ts';
import { parseInterface, parsePrefix, prefixesOverlap } from '../protocol/ip/prefix.ts';
import type { Prefix } from '../protocol/ip/prefix.ts';
import { serverErrors } from './errors.ts';

/** In this order; the first that no local network overlaps. */
export const DEFAULT_POOLS: readonly string[] = [
  '10.77.0.0/16',
  '10.137.0.0/16',
  '100.96.0.0/16',
  '172.29.0.0/16',
  '10.213.0.0/16',
];
const LONGEST = 29;
const SHORTEST = 8;
/** After the network's own address: the first box is .1, as in the worked example (V15). */
const FIRST = 1;
/** At the end: the broadcast address, and one kept back for services of the overlay itself. */
const KEPT_BACK = 2;

/** One that this machine is on, and the card it is on. */
export interface LocalNetwork {
  readonly network: string;
  readonly card: string;
}

/** A pool for a new network. Errors: POOL_INVALID, POOL_CLASH_HERE. */
export function choosePool(wanted: string | undefined, local: readonly LocalNetwork[]): string {
  if (wanted !== undefined) parsePool(wanted);
  const networks = local.map(({ network }) => network);
  const free = DEFAULT_POOLS.find(pool => clashingNetwork(pool, networks) === null);
  const pool = wanted ?? free ?? DEFAULT_POOLS[0]!;
  const clash = clashingNetwork(pool, networks);
  if (clash === null) return pool;
  const card = local.find(({ network }) => network === clash)?.card ?? '';
  const other = free ?? 'PREFIX';
  throw serverErrors('POOL_CLASH_HERE', { pool, local: clash, card, other });
}

/** Of a box that joins. Error: POOL_CLASH where one of its networks overlaps the pool. */
export function refuseClash(pool: string, localNetworks: readonly string[]): void {
  const local = clashingNetwork(pool, localNetworks);
  if (local !== null) throw serverErrors('POOL_CLASH', { pool, local });
}

function clashingNetwork(pool: string, localNetworks: readonly string[]): string | null {
  const prefix = parsePool(pool);
  return localNetworks.find(text => overlaps(prefix, text)) ?? null;
}

/** A default route is no network of one's own. */
function overlaps(pool: Prefix, text: string): boolean {
  const local = parseInterface(text);
  return local.ok && local.value.prefix.length > 0 && prefixesOverlap(pool, local.value.prefix);
}

function parsePool(pool: string): Prefix {
  const prefix = parsePrefix(pool);
  if (!prefix.ok || prefix.value.family !== 4) throw serverErrors('POOL_INVALID', { pool });
  if (prefix.value.length < SHORTEST || prefix.value.length > LONGEST)
    throw serverErrors('POOL_INVALID', { pool });
  return prefix.value;
}

/** The addresses of one pool: taken and free. */
export class AddressPool {
  readonly pool: string;
  readonly #base: number;
  readonly #size: number;
  readonly #taken = new Set<number>();
  /** Of nodes that were removed: free, but some box may still take them for theirs, so others go first. */
  readonly #resting = new Set<number>();
  #next = FIRST;

  constructor(pool: string) {
    const prefix = parsePool(pool);
    this.pool = pool;
    this.#base = new DataView(prefix.bytes.buffer, prefix.bytes.byteOffset).getUint32(0);
    this.#size = 2 ** (32 - prefix.length);
  }

  /** False where the address is taken already, or is not of this pool. */
  claim(address: string): boolean {
    const offset = this.#offsetOf(address);
    if (offset === null || this.#taken.has(offset)) return false;
    this.#resting.delete(offset);
    this.#taken.add(offset);
    this.#next = Math.max(this.#next, offset + 1);
    return true;
  }

  release(address: string): void {
    const offset = this.#offsetOf(address);
    if (offset !== null) this.#taken.delete(offset);
  }

  /** Nobody has it any more; it is given out again only when there is no other. */
  rest(address: string): void {
    const offset = this.#offsetOf(address);
    if (offset === null) return;
    this.#taken.delete(offset);
    this.#resting.add(offset);
  }

  /** Claims an address that was not used for as long as possible. Error: POOL_EXHAUSTED. */
  take(): string {
    const offset = this.#freeOffset() ?? this.#longestResting();
    if (offset === null) throw serverErrors('POOL_EXHAUSTED', { pool: this.pool });
    this.#resting.delete(offset);
    this.#taken.add(offset);
    return this.#format(offset);
  }

  #freeOffset(): number | null {
    const usable = this.#size - FIRST - KEPT_BACK;
    for (let step = 0; step < usable; step++) {
      const offset = FIRST + ((this.#next - FIRST + step) % usable);
      if (this.#taken.has(offset) || this.#resting.has(offset)) continue;
      this.#next = offset + 1;
      return offset;
    }
    return null;
  }

  #longestResting(): number | null {
    for (const offset of this.#resting) return offset;
    return null;
  }

  #format(offset: number): string {
    const bytes = new Uint8Array(4);
    new DataView(bytes.buffer).setUint32(0, this.#base + offset);
    return formatIp(bytes);
  }

  #offsetOf(address: string): number | null {
    const ip = parseIp(address);
    if (!ip.ok || ip.value.family !== 4) return null;
    const { bytes } = ip.value;
    const offset = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0) - this.#base;
    return offset >= FIRST && offset < this.#size - 1 ? offset : null;
  }
}
