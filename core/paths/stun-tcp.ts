// STUN over TCP from one local port (P7, RFC 8489 6.2.2): each place asked gets a connection of its own, which stays open, so
// that the NAT keeps the mapping that later connections from this port are to have.
import type { Socket } from 'node:net';
import type { Clock } from '../../base/clock.ts';
import type { Counters } from '../../base/counters.ts';
import type { Random } from '../../base/random.ts';
import { formatEndpoint, type Endpoint, type IpFamily } from '../../protocol/address.ts';
import { tcpEndpoint } from '../../protocol/ip/endpoint.ts';
import { BINDING, decodeStun, encodeStun, stunFrameLength } from '../../protocol/stun/codec.ts';
import type { TcpSource } from '../../system/doors.ts';
import type { StunAsk, StunOutcome, StunSocket } from '../contract/plugin.ts';
import type { Budget } from './budget.ts';

const DEFAULT_TIMEOUT_MS = 3_500;
const MAX_PLACES = 16;
const MAX_FRAME = 2_048;
const UNSPECIFIED: Readonly<Record<IpFamily, string>> = { 4: '0.0.0.0', 6: '::' };

export interface StunTcpOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly budget: Budget;
  readonly counters: Counters;
}

type Failure = Extract<StunOutcome, { ok: false }>['code'];

export class StunOverTcp implements StunSocket {
  /** For what is to leave from the same port: it is handed out, and stays open until `close`. */
  readonly source: TcpSource;
  readonly #options: StunTcpOptions;
  readonly #closed: () => void;
  readonly #places = new Map<string, AskedPlace>();
  #isOpen = true;

  constructor(source: TcpSource, options: StunTcpOptions, closed: () => void) {
    this.source = source;
    this.#options = options;
    this.#closed = closed;
    this.measure();
  }

  get family(): IpFamily {
    return this.source.family;
  }

  get localPort(): number {
    return this.source.localPort;
  }

  /** What the source says is heard here: at first, and again once nobody else listens to it. */
  measure(): void {
    this.source.onOpen = (socket, to) => {
      const place = this.#places.get(formatEndpoint(to));
      if (place === undefined) socket.destroy();
      else place.opened(socket);
    };
    this.source.onFailed = to => this.#places.get(formatEndpoint(to))?.end('unreachable');
  }

  transact(ask: StunAsk, signal?: AbortSignal): Promise<StunOutcome> {
    if (!this.#isOpen || signal?.aborted === true) return failed('aborted');
    const { clock, budget } = this.#options;
    if (ask.to.family !== this.family) return failed('unreachable');
    const key = formatEndpoint(ask.to);
    if (!this.#places.has(key) && this.#places.size >= MAX_PLACES) return failed('budget');
    if (!budget.take(ask.to, clock.monotonicMs())) return failed('budget');
    const place = this.#places.get(key) ?? this.#connect(key, ask.to);
    return place === null ? failed('unreachable') : place.ask(ask, signal);
  }

  /** Idempotent. */
  close(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    for (const place of [...this.#places.values()]) place.end('aborted');
    this.source.close();
    this.#closed();
  }

  #connect(key: string, to: Endpoint): AskedPlace | null {
    if (this.source.connect(to) !== 'sent') return null;
    const place = new AskedPlace(to, this.localPort, this.#options, () => this.#places.delete(key));
    this.#places.set(key, place);
    return place;
  }
}

interface Asked {
  readonly bytes: Uint8Array;
  startedAt: number;
  readonly settle: (outcome: StunOutcome) => void;
}

/** One place, and the connection to it once that stands. */
class AskedPlace {
  readonly #to: Endpoint;
  readonly #localPort: number;
  readonly #options: StunTcpOptions;
  readonly #gone: () => void;
  /** By transaction id in hex. */
  readonly #asked = new Map<string, Asked>();
  #socket: Socket | null = null;
  #held: Buffer = Buffer.alloc(0);
  #isGone = false;

  constructor(to: Endpoint, localPort: number, options: StunTcpOptions, gone: () => void) {
    this.#to = to;
    this.#localPort = localPort;
    this.#options = options;
    this.#gone = gone;
  }

  ask(ask: StunAsk, signal?: AbortSignal): Promise<StunOutcome> {
    const { clock, random } = this.#options;
    const transactionId = random.bytes(12);
    const key = hexOf(transactionId);
    const { attributes, timeoutMs = DEFAULT_TIMEOUT_MS } = ask;
    const bytes = encodeStun({ class: 'request', method: BINDING, transactionId, attributes });
    return new Promise(resolve => {
      const timer = clock.after(timeoutMs, () => this.#settle(key, { ok: false, code: 'timeout' }));
      const abort = (): void => this.#settle(key, { ok: false, code: 'aborted' });
      const settle = (outcome: StunOutcome): void => {
        timer.cancel();
        signal?.removeEventListener('abort', abort);
        resolve(outcome);
      };
      signal?.addEventListener('abort', abort, { once: true });
      const asked = { bytes, startedAt: clock.monotonicMs(), settle };
      this.#asked.set(key, asked);
      this.#socket?.write(bytes);
    });
  }

  opened(socket: Socket): void {
    if (this.#isGone || this.#socket !== null) {
      socket.destroy();
      return;
    }
    this.#socket = socket;
    socket.on('data', (chunk: Buffer) => this.#received(chunk));
    socket.on('close', () => this.end('unreachable'));
    for (const asked of this.#asked.values()) {
      // The round trip is the question's, not the connection's.
      asked.startedAt = this.#options.clock.monotonicMs();
      socket.write(asked.bytes);
    }
  }

  end(code: Failure): void {
    if (this.#isGone) return;
    this.#isGone = true;
    this.#socket?.destroy();
    for (const key of [...this.#asked.keys()]) this.#settle(key, { ok: false, code });
    this.#gone();
  }

  #received(chunk: Buffer): void {
    this.#held = Buffer.concat([this.#held, chunk]);
    for (;;) {
      const length = stunFrameLength(this.#held);
      if (!length.ok || (length.value ?? 0) > MAX_FRAME) {
        this.#options.counters.counter('stun.tcp-garbage').value++;
        this.end('unreachable');
        return;
      }
      if (length.value === null || this.#held.length < length.value) return;
      this.#message(this.#held.subarray(0, length.value));
      this.#held = this.#held.subarray(length.value);
    }
  }

  #message(bytes: Uint8Array): void {
    const decoded = decodeStun(bytes);
    if (!decoded.ok) return;
    const message = decoded.value;
    const key = hexOf(message.transactionId);
    const asked = this.#asked.get(key);
    if (asked === undefined || (message.class !== 'success' && message.class !== 'error')) return;
    const { clock, budget } = this.#options;
    budget.consent(this.#to);
    const { family } = this.#to;
    const local =
      tcpEndpoint(this.#socket?.localAddress, this.#socket?.localPort) ??
      ({ family, address: UNSPECIFIED[family], port: this.#localPort } as const);
    const rttMs = clock.monotonicMs() - asked.startedAt;
    this.#settle(key, { ok: true, message, from: this.#to, local, rttMs });
  }

  #settle(key: string, outcome: StunOutcome): void {
    const asked = this.#asked.get(key);
    this.#asked.delete(key);
    asked?.settle(outcome);
  }
}

const failed = (code: Failure): Promise<StunOutcome> => Promise.resolve({ ok: false, code });
const hexOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
