// STUN transactions with servers: retransmission by RFC 8489 6.2.1, matching of answers, under the node's budget.
// Which socket they go by is the caller's; time and sending are handed in.
import type { Clock, Timer } from '../../base/clock.ts';
import type { Counters } from '../../base/counters.ts';
import type { Random } from '../../base/random.ts';
import { formatEndpoint, sameEndpoint, type Endpoint } from '../../protocol/address.ts';
import type { Primitives } from '../../protocol/primitives.ts';
import { BINDING, encodeStun, type DecodedStun } from '../../protocol/stun/codec.ts';
import type { StunAsk, StunOutcome } from '../contract/plugin.ts';
import type { Budget } from './budget.ts';

/** RFC 8489: the first wait without a measured round trip; each next one is twice as long. */
const RTO_MS = 500;
const MIN_RTO_MS = 100;
const DEFAULT_TIMEOUT_MS = 3_500;
const MAX_OPEN = 128;
const RTTS_KEPT = 64;

export interface StunSender {
  /** Sends one datagram; false: it cannot go there. */
  send(to: Endpoint, bytes: Uint8Array): boolean;
  local(): Endpoint;
}

/** A request whose sender proves itself: short-term credentials (RFC 8489 9.1). */
export interface SignedAsk extends StunAsk {
  readonly integrityKey?: Uint8Array;
}

export interface StunTransactionsOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly primitives: Primitives;
  readonly budget: Budget;
  readonly counters: Counters;
}

interface Open {
  readonly ask: SignedAsk;
  readonly sender: StunSender;
  readonly bytes: Uint8Array;
  readonly startedAt: number;
  waitMs: number;
  sends: number;
  timer: Timer | null;
  readonly settle: (outcome: StunOutcome) => void;
}

type Failure = Extract<StunOutcome, { ok: false }>['code'];

export class StunTransactions {
  readonly #options: StunTransactionsOptions;
  readonly #open = new Map<string, Open>();
  /** Round trips by server, so that a lost first request is repeated sooner. */
  readonly #rtts = new Map<string, number>();

  constructor(options: StunTransactionsOptions) {
    this.#options = options;
  }

  transact(sender: StunSender, ask: SignedAsk, signal?: AbortSignal): Promise<StunOutcome> {
    if (signal?.aborted === true) return Promise.resolve({ ok: false, code: 'aborted' });
    if (this.#open.size >= MAX_OPEN) return Promise.resolve({ ok: false, code: 'budget' });
    const transactionId = this.#options.random.bytes(12);
    const key = keyOf(transactionId);
    return new Promise(resolve => {
      const abort = (): void => this.#fail(key, 'aborted');
      const settle = (outcome: StunOutcome): void => {
        signal?.removeEventListener('abort', abort);
        resolve(outcome);
      };
      signal?.addEventListener('abort', abort, { once: true });
      this.#start(key, transactionId, { sender, ask, settle });
    });
  }

  /** False: no transaction of ours, or not from where, or not to where, it was asked. `via`: the socket it came to. */
  received(message: DecodedStun, from: Endpoint, via?: StunSender): boolean {
    if (message.class !== 'success' && message.class !== 'error') return false;
    const key = keyOf(message.transactionId);
    const open = this.#open.get(key);
    if (open === undefined) return false;
    const elsewhere = via !== undefined && via !== open.sender;
    if (elsewhere && open.ask.anySocket !== true) return false;
    if (open.ask.anySource !== true && !sameEndpoint(from, open.ask.to)) {
      this.#options.counters.counter('stun.wrong-source').value++;
      return false;
    }
    const rttMs = this.#options.clock.monotonicMs() - open.startedAt;
    // Karn: an answer after a retransmission says nothing certain about the round trip.
    if (open.sends === 1) this.#learn(open.ask.to, rttMs);
    this.#options.budget.consent(open.ask.to);
    this.#end(key, { ok: true, message, from, local: (via ?? open.sender).local(), rttMs });
    return true;
  }

  /** A request of ours that came back to us: a NAT that hairpins. */
  isOwnRequest(message: DecodedStun): boolean {
    return message.class === 'request' && this.#open.has(keyOf(message.transactionId));
  }

  /** Ends those of one sender (a socket that closes), or all. */
  abort(sender?: StunSender): void {
    for (const [key, open] of [...this.#open])
      if (sender === undefined || open.sender === sender) this.#fail(key, 'aborted');
  }

  #start(key: string, transactionId: Uint8Array, given: Pick<Open, 'sender' | 'ask' | 'settle'>): void {
    const { primitives, clock } = this.#options;
    const { attributes, integrityKey, to } = given.ask;
    const message = { class: 'request', method: BINDING, transactionId, attributes } as const;
    const bytes = encodeStun(
      message,
      integrityKey === undefined ? {} : { integritySha256: integrityKey, primitives },
    );
    const rtt = this.#rtts.get(formatEndpoint(to));
    const waitMs = rtt === undefined ? RTO_MS : Math.min(RTO_MS, Math.max(MIN_RTO_MS, 2 * rtt + 50));
    this.#open.set(key, { ...given, bytes, startedAt: clock.monotonicMs(), waitMs, sends: 0, timer: null });
    this.#send(key);
  }

  #send(key: string): void {
    const open = this.#open.get(key);
    if (open === undefined) return;
    const { clock, budget } = this.#options;
    const now = clock.monotonicMs();
    const left = open.startedAt + (open.ask.timeoutMs ?? DEFAULT_TIMEOUT_MS) - now;
    if (left <= 0) {
      this.#fail(key, 'timeout');
      return;
    }
    if (!budget.take(open.ask.to, now)) {
      this.#fail(key, 'budget');
      return;
    }
    if (!open.sender.send(open.ask.to, open.bytes)) {
      this.#fail(key, 'unreachable');
      return;
    }
    open.sends++;
    open.timer = clock.after(Math.min(open.waitMs, left), () => this.#send(key));
    open.waitMs *= 2;
  }

  #learn(server: Endpoint, rttMs: number): void {
    const key = formatEndpoint(server);
    const known = this.#rtts.get(key);
    this.#rtts.delete(key);
    this.#rtts.set(key, known === undefined ? rttMs : known + (rttMs - known) / 8);
    if (this.#rtts.size > RTTS_KEPT) this.#rtts.delete(this.#rtts.keys().next().value ?? '');
  }

  #fail(key: string, code: Failure): void {
    this.#end(key, { ok: false, code });
  }

  #end(key: string, outcome: StunOutcome): void {
    const open = this.#open.get(key);
    if (open === undefined) return;
    this.#open.delete(key);
    open.timer?.cancel();
    open.settle(outcome);
  }
}

const keyOf = (transactionId: Uint8Array): string => Buffer.from(transactionId).toString('hex');
