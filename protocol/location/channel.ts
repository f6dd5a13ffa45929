// The channel of the location protocol: Noise IK between node and server, one Noise message per WebSocket binary message.
// The node sends the first message with `{"v":1}` inside; the server answers with its own version; then JSON both ways.
// No sockets here: bytes in, bytes out.
import type { NoiseHandshake, StartNoise } from '../noise/handshake.ts';
import type { DhKeyPair, Primitives } from '../primitives.ts';
import { accepted, refused } from '../result.ts';
import type { Result } from '../result.ts';
import { MAX_FRAME } from './codec.ts';
import { LOCATION_PROTOCOL } from './messages.ts';

/** Where the WebSocket is opened: `ws://host:port/ginnel`. */
export const LOCATION_PATH = '/ginnel';

/** WebSocket close codes of this protocol (RFC 6455: 4000-4999 are an application's own). */
export const CHANNEL_CLOSE = {
  /** The first message did not open: another server's key, or garbage. */
  handshake: 4001,
  /** A later message did not open, or was no message of this protocol. */
  broken: 4002,
  /** After a failure that ends the connection. */
  refused: 4003,
  /** The same node logged in anew elsewhere. */
  replaced: 4004,
  /** Too many connections, too slow a log-in, or an admission ramp: come back later. */
  busy: 4005,
  /** The server stops. */
  stopping: 4006,
  /** What the log-in was refused for is over: log in anew. */
  again: 4007,
} as const;

const PROLOGUE = 'ginnel location v1';

export type ChannelRefusal =
  /** The handshake's tag does not fit: another key, or tampered with. */
  | 'channel.handshake'
  /** The payload of a handshake message is not `{"v":number}`. */
  | 'channel.hello'
  | 'channel.tag'
  | 'channel.too-long'
  | 'channel.text';

/** An established channel. Messages are sealed and opened strictly in order. */
export interface Channel {
  /** The other end's X25519 key, proved by the handshake. */
  readonly remoteKey: Uint8Array;
  /** The transcript hash: what a log-in proof signs. */
  readonly hash: Uint8Array;
  /** The version that the other end speaks. */
  readonly remoteVersion: number;
  seal(text: string): Result<Uint8Array, ChannelRefusal>;
  open(message: Uint8Array): Result<string, ChannelRefusal>;
}

export interface ChannelOptions {
  readonly startNoise: StartNoise;
  readonly primitives: Primitives;
  readonly localStatic: DhKeyPair;
  /** For tests of a version that does not fit. */
  readonly version?: number;
}

/** The node's end: send `first`, give the server's answer to `finish`. */
export interface OpeningChannel {
  readonly first: Uint8Array;
  finish(message: Uint8Array): Result<Channel, ChannelRefusal>;
}

export function openChannel(options: ChannelOptions & { readonly serverKey: Uint8Array }): OpeningChannel {
  const noise = begin(options, true, options.serverKey);
  return {
    first: noise.write(hello(options)),
    finish(message) {
      const payload = noise.read(message);
      if (!payload.ok) return refused('channel.handshake');
      const version = helloVersion(payload.value);
      return version === null ? refused('channel.hello') : accepted(established(noise, version));
    },
  };
}

/** The server's end: from a node's first message to the answer and the channel. */
export function acceptChannel(
  options: ChannelOptions,
  first: Uint8Array,
): Result<{ readonly answer: Uint8Array; readonly channel: Channel }, ChannelRefusal> {
  const noise = begin(options, false);
  const payload = noise.read(first);
  if (!payload.ok) return refused('channel.handshake');
  const version = helloVersion(payload.value);
  if (version === null) return refused('channel.hello');
  const answer = noise.write(hello(options));
  return accepted({ answer, channel: established(noise, version) });
}

function begin(options: ChannelOptions, initiator: boolean, remoteStatic?: Uint8Array): NoiseHandshake {
  return options.startNoise({
    primitives: options.primitives,
    pattern: 'IK',
    initiator,
    prologue: new TextEncoder().encode(PROLOGUE),
    localStatic: options.localStatic,
    ...(remoteStatic === undefined ? {} : { remoteStatic }),
  });
}

const hello = (options: ChannelOptions): Uint8Array =>
  new TextEncoder().encode(JSON.stringify({ v: options.version ?? LOCATION_PROTOCOL }));

function helloVersion(payload: Uint8Array): number | null {
  const match = /^\{"v":([1-9]\d{0,4})[,}]/.exec(decodeText(payload) ?? '');
  return match === null ? null : Number(match[1]);
}

function established(noise: NoiseHandshake, remoteVersion: number): Channel {
  const hash = noise.hash().slice();
  const remoteKey = noise.remoteStatic!.slice();
  const { send, receive } = noise.split();
  return {
    remoteKey,
    hash,
    remoteVersion,
    seal(text) {
      const plaintext = new TextEncoder().encode(text);
      return plaintext.length > MAX_FRAME ? refused('channel.too-long') : accepted(send.seal(plaintext));
    },
    open(message) {
      if (message.length > MAX_FRAME + 16) return refused('channel.too-long');
      const plaintext = receive.open(message);
      if (!plaintext.ok) return refused('channel.tag');
      const text = decodeText(plaintext.value);
      return text === null ? refused('channel.text') : accepted(text);
    },
  };
}

function decodeText(bytes: Uint8Array): string | null {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return null;
  }
}
