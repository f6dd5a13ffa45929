// The life of the connection to the location server, without any socket: when to dial, what to say, when to give up on an
// answer, and when to try again. Whoever holds the sockets does what `ControlWire` asks and tells what happened.
import type { Clock, Timer } from '../../base/clock.ts';
import type { Counters } from '../../base/counters.ts';
import { GinnelError } from '../../base/errors.ts';
import type { Random } from '../../base/random.ts';
import type { Endpoint } from '../../protocol/address.ts';
import type { Registration, ServerMessage } from '../../protocol/location/messages.ts';
import { Backoff } from './backoff.ts';
import { controlErrors, isPermanent, isWaiting, serverFailure } from './errors.ts';
import { TIMES } from './machine-types.ts';
import type { ControlWire, ControlWords, MachineEvents, MachineOptions } from './machine-types.ts';
import { Requests } from './requests.ts';
import type { Ended, Question } from './requests.ts';
import type { ControlState } from './types.ts';

export class ControlMachine {
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #counters: Counters;
  readonly #wire: ControlWire;
  readonly #words: ControlWords;
  readonly #events: MachineEvents;
  readonly #requests: Requests;
  readonly #backoff: Backoff;
  readonly #timers = new Map<'retry' | 'ping' | 'register', Timer>();
  readonly #refusals = new Map<'publish' | 'register', string>();
  #state: ControlState = 'stopped';
  #problem: GinnelError | null = null;
  #unpublished: GinnelError | null = null;
  #phase: 'idle' | 'dialling' | 'logging-in' | 'waiting' | 'in' = 'idle';
  #server: Endpoint | null = null;
  #connectedAt = 0;
  #dialledAt = 0;
  #registration: Registration | null = null;
  #serverGeneration = 0;
  #lastHeardAt: number | null = null;
  #rttMs: number | null = null;

  constructor(options: MachineOptions) {
    this.#clock = options.clock;
    this.#random = options.random;
    this.#counters = options.counters;
    this.#wire = options.wire;
    this.#words = options.words;
    this.#events = options.events;
    this.#backoff = new Backoff(options.random);
    this.#requests = new Requests(options.clock, options.counters, message => this.#wire.send(message));
  }

  get state(): ControlState {
    return this.#state;
  }

  /** Why it is not connected; null while it is. */
  get problem(): GinnelError | null {
    return this.#problem;
  }

  /** Why the server has not this node's record as it is now; null: it has, or whoever changed it was told. */
  get unpublished(): GinnelError | null {
    return this.#unpublished;
  }

  get lastHeardAt(): number | null {
    return this.#lastHeardAt;
  }

  get rttMs(): number | null {
    return this.#rttMs;
  }

  get server(): Endpoint | null {
    return this.#server;
  }

