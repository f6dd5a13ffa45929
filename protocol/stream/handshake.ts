// How two nodes begin a stream: Noise IK over TCP between their control keys. The one that connects brings its signed node;
// a third message proves that it is here now, and that nobody plays an old beginning again. What follows is frames, in
// clear: they carry only what is sealed from end to end.
//
//   → 8f 'gnl', length (2), IK message 1 {v, node, forwards}     ← length, IK message 2 {v, forwards}     → length, sealed "ready"
//
// The location server connects likewise with its own key and no node: it only looks whether the door answers.
import type { ValidateFunction } from 'ajv';
import { compileSchema } from '../location/codec.ts';
import type { SignedNode } from '../location/messages.ts';
import { assignmentSchema, recordSchema } from '../location/schema.ts';
import type { NoiseCipher, NoiseHandshake, StartNoise } from '../noise/handshake.ts';
import type { DhKeyPair, Primitives } from '../primitives.ts';
import { accepted, refused } from '../result.ts';
import type { Result } from '../result.ts';

/** No STUN (0, 1), HTTP (letters) or TLS (0x16) begins with it. */
export const STREAM_FIRST_BYTE = 0x8f;
export const STREAM_VERSION = 1;

const MAGIC = Uint8Array.of(STREAM_FIRST_BYTE, 0x67, 0x6e, 0x6c);
const LENGTH_BYTES = 2;
const MAX_MESSAGE = 4096;
const PROLOGUE = 'ginnel stream v1';
const READY = new TextEncoder().encode('ready');

export type StreamRefusal =
  | 'stream.magic'
  | 'stream.too-long'
  /** The tag does not fit: another key, or tampered with. */
  | 'stream.handshake'
  | 'stream.hello'
  | 'stream.version';

/** `node` absent: the location server. `forwards`: for others, too. */
export interface StreamHello {
  readonly v: number;
  readonly node?: SignedNode;
  readonly forwards: boolean;
}

export interface StreamKeys {
  readonly startNoise: StartNoise;
  readonly primitives: Primitives;
  /** Of the control key (X25519). */
  readonly localStatic: DhKeyPair;
}

export interface OpeningStream {
  readonly first: Uint8Array;
  /** From the other end's whole message to its hello and the third message. */
  finish(
    message: Uint8Array,
  ): Result<{ readonly hello: StreamHello; readonly third: Uint8Array }, StreamRefusal>;
}

export interface AcceptingStream {
  readonly hello: StreamHello;
  /** Proved by the handshake once `isReady` holds. */
  readonly remoteKey: Uint8Array;
  readonly second: Uint8Array;
  isReady(third: Uint8Array): boolean;
}

/** `remoteKey`: the control key of whom it means to reach. */
export function openStream(keys: StreamKeys, remoteKey: Uint8Array, hello: StreamHello): OpeningStream {
  const noise = begin(keys, true, remoteKey);
  return {
    first: join(MAGIC, withLength(noise.write(encode(hello)))),
    finish(message) {
      const payload = noise.read(message);
      if (!payload.ok) return refused('stream.handshake');
      const theirs = decode(payload.value);
      if (!theirs.ok) return theirs;
      const third = withLength(noise.split().send.seal(READY));
      return accepted({ hello: theirs.value, third });
    },
  };
}

/** `first`: the message alone, as `StreamMessages` takes it out. */
export function acceptStream(
  keys: StreamKeys,
  first: Uint8Array,
  hello: StreamHello,
): Result<AcceptingStream, StreamRefusal> {
  const noise = begin(keys, false);
  const payload = noise.read(first);
  if (!payload.ok) return refused('stream.handshake');
  const theirs = decode(payload.value);
  if (!theirs.ok) return theirs;
  const remoteKey = noise.remoteStatic!.slice();
  const second = withLength(noise.write(encode(hello)));
  let receive: NoiseCipher | null = null;
  return accepted({
    hello: theirs.value,
    remoteKey,
    second,
    isReady(third) {
      receive ??= noise.split().receive;
      const opened = receive.open(third);
      return opened.ok && keys.primitives.equal(opened.value, READY);
    },
  });
}

/** Takes the handshake's messages out of what a connection brings, whatever its pieces. */
export class StreamMessages {
  #kept: Uint8Array = new Uint8Array(0);
  #hasMagic: boolean;

  /** `expectsMagic`: at the end that was connected to. */
  constructor(expectsMagic: boolean) {
    this.#hasMagic = !expectsMagic;
  }

  add(bytes: Uint8Array): void {
    this.#kept = join(this.#kept, bytes);
  }

  /** The next whole message; null: it is not whole yet. */
  next(): Result<Uint8Array | null, StreamRefusal> {
    if (!this.#hasMagic) {
      const seen = this.#kept.subarray(0, MAGIC.length);
      if (seen.some((byte, at) => byte !== MAGIC[at])) return refused('stream.magic');
      if (seen.length < MAGIC.length) return accepted(null);
      this.#kept = this.#kept.subarray(MAGIC.length);
      this.#hasMagic = true;
    }
    if (this.#kept.length < LENGTH_BYTES) return accepted(null);
    const length = (this.#kept[0]! << 8) | this.#kept[1]!;
    if (length > MAX_MESSAGE) return refused('stream.too-long');
    if (this.#kept.length < LENGTH_BYTES + length) return accepted(null);
    const message = this.#kept.slice(LENGTH_BYTES, LENGTH_BYTES + length);
    this.#kept = this.#kept.slice(LENGTH_BYTES + length);
    return accepted(message);
  }

  /** What came behind the last message. */
  get rest(): Uint8Array {
    return this.#kept;
  }
}

function begin(
  { startNoise, primitives, localStatic }: StreamKeys,
  initiator: boolean,
  remoteStatic?: Uint8Array,
): NoiseHandshake {
  return startNoise({
    ...{ primitives, pattern: 'IK', initiator, localStatic },
    prologue: new TextEncoder().encode(PROLOGUE),
    ...(remoteStatic === undefined ? {} : { remoteStatic }),
  });
}

const encode = (hello: StreamHello): Uint8Array => new TextEncoder().encode(JSON.stringify(hello));

let validate: ValidateFunction<StreamHello> | null = null;

const SCHEMA = {
  type: 'object',
  required: ['v', 'forwards'],
  properties: {
    v: { type: 'integer', minimum: 1, maximum: 65_535 },
    forwards: { type: 'boolean' },
    node: {
      type: 'object',
      required: ['record', 'assignment'],
      properties: { record: recordSchema, assignment: assignmentSchema },
      additionalProperties: false,
    },
  },
};

function decode(payload: Uint8Array): Result<StreamHello, StreamRefusal> {
  validate ??= compileSchema<StreamHello>(SCHEMA);
  const value = parsed(payload);
  if (!validate(value)) return refused('stream.hello');
  return value.v === STREAM_VERSION ? accepted(value) : refused('stream.version');
}

function parsed(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes)) as unknown;
  } catch {
    return undefined;
  }
}

const withLength = (message: Uint8Array): Uint8Array =>
  join(Uint8Array.of(message.length >> 8, message.length & 0xff), message);

function join(one: Uint8Array, other: Uint8Array): Uint8Array {
  const whole = new Uint8Array(one.length + other.length);
  whole.set(one);
  whole.set(other, one.length);
  return whole;
}
