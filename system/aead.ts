// Picks, for each cipher, the fastest implementation on this machine of those that are right: each is tested against
// node:crypto first.
import { createCipheriv, randomBytes, type CipherGCMTypes } from 'node:crypto';
import type { Aead, AeadKey, AeadName } from '../core/dataplane/aead.ts';
import { evpCipher } from './aead-evp.ts';
import { lowLevelGcm } from './aead-gcm.ts';
import { lowLevelChaCha } from './aead-chacha.ts';
import { createNodeAead } from './aead-node.ts';
import { KEY_BYTES, TAG_BYTES, type KeyMaker } from './aead-openssl.ts';
import type { Arena } from './doors.ts';
import { openLibc, type Libc } from './libc.ts';
import { cpuHasAes } from './privilege.ts';

export type AeadImplementation = 'openssl-lowlevel' | 'openssl-evp' | 'node-crypto';

export const AEAD_NAMES: readonly AeadName[] = ['chacha20-poly1305', 'aes-256-gcm'];
/** Fastest first. */
export const AEAD_IMPLEMENTATIONS: readonly AeadImplementation[] = [
  'openssl-lowlevel',
  'openssl-evp',
  'node-crypto',
];

/** Which one would be taken for each cipher. */
export interface OpenedAead extends Aead {
  readonly implementations: Readonly<Record<AeadName, AeadImplementation>>;
}

/**
 * The AEAD of the data plane on the arena's memory. Takes some tens of milliseconds for its tests. In memory without a machine
 * address (the slower door's) only node:crypto can work.
 */
export function openAead(
  arena: Arena,
  candidates: readonly AeadImplementation[] = arena.base === 0 ? ['node-crypto'] : AEAD_IMPLEMENTATIONS,
  libc: Libc | null = arena.base === 0 ? null : openLibc(),
  hasAes = arena.base !== 0 && cpuHasAes(),
): OpenedAead {
  const chosen = AEAD_NAMES.map(name => [name, choose({ libc, arena, hasAes }, name, candidates)] as const);
  const makers = Object.fromEntries(chosen.map(([name, { make }]) => [name, make])) as Record<
    AeadName,
    KeyMaker
  >;
  const implementations = Object.fromEntries(
    chosen.map(([name, { implementation }]) => [name, implementation]),
  ) as Record<AeadName, AeadImplementation>;
  const isAesFast = hasAes && implementations['aes-256-gcm'] !== 'node-crypto';
  return {
    fastCiphers: isAesFast ? AEAD_NAMES : ['chacha20-poly1305'],
    implementation: implementations['chacha20-poly1305'],
    implementations,
    memory: arena.memory,
    key: (name, secret) => makers[name](secret),
  };
}

interface Choice {
  readonly implementation: AeadImplementation;
  readonly make: KeyMaker;
}

interface Surroundings {
  readonly libc: Libc | null;
  readonly arena: Arena;
  /** Has the CPU instructions for AES? */
  readonly hasAes: boolean;
}

function choose(
  surroundings: Surroundings,
  name: AeadName,
  candidates: readonly AeadImplementation[],
): Choice {
  const { arena } = surroundings;
  const scratch = arena.allocate(SCRATCH_BYTES);
  const right: Choice[] = [];
  for (const implementation of candidates) {
    // It copies, and makes objects, for each packet: only where nothing else works.
    if (implementation === 'node-crypto' && right.length > 0) continue;
    const make = makerOf(implementation, surroundings, name);
    if (make !== null && passesSelfTest(make, name, arena.memory, scratch))
      right.push({ implementation, make });
  }
  const [first] = right;
  if (first === undefined) throw new Error(`no implementation of ${name} passes its self-test`);
  return right.length === 1 ? first : fastestOf(right, scratch);
}

/** Which one that is depends on the CPU and on node's OpenSSL: a newer EVP has instructions that its parts have not. */
function fastestOf(choices: readonly Choice[], scratch: number): Choice {
  const keys = choices.map(({ make }) => make(new Uint8Array(KEY_BYTES)));
  const bestMs = keys.map(() => Infinity);
  // Code that was not compiled yet would be judged by its number of calls.
  for (const key of keys)
    for (let counter = 0; counter < WARM_SEALS; counter++) key.seal(counter, scratch, scratch, 0);
  for (let round = 0; round < TIMED_ROUNDS; round++) {
    for (const [index, key] of keys.entries()) {
      const start = performance.now();
      for (let counter = 0; counter < TIMED_SEALS; counter++)
        key.seal(counter, scratch, scratch, TIMED_LENGTH);
      bestMs[index] = Math.min(bestMs[index]!, performance.now() - start);
    }
  }
  for (const key of keys) key.wipe();
  return choices[bestMs.indexOf(Math.min(...bestMs))]!;
}

