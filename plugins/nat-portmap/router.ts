// Keeps the wanted ports mapped at one gateway: finds out what it speaks, asks, renews, notices that it started again, and
// takes all back at the end. One thing after another, so that nothing overtakes.
import type { Timer } from '../../base/clock.ts';
import type { Log } from '../../base/log.ts';
import type { Random } from '../../base/random.ts';
import type { Gateway, WantedPort } from '../../core/contract/plugin.ts';
import { formatEndpoint, type Endpoint } from '../../protocol/address.ts';
import type { Kept } from './kept.ts';
import { findNatPmp } from './nat-pmp.ts';
import { findPcp } from './pcp.ts';
import {
  PROTOCOL_NAMES,
  type Asked,
  type Ground,
  type MapAnswer,
  type PortProtocol,
  type ProtocolName,
} from './protocol.ts';
import { findUpnp } from './upnp.ts';
import { Wire } from './wire.ts';

/** How often the router is asked whether it started again: its mappings are gone then, and nobody would get in. */
export const LOOK_MS = 2_500;
/** Silent, but mappings stand there: it is probably starting. */
const SOON_MS = 1_000;
const SOON_FOR_MS = 60_000;
/** Nobody answers: it is asked again so much later, twice as late each time. */
const SILENT_MS = [30_000, 15 * 60_000] as const;
const REFUSED_MS = [60_000, 15 * 60_000] as const;
/** The answers of a preferred protocol are waited for a little when another one's is there. */
const GRACE_MS = 100;
const LEAST_RENEWAL_MS = 5_000;
const MOST_LEASE_S = 86_400;
const TAKEN_BACK_WITHIN_MS = 3_000;

export type Wanted = Pick<WantedPort, 'transport' | 'port'>;

export interface Mapping extends Wanted {
  readonly outer: Endpoint;
  readonly protocol: ProtocolName;
}

/** `asking`: nothing is known yet. */
export type RouterState = 'asking' | 'silent' | 'refused' | 'no-outside' | 'mapped';

export interface RouterOptions extends Ground {
  readonly random: Random;
  readonly log: Log;
  readonly kept: Kept;
  readonly protocols: readonly ProtocolName[];
  readonly leaseS: number;
  /** State or mappings are others. */
  readonly changed: () => void;
}

interface Asking {
  readonly asked: Asked;
  readonly outer: Endpoint;
  readonly protocol: PortProtocol;
}

interface Held extends Asking {
  readonly endsAtMs: number;
  dueAtMs: number;
}

export class Router {
  readonly gateway: Gateway;
  readonly #options: RouterOptions;
  readonly #work = new AbortController();
  readonly #held = new Map<string, Held>();
  /** Ports that were refused, and when they may be asked for again. */
  readonly #refused = new Map<string, { readonly untilMs: number; readonly times: number }>();
  #wanted: readonly Wanted[] = [];
  #wire: Wire | null = null;
  /** Those that answered; the first is in use. */
  #spoken: readonly PortProtocol[] = [];
  /** Settles when all that were asked have answered, or not. */
  #finding: Promise<void> = Promise.resolve();
  #state: RouterState = 'asking';
  #answer = '';
  #refusal: 'refused' | 'no-outside' = 'refused';
  /** Under way; what was broken off may have been done all the same. */
  #asking: Asking | null = null;
  #silentSinceMs: number | null = null;
  #silences = 0;
  #told = '';
  readonly #settled = later();
  #pause: { readonly timer: Timer; readonly wake: () => void } | null = null;
  #isWoken = false;
  #running: Promise<void> = Promise.resolve();

  constructor(options: RouterOptions) {
    this.#options = options;
    this.gateway = options.gateway;
  }

  get state(): RouterState {
    return this.#state;
  }

  /** What it said when it refused; empty: it did not. */
  get answer(): string {
    return this.#answer;
  }

