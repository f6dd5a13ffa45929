// One node's connection: the channel, then the log-in, then its requests, answered in their order. What it may ask is
// bounded here; what is answered stands in requests.ts.
import type { RawData, WebSocket } from 'ws';
import type { Clock, Timer } from '../base/clock.ts';
import type { Counters } from '../base/counters.ts';
import type { GinnelError } from '../base/errors.ts';
import type { Log } from '../base/log.ts';
import type { Endpoint } from '../protocol/address.ts';
import { acceptChannel, CHANNEL_CLOSE } from '../protocol/location/channel.ts';
import type { Channel } from '../protocol/location/channel.ts';
import { decodeNodeMessage, encodeMessage, requestIdOf } from '../protocol/location/codec.ts';
import { LOCATION_PROTOCOL } from '../protocol/location/messages.ts';
import type { NodeMessage, ServerMessage } from '../protocol/location/messages.ts';
import { startNoise } from '../protocol/noise/handshake-state.ts';
import type { Primitives } from '../protocol/primitives.ts';
import type { Admission } from './admission.ts';
import { serverErrors } from './errors.ts';
import { toFailure } from './failures.ts';
import type { ServerKeys } from './keys.ts';
import type { ServerLimits } from './limits.ts';
import type { Present } from './presence.ts';
import { TokenBucket } from './token-bucket.ts';

export interface SessionPlace {
  readonly remote: Endpoint;
  /** The server's own end, as the connection shows it. */
  readonly local: Endpoint;
  /** By which name or address the node came (the Host header); not to be trusted. */
  readonly host: string | null;
  /** A trusted proxy stands between: STUN may not answer at the address by which the node came. */
  readonly proxied: boolean;
}

export interface SessionOptions {
  readonly place: SessionPlace;
  readonly keys: ServerKeys;
  readonly primitives: Primitives;
  readonly clock: Clock;
  readonly counters: Counters;
  readonly log: Log;
  readonly limits: ServerLimits;
  readonly admission: Admission;
  /** Answers one request; a GinnelError becomes a failure. */
  readonly answer: (session: Session, message: NodeMessage) => Promise<ServerMessage>;
  readonly ended: (session: Session) => void;
}

export class Session implements Present {
  readonly place: SessionPlace;
  readonly signals: TokenBucket;
  readonly signalBytes: TokenBucket;
  readonly publishes: TokenBucket;
  /** The node that logged in; empty before. */
  node = '';
  /** The node whose log-in was refused for now, and which stays on to hear when that is over; empty otherwise. */
  waitsAs = '';
  /** Given with the welcome; empty before. */
  keepAlive = '';
  readonly #options: SessionOptions;
  readonly #socket: WebSocket;
  readonly #requests: TokenBucket;
  #channel: Channel | null = null;
  #timer: Timer;
  #answers: Promise<void> = Promise.resolve();
  #pending = 0;
  #closed = false;

