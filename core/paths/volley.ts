// Volleys: carries out what a traversal plugin proposed for a try at a peer (P2 to P6). Measures, sends the shots at their
// times under the node's budget, keeps the sockets from which something got through, and closes the rest.
import type { Clock, Timer } from '../../base/clock.ts';
import type { Counters } from '../../base/counters.ts';
import { GinnelError } from '../../base/errors.ts';
import type { Log } from '../../base/log.ts';
import type { Random } from '../../base/random.ts';
import type { IpFamily } from '../../protocol/address.ts';
import type { Forecast } from '../../protocol/location/messages.ts';
import type { UdpDoor } from '../../system/doors.ts';
import {
  MAX_BURST_SOCKETS,
  MAX_SHOTS,
  type Measured,
  type PunchShot,
  type Puncher,
  type Volley,
  type VolleyAsk,
} from '../contract/punch.ts';
import type { PeerId } from '../dataplane/engine.ts';
import type { Budget } from './budget.ts';
import { watchRouter, type RouterAsk } from './router-watch.ts';
import { OPENER_TTL } from './timing.ts';
import type { DatagramTransport } from './udp-transport.ts';

/**
 * `missed`: all was sent, and nothing got through; `no-room`: the router takes no new flows; `busy`: another one is at it;
 * `through`: a connection stands.
 */
export type VolleyEnd = 'missed' | 'no-room' | 'busy' | 'impossible' | 'through';

export interface VolleysOptions {
  readonly clock: Clock;
  readonly counters: Counters;
  readonly log: Log;
  readonly random: Random;
  readonly budget: Budget;
  readonly transport: Pick<DatagramTransport, 'further'>;
  readonly openUdp: (family: IpFamily) => UdpDoor;
  /** The socket that measured, as one to send from. */
  readonly adopt: (family: IpFamily, localPort: number) => UdpDoor | null;
  readonly router: RouterAsk;
  readonly puncher: () => Puncher | null;
  readonly isNatted: () => boolean;
  readonly serverRttMs: () => number | null;
  /** A probe to that peer; null: nobody known. */
  readonly request: (id: PeerId, transaction: string) => Uint8Array | null;
  /** Does anything that is believed go by that socket? */
  readonly isUsed: (localPort: number) => boolean;
  /** Did anything of a peer's ever come by it? */
  readonly isKnown: (localPort: number) => boolean;
  readonly measured: (id: PeerId, attempt: string, forecast: Forecast | null) => void;
  readonly ended: (id: PeerId, attempt: string, end: VolleyEnd) => void;
  /** P7: connections instead of datagrams; false: this machine cannot. Rejects where none comes about. */
  readonly connect: (
    id: PeerId,
    ask: VolleyAsk,
    volley: Volley,
    measured: Measured,
    signal: AbortSignal,
  ) => Promise<boolean>;
}

interface Try {
  readonly attempt: string;
  readonly ended: AbortController;
  measured: Measured | null;
  firing: Firing | null;
}

interface Firing {
  readonly volley: Volley;
  readonly begunAt: number;
  readonly transactions: Set<string>;
  /** By their number in the volley. */
  readonly sockets: Map<number, number | null>;
  measuredPort: number | null;
  next: number;
  timer: Timer | null;
}

/** What got through from a socket has so long to be believed, or believed again, before the socket is closed. */
const SETTLE_MS = 5_000;
const SWEEP_EVERY_MS = 10_000;
/** Over all peers: one volley's, and those that paths go by. */
const MAX_FURTHER = 2 * MAX_BURST_SOCKETS;

export class Volleys {
  readonly #options: VolleysOptions;
  readonly #tries = new Map<PeerId, Try>();
  /** Sockets of tries that are over → since when. */
  readonly #left = new Map<number, number>();
  #sweeper: Timer | null = null;

  constructor(options: VolleysOptions) {
    this.#options = options;
  }