  get mappings(): readonly Mapping[] {
    return [...this.#held.values()].map(({ asked, outer, protocol }) => ({
      ...{ transport: asked.transport, port: asked.port },
      ...{ outer, protocol: protocol.name },
    }));
  }

  /** When something is known for the first time: mapped, silent or refused. */
  get settled(): Promise<void> {
    return this.#settled.promise;
  }

  begin(wanted: readonly Wanted[]): void {
    this.#wanted = wanted;
    this.#running = this.#run();
  }

  setWanted(wanted: readonly Wanted[]): void {
    if (JSON.stringify(wanted) === JSON.stringify(this.#wanted)) return;
    this.#wanted = wanted;
    this.wake();
  }

  /** Looks at once; also after it was silent or refused. */
  wake(): void {
    this.#refused.clear();
    this.#isWoken = true;
    this.#pause?.wake();
  }

  /** Takes back what it made, as far as the router answers. */
  async end(): Promise<void> {
    if (!this.#work.signal.aborted) this.#work.abort();
    this.#pause?.wake();
    await this.#running;
    const { clock } = this.#options;
    const held = [...this.#held.values(), ...(this.#asking === null ? [] : [this.#asking])];
    this.#held.clear();
    const givenUp = later();
    const timer = clock.after(TAKEN_BACK_WITHIN_MS, givenUp.resolve);
    const takenBack = Promise.all(held.map(one => this.#takeBack(one)));
    await Promise.race([takenBack, givenUp.promise]);
    timer.cancel();
    this.#wire?.close();
    this.#wire = null;
  }

  /** At once, without a word to anybody. */
  abort(): void {
    this.#work.abort();
    this.#pause?.wake();
    this.#wire?.close();
    this.#wire = null;
    this.#settled.resolve();
  }

  // ---- one turn after another

  async #run(): Promise<void> {
    while (!this.#work.signal.aborted) {
      let pauseMs: number;
      try {
        pauseMs = await this.#turn();
      } catch (error) {
        this.#options.log.warn('the router could not be asked', { reason: String(error) });
        pauseMs = SILENT_MS[0];
      }
      this.#tell();
      if (this.#state !== 'asking') this.#settled.resolve();
      await this.#rest(pauseMs);
    }
    this.#settled.resolve();
  }

  #rest(ms: number): Promise<void> {
    if (this.#isWoken || this.#work.signal.aborted) {
      this.#isWoken = false;
      return Promise.resolve();
    }
    return new Promise(resolve => {
      const wake = (): void => {
        timer.cancel();
        this.#pause = null;
        this.#isWoken = false;
        resolve();
      };
      const timer = this.#options.clock.after(ms, wake);
      this.#pause = { timer, wake };
    });
  }

  /** Answers how long to wait for the next one, in ms. */
  async #turn(): Promise<number> {
    const { clock } = this.#options;
    if (this.#wanted.length === 0 && this.#held.size === 0) return SILENT_MS[1];
    this.#expire();
    if (!(await this.#hears())) return this.#silent();
    this.#silentSinceMs = null;
    this.#silences = 0;
    for (const [key, one] of this.#held)
      if (!this.#wanted.some(wanted => keyOf(wanted) === key)) {
        this.#held.delete(key);
        await this.#takeBack(one);
      }
    for (const wanted of this.#wanted) {
      if (this.#work.signal.aborted) return 0;
      if (!this.#isDue(wanted)) continue;
      if (!(await this.#make(wanted))) return this.#silent();
    }
    if (this.#held.size > 0) {
      this.#become('mapped', '');
      return LOOK_MS;
    }
    this.#become(this.#refusal, this.#answer);
    const now = clock.monotonicMs();
    const [soonest] = [...this.#refused.values()].map(({ untilMs }) => untilMs - now).sort((a, b) => a - b);
    return Math.max(LOOK_MS, soonest ?? REFUSED_MS[0]);
  }

  /** Is there somebody who answers? All is asked for anew where it is not the one of before, or has started again. */
  async #hears(): Promise<boolean> {
    const { signal } = this.#work;
    const [speaks] = this.#spoken;
    const look = speaks === undefined ? 'silent' : await speaks.look(signal);
    if (look === 'same') return true;
    if (look === 'silent') {
      const spoken = await this.#find();
      if (spoken.length === 0) return false;
      this.#spoken = spoken;
    }
    if (this.#held.size > 0) this.#options.counters.counter('router.restarted').value++;
    for (const one of this.#held.values()) one.dueAtMs = 0;
    this.#refused.clear();
    return true;
  }

  #silent(): number {
    const { clock } = this.#options;
    const now = clock.monotonicMs();
    this.#silentSinceMs ??= now;
    if (this.#held.size === 0) this.#become('silent', '');
    if (this.#held.size > 0 && now - this.#silentSinceMs < SOON_FOR_MS) return SOON_MS;
    return laterEachTime(SILENT_MS, this.#silences++);
  }

  // ---- who answers

  async #find(): Promise<readonly PortProtocol[]> {
    const { protocols, random, clock } = this.#options;
    const { signal } = this.#work;
    this.#wire ??= await Wire.open(this.#options);
    if (signal.aborted) {
      this.abort();
      return [];
    }
    const wire = this.#wire;
    const finders: Record<ProtocolName, () => Promise<PortProtocol | null>> = {
      pcp: () => findPcp(this.#options, wire, signal),
      // IPv4's alone, both of them.
      'nat-pmp': () => (this.gateway.family === 4 ? findNatPmp(this.#options, wire, signal) : nothing()),
      upnp: () => (this.gateway.family === 4 ? findUpnp(this.#options, random, signal) : nothing()),
    };
    const spoken: PortProtocol[] = [];
    const first = later();
    const asked = PROTOCOL_NAMES.filter(name => protocols.includes(name)).map(async (name, rank) => {
      const found = await finders[name]().catch(() => null);
      if (found === null) return;
      spoken.push(found);
      if (rank === 0) first.resolve();
      else clock.after(GRACE_MS, first.resolve);
    });
    this.#finding = Promise.all(asked).then(() => undefined);
    await Promise.race([first.promise, this.#finding]);
    return spoken.sort((a, b) => PROTOCOL_NAMES.indexOf(a.name) - PROTOCOL_NAMES.indexOf(b.name));
  }

  // ---- mappings

  #isDue(wanted: Wanted): boolean {
    const now = this.#options.clock.monotonicMs();
    const key = keyOf(wanted);
    const held = this.#held.get(key);
    if (held !== undefined) return held.dueAtMs <= now;
    return (this.#refused.get(key)?.untilMs ?? 0) <= now;
  }

  /** False: the router is silent. */
  async #make(wanted: Wanted): Promise<boolean> {
    const { kept, leaseS } = this.#options;
    const [protocol] = this.#spoken;
    if (protocol === undefined) return false;
    const { nonce, outerPort } = kept.of(this.gateway, wanted);
    const asked: Asked = {
      ...{ transport: wanted.transport, port: wanted.port, nonce, leaseS },
      outerPort: outerPort === 0 ? wanted.port : outerPort,
    };
    this.#asking = { protocol, asked, outer: { family: 4, address: '', port: asked.outerPort } };
    const answer = await protocol.map(asked, this.#work.signal);
    if (this.#work.signal.aborted && !answer.ok) return true;
    this.#asking = null;
    if (answer.ok) this.#made(protocol, asked, answer);
    else if (answer.code === 'silent') {
      this.#putOff(keyOf(wanted));
      this.#spoken = [];
      return false;
    } else if (this.#held.size === 0 && (await this.#hasAnother(protocol))) return await this.#make(wanted);
    else this.#wasRefused(wanted, answer.code, answer.answer);
    return true;
  }

  /** The protocol in use refuses: is there another one, be it slower? It is used from now on. */
  async #hasAnother(refusing: PortProtocol): Promise<boolean> {
    await this.#finding;
    this.#spoken = this.#spoken.filter(protocol => protocol !== refusing);
    if (this.#spoken.length > 0) return !this.#work.signal.aborted;
    this.#spoken = [refusing];
    return false;
  }

  #made(protocol: PortProtocol, asked: Asked, answer: Extract<MapAnswer, { ok: true }>): void {
    const { clock, kept, counters, log } = this.#options;
    const key = keyOf(asked);
    const now = clock.monotonicMs();
    const leaseMs = Math.min(answer.leaseS === 0 ? MOST_LEASE_S : answer.leaseS, MOST_LEASE_S) * 1000;
    const before = this.#held.get(key);
    if (before === undefined || formatEndpoint(before.outer) !== formatEndpoint(answer.outer))
      log.info('the router passes a port on', {
        ...{ transport: asked.transport, port: asked.port },
        ...{ outside: formatEndpoint(answer.outer), by: protocol.name },
      });
    this.#refused.delete(key);
    this.#held.set(key, {
      ...{ asked, protocol, outer: answer.outer },
      endsAtMs: answer.leaseS === 0 ? Infinity : now + leaseMs,
      dueAtMs: now + Math.max(leaseMs / 2, LEAST_RENEWAL_MS),
    });
    kept.note(this.gateway, asked, answer.outer.port);
    counters.counter('mapped').value++;
    this.#tell();
  }

  #wasRefused(wanted: Wanted, code: 'refused' | 'no-outside', answer: string): void {
    const key = keyOf(wanted);
    const { clock, counters, log } = this.#options;
    counters.counter('refused-by-router').value++;
    if (this.#answer !== answer)
      log.info('the router refuses to pass a port on', { ...wanted, answer, gateway: this.gateway.address });
    this.#answer = answer;
    this.#refusal = code;
    const times = this.#refused.get(key)?.times ?? 0;
    const untilMs = clock.monotonicMs() + laterEachTime(REFUSED_MS, times);
    this.#refused.set(key, { untilMs, times: times + 1 });
    this.#putOff(key);
  }

  /** One that stands is asked for again when half of what is left of it is over. */
  #putOff(key: string): void {
    const held = this.#held.get(key);
    if (held === undefined) return;
    const now = this.#options.clock.monotonicMs();
    const leftMs = Math.min(held.endsAtMs - now, MOST_LEASE_S * 1000);
    held.dueAtMs = now + Math.max(leftMs / 2, LEAST_RENEWAL_MS);
  }

  #expire(): void {
    const now = this.#options.clock.monotonicMs();
    for (const [key, { endsAtMs }] of this.#held) if (endsAtMs <= now) this.#held.delete(key);
  }

  async #takeBack({ protocol, asked, outer }: Asking): Promise<void> {
    try {
      await protocol.unmap({ ...asked, outer });
      this.#options.counters.counter('taken-back').value++;
    } catch (error) {
      this.#options.log.debug('a mapping could not be taken back', { reason: String(error) });
    }
  }

  // ---- told

  #become(state: RouterState, answer: string): void {
    this.#state = state;
    this.#answer = answer;
  }

  #tell(): void {
    const now = JSON.stringify([this.#state, this.#answer, this.mappings]);
    if (now === this.#told || this.#work.signal.aborted) return;
    this.#told = now;
    this.#options.changed();
  }
}

const keyOf = ({ transport, port }: Wanted): string => `${transport} ${port}`;

interface Later {
  readonly promise: Promise<void>;
  readonly resolve: () => void;
}

function later(): Later {
  let resolve = (): void => undefined;
  const promise = new Promise<void>(settle => (resolve = settle));
  return { promise, resolve };
}

const nothing = (): Promise<null> => Promise.resolve(null);

const laterEachTime = ([first, last]: readonly [number, number], times: number): number =>
  Math.min(first * 2 ** times, last);