/** Null where this node or this machine has no such implementation. */
function makerOf(
  implementation: AeadImplementation,
  { libc, arena, hasAes }: Surroundings,
  name: AeadName,
): KeyMaker | null {
  if (implementation === 'node-crypto') {
    const aead = createNodeAead(arena.memory);
    return secret => aead.key(name, secret);
  }
  if (libc === null) return null;
  // Its AES routines are the CPU's own.
  if (implementation === 'openssl-lowlevel' && name === 'aes-256-gcm' && !hasAes) return null;
  try {
    if (implementation === 'openssl-evp') return evpCipher(libc, arena, name);
    return name === 'aes-256-gcm' ? lowLevelGcm(libc, arena) : lowLevelChaCha(libc, arena);
  } catch {
    // A symbol or a cipher that this node does not have: the next implementation is asked.
    return null;
  }
}

/** After as many V8 has compiled what they call. */
const WARM_SEALS = 4000;
/** About two milliseconds in all. */
const TIMED_ROUNDS = 20;
const TIMED_SEALS = 50;
const TIMED_LENGTH = 1400;

// ---- self-test

const MAX_TESTED = 2000;
/** Source and target apart, each with its tag. */
const SCRATCH_BYTES = 2 * (MAX_TESTED + 64);
/** Around the ciphers' block sizes, and what goes through a tunnel. */
const TESTED_LENGTHS: readonly number[] = [
  ...Array.from({ length: 68 }, (_, index) => index),
  ...[
    127,
    128,
    129,
    191,
    192,
    255,
    256,
    257,
    511,
    512,
    513,
    1023,
    1024,
    1025,
    1280,
    1392,
    1420,
    1452,
    MAX_TESTED,
  ],
];

/** Random keys, several lengths, in place and not, with large counters; changed tags must be refused. */
export function passesSelfTest(
  make: KeyMaker,
  name: AeadName,
  memory: Uint8Array,
  scratch: number,
  lengths: readonly number[] = TESTED_LENGTHS,
): boolean {
  const secret = randomBytes(32);
  const keys: AeadKey[] = [];
  try {
    const key = make(secret);
    keys.push(key);
    return lengths.every((length, index) => {
      const counter = index * 0x1_0000_0011;
      const plain = randomBytes(length);
      const sealed = sealedByNode(name, secret, counter, plain);
      return (
        agrees(key, counter, plain, sealed, memory, scratch, scratch) &&
        agrees(key, counter, plain, sealed, memory, scratch, scratch + MAX_TESTED + 64)
      );
    });
  } catch {
    // An implementation that throws has failed.
    return false;
  } finally {
    for (const key of keys) key.wipe();
    memory.fill(0, scratch, scratch + SCRATCH_BYTES);
  }
}

function agrees(
  key: AeadKey,
  counter: number,
  plain: Uint8Array,
  sealed: Uint8Array,
  memory: Uint8Array,
  source: number,
  target: number,
): boolean {
  const { length } = plain;
  const holds = (at: number, bytes: Uint8Array): boolean =>
    Buffer.compare(memory.subarray(at, at + bytes.length), bytes) === 0;
  memory.fill(0xa5, target, target + sealed.length + 8);
  memory.set(plain, source);
  if (key.seal(counter, target, source, length) !== sealed.length || !holds(target, sealed)) return false;
  if (memory[target + sealed.length] !== 0xa5) return false;
  memory.set(sealed, source);
  if (key.open(counter, target, source, sealed.length) !== length || !holds(target, plain)) return false;
  const forged = Uint8Array.from(sealed);
  forged[(counter + length) % sealed.length]! ^= 1 << (length & 7);
  memory.set(forged, source);
  if (key.open(counter, target, source, sealed.length) !== -1) return false;
  return key.open(counter, target, source, TAG_BYTES - 1) === -1;
}

function sealedByNode(name: AeadName, secret: Uint8Array, counter: number, plain: Uint8Array): Uint8Array {
  const nonce = Buffer.alloc(12);
  nonce.writeUInt32LE(counter % 2 ** 32, 4);
  nonce.writeUInt32LE(Math.floor(counter / 2 ** 32), 8);
  // Both ciphers speak alike; node's types tell them apart.
  const cipher = createCipheriv(name as CipherGCMTypes, secret, nonce, { authTagLength: TAG_BYTES });
  return Buffer.concat([cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
}
