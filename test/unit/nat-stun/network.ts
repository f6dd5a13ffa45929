// A network in memory: a home behind a NAT model, STUN servers made of the pure answerer, and a StunDoor onto it.
// Time is a clock that the test moves; a packet takes half a round trip each way.
import type { ManualClock } from '../../../base/clock.ts';
import { seededRandom, type Random } from '../../../base/random.ts';
import type {
  StunAsk,
  StunDoor,
  StunOutcome,
  StunServer,
  StunSocket,
} from '../../../core/contract/plugin.ts';
import { formatEndpoint, sameEndpoint, type Endpoint } from '../../../protocol/address.ts';
import { decodeStun, encodeStun } from '../../../protocol/stun/codec.ts';
import { answerBinding } from '../../../protocol/stun/server.ts';
import { NatModel, type NatKind, type NatOptions } from './nat-model.ts';

export interface ServerSpec {
  readonly addresses: readonly string[];
  readonly ports: readonly number[];
  /** Takes packets and answers none. */
  readonly dead?: boolean;
}

export interface HomeSpec {
  readonly clock: ManualClock;
  readonly kind: NatKind;
  readonly servers: readonly ServerSpec[];
  readonly rttMs?: number;
  readonly nat?: Partial<NatOptions>;
  /** A share of packets that gets lost. */
  readonly loss?: number;
  /** IPv6 of the home, where it has any: there is no NAT before it. */
  readonly ipv6?: string;
}

interface Try {
  readonly socket: ModelSocket;
  readonly ask: StunAsk;
  readonly startedAt: number;
  readonly finish: (outcome: StunOutcome) => void;
}

const RETRANSMIT_AT_MS = [0, 500, 1_500, 3_500];
export const INNER = '192.168.1.2';
export const WAN = '203.0.113.77';

export class Home implements StunDoor {
  readonly nat: NatModel;
  /** `socket → to` in the order of sending. */
  readonly sent: string[] = [];
  readonly #spec: HomeSpec;
  readonly #random: Random = seededRandom(42);
  readonly #sockets = new Map<string, ModelSocket>();
  readonly #tries = new Map<string, Try>();
  readonly #listeners = new Set<() => void>();
  readonly #mains: readonly ModelSocket[];
  servers_: readonly StunServer[];
  #nextPort = 40_000;

  constructor(spec: HomeSpec) {
    this.#spec = spec;
    this.nat = new NatModel({
      kind: spec.kind,
      wan: WAN,
      random: this.#random,
      nowMs: () => spec.clock.monotonicMs(),
      ...spec.nat,
    });
    this.#mains = [this.#open(4), ...(spec.ipv6 === undefined ? [] : [this.#open(6)])];
    this.servers_ = spec.servers.map(({ addresses, ports }) => ({
      endpoint: endpoint(addresses[0]!, ports[0]!),
      secondPort: ports[1] ?? null,
    }));
  }

  get openSockets(): number {
    return this.#sockets.size - this.#mains.length;
  }

  get openTries(): number {
    return this.#tries.size;
  }

  get listeners(): number {
    return this.#listeners.size;
  }

