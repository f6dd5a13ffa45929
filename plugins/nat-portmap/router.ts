// Keeps the wanted ports mapped at one gateway: finds out what it speaks, asks, renews, notices that it started again, and
// takes all back at the end. One thing after another, so that nothing overtakes.
import type { Timer } from '../../base/clock.ts';
import type { Log } from '../../base/log.ts';
import type { Random } from '../../base/random.ts';
import type { Gateway } from '../../core/contract/plugin.ts';
import { formatEndpoint, type Endpoint } from '../../protocol/address.ts';
import { findProtocols } from './find.ts';
import { Holdings, laterEachTime, type Asking, type Wanted } from './holdings.ts';
import type { Kept } from './kept.ts';
import { later } from './later.ts';
import type { Asked, Ground, MapAnswer, PortProtocol, ProtocolName } from './protocol.ts';
import { Wire } from './wire.ts';

/** How often the router is asked whether it started again: its mappings are gone then, and nobody would get in. */
export const LOOK_MS = 2_500;
/** Silent, but mappings stand there: it is probably starting. */
const SOON_MS = 1_000;
const SOON_FOR_MS = 60_000;
/** Nobody answers: it is asked again so much later, twice as late each time. */
const SILENT_MS = [30_000, 15 * 60_000] as const;
const TAKEN_BACK_WITHIN_MS = 3_000;

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

export class Router {
  readonly gateway: Gateway;
  readonly #options: RouterOptions;
  readonly #work = new AbortController();
  readonly #holdings: Holdings;
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
  #isAborted = false;
  #running: Promise<void> = Promise.resolve();

  constructor(options: RouterOptions) {
    this.#options = options;
    this.#holdings = new Holdings(options.clock);
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
    return this.#holdings.all.map(({ asked, outer, protocol }) => ({
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
    this.#holdings.forgetRefusals();
    this.#isWoken = true;
    this.#pause?.wake();
  }

  /** Takes back what it made, as far as the router answers. */
  async end(): Promise<void> {
    if (!this.#work.signal.aborted) this.#work.abort();
    this.#pause?.wake();
    await this.#running;
    const { clock } = this.#options;
    const held = [...this.#holdings.take([]), ...(this.#asking === null ? [] : [this.#asking])];
    const givenUp = later();
    const timer = clock.after(TAKEN_BACK_WITHIN_MS, givenUp.resolve);
    const takenBack = Promise.all(held.map(one => this.#takeBack(one)));
    await Promise.race([takenBack, givenUp.promise]);
    timer.cancel();
    this.#close();
  }

  /** At once, without a word to anybody. */
  abort(): void {
    this.#isAborted = true;
    this.#work.abort();
    this.#pause?.wake();
    this.#close();
    this.#settled.resolve();
  }

  /** Asks for all anew: the address outside may be another. */
  renew(): void {
    this.#holdings.allDue();
    this.wake();
  }

  #close(): void {
    this.#wire?.close();
    this.#wire = null;
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
    if (this.#wanted.length === 0 && this.#holdings.size === 0) return SILENT_MS[1];
    this.#holdings.expire();
    if (!(await this.#hears())) return this.#silent();
    this.#silentSinceMs = null;
    this.#silences = 0;
    for (const one of this.#holdings.take(this.#wanted)) await this.#takeBack(one);
    for (const wanted of this.#wanted) {
      if (this.#work.signal.aborted) return 0;
      if (!this.#holdings.isDue(wanted)) continue;
      if (!(await this.#make(wanted))) return this.#silent();
    }
    if (this.#holdings.size > 0) {
      this.#become('mapped', '');
      return LOOK_MS;
    }
    this.#become(this.#refusal, this.#answer);
    return Math.max(LOOK_MS, this.#holdings.soonestMs);
  }

  /** Is there somebody who answers? All is asked for anew where it is not the one of before, or has started again. */
  async #hears(): Promise<boolean> {
    const { signal } = this.#work;
    const [speaks] = this.#spoken;
    const look = speaks === undefined ? 'silent' : await speaks.look(signal);
    if (look === 'same') return true;
    if (look === 'silent') {
      this.#wire ??= await Wire.open(this.#options);
      if (this.#isAborted) {
        this.#close();
        return false;
      }
      const { spoken, all } = await findProtocols(this.#options, this.#wire, signal);
      if (signal.aborted || spoken.length === 0) return false;
      this.#spoken = spoken;
      this.#finding = all;
    }
    if (this.#holdings.size > 0) this.#options.counters.counter('router.restarted').value++;
    this.#holdings.allDue();
    this.#holdings.forgetRefusals();
    return true;
  }

  #silent(): number {
    const { clock } = this.#options;
    const now = clock.monotonicMs();
    this.#silentSinceMs ??= now;
    if (this.#holdings.size === 0) this.#become('silent', '');
    if (this.#holdings.size > 0 && now - this.#silentSinceMs < SOON_FOR_MS) return SOON_MS;
    return laterEachTime(SILENT_MS, this.#silences++);
  }

  // ---- mappings

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
      this.#holdings.putOff(wanted);
      this.#spoken = [];
      return false;
    } else if (this.#holdings.size === 0 && (await this.#hasAnother(protocol)))
      return await this.#make(wanted);
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
    const { kept, counters, log } = this.#options;
    const before = this.#holdings.find(asked);
    if (before === null || formatEndpoint(before.outer) !== formatEndpoint(answer.outer))
      log.info('the router passes a port on', {
        ...{ transport: asked.transport, port: asked.port },
        ...{ outside: formatEndpoint(answer.outer), by: protocol.name },
      });
    this.#holdings.made(protocol, asked, answer);
    kept.note(this.gateway, asked, answer.outer.port);
    counters.counter('mapped').value++;
    this.#tell();
  }

  #wasRefused(wanted: Wanted, code: 'refused' | 'no-outside', answer: string): void {
    const { counters, log } = this.#options;
    counters.counter('refused-by-router').value++;
    if (this.#answer !== answer)
      log.info('the router refuses to pass a port on', { ...wanted, answer, gateway: this.gateway.address });
    this.#answer = answer;
    this.#refusal = code;
    this.#holdings.refused(wanted);
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