  start(): void {
    if (this.#state !== 'stopped') return;
    this.#backoff.reset();
    this.#enter('connecting', 'starting', null);
    this.#dial();
  }

  stop(): void {
    if (this.#state === 'stopped') return;
    this.#quit(controlErrors('SERVER_AWAY', { reason: 'This box is going down.' }));
    this.#enter('stopped', 'stopped', null);
  }

  /** The network changed: what is waiting is tried now, and a connection proves that it still stands. */
  kick(): void {
    const isStopped = this.#state === 'stopped' || (this.#isRefusedForGood() && !this.#words.isMember());
    if (isStopped) return;
    this.#counters.counter('kicks').value++;
    this.#backoff.reset();
    if (this.#phase === 'in') this.#ping(TIMES.doubtAnswerMs);
    if (this.#phase !== 'idle') return;
    const waitMs = this.#dialledAt + TIMES.kickMs - this.#clock.monotonicMs();
    if (waitMs <= 0) this.#dial();
    else this.#after('retry', waitMs, () => this.#dial());
  }

  /** Tells the server, now and at intervals (V4). */
  register(registration: Registration): void {
    this.#registration = registration;
    if (this.#phase === 'in') this.#after('register', TIMES.registerSoonMs, () => this.#registerNow());
  }

  /** Publishes the record where it changed; `ended` with why the server did not take it. */
  publish(ended?: (problem: GinnelError | null) => void): void {
    const record = this.#phase === 'in' ? this.#words.record(this.#serverGeneration) : null;
    if (record === null) {
      if (this.#phase === 'in') this.#unpublished = null;
      ended?.(null);
      return;
    }
    this.#requests.ask({ type: 'publish', record }, outcome => {
      const problem = outcome instanceof GinnelError ? outcome : null;
      if (this.#noted('publish', outcome)) this.#serverGeneration = record.generation;
      // Silence is no refusal; and whoever waits for the answer goes back to the record of before.
      if (problem?.code !== 'SERVER_AWAY' && (problem === null || ended === undefined))
        this.#unpublished = problem;
      ended?.(problem);
    });
  }

  ask(question: Question, ended: Ended): void {
    if (this.#phase !== 'in') {
      ended(this.#away(), null);
      return;
    }
    this.#requests.ask(question, ended);
  }

  // ---- what the wire tells

  opened(server: Endpoint, channelHash: Uint8Array): void {
    this.#phase = 'logging-in';
    this.#server = server;
    const login = this.#words.login(channelHash);
    this.#requests.ask(login, (outcome, rttMs) => this.#loginEnded(outcome, rttMs), TIMES.loginAnswerMs);
  }

  /** No address answered, or none with the right key. */
  failed(problem: GinnelError): void {
    this.#counters.counter('dials.failed').value++;
    this.#retreat(problem);
  }

  heard(message: ServerMessage): void {
    this.#lastHeardAt = this.#clock.monotonicMs();
    switch (message.type) {
      case 'failure':
        if (message.re !== 0) {
          this.#requests.answered(message.re, message);
          return;
        }
        {
          this.#retreat(serverFailure(message));
          return;
        }
      case 'signal':
      case 'changed':
      case 'seen':
      case 'places':
      case 'standing':
      case 'renamed':
      case 'rules':
      case 'relays':
      case 'rerouted':
        if (this.#phase === 'in') this.#events.told(message);
        else this.#counters.counter('told-too-early').value++;
        return;
      default:
        this.#requests.answered(message.re, message);
    }
  }

  /** The connection ended, from the other side or by the network. */
  lost(reason: string): void {
    this.#counters.counter('connections.lost').value++;
    this.#retreat(controlErrors('SERVER_AWAY', { reason }));
  }

  // ---- logged in

  #loginEnded(outcome: Parameters<Ended>[0], rttMs: number | null): void {
    if (this.#phase !== 'logging-in') return;
    if (outcome instanceof GinnelError) {
      if (isWaiting(outcome.code)) this.#wait(outcome);
      else this.#retreat(outcome);
      return;
    }
    const doubt = outcome.type === 'welcome' ? this.#words.welcome(outcome, rttMs ?? 0) : 'no welcome';
    if (outcome.type !== 'welcome' || doubt !== null) {
      this.#counters.counter('welcomes.refused').value++;
      this.#retreat(controlErrors('SERVER_WORD_WRONG', { reason: doubt ?? 'no welcome' }));
      return;
    }
    this.#phase = 'in';
    this.#connectedAt = this.#clock.monotonicMs();
    this.#serverGeneration = outcome.generation;
    this.#counters.counter('welcomes').value++;
    this.#schedulePing();
    this.publish();
    this.#registerNow();
    this.#enter('connected', 'logged in', null);
    if (this.#server !== null) this.#events.welcomed(outcome, this.#server);
  }

  /** Stays connected: the server ends that as soon as somebody lets this box in, and the next log-in succeeds. */
  #wait(problem: GinnelError): void {
    this.#phase = 'waiting';
    this.#backoff.reset();
    this.#after('retry', TIMES.waitingMs, () => {
      this.#quit(problem);
      this.#dial();
    });
    this.#enter('waiting', problem.message, problem);
  }

  #registerNow(): void {
    if (this.#phase !== 'in') return;
    const jitterMs = this.#random.below(TIMES.registerMs / 5);
    this.#after('register', TIMES.registerMs - TIMES.registerMs / 10 + jitterMs, () => {
      this.publish();
      this.#registerNow();
    });
    if (this.#registration === null) return;
    this.#requests.ask(
      { type: 'register', registration: this.#registration },
      outcome => void this.#noted('register', outcome),
    );
  }

  #schedulePing(): void {
    const delayMs = TIMES.pingLeastMs + this.#random.below(TIMES.pingMostMs - TIMES.pingLeastMs);
    this.#after('ping', delayMs, () => this.#ping(TIMES.pingAnswerMs));
  }

  #ping(answerMs: number): void {
    this.#schedulePing();
    const askedAt = this.#clock.monotonicMs();
    this.#requests.ask(
      { type: 'ping' },
      (outcome, rttMs) => {
        if (rttMs !== null) this.#learnRtt(rttMs);
        // Any other refusal is the server's word, or our own that it was not asked at all.
        const isSilence = outcome instanceof GinnelError && outcome.code === 'SERVER_AWAY';
        if (!isSilence || this.#phase !== 'in') return;
        // Whatever else came meanwhile proves the connection as well as the answer would.
        if (this.#lastHeardAt !== null && this.#lastHeardAt > askedAt) return;
        this.#counters.counter('pings.unanswered').value++;
        this.#retreat(controlErrors('SERVER_AWAY', { reason: 'It stopped answering.' }));
      },
      answerMs,
    );
  }

  #learnRtt(rttMs: number): void {
    this.#rttMs = this.#rttMs === null ? rttMs : (7 * this.#rttMs + rttMs) / 8;
  }

  /** Counts a refusal of what nobody waits for, and tells it once; true: it was done. */
  #noted(what: 'publish' | 'register', outcome: Parameters<Ended>[0]): boolean {
    const problem = outcome instanceof GinnelError ? outcome : null;
    const isNews = problem !== null && this.#refusals.get(what) !== problem.code;
    if (problem === null) this.#refusals.delete(what);
    else this.#refusals.set(what, problem.code);
    if (problem !== null) this.#counters.counter(`${what}.refused`).value++;
    if (isNews) this.#events.refused(what, problem);
    return problem === null;
  }

  // ---- dialling and giving up

  #isRefusedForGood(): boolean {
    return this.#problem !== null && isPermanent(this.#problem.code);
  }

