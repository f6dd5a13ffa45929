// Runs one decoder over many inputs. What a decoder owes: it never throws, refuses with a code or accepts, and what it
// accepts says the same when it has been encoded and decoded again.
import { isDeepStrictEqual } from 'node:util';
import type { Result } from '../../protocol/result.ts';
import { FuzzRandom, mutate } from './mutate.ts';

export interface FuzzTarget {
  readonly name: string;
  /** The files, from the root of the repository, whose branches this target is there to reach. */
  readonly decoders: readonly string[];
  /** How much dearer an input is than a plain decode (a Diffie-Hellman, a signature); quick runs take fewer. */
  readonly cost?: number;
  valid(random: FuzzRandom): Uint8Array;
  /** Makes lengths, checksums and MACs fit again, so that the damage gets past them. */
  repair?(damaged: Uint8Array, random: FuzzRandom): Uint8Array;
  /** `accepted`, or the code of the refusal; throws where the decoder breaks its word. */
  check(input: Uint8Array, random: FuzzRandom): string;
}

export interface FuzzReport {
  readonly name: string;
  readonly inputs: number;
  readonly tookMs: number;
  /** How often each outcome came. */
  readonly outcomes: Readonly<Record<string, number>>;
}

/** The input that broke the decoder's word, in hexadecimal, and how to get it again. */
export class FuzzFailure extends Error {
  override readonly name = 'FuzzFailure';

  constructor(target: string, seed: number, index: number, input: Uint8Array, cause: unknown) {
    const why = cause instanceof Error ? cause.message : String(cause);
    const hex = Buffer.from(input).toString('hex');
    super(`${target}: ${why}\n  seed ${seed}, input ${index}: ${hex}`, { cause });
  }
}

const POOL = 128;
/** An input of the pool is replaced after so many. */
const FRESH_EVERY = 64;

export function fuzz(target: FuzzTarget, inputs: number, seed: number): FuzzReport {
  const random = new FuzzRandom(seed ^ hashOf(target.name));
  const pool = Array.from({ length: POOL }, () => target.valid(random));
  const outcomes = new Map<string, number>();
  const began = performance.now();
  for (let index = 0; index < inputs; index++) {
    if (index % FRESH_EVERY === 0) pool[random.below(POOL)] = target.valid(random);
    const input = nextInput(target, pool, random);
    const outcome = checked(target, input, random, seed, index);
    outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
  }
  const sorted = [...outcomes].sort(([, a], [, b]) => b - a);
  return {
    name: target.name,
    inputs,
    tookMs: performance.now() - began,
    outcomes: Object.fromEntries(sorted),
  };
}

/** One in 16 random, one in 16 valid, the rest damaged; half of those repaired. */
function nextInput(target: FuzzTarget, pool: readonly Uint8Array[], random: FuzzRandom): Uint8Array {
  const kind = random.below(16);
  if (kind === 0) return random.bytes(random.below(256));
  const valid = random.pick(pool);
  if (kind === 1) return valid;
  const damaged = mutate(valid, random, random.pick(pool));
  return target.repair !== undefined && kind % 2 === 0 ? target.repair(damaged, random) : damaged;
}

function checked(
  target: FuzzTarget,
  input: Uint8Array,
  random: FuzzRandom,
  seed: number,
  index: number,
): string {
  try {
    return target.check(input, random);
  } catch (cause) {
    throw new FuzzFailure(target.name, seed, index, input, cause);
  }
}

function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  return hash >>> 0;
}

// ---- for the targets

/** The outcome's name; a refusal without a proper code is a failure. */
export function outcomeOf(result: Result<unknown>): string {
  if (result.ok) return 'accepted';
  if (!/^[a-z][a-z0-9]*\.[a-z0-9-]+$/.test(result.code)) throw new Error(`no code: ${result.code}`);
  return result.code;
}

export function mustHold(condition: boolean, words: string): asserts condition {
  if (!condition) throw new Error(words);
}

export function mustEqual(actual: unknown, expected: unknown, words: string): void {
  if (isDeepStrictEqual(actual, expected)) return;
  throw new Error(`${words}: ${JSON.stringify(actual)} is not ${JSON.stringify(expected)}`);
}

export const sameBytes = (a: Uint8Array, b: Uint8Array): boolean => Buffer.compare(a, b) === 0;

export const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);
export const textOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString('utf8');

/** Letters outside of `alphabet` replaced by some of it: damage that the first look does not see. */
export function intoAlphabet(bytes: Uint8Array, alphabet: string): Uint8Array {
  return bytes.map(byte =>
    alphabet.includes(String.fromCharCode(byte)) ? byte : alphabet.charCodeAt(byte % alphabet.length),
  );
}