  change(): void {
    for (const listener of this.#listeners) listener();
  }

  main(family: 4 | 6): StunSocket | null {
    return this.#mains.find(socket => socket.family === family) ?? null;
  }

  async fresh(family: 4 | 6): Promise<StunSocket & { close(): void }> {
    return Promise.resolve(this.#open(family));
  }

  servers(): readonly StunServer[] {
    return this.servers_;
  }

  localAddresses(): readonly { readonly family: 4 | 6; readonly address: string }[] {
    const { kind, ipv6 } = this.#spec;
    const four = { family: 4, address: kind === 'public' ? WAN : INNER } as const;
    return ipv6 === undefined ? [four] : [four, { family: 6, address: ipv6 }];
  }

  onChange(changed: () => void): () => void {
    this.#listeners.add(changed);
    return () => void this.#listeners.delete(changed);
  }

  #open(family: 4 | 6): ModelSocket {
    const address = this.localAddresses().find(one => one.family === family)?.address ?? INNER;
    const own = endpoint(address, this.#nextPort++);
    const socket = new ModelSocket(own, this, () => this.#sockets.delete(formatEndpoint(own)));
    this.#sockets.set(formatEndpoint(own), socket);
    return socket;
  }

  begin(socket: ModelSocket, ask: StunAsk, signal?: AbortSignal): Promise<StunOutcome> {
    const { clock } = this.#spec;
    const transactionId = this.#random.bytes(12);
    const id = Buffer.from(transactionId).toString('hex');
    const request = encodeStun({ class: 'request', method: 1, transactionId, attributes: ask.attributes });
    const limit = ask.timeoutMs ?? 3_500;
    return new Promise(resolve => {
      const timers = RETRANSMIT_AT_MS.filter(at => at < limit).map(at =>
        clock.after(at, () => this.#send(socket.own, ask.to, request)),
      );
      const abort = (): void => finish({ ok: false, code: 'aborted' });
      const finish = (outcome: StunOutcome): void => {
        signal?.removeEventListener('abort', abort);
        this.#tries.delete(id);
        for (const timer of timers) timer.cancel();
        resolve(outcome);
      };
      timers.push(clock.after(limit, () => finish({ ok: false, code: 'timeout' })));
      if (signal?.aborted === true) {
        finish({ ok: false, code: 'aborted' });
        return;
      }
      signal?.addEventListener('abort', abort);
      this.#tries.set(id, { socket, ask, startedAt: clock.monotonicMs(), finish });
      const name = this.#mains.includes(socket) ? 'main' : String(socket.localPort);
      this.sent.push(`${name} → ${formatEndpoint(ask.to)}`);
    });
  }

  #send(own: Endpoint, to: Endpoint, bytes: Uint8Array): void {
    const { loss = 0, rttMs = 40, clock, servers } = this.#spec;
    const from = own.family === 6 ? own : this.nat.outbound(own, to);
    if (this.#random.below(1_000) < loss * 1_000) return;
    if (to.address === WAN) {
      if (this.nat.hairpins) clock.after(1, () => this.#arrive(from, to, bytes));
      return;
    }
    clock.after(rttMs / 2, () => {
      for (const server of servers) this.#serve(server, from, to, bytes);
    });
  }

  #serve(server: ServerSpec, from: Endpoint, on: Endpoint, bytes: Uint8Array): void {
    const { addresses, ports, dead } = server;
    if (dead === true || !addresses.includes(on.address) || !ports.includes(on.port)) return;
    const otherAddress = addresses.find(address => address !== on.address) ?? null;
    const otherPort = ports.find(port => port !== on.port) ?? null;
    const answer = answerBinding(bytes, from, on, { otherAddress, otherPort });
    if (!answer.ok) return;
    const { reply, to, sendFrom } = answer.value;
    const address = sendFrom.address === 'other' ? otherAddress! : on.address;
    const source = endpoint(address, sendFrom.port === 'other' ? otherPort! : on.port);
    this.#spec.clock.after((this.#spec.rttMs ?? 40) / 2, () => this.#arrive(source, to, reply));
  }

  #arrive(from: Endpoint, to: Endpoint, bytes: Uint8Array): void {
    const inner = to.family === 6 ? to : this.nat.inbound(from, to);
    const socket = inner === null ? undefined : this.#sockets.get(formatEndpoint(inner));
    const decoded = decodeStun(bytes);
    if (socket === undefined || !decoded.ok) return;
    const message = decoded.value;
    const one = this.#tries.get(Buffer.from(message.transactionId).toString('hex'));
    if (one === undefined) return;
    if (message.class === 'request') {
      const answer = answerBinding(bytes, from, to, { otherAddress: null, otherPort: null });
      if (answer.ok) this.#send(socket.own, answer.value.to, answer.value.reply);
      return;
    }
    if (one.socket !== socket && one.ask.anySocket !== true) return;
    if (one.ask.anySource !== true && !sameEndpoint(from, one.ask.to)) return;
    const rttMs = this.#spec.clock.monotonicMs() - one.startedAt;
    one.finish({ ok: true, message, from, local: socket.own, rttMs });
  }
}

class ModelSocket implements StunSocket {
  readonly own: Endpoint;
  readonly #home: Home;
  readonly #close: () => void;

  constructor(own: Endpoint, home: Home, close: () => void) {
    this.own = own;
    this.#home = home;
    this.#close = close;
  }

  get family(): 4 | 6 {
    return this.own.family;
  }

  get localPort(): number {
    return this.own.port;
  }

  transact(ask: StunAsk, signal?: AbortSignal): Promise<StunOutcome> {
    return this.#home.begin(this, ask, signal);
  }

  close(): void {
    this.#close();
  }
}

export const endpoint = (address: string, port: number): Endpoint => ({
  family: address.includes(':') ? 6 : 4,
  address,
  port,
});

/** Moves the clock until the promise has settled, and says how long that took by the clock. */
export async function untilDone(
  clock: ManualClock,
  promise: Promise<unknown>,
  limitMs = 60_000,
): Promise<number> {
  const began = clock.monotonicMs();
  const state = { done: false };
  const settled = promise.finally(() => (state.done = true));
  const isDone = (): boolean => state.done;
  while (!isDone()) {
    for (let turn = 0; turn < 4 && !isDone(); turn++) await new Promise(setImmediate);
    if (isDone()) break;
    if (clock.monotonicMs() - began > limitMs) throw new Error(`not done after ${limitMs} ms`);
    clock.advance(5);
  }
  await settled;
  return clock.monotonicMs() - began;
}
