// One try to meet a peer through the location server: offer and answer, what is measured for it, which places are probed
// when, and the volley. When a try is due, and what follows from one that failed, is for seeking.ts to say.
import type { Said } from '../../base/said.ts';
import type { Forecast, PathSignal } from '../../protocol/location/messages.ts';
import type { VolleyAsk } from '../contract/punch.ts';
import { Attempt, type Shot } from './attempt.ts';
import { Bucket } from './budget.ts';
import type { Diary } from './diary.ts';
import type { MachineOptions, MachineOutput } from './machine.ts';
import type { Way } from './path.ts';
import { isSymmetric } from './plan.ts';
import { Punching } from './punching.ts';
import type { RemoteSide } from './remote.ts';
import { says } from './sayings.ts';
import { OPENER_TTL, TIMING } from './timing.ts';
import type { VolleyEnd } from './volley.ts';

export const BY_TABLE = 'by-table';
/** Offers of one peer that are answered: each costs a signal of ours, and probes. */
const OFFERS = { perSecond: 1, burst: 6 };

/** Whoever decides that it is time. */
export interface MeetingHost {
  emit(output: MachineOutput): void;
  probe(shot: Shot, now: number): void;
  isInUse(way: Way): boolean;
  heardAt(way: Way): number | null;
  /** Had the two a way, and may it be broken? Then our own address outside may be another. */
  mayHaveMoved(): boolean;
  /** The other end's offer is taken up. */
  accepted(now: number): void;
  /** Nothing more is sent for this one. */
  over(attempt: Attempt, now: number): void;
  /** This one leads nowhere, and now it is known what another needs. */
  again(now: number, cause: Said): void;
}

export class Meeting {
  readonly punching: Punching;
  readonly #options: MachineOptions;
  readonly #remote: RemoteSide;
  readonly #diary: Diary;
  readonly #host: MeetingHost;
  #attempt: Attempt | null = null;
  /** The other end's offer, made at the same time as ours. */
  #rival: PathSignal | null = null;
  /** An offer whose answer waits until our own address outside was asked afresh. */
  #awaited: { readonly id: string; readonly dueAt: number } | null = null;
  readonly #offers = new Bucket(OFFERS.burst, 0);

  constructor(options: MachineOptions, remote: RemoteSide, diary: Diary, host: MeetingHost) {
    this.#options = options;
    this.#remote = remote;
    this.#diary = diary;
    this.#host = host;
    this.punching = new Punching(options.self, remote, options.worked);
  }

  /** The try under way. */
  get attempt(): Attempt | null {
    return this.#attempt;
  }

  // ---- beginnings

