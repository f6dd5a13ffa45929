// A stream through two NATs (P7): both ends open connections to each other's predicted ports at the same time, from the port
// that they measured with. On what stands, the offerer begins the stream, and the answerer keeps the one on which it does.
import type { Socket } from 'node:net';
import type { Clock, Timer } from '../../base/clock.ts';
import type { Counters } from '../../base/counters.ts';
import { formatEndpoint, type Endpoint } from '../../protocol/address.ts';
import type { SignedNode } from '../../protocol/location/messages.ts';
import type { TcpSource } from '../../system/doors.ts';
import type { PunchShot, Volley } from '../contract/punch.ts';
import type { Begun } from './beginning.ts';
import { streamErrors } from './errors.ts';

/** As many hops as a home has before the outside: it opens the own NAT, and dies before theirs. */
const LOW_TTL = 2;
/** The answer to one SYN must not be met by the next: where one waits already, it is not sent again sooner. */
const AGAIN_MS = 250;
/** A refusal takes a round trip; those of a router close by are not answered faster than that. */
const RETRY_MS = 20;
const MAX_RETRIES = 100;
/** Connections on which the other end failed to prove itself. */
const MAX_UNPROVED = 3;
/** An offerer whose connection stays silent turns to the next one, where there is one. */
const SILENT_MS = 1_500;
/** Beyond the last shot, for handshakes under way: the answerer waits longer than the offerer. */
const GRACE_MS = { offerer: 1_500, answerer: 2_500 } as const;

export interface PunchAsk {
  /** Whom it is to reach. */
  readonly node: SignedNode;
  /** What measured the forecast (`CoreStunDoor.tcpOn`): the shots leave from its port. Closed at the end, whatever comes of it. */
  readonly port: { readonly source: TcpSource; close(): void };
  readonly volley: Pick<Volley, 'shots' | 'endsMs'>;
  readonly role: 'offerer' | 'answerer';
  /** May one SYN go there now? Asked for each, those after a refusal, too. */
  readonly mayShoot: (to: Endpoint) => boolean;
}

export interface PunchOptions {
  readonly clock: Clock;
  readonly counters: Counters;
  /** The stream's beginning on a connection, by this end's part in it. Rejects with an Error in words. */
  readonly begin: (socket: Socket, signal: AbortSignal) => Promise<Begun>;
}

export interface Punched extends Begun {
  readonly socket: Socket;
}

/** Rejects with STREAM_UNREACHABLE (nothing stood), STREAM_REFUSED (whoever was there is another) or the signal's reason. */
export async function punch(options: PunchOptions, ask: PunchAsk, signal: AbortSignal): Promise<Punched> {
  const volley = new TcpVolley(options, ask);
  const abort = (): void => volley.end(signal.reason instanceof Error ? signal.reason : new Error('aborted'));
  signal.addEventListener('abort', abort, { once: true });
  try {
    if (signal.aborted) abort();
    else volley.start();
    return await volley.outcome;
  } finally {
    signal.removeEventListener('abort', abort);
    ask.port.close();
  }
}

interface Place {
  readonly to: Endpoint;
  /** `idle`: no SYN of ours waits there. */
  state: 'idle' | 'waiting' | 'open' | 'over';
  /** A shot of full range was due. */
  isFull: boolean;
  sentAt: number;
  retries: number;
  unproved: number;
}

interface Standing {
  readonly socket: Socket;
  readonly place: Place;
}

class TcpVolley {
  readonly outcome: Promise<Punched>;
  readonly #options: PunchOptions;
  readonly #ask: PunchAsk;
  readonly #shots: readonly PunchShot[];
  readonly #places = new Map<string, Place>();
  readonly #timers = new Set<Timer>();
  /** Those on which the stream's beginning is under way. */
  readonly #beginning = new Map<Socket, AbortController>();
  /** Of an offerer: the next ones, the oldest first. */
  readonly #standing: Standing[] = [];
  #resolve: (punched: Punched) => void = () => undefined;
  #reject: (error: Error) => void = () => undefined;
  #startedAt = 0;
  #next = 0;
  #isOver = false;
  #lastReason = '';

  constructor(options: PunchOptions, ask: PunchAsk) {
    this.#options = options;
    this.#ask = ask;
    this.#shots = [...ask.volley.shots].sort((one, other) => one.atMs - other.atMs);
    this.outcome = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
  }

  start(): void {
    const { port, volley, role } = this.#ask;
    this.#startedAt = this.#options.clock.monotonicMs();
    port.source.onOpen = (socket, to) => this.#opened(socket, to);
    port.source.onFailed = (to, reason) => this.#failed(to, reason);
    this.#after(volley.endsMs + GRACE_MS[role], () => this.end(this.#inVain()));
    this.#shoot();
  }

