// The beginning of a stream at either end: who is there, proved before a single frame is read (protocol/stream/handshake.ts).
import type { Socket } from 'node:net';
import type { Clock } from '../../base/clock.ts';
import { fromBase64Url } from '../../protocol/base64.ts';
import type { SignedNode } from '../../protocol/location/messages.ts';
import {
  acceptStream,
  openStream,
  StreamMessages,
  type StreamHello,
  type StreamKeys,
} from '../../protocol/stream/handshake.ts';

/** From the first byte to the last of the beginning. */
export const BEGIN_WITHIN_MS = 5_000;

export interface Begun {
  readonly node: SignedNode;
  readonly forwards: boolean;
  /** What came behind the beginning: frames. */
  readonly rest: Uint8Array;
}

export interface BeginOptions {
  readonly keys: StreamKeys;
  readonly clock: Clock;
  /** What this node says of itself. */
  readonly hello: StreamHello;
}

/** The end that connected. Rejects with an Error in words; the socket is the caller's to destroy. */
export async function beginAs(
  options: BeginOptions,
  socket: Socket,
  to: SignedNode,
  signal: AbortSignal,
): Promise<Begun> {
  const remoteKey = fromBase64Url(to.record.controlKey);
  if (remoteKey?.length !== 32) throw new Error('its key is none');
  const inbox = new Inbox(options.clock, socket, new StreamMessages(false), signal);
  try {
    const opening = openStream(options.keys, remoteKey, options.hello);
    socket.write(opening.first);
    const finished = opening.finish(await inbox.next());
    if (!finished.ok) throw new Error(finished.code);
    socket.write(finished.value.third);
    return { node: to, forwards: finished.value.hello.forwards, rest: inbox.end() };
  } finally {
    inbox.end();
  }
}

export interface AcceptOptions extends BeginOptions {
  /** The server's control key: it only looks whether the door answers. */
  readonly serverKey: Uint8Array;
  /** Why that node is not let in; null: it is. */
  readonly doubt: (node: SignedNode) => string | null;
  readonly equal: (one: Uint8Array, other: Uint8Array) => boolean;
}

/** The end that was connected to. Null: it was the server's look. Rejects with an Error in words. */
export async function beginWith(
  options: AcceptOptions,
  socket: Socket,
  signal: AbortSignal,
): Promise<Begun | null> {
  const inbox = new Inbox(options.clock, socket, new StreamMessages(true), signal);
  try {
    const accepted = acceptStream(options.keys, await inbox.next(), options.hello);
    if (!accepted.ok) throw new Error(accepted.code);
    const { hello, remoteKey, second } = accepted.value;
    const isServer = hello.node === undefined && options.equal(remoteKey, options.serverKey);
    if (!isServer) refuseStranger(options, hello, remoteKey);
    socket.write(second);
    if (!accepted.value.isReady(await inbox.next())) throw new Error('stream.handshake');
    return isServer || hello.node === undefined
      ? null
      : { node: hello.node, forwards: hello.forwards, rest: inbox.end() };
  } finally {
    inbox.end();
  }
}

function refuseStranger({ doubt, equal }: AcceptOptions, { node }: StreamHello, remoteKey: Uint8Array): void {
  if (node === undefined) throw new Error('stream.nobody');
  const key = fromBase64Url(node.record.controlKey);
  if (key?.length !== 32 || !equal(key, remoteKey)) throw new Error('stream.other-key');
  const reason = doubt(node);
  if (reason !== null) throw new Error(reason);
}

/** The messages of a beginning, one after another, as long as the socket lives and time is left. */
class Inbox {
  readonly #socket: Socket;
  readonly #messages: StreamMessages;
  readonly #patience: AbortController = new AbortController();
  readonly #signal: AbortSignal;
  readonly #timer: { cancel(): void };
  #wake: () => void = () => undefined;
  #problem: string | null = null;

  constructor(clock: Clock, socket: Socket, messages: StreamMessages, signal: AbortSignal) {
    this.#socket = socket;
    this.#messages = messages;
    this.#signal = AbortSignal.any([signal, this.#patience.signal]);
    this.#timer = clock.after(BEGIN_WITHIN_MS, () => this.#patience.abort());
    socket.on('data', this.#add);
    socket.on('error', this.#failed);
    socket.on('close', this.#closed);
    this.#signal.addEventListener('abort', this.#late);
    socket.resume();
  }

  async next(): Promise<Uint8Array> {
    for (;;) {
      const message = this.#messages.next();
      if (!message.ok) throw new Error(message.code);
      if (message.value !== null) return message.value;
      if (this.#problem !== null) throw new Error(this.#problem);
      await new Promise<void>(resolve => (this.#wake = resolve));
    }
  }

  /** Whoever reads on takes what came behind. */
  end(): Uint8Array {
    this.#timer.cancel();
    this.#socket.pause();
    this.#socket.off('data', this.#add);
    this.#socket.off('close', this.#closed);
    this.#signal.removeEventListener('abort', this.#late);
    return this.#messages.rest;
  }

  readonly #add = (bytes: Uint8Array): void => {
    this.#messages.add(bytes);
    this.#wake();
  };
  readonly #failed = (error: Error): void => this.#fail(error.message);
  readonly #closed = (): void => this.#fail('it hung up');
  readonly #late = (): void => this.#fail('it took too long');

  #fail(problem: string): void {
    this.#problem ??= problem;
    this.#wake();
  }
}
