// Longest-prefix match: which peer has an address. One Patricia trie a family; a lookup reads the address where it lies
// in the packet, and makes nothing.
import { parseIp } from '../../protocol/ip/address.ts';

/** A prefix with its host bits cleared. */
export interface Prefix {
  /** 4 or 16 bytes. */
  readonly bytes: Uint8Array;
  readonly bits: number;
}

/** `10.77.0.3/32`, `fd00::/8`, or an address alone; null where it is none. */
export function parsePrefix(text: string): Prefix | null {
  const [host, length, ...more] = text.split('/');
  const ip = parseIp(host ?? '');
  if (!ip.ok || more.length > 0) return null;
  const most = ip.value.bytes.length * 8;
  if (length !== undefined && !/^(0|[1-9]\d{0,2})$/.test(length)) return null;
  const bits = length === undefined ? most : Number(length);
  if (bits > most) return null;
  const bytes = ip.value.bytes.slice();
  for (let bit = bits; bit < most; bit++) bytes[bit >> 3]! &= ~(0x80 >> (bit & 7));
  return { bytes, bits };
}

interface Branch<T> {
  readonly bytes: Uint8Array;
  readonly bits: number;
  value: T | null;
  zero: Branch<T> | null;
  one: Branch<T> | null;
}

export class Routes<T extends object> {
  #root4: Branch<T> | null = null;
  #root6: Branch<T> | null = null;

  /** Gives the prefix to `value`, and so takes it from whoever had it. */
  set(prefix: Prefix, value: T): void {
    if (prefix.bytes.length === 4) this.#root4 = insert(this.#root4, prefix, value);
    else this.#root6 = insert(this.#root6, prefix, value);
  }

  /** Takes the prefix away, if it is `value` that has it. */
  delete(prefix: Prefix, value: T): void {
    if (prefix.bytes.length === 4) this.#root4 = remove(this.#root4, prefix, value);
    else this.#root6 = remove(this.#root6, prefix, value);
  }

  /** Who has the IPv4 address at `bytes[at..at+4)`. */
  find4(bytes: Uint8Array, at: number): T | null {
    return find(this.#root4, bytes, at, 32);
  }

  /** Who has the IPv6 address at `bytes[at..at+16)`. */
  find6(bytes: Uint8Array, at: number): T | null {
    return find(this.#root6, bytes, at, 128);
  }
}

function find<T>(root: Branch<T> | null, bytes: Uint8Array, at: number, most: number): T | null {
  let best: T | null = null;
  for (
    let branch = root;
    branch !== null;
    branch = bitOf(bytes, at, branch.bits) ? branch.one : branch.zero
  ) {
    if (!covers(branch, bytes, at)) break;
    if (branch.value !== null) best = branch.value;
    if (branch.bits === most) break;
  }
  return best;
}

function insert<T>(branch: Branch<T> | null, prefix: Prefix, value: T): Branch<T> {
  if (branch === null) return { ...prefix, value, zero: null, one: null };
  const common = commonBits(branch, prefix);
  if (common === branch.bits) {
    if (common === prefix.bits) branch.value = value;
    else if (bitOf(prefix.bytes, 0, common)) branch.one = insert(branch.one, prefix, value);
    else branch.zero = insert(branch.zero, prefix, value);
    return branch;
  }
  const fork: Branch<T> = { bytes: prefix.bytes, bits: common, value: null, zero: null, one: null };
  if (bitOf(branch.bytes, 0, common)) fork.one = branch;
  else fork.zero = branch;
  return insert(fork, prefix, value);
}

function remove<T>(branch: Branch<T> | null, prefix: Prefix, value: T): Branch<T> | null {
  if (branch === null || commonBits(branch, prefix) < branch.bits) return branch;
  if (branch.bits < prefix.bits) {
    if (bitOf(prefix.bytes, 0, branch.bits)) branch.one = remove(branch.one, prefix, value);
    else branch.zero = remove(branch.zero, prefix, value);
  } else if (branch.value === value) branch.value = null;
  // A branch that neither holds a value nor forks goes.
  if (branch.value !== null || (branch.zero !== null && branch.one !== null)) return branch;
  return branch.zero ?? branch.one;
}

function covers(prefix: Prefix, bytes: Uint8Array, at: number): boolean {
  const whole = prefix.bits >> 3;
  for (let index = 0; index < whole; index++) if (prefix.bytes[index] !== bytes[at + index]) return false;
  const rest = prefix.bits & 7;
  return rest === 0 || ((prefix.bytes[whole]! ^ bytes[at + whole]!) & (0xff00 >> rest) & 0xff) === 0;
}

function commonBits(a: Prefix, b: Prefix): number {
  const most = Math.min(a.bits, b.bits);
  let bits = 0;
  while (bits < most && bitOf(a.bytes, 0, bits) === bitOf(b.bytes, 0, bits)) bits++;
  return bits;
}

const bitOf = (bytes: Uint8Array, at: number, bit: number): boolean =>
  (bytes[at + (bit >> 3)]! & (0x80 >> (bit & 7))) !== 0;
