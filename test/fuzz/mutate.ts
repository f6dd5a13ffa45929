// Inputs for fuzzing: random bytes, and valid ones with seeded damage. The same seed gives the same inputs.

/** A fast generator (xorshift128 on 32-bit words). */
export class FuzzRandom {
  readonly #state: Uint32Array;

  constructor(seed: number) {
    this.#state = Uint32Array.of(seed >>> 0, 0x9e3779b9, 0x243f6a88, 0xb7e15162);
    for (let round = 0; round < 20; round++) this.word();
  }

  word(): number {
    const state = this.#state;
    let mixed = state[3]!;
    mixed ^= mixed << 11;
    mixed ^= mixed >>> 8;
    state[3] = state[2]!;
    state[2] = state[1]!;
    state[1] = state[0]!;
    mixed ^= state[0]! ^ (state[0]! >>> 19);
    state[0] = mixed;
    return mixed >>> 0;
  }

  below(limit: number): number {
    return this.word() % limit;
  }

  oneIn(chances: number): boolean {
    return this.below(chances) === 0;
  }

  pick<T>(from: readonly T[]): T {
    return from[this.below(from.length)]!;
  }

  bytes(length: number): Uint8Array {
    const bytes = new Uint8Array(length);
    for (let at = 0; at < length; at++) bytes[at] = this.word();
    return bytes;
  }

  /** Text of so many letters out of `alphabet`. */
  text(alphabet: string, length: number): string {
    let text = '';
    for (let count = 0; count < length; count++) text += alphabet[this.below(alphabet.length)]!;
    return text;
  }
}

/** Lengths and bounds that code gets wrong. */
const EDGES = [
  0, 1, 2, 3, 4, 7, 8, 15, 16, 31, 32, 63, 64, 127, 128, 254, 255, 256, 0x7fff, 0x8000, 0xfffc, 0xfffe,
  0xffff,
];

type Damage = (bytes: Uint8Array, random: FuzzRandom, other: Uint8Array) => Uint8Array;

const DAMAGES: readonly Damage[] = [
  flipBit,
  setByte,
  setWord,
  setLengthField,
  truncate,
  extend,
  splice,
  remove,
  repeat,
];

/** One to four kinds of damage, one after the other; `other` is a valid input to splice with. */
export function mutate(valid: Uint8Array, random: FuzzRandom, other: Uint8Array): Uint8Array {
  let bytes: Uint8Array = valid.slice();
  for (let count = 1 + random.below(4); count > 0; count--)
    bytes = random.pick(DAMAGES)(bytes, random, other);
  return bytes;
}

function flipBit(bytes: Uint8Array, random: FuzzRandom): Uint8Array {
  if (bytes.length > 0) bytes[random.below(bytes.length)]! ^= 1 << random.below(8);
  return bytes;
}

function setByte(bytes: Uint8Array, random: FuzzRandom): Uint8Array {
  if (bytes.length > 0)
    bytes[random.below(bytes.length)] = random.oneIn(2) ? random.word() : random.pick(EDGES);
  return bytes;
}

function setWord(bytes: Uint8Array, random: FuzzRandom): Uint8Array {
  if (bytes.length < 2) return bytes;
  return putWord(bytes, random.below(bytes.length - 1), random.pick(EDGES));
}

/** Where two bytes could be a length, make it say a little more or less. */
function setLengthField(bytes: Uint8Array, random: FuzzRandom): Uint8Array {
  if (bytes.length < 2) return bytes;
  const at = random.below(bytes.length >> 1) * 2;
  const value = ((bytes[at]! << 8) | bytes[at + 1]!) + random.below(17) - 8;
  return putWord(bytes, at, value & 0xffff);
}

function putWord(bytes: Uint8Array, at: number, value: number): Uint8Array {
  bytes[at] = value >>> 8;
  bytes[at + 1] = value;
  return bytes;
}

function truncate(bytes: Uint8Array, random: FuzzRandom): Uint8Array {
  return bytes.slice(0, random.below(bytes.length + 1));
}

function extend(bytes: Uint8Array, random: FuzzRandom): Uint8Array {
  return joined(bytes, random.bytes(1 + random.below(32)));
}

function splice(bytes: Uint8Array, random: FuzzRandom, other: Uint8Array): Uint8Array {
  return joined(
    bytes.subarray(0, random.below(bytes.length + 1)),
    other.subarray(random.below(other.length + 1)),
  );
}

function remove(bytes: Uint8Array, random: FuzzRandom): Uint8Array {
  const at = random.below(bytes.length + 1);
  return joined(bytes.subarray(0, at), bytes.subarray(at + 1 + random.below(8)));
}

function repeat(bytes: Uint8Array, random: FuzzRandom): Uint8Array {
  const at = random.below(bytes.length + 1);
  const piece = bytes.subarray(at, at + 1 + random.below(16));
  return joined(bytes.subarray(0, at), piece, bytes.subarray(at));
}

export function joined(...parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
