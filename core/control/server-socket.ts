// One WebSocket to one place where the location server may be, with the Noise channel inside. TLS around it is not
// looked at: what proves the server is its key.
import { WebSocket } from 'ws';
import type { RawData } from 'ws';
import type { Clock } from '../../base/clock.ts';
import type { Endpoint } from '../../protocol/address.ts';
import { CHANNEL_CLOSE, LOCATION_PATH, openChannel } from '../../protocol/location/channel.ts';
import type { Channel, OpeningChannel } from '../../protocol/location/channel.ts';
import { MAX_FRAME } from '../../protocol/location/codec.ts';
import { formatHostPort } from '../../protocol/location/addresses.ts';
import { startNoise } from '../../protocol/noise/handshake-state.ts';
import type { DhKeyPair, Primitives } from '../../protocol/primitives.ts';

/** So much may wait in the socket; more means that nobody reads at the other end. */
const MAX_BUFFERED = 1024 * 1024;
const GOODBYE_MS = 1_000;
const MAX_PAYLOAD = MAX_FRAME + 1024;

export interface Place {
  /** As it is configured: `home.example.net:7443`. */
  readonly address: string;
  readonly host: string;
  readonly port: number;
  /** What the host resolved to. */
  readonly ip: string;
  readonly tls: boolean;
}

export interface ServerKeys {
  readonly primitives: Primitives;
  /** This node's control key. */
  readonly localStatic: DhKeyPair;
  /** The server's, 32 bytes. */
  readonly serverKey: Uint8Array;
}

export interface ServerSocketEvents {
  heard(text: string): void;
  /** Once, and not after `close()`. */
  lost(reason: string): void;
}

/** An open channel to the true server. */
export interface ServerSocket {
  readonly server: Endpoint;
  readonly channelHash: Uint8Array;
  /** Our own end; empty where it is not known. */
  readonly localAddress: string;
  /** Set at once by whoever gets the socket: nothing is told before. */
  events: ServerSocketEvents;
  send(text: string): void;
  close(): void;
}

export type Knocked = (
  outcome: { readonly socket: ServerSocket } | { readonly words: string; readonly wrongKey: boolean },
) => void;

export interface KnockOptions {
  readonly keys: ServerKeys;
  readonly clock: Clock;
  readonly timeoutMs: number;
}

/** Tries one place. `knocked` is called once, never within this call, and not after `close()`. */
export function knock(place: Place, options: KnockOptions, knocked: Knocked): { close(): void } {
  const { primitives, localStatic, serverKey } = options.keys;
  const opening = openChannel({ startNoise, primitives, localStatic, serverKey });
  return new ChannelSocket(place, opening, options, knocked);
}

class ChannelSocket implements ServerSocket {
  readonly server: Endpoint;
  events: ServerSocketEvents = { heard() {}, lost() {} };
  localAddress = '';
  readonly #socket: WebSocket;
  readonly #clock: Clock;
  #knocked: Knocked | null;
  #channel: Channel | null = null;
  #closed = false;

  constructor(place: Place, opening: OpeningChannel, { clock, timeoutMs }: KnockOptions, knocked: Knocked) {
    this.#knocked = knocked;
    this.#clock = clock;
    this.server = { family: place.ip.includes(':') ? 6 : 4, address: place.ip, port: place.port };
    this.#socket = openSocket(place);
    const timer = clock.after(timeoutMs, () => this.#fail(`no answer within ${timeoutMs / 1000} s`));
    this.#socket.on('upgrade', ({ socket }) => (this.localAddress = socket.localAddress ?? ''));
    this.#socket.on('open', () => this.#socket.send(opening.first));
    this.#socket.on('message', (data, isBinary) => {
      timer.cancel();
      this.#received(data, isBinary, opening);
    });
    this.#socket.on('error', error => this.#fail(networkWords(error)));
    this.#socket.on('close', code => {
      timer.cancel();
      this.#fail(closeWords(code), code === CHANNEL_CLOSE.handshake);
    });
  }

  get channelHash(): Uint8Array {
    if (this.#channel === null) throw new TypeError('the channel is not open yet');
    return this.#channel.hash;
  }

  send(text: string): void {
    if (this.#closed || this.#channel === null) return;
    const sealed = this.#channel.seal(text);
    if (!sealed.ok) throw new TypeError(`a message to the server is too long (${sealed.code})`);
    if (this.#socket.bufferedAmount > MAX_BUFFERED) this.#fail('it reads nothing any more');
    else this.#socket.send(sealed.value);
  }

  close(): void {
    this.#closed = true;
    this.#knocked = null;
    // A stalled peer would hold a polite close for 30 s; the goodbye is sent, its answer not waited for.
    if (this.#socket.readyState === WebSocket.OPEN) {
      this.#socket.close(1000);
      this.#socket.removeAllListeners('message');
      this.#clock.after(GOODBYE_MS, () => this.#socket.terminate());
    } else this.#socket.terminate();
  }

  #received(data: RawData, isBinary: boolean, opening: OpeningChannel): void {
    if (this.#closed) return;
    if (!isBinary || !(data instanceof Buffer)) {
      this.#fail('it does not speak the location protocol');
      return;
    }
    const bytes = new Uint8Array(data.buffer, data.byteOffset, data.length);
    if (this.#channel === null) {
      this.#finish(opening, bytes);
      return;
    }
    const text = this.#channel.open(bytes);
    if (text.ok) this.events.heard(text.value);
    else this.#fail(`a message was tampered with (${text.code})`);
  }

  #finish(opening: OpeningChannel, answer: Uint8Array): void {
    const channel = opening.finish(answer);
    if (!channel.ok) {
      this.#fail('another key', channel.code === 'channel.handshake');
      return;
    }
    this.#channel = channel.value;
    const knocked = this.#knocked;
    this.#knocked = null;
    knocked?.({ socket: this });
  }

  #fail(words: string, wrongKey = false): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#socket.terminate();
    if (this.#channel !== null) {
      this.events.lost(words);
      return;
    }
    this.#knocked?.({ words: wrongKey ? 'another key' : words, wrongKey });
    this.#knocked = null;
  }
}

function openSocket(place: Place): WebSocket {
  const url = `${place.tls ? 'wss' : 'ws'}://${formatHostPort(place.ip, place.port)}${LOCATION_PATH}`;
  return new WebSocket(url, {
    headers: { host: formatHostPort(place.host, place.port) },
    perMessageDeflate: false,
    maxPayload: MAX_PAYLOAD,
    followRedirects: false,
    rejectUnauthorized: false,
    ...(place.tls && place.host !== place.ip ? { servername: place.host } : {}),
  });
}

function closeWords(code: number): string {
  const words: Record<number, string> = {
    [CHANNEL_CLOSE.broken]: 'it could not read what this box said',
    [CHANNEL_CLOSE.refused]: 'it refused this box',
    [CHANNEL_CLOSE.replaced]: 'the same box logged in from elsewhere',
    [CHANNEL_CLOSE.busy]: 'it is busy',
    [CHANNEL_CLOSE.stopping]: 'it was stopped',
    [CHANNEL_CLOSE.again]: 'it lets this box in now',
  };
  return words[code] ?? 'the connection broke';
}

function networkWords(error: Error): string {
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  const words: Record<string, string> = {
    ECONNREFUSED: 'nothing listens there',
    ENETUNREACH: 'no way to that network',
    EHOSTUNREACH: 'no way to that host',
    EADDRNOTAVAIL: 'no way to that network',
    ETIMEDOUT: 'no answer',
    ECONNRESET: 'the connection was cut',
  };
  return words[code] ?? error.message;
}