  /** Idempotent. */
  end(error: Error): void {
    if (this.#isOver) return;
    this.#close();
    this.#reject(error);
  }

  // ---- shots

  #shoot(): void {
    const { clock } = this.#options;
    for (;;) {
      const shot = this.#shots[this.#next];
      if (shot === undefined || this.#isOver) return;
      const waitMs = this.#startedAt + shot.atMs - clock.monotonicMs();
      if (waitMs > 0) {
        this.#after(waitMs, () => this.#shoot());
        return;
      }
      this.#next++;
      this.#fire(shot);
    }
  }

  #fire({ to, ttl }: PunchShot): void {
    const key = formatEndpoint(to);
    const place = this.#places.get(key) ?? {
      ...{ to, state: 'idle' as const, isFull: false, sentAt: -Infinity, retries: 0, unproved: 0 },
    };
    this.#places.set(key, place);
    if (ttl === 'low') {
      if (place.state === 'idle' && !place.isFull) this.#send(place, LOW_TTL);
      return;
    }
    const isFresh = this.#options.clock.monotonicMs() - place.sentAt < AGAIN_MS;
    const waits = place.state === 'waiting' && place.isFull && isFresh;
    place.isFull = true;
    if (!waits) this.#send(place, null);
  }

  #send(place: Place, ttl: number | null): void {
    if (place.state === 'open' || place.state === 'over') return;
    const { source } = this.#ask.port;
    // Before anything else: a place that one may not ask keeps what it waits for.
    if (!this.#ask.mayShoot(place.to)) {
      this.#count('punch.over-budget');
      return;
    }
    const sent = source.connect(place.to, ttl === null ? {} : { ttl });
    if (sent === 'sent') {
      place.sentAt = this.#options.clock.monotonicMs();
      this.#count('punch.sent');
    }
    place.state = sent === 'busy' ? 'idle' : 'waiting';
  }

  /** RST or ICMP: their NAT is not open yet, or a router says no. Once it is, the next one gets in. */
  #failed(to: Endpoint, reason: string): void {
    const place = this.#places.get(formatEndpoint(to));
    if (place === undefined || this.#isOver) return;
    place.state = 'idle';
    this.#lastReason = reason;
    this.#count('punch.refused');
    if (place.isFull) this.#retry(place);
  }

  #retry(place: Place): void {
    if (place.retries >= MAX_RETRIES || this.#isPast) return;
    place.retries++;
    const { clock } = this.#options;
    const waitMs = Math.max(0, place.sentAt + RETRY_MS - clock.monotonicMs());
    const again = (): void => {
      if (place.state === 'idle') this.#send(place, null);
    };
    if (waitMs === 0) again();
    else this.#after(waitMs, again);
  }

  get #isPast(): boolean {
    return this.#options.clock.monotonicMs() >= this.#startedAt + this.#ask.volley.endsMs;
  }

  // ---- what stands

  #opened(socket: Socket, to: Endpoint): void {
    const place = this.#places.get(formatEndpoint(to));
    if (place === undefined || this.#isOver) {
      socket.destroy();
      return;
    }
    this.#count('punch.opened');
    place.state = 'open';
    const standing = { socket, place };
    if (this.#ask.role === 'answerer') void this.#begin(standing);
    else {
      this.#standing.push(standing);
      if (this.#beginning.size === 0) this.#turnToNext();
    }
  }

  /** An offerer speaks on one alone: the answerer is to have no choice. */
  #turnToNext(): void {
    const next = this.#standing.shift();
    if (next === undefined || this.#isOver) return;
    const startedAt = this.#options.clock.monotonicMs();
    const look = (): void => {
      const given = this.#beginning.get(next.socket);
      if (given === undefined) return;
      if (this.#standing.length > 0 && this.#options.clock.monotonicMs() - startedAt >= SILENT_MS)
        given.abort();
      else this.#after(SILENT_MS / 4, look);
    };
    void this.#begin(next);
    look();
  }

  async #begin({ socket, place }: Standing): Promise<void> {
    const given = new AbortController();
    this.#beginning.set(socket, given);
    try {
      const begun = await this.#options.begin(socket, given.signal);
      if (begun.node.record.id !== this.#ask.node.record.id) throw new Error('it is another node');
      this.#won({ ...begun, socket });
    } catch (error) {
      this.#beginning.delete(socket);
      // No TIME_WAIT: the same two ports may have to meet again.
      socket.resetAndDestroy();
      this.#unproved(place, error instanceof Error ? error.message : String(error));
    }
  }

  #unproved(place: Place, reason: string): void {
    if (this.#isOver) return;
    this.#count('punch.unproved');
    this.#lastReason = reason;
    place.unproved++;
    place.state = place.unproved >= MAX_UNPROVED ? 'over' : 'idle';
    if (this.#ask.role === 'offerer') this.#turnToNext();
    this.#retry(place);
  }

  #won(punched: Punched): void {
    this.#beginning.delete(punched.socket);
    if (this.#isOver) {
      punched.socket.destroy();
      return;
    }
    this.#close();
    this.#resolve(punched);
  }

  // ---- the end

  #close(): void {
    this.#isOver = true;
    for (const timer of this.#timers) timer.cancel();
    this.#timers.clear();
    this.#ask.port.close();
    for (const given of this.#beginning.values()) given.abort();
    for (const { socket } of this.#standing.splice(0)) socket.resetAndDestroy();
  }

  #inVain(): Error {
    const { record } = this.#ask.node;
    const tried = [...this.#places.values()];
    const places = tried.slice(0, 4).map(({ to }) => formatEndpoint(to));
    const stood = tried.some(({ unproved }) => unproved > 0);
    return streamErrors(stood ? 'STREAM_REFUSED' : 'STREAM_UNREACHABLE', {
      ...{ name: record.name, places: places.join(', ') },
      reason: this.#lastReason || 'no answer',
    });
  }

  #after(delayMs: number, fire: () => void): void {
    const timer = this.#options.clock.after(delayMs, () => {
      this.#timers.delete(timer);
      if (!this.#isOver) fire();
    });
    this.#timers.add(timer);
  }

  #count(name: string): void {
    this.#options.counters.counter(name).value++;
  }
}