  /** Our offer, after so long. */
  offer(now: number, afterMs: number): void {
    const id = Buffer.from(this.#options.random.bytes(8)).toString('hex');
    const attempt = this.#begin(new Attempt(id, 'offerer', now));
    attempt.offerAt = now + afterMs;
    this.#measure(attempt, this.punching.measuresForOffer(), now + afterMs);
    this.#aimAtOnce(attempt, now);
  }

  /** The server's route, and nothing else: no place that nobody vouches for. The peer has to know who asks, no more. */
  goByTable(now: number): void {
    const attempt = this.#begin(matchedAttempt(BY_TABLE, now));
    this.#host.emit({ type: 'signal', kind: 'offer', attempt: BY_TABLE });
    this.#aimAtOpen(attempt, now);
  }

  /** The server's table is known, or another. */
  routed(now: number): void {
    if (this.#attempt !== null && this.#attempt.succeededAt === null) this.#aimAtOpen(this.#attempt, now);
  }

  /** The mapped address was measured afresh: an offer that waited for it leaves. */
  refreshed(now: number): void {
    if (this.#awaited !== null) this.#accept(this.#awaited.id, now);
    if (this.#attempt?.offerAt != null) this.#attempt.offerAt = now;
  }

  drop(): void {
    this.cease();
    this.#attempt = null;
  }

  /** It takes the place of the one before. */
  #begin(attempt: Attempt): Attempt {
    this.cease();
    this.#attempt = attempt;
    return attempt;
  }

  cease(): void {
    const attempt = this.#attempt;
    if (attempt === null || (!attempt.wasMeasured && !attempt.isFiring)) return;
    attempt.isFiring = false;
    this.#host.emit({ type: 'cease', attempt: attempt.id });
  }

  #measure(attempt: Attempt, transport: 'udp' | 'tcp' | null, from: number): void {
    if (transport === null) return;
    attempt.measuring = transport;
    attempt.wasMeasured = true;
    attempt.measureDueAt = from + (transport === 'tcp' ? TIMING.measureTcpWait : TIMING.measureWait);
    this.#host.emit({ type: 'measure', attempt: attempt.id, transport });
  }

  measured(id: string, forecast: Forecast | null, now: number): void {
    const attempt = this.#attempt;
    if (attempt?.id !== id) return;
    attempt.measureDueAt = null;
    if (forecast === null) this.#diary.note(now, says('try.unforeseen'));
    else if (attempt.measuring === 'tcp') attempt.measuredTcp = forecast;
    else attempt.measuredUdp = forecast;
    if (forecast !== null && attempt.measuring === 'udp' && this.punching.isContradicted(forecast)) {
      this.#diary.note(now, says('try.contradicted'));
      this.#host.emit({ type: 'recheck' });
    }
    if (forecast !== null) this.#diary.note(now, portSaid(forecast));
    this.tick(now);
  }

  // ---- offer and answer

  signalled(signal: PathSignal, now: number): void {
    if (!this.#remote.learn(signal)) this.#count('signal.repeated');
    else if (!this.#options.self.upgrades()) this.#count('signal.declined');
    else if (signal.type === 'answer') this.#answer(signal, now);
    else this.#offer(signal, now);
  }

  /** Both offered at once: the smaller id's offer stands, the other is kept in case that one got lost. */
  #offer(signal: PathSignal, now: number): void {
    const own = this.#attempt;
    const { self, peer } = this.#options;
    if (own?.role === 'offerer' && own.offerAt === null && !own.matched && self.id < peer.id) {
      // Said again: ours has been under way for a while, and was lost perhaps.
      if (this.#rival?.attempt === signal.attempt) return;
      this.#rival = signal;
      own.answerDueAt = now + this.#rivalWaitMs();
      this.#diary.note(now, says('try.both-offered'));
    } else if (this.#offers.fill(now, OFFERS.perSecond) < 1) this.#count('signal.too-many');
    else {
      this.#offers.spend();
      if (own?.role === 'answerer' && own.id === signal.attempt) this.#answerAgain(own);
      else this.#acceptFresh(signal.attempt, now);
    }
  }

  /** The answer to ours takes its signals' time and, it may be, a measurement: two answers to two offers would come to nothing. */
  #rivalWaitMs(): number {
    const signalsMs = (this.#options.self.serverRttMs() ?? 0) + (this.#remote.serverRttMs ?? 0);
    const measuresMs = this.punching.theyMeasure() ? TIMING.measureWait : 0;
    return TIMING.rivalWait + Math.min(TIMING.answerWait, signalsMs) + measuresMs;
  }

  /** Said again, because our answer took its time or was lost: what was measured, and is under way, is for this very offer. */
  #answerAgain(attempt: Attempt): void {
    if (!attempt.isUnanswered) this.#emitSignal('answer', attempt);
  }

  /** Whoever had a path and offers anew has lost it: what broke it may have changed our own address outside. */
  #acceptFresh(id: string, now: number): void {
    if (!this.#host.mayHaveMoved()) {
      this.#accept(id, now);
      return;
    }
    this.#awaited = { id, dueAt: now + TIMING.refreshWait };
    this.#host.emit({ type: 'refresh' });
  }

  #accept(id: string, now: number): void {
    this.#awaited = null;
    const attempt = this.#begin(matchedAttempt(id, now));
    this.#rival = null;
    this.#host.accepted(now);
    attempt.method = this.punching.decide();
    this.#host.emit({ type: 'connect' });
    attempt.isUnanswered = true;
    this.#measure(attempt, this.punching.measuresFor(attempt.method), now);
    if (attempt.measureDueAt === null) this.#sendAnswer(attempt, now);
  }

  #sendAnswer(attempt: Attempt, now: number): void {
    attempt.isUnanswered = false;
    attempt.measureDueAt = null;
    // Without our forecast the other end would aim at nothing.
    const ask = this.punching.ask(attempt, this.#holdBackMs(true));
    const isMissing = attempt.method === 'tcp' ? attempt.measuredTcp === null : ask === null;
    if (isMissing && attempt.method !== 'none') attempt.method = 'plain';
    this.#emitSignal('answer', attempt);
    if (attempt.method === 'none') {
      this.#aimAll(attempt, now, now);
      this.#diary.note(now, says('try.offered-none'));
      return;
    }
    if (attempt.method !== 'plain') {
      this.#diary.note(now, says('try.offered', { method: says(`method.${attempt.method}`) }));
      if (ask !== null) this.#fire(attempt, ask);
      this.#aimAll(attempt, now + TIMING.plainBeside, now);
      return;
    }
    const holdMs = this.#holdBackMs(false);
    this.#aimAll(attempt, now + holdMs, now);
    const facts = { places: placesSaid(attempt.size), ms: Math.round(holdMs) };
    this.#diary.note(now, says('try.offered-plain', facts));
  }

  #emitSignal(kind: 'offer' | 'answer', attempt: Attempt): void {
    const punch = this.punching.words(attempt);
    this.#host.emit({
      type: 'signal',
      kind,
      attempt: attempt.id,
      ...(punch === undefined ? {} : { punch }),
    });
  }

  #fire(attempt: Attempt, ask: VolleyAsk): void {
    attempt.isFiring = true;
    this.#host.emit({ type: 'fire', attempt: attempt.id, ask });
  }

  volleyEnded(id: string, end: VolleyEnd, now: number): void {
    const attempt = this.#attempt;
    if (attempt?.id !== id || !attempt.isFiring) return;
    attempt.isFiring = false;
    attempt.isPutOff = end === 'busy' || end === 'no-room';
    this.#diary.note(now, says(`volley.${end}`));
    if (end === 'missed') this.#end(attempt, now);
    this.tick(now);
  }

  /**
   * P5: our full probes must not reach the offerer's NAT before its own first packet has left. That takes the answer's
   * time, on a slow box or server far longer; its first probe ends the wait wherever it can get in by our opening.
   */
  #holdBackMs(isVolley: boolean): number {
    const { self } = this.#options;
    // By a volley's openings it gets in whatever the NAT does, where the ports were right.
    const letsItIn = isVolley || !isSymmetric(self.nat());
    const patienceMs = letsItIn ? TIMING.holdForProbe : 0;
    const own = self.serverRttMs();
    const theirs = this.#remote.serverRttMs;
    if (own === null || theirs === null) return TIMING.holdBackUnknown + patienceMs;
    return Math.min(TIMING.holdBackMax, Math.max(TIMING.holdBackMin, (own + theirs) / 2)) + patienceMs;
  }

  #answer(signal: PathSignal, now: number): void {
    const attempt = this.#attempt;
    if (attempt?.role !== 'offerer' || attempt.id !== signal.attempt || attempt.matched) {
      this.#count('signal.stray');
      return;
    }
    attempt.matched = true;
    attempt.answerDueAt = null;
    // An answer names no method where plain probes are all, or where nothing gets through.
    attempt.method = signal.punch?.method ?? (this.punching.isImpossible() ? 'none' : 'plain');
    this.#host.emit({ type: 'connect' });
    if (
      attempt.method === 'tcp' &&
      attempt.measuredTcp === null &&
      !(attempt.wasMeasured && attempt.measuring === 'tcp') &&
      this.punching.measuresForOffer() === 'tcp'
    ) {
      this.#host.again(now, says('cause.tcp'));
      return;
    }
    const ask = this.punching.ask(attempt, TIMING.afterOpeners);
    if (ask !== null) {
      this.#diary.note(now, says('try.its-answer', { method: says(`method.${ask.method}`) }));
      this.#fire(attempt, ask);
      this.#aimAll(attempt, now + TIMING.plainBeside, now);
      return;
    }
    // It could not measure in time: nothing can come of plain probes, but of the next try.
    if (attempt.method === 'plain' && !this.punching.isPlain()) attempt.endBy = now + TIMING.emptyAnswer;
    this.#aimAll(attempt, now + TIMING.afterOpeners, now);
    this.#diary.note(now, says('try.its-places', { places: placesSaid(attempt.size) }));
  }

  // ---- aims

  /** Places that no early probe can spoil: on our LAN, or heard so lately that the openings still stand. */
  #aimAtOnce(attempt: Attempt, now: number): void {
    this.#aimAtOpen(attempt, now);
    for (const { way, learnt } of this.#remote.remembered(this.#options.self.wayTo)) {
      const heardAt = this.#host.heardAt(way);
      const isOpen = heardAt !== null && now - heardAt < TIMING.warm;
      if (way.class === 'lan' || isOpen) attempt.aim(way, learnt, now);
    }
  }

  #aimAtOpen(attempt: Attempt, now: number): void {
    for (const { way, learnt } of this.#remote.open(this.#options.self.wayTo))
      if (!this.#host.isInUse(way)) attempt.aim(way, learnt, now);
  }

  #aimAll(attempt: Attempt, fullAt: number, now: number): void {
    const { self } = this.#options;
    for (const { way, learnt } of this.#remote.told(self.wayTo)) {
      if (this.#host.isInUse(way)) continue;
      // Beside a volley, openers would take ports that were predicted.
      const isVolley = attempt.method !== 'plain';
      // Only where IPv4 is translated can an early probe take a port that somebody needs, and not where one is kept open.
      if (way.class === 'lan' || way.endpoint?.family === 6 || isKeptOpen(learnt))
        attempt.aim(way, learnt, now);
      else if (attempt.method === 'none') continue;
      else if (isVolley) attempt.aim(way, learnt, fullAt);
      else attempt.aim(way, learnt, fullAt, self.isNatted(4) ? OPENER_TTL.behindNat : OPENER_TTL.atTheEdge);
    }
  }

  /** One place that made itself known is asked for itself. */
  check(way: Way, learnt: string, now: number): void {
    this.#attempt ??= matchedAttempt('', now);
    this.#attempt.aim(way, learnt, now);
  }

  /** A probe was answered there; `isEnough`: nothing better is to be sought. */
  answered(way: Way, isEnough: boolean, now: number): void {
    if (isEnough) this.#attempt?.answered(way.key, now);
    else this.#attempt?.drop(way.key);
  }

  // ---- time

  tick(now: number): void {
    if (this.#awaited !== null && now >= this.#awaited.dueAt) this.#accept(this.#awaited.id, now);
    this.#tickAttempt(now);
  }

  wakes(): (number | null)[] {
    const attempt = this.#attempt;
    const awaited = this.#awaited?.dueAt ?? null;
    if (attempt === null) return [awaited];
    return [
      ...[awaited, attempt.offerDueAt, attempt.answerDueAt, attempt.nextAt()],
      attempt.isUnanswered ? attempt.measureDueAt : null,
      attempt.isFiring ? null : attempt.endsAt,
    ];
  }

  #tickAttempt(now: number): void {
    const attempt = this.#attempt;
    if (attempt === null) return;
    if (attempt.offerDueAt !== null && now >= attempt.offerDueAt) this.#sendOffer(attempt, now);
    const isLate = attempt.measureDueAt === null || now >= attempt.measureDueAt;
    if (attempt.isUnanswered && isLate) this.#sendAnswer(attempt, now);
    if (attempt.answerDueAt !== null && now >= attempt.answerDueAt) this.#missAnswer(attempt, now);
    for (const shot of attempt.due(now)) this.#host.probe(shot, now);
    const isWaiting = attempt.offerAt !== null || attempt.isUnanswered || attempt.isFiring;
    const isEmpty = attempt.method === 'none' && attempt.size === 0;
    const isOver = (now >= attempt.endsAt || isEmpty) && !isWaiting;
    if (attempt === this.#attempt && isOver) this.#end(attempt, now);
  }

  #sendOffer(attempt: Attempt, now: number): void {
    attempt.offerAt = null;
    attempt.measureDueAt = null;
    attempt.answerDueAt = now + TIMING.answerWait;
    this.#emitSignal('offer', attempt);
  }

  #missAnswer(attempt: Attempt, now: number): void {
    attempt.answerDueAt = null;
    if (this.#rival !== null) {
      this.#accept(this.#rival.attempt, now);
      return;
    }
    this.#diary.note(now, says('try.no-answer'));
    if (!attempt.repeated) this.#emitSignal('offer', attempt);
    attempt.repeated = true;
    this.#aimAll(attempt, now, now);
  }

  #end(attempt: Attempt, now: number): void {
    this.drop();
    this.#host.over(attempt, now);
  }

  #count(name: string): void {
    this.#options.counters.counter(name).value++;
  }
}

/** The router passes it on, or its owner says so. */
const isKeptOpen = (learnt: string): boolean => learnt === 'mapped' || learnt === 'configured';

function portSaid({ address, port, step }: Forecast): Said {
  const facts = { port: `${address}:${port}` };
  if (step === null || step === 0) return says('try.port', facts);
  return says('try.port-step', { ...facts, step: `${step > 0 ? '+' : ''}${step}` });
}

export const placesSaid = (count: number): Said =>
  count === 1 ? says('places.one') : says('places.many', { count });

/** A try whose other end needs no answer of ours any more. */
function matchedAttempt(id: string, now: number): Attempt {
  const attempt = new Attempt(id, 'answerer', now);
  attempt.matched = true;
  return attempt;
}