  /** `measured` is called once, unless the try ends before. */
  measure(id: PeerId, attempt: string, transport: 'udp' | 'tcp'): void {
    const one = this.#begin(id, attempt);
    const puncher = this.#options.puncher();
    const asked = puncher?.measure(transport, one.ended.signal) ?? Promise.resolve(null);
    asked
      .catch(() => null)
      .then(measured => {
        if (one.ended.signal.aborted) {
          measured?.socket.close();
          return;
        }
        one.measured = measured;
        this.#options.measured(id, attempt, measured?.forecast ?? null);
      })
      .catch((error: unknown) => this.#options.log.error('a measurement was lost', { error: String(error) }));
  }

  fire(id: PeerId, attempt: string, ask: VolleyAsk): void {
    const one = this.#begin(id, attempt);
    const volley = this.#options.puncher()?.volley(ask) ?? null;
    if (volley === null || volley.shots.length === 0) this.#end(id, one, 'impossible');
    else if (volley.isHeavy && this.isBusyBut(id)) this.#end(id, one, 'busy');
    else if (ask.method === 'tcp') this.#connect(id, one, ask, volley);
    else this.#shootAll(id, one, volley);
  }

  /**
   * The try is over, or found a way: nothing more leaves. A socket from which nothing got through is closed at once, or
   * whoever begins ever new tries would have them all; another one a little after its last use.
   */
  cease(id: PeerId, attempt?: string): void {
    const one = this.#tries.get(id);
    if (one === undefined || (attempt !== undefined && one.attempt !== attempt)) return;
    this.#tries.delete(id);
    one.ended.abort();
    one.firing?.timer?.cancel();
    // Where the socket went on as one of the transport's, this closes what was lent, and no more.
    one.measured?.socket.close();
    const { clock, transport, isKnown } = this.#options;
    for (const port of this.#portsOf(one)) {
      if (isKnown(port)) this.#left.set(port, clock.monotonicMs());
      else transport.further?.drop(port);
    }
    this.#planSweep();
  }

  /** Whoever proposed them is gone. */
  breakOff(): void {
    for (const [id, one] of [...this.#tries]) this.#end(id, one, 'impossible');
  }

  /** Is it the answer to a shot of ours? */
  owns(id: PeerId, transaction: string): boolean {
    return this.#tries.get(id)?.firing?.transactions.has(transaction) === true;
  }

  stop(): void {
    for (const id of [...this.#tries.keys()]) this.cease(id);
    this.#sweeper?.cancel();
    for (const port of this.#left.keys()) this.#options.transport.further?.drop(port);
    this.#left.clear();
  }

  #begin(id: PeerId, attempt: string): Try {
    const known = this.#tries.get(id);
    if (known?.attempt === attempt) return known;
    this.cease(id);
    const one: Try = { attempt, ended: new AbortController(), measured: null, firing: null };
    this.#tries.set(id, one);
    return one;
  }

  /** Is a heavy one under way for anybody else? */
  isBusyBut(id: PeerId): boolean {
    return [...this.#tries].some(([other, { firing }]) => other !== id && firing?.volley.isHeavy === true);
  }

  #end(id: PeerId, one: Try, end: VolleyEnd): void {
    if (this.#tries.get(id) !== one) return;
    this.#count(`volley.${end}`);
    this.cease(id);
    this.#options.ended(id, one.attempt, end);
  }

  // ---- datagrams

  #shootAll(id: PeerId, one: Try, volley: Volley): void {
    const { clock, transport, router, serverRttMs } = this.#options;
    if (transport.further === undefined) {
      this.#end(id, one, 'impossible');
      return;
    }
    one.firing = {
      ...{ volley, begunAt: clock.monotonicMs(), transactions: new Set(), sockets: new Map() },
      ...{ measuredPort: null, next: 0, timer: null },
    };
    this.#count('volley.begun');
    if (volley.isHeavy)
      void watchRouter(router, clock, serverRttMs(), one.ended.signal).then(isFull => {
        if (isFull) this.#end(id, one, 'no-room');
      });
    this.#shoot(id, one, one.firing);
  }

  #shoot(id: PeerId, one: Try, firing: Firing): void {
    const { clock } = this.#options;
    const { shots, endsMs } = firing.volley;
    const elapsed = clock.monotonicMs() - firing.begunAt;
    for (
      let shot = shots[firing.next];
      shot !== undefined && shot.atMs <= elapsed;
      shot = shots[firing.next]
    ) {
      firing.next++;
      if (firing.next <= MAX_SHOTS) this.#send(id, one, firing, shot);
    }
    const nextMs = shots[firing.next]?.atMs ?? endsMs;
    if (elapsed >= endsMs) this.#end(id, one, 'missed');
    else firing.timer = clock.after(Math.max(1, nextMs - elapsed), () => this.#shoot(id, one, firing));
  }

  #send(id: PeerId, one: Try, firing: Firing, { from, to, ttl }: PunchShot): void {
    const { budget, clock, random, transport, request, isNatted } = this.#options;
    if (
      !budget.takeShot(
        from === 'main' ? from : `${from} ${one.attempt}`,
        to,
        clock.monotonicMs(),
        firing.volley.isHeavy,
      )
    )
      return;
    const port = this.#socket(one, firing, from);
    const transaction = Buffer.from(random.bytes(12)).toString('hex');
    const bytes = port === undefined ? null : request(id, transaction);
    if (bytes === null || port === undefined) return;
    firing.transactions.add(transaction);
    const low = isNatted() ? OPENER_TTL.behindNat : OPENER_TTL.atTheEdge;
    const sent = transport.further?.send(port, to, bytes, ttl === 'low' ? low : null);
    this.#count(sent === 'sent' ? `volley.shot-${ttl}` : 'volley.not-sent');
  }

  /** The local port of a further socket; null: the long-lived one; undefined: there is none to be had. */
  #socket(one: Try, firing: Firing, from: PunchShot['from']): number | null | undefined {
    if (from === 'main') return null;
    if (from === 'measured') return (firing.measuredPort ??= this.#adopt(one)) ?? undefined;
    if (from >= MAX_BURST_SOCKETS) return undefined;
    const known = firing.sockets.get(from);
    if (known !== undefined) return known ?? undefined;
    const port = this.#open();
    firing.sockets.set(from, port);
    return port ?? undefined;
  }

  #adopt({ measured }: Try): number | null {
    const { adopt, transport } = this.#options;
    const door = measured === null ? null : adopt(measured.socket.family, measured.socket.localPort);
    if (door === null) return null;
    transport.further?.add(door);
    return door.localPort;
  }

  /** Null: no descriptors are left, or the like. */
  #open(): number | null {
    if ((this.#options.transport.further?.ports().length ?? 0) >= MAX_FURTHER) {
      this.#count('volley.no-socket');
      return null;
    }
    try {
      const door = this.#options.openUdp(4);
      this.#options.transport.further?.add(door);
      return door.localPort;
    } catch (error) {
      if (!(error instanceof GinnelError)) throw error;
      this.#count('volley.no-socket');
      return null;
    }
  }

  // ---- connections

  #connect(id: PeerId, one: Try, ask: VolleyAsk, volley: Volley): void {
    const { connect, log } = this.#options;
    if (one.measured === null) {
      this.#end(id, one, 'impossible');
      return;
    }
    this.#count('volley.begun');
    connect(id, ask, volley, one.measured, one.ended.signal)
      .then(
        (isThere): VolleyEnd => (isThere ? 'through' : 'impossible'),
        (error: unknown): VolleyEnd => {
          log.debug('no connection came about', { error: String(error) });
          return 'missed';
        },
      )
      .then(end => this.#end(id, one, end))
      .catch((error: unknown) => log.error('a volley was lost', { error: String(error) }));
  }

  // ---- afterwards

  #portsOf({ firing }: Try): number[] {
    if (firing === null) return [];
    return [firing.measuredPort, ...firing.sockets.values()].filter(port => port !== null);
  }

  #planSweep(): void {
    if (this.#sweeper !== null || this.#left.size === 0) return;
    this.#sweeper = this.#options.clock.after(SWEEP_EVERY_MS, () => {
      this.#sweeper = null;
      this.#sweep();
    });
  }

  #sweep(): void {
    const { clock, isUsed } = this.#options;
    const now = clock.monotonicMs();
    for (const [port, since] of [...this.#left]) {
      if (isUsed(port)) this.#left.set(port, now);
      else if (now - since >= SETTLE_MS) this.#forget(port);
    }
    this.#planSweep();
  }

  #forget(port: number): void {
    this.#left.delete(port);
    this.#options.transport.further?.drop(port);
  }

  #count(name: string): void {
    this.#options.counters.counter(name).value++;
  }
}