  #dial(): void {
    this.#timers.get('retry')?.cancel();
    this.#phase = 'dialling';
    this.#dialledAt = this.#clock.monotonicMs();
    this.#counters.counter('dials').value++;
    this.#wire.dial();
  }

  /** Ends what there is and decides when to try again. */
  #retreat(problem: GinnelError): void {
    if (this.#state === 'stopped' || this.#phase === 'idle') return;
    const proven = this.#phase === 'in' && this.#clock.monotonicMs() - this.#connectedAt >= TIMES.provenMs;
    if (proven) this.#backoff.reset();
    this.#quit(problem);
    const permanent = isPermanent(problem.code);
    const refused = permanent || problem.code === 'SERVER_KEY_WRONG';
    if (!permanent) this.#after('retry', this.#backoff.next(), () => this.#dial());
    else if (this.#words.isMember()) this.#after('retry', TIMES.refusedRetryMs, () => this.#dial());
    if (refused) this.#counters.counter('refused').value++;
    this.#enter(refused ? 'refused' : 'away', problem.message, problem);
  }

  #quit(problem: GinnelError): void {
    this.#phase = 'idle';
    this.#server = null;
    for (const timer of this.#timers.values()) timer.cancel();
    this.#timers.clear();
    this.#wire.hangUp();
    this.#requests.endAll(problem.code === 'SERVER_AWAY' ? problem : this.#away(problem));
  }

  #away(problem = this.#problem): GinnelError {
    return controlErrors(
      'SERVER_AWAY',
      { reason: problem?.message ?? 'This box is still connecting.' },
      problem ?? undefined,
    );
  }

  #after(name: 'retry' | 'ping' | 'register', delayMs: number, fire: () => void): void {
    this.#timers.get(name)?.cancel();
    this.#timers.set(name, this.#clock.after(delayMs, fire));
  }

  #enter(state: ControlState, reason: string, problem: GinnelError | null): void {
    this.#problem = problem;
    const changed = this.#state !== state;
    this.#state = state;
    if (changed || problem !== null) this.#events.stateChanged(state, reason);
  }
}