  constructor(socket: WebSocket, options: SessionOptions) {
    const { clock, limits } = options;
    this.#socket = socket;
    this.#options = options;
    this.place = options.place;
    this.#requests = new TokenBucket(clock, limits.requestsPerSecond, limits.requestBurst);
    this.signals = new TokenBucket(clock, limits.signalsPerSecond, limits.signalBurst);
    this.signalBytes = new TokenBucket(clock, limits.signalBytesPerSecond, limits.signalBytesBurst);
    this.publishes = new TokenBucket(clock, limits.publishesPerMinute / 60, limits.publishBurst);
    this.#timer = clock.after(limits.loginTimeoutMs, () => this.#tooSlow());
    socket.on('message', (data, isBinary) => this.#received(data, isBinary));
    socket.on('error', () => this.#count('socket-error'));
    socket.on('close', () => {
      this.#timer.cancel();
      this.#gone();
    });
  }

  /** The transcript hash that a log-in proof signs. */
  get channelHash(): Uint8Array {
    return this.#channel?.hash ?? new Uint8Array();
  }

  /** The X25519 key that the channel proved; empty before the handshake. */
  get channelKey(): Uint8Array {
    return this.#channel?.remoteKey ?? new Uint8Array();
  }

  /** Dropped where the connection ended; one that reads too slowly is cut off. */
  send(message: ServerMessage): void {
    if (this.#closed || this.#channel === null) return;
    const sealed = this.#channel.seal(encodeMessage(message));
    if (!sealed.ok) {
      this.#count(sealed.code);
      return;
    }
    if (this.#socket.bufferedAmount > this.#options.limits.backlogBytes) {
      this.#count('too-slow-reader');
      this.#cutOff();
      return;
    }
    this.#socket.send(sealed.value);
  }

  /** Says why (where a reason is given), then closes. */
  end(code: number, reason?: GinnelError): void {
    if (this.#closed) return;
    if (reason !== undefined) this.send(toFailure(0, reason));
    this.#socket.close(code);
    // Whoever does not answer the close is cut off.
    this.#timer.cancel();
    this.#timer = this.#options.clock.after(2000, () => this.#socket.terminate());
    this.#gone();
  }

  replaced(): void {
    this.#count('replaced');
    this.end(CHANNEL_CLOSE.replaced, serverErrors('REPLACED'));
  }

  /** What its log-in was refused for is over. */
  mayComeIn(): void {
    this.end(CHANNEL_CLOSE.again);
  }

  #received(data: RawData, isBinary: boolean): void {
    if (this.#closed) return;
    if (!isBinary || !(data instanceof Buffer)) {
      this.#count('not-binary');
      this.end(CHANNEL_CLOSE.broken);
      return;
    }
    const bytes = new Uint8Array(data.buffer, data.byteOffset, data.length);
    if (this.#channel === null) this.#handshake(bytes);
    else this.#message(this.#channel, bytes);
  }

  #handshake(first: Uint8Array): void {
    const { admission, primitives, keys } = this.#options;
    if (!admission.handshake(this.place.remote.address)) {
      this.#count('ramp');
      this.end(CHANNEL_CLOSE.busy);
      return;
    }
    const accepted = acceptChannel({ startNoise, primitives, localStatic: keys.control }, first);
    if (!accepted.ok) {
      this.#count(accepted.code);
      this.end(CHANNEL_CLOSE.handshake);
      return;
    }
    this.#socket.send(accepted.value.answer);
    this.#channel = accepted.value.channel;
    const theirs = this.#channel.remoteVersion;
    if (theirs !== LOCATION_PROTOCOL) {
      this.#count('version');
      this.end(CHANNEL_CLOSE.refused, serverErrors('VERSION', { theirs, ours: LOCATION_PROTOCOL }));
    }
  }

  #message(channel: Channel, sealed: Uint8Array): void {
    const text = channel.open(sealed);
    if (!text.ok) {
      this.#count(text.code);
      this.end(CHANNEL_CLOSE.broken);
      return;
    }
    if (this.node !== '') this.#heard();
    const message = decodeNodeMessage(text.value);
    if (message.ok) this.#request(message.value);
    else this.#refuseText(text.value, message.code);
  }

  #refuseText(text: string, problem: string): void {
    this.#count(problem);
    const refusal = serverErrors('MESSAGE_INVALID', { problem });
    const id = requestIdOf(text);
    if (id === 0 || this.node === '') this.end(CHANNEL_CLOSE.refused, refusal);
    else this.send(toFailure(id, refusal));
  }

  #request(message: NodeMessage): void {
    const { limits } = this.#options;
    if (this.#pending >= limits.pendingRequests || !this.#requests.take()) {
      this.#count('rate-limited');
      this.send(toFailure(message.id, serverErrors('RATE_LIMITED')));
      return;
    }
    this.#pending++;
    this.#answers = this.#answers.then(() => this.#answer(message));
  }

  async #answer(message: NodeMessage): Promise<void> {
    // What was asked before the end is not done after it: the same node may have said newer things elsewhere.
    if (this.#closed) return;
    if ((message.type === 'login') !== (this.node === '')) {
      this.end(CHANNEL_CLOSE.refused, serverErrors('LOGIN_FIRST'));
      return;
    }
    try {
      const answer = await this.#options.answer(this, message);
      if (message.type === 'login' && this.node !== '') this.#heard();
      this.send(answer);
    } catch (error) {
      this.#refuse(message, error);
    }
    this.#pending--;
  }

  #refuse(message: NodeMessage, error: unknown): void {
    const { log } = this.#options;
    const failure = toFailure(message.id, error);
    this.#count(`refused.${failure.code}`);
    if (failure.code === 'SERVER_STATE') log.error('a request failed', { type: message.type, error });
    else log.debug('a request was refused', { type: message.type, code: failure.code });
    this.send(failure);
    if (message.type !== 'login') return;
    if (this.waitsAs === '') this.end(CHANNEL_CLOSE.refused);
    else this.#heard();
  }

  #heard(): void {
    const { clock, limits } = this.#options;
    this.#timer.cancel();
    if (!this.#closed) this.#timer = clock.after(limits.idleMs, () => this.#idle());
  }

  #idle(): void {
    this.#count('idle');
    this.#cutOff();
  }

  #cutOff(): void {
    this.#timer.cancel();
    this.#socket.terminate();
    this.#gone();
  }

  #tooSlow(): void {
    this.#count('login-timeout');
    this.end(
      CHANNEL_CLOSE.refused,
      serverErrors('LOGIN_SLOW', { seconds: this.#options.limits.loginTimeoutMs / 1000 }),
    );
  }

  #gone(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#options.ended(this);
  }

  get closed(): boolean {
    return this.#closed;
  }

  #count(name: string): void {
    this.#options.counters.counter(name).value++;
  }
}
