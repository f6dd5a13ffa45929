// Looking for a way to one peer: tries through the location server (offer, answer, punching), and without it. When to
// begin, when to try again, when to give up. What is found, and whether it is believed, is the peer machine's.
import type { Forecast, PathSignal, PunchMethod } from '../../protocol/location/messages.ts';
import type { VolleyAsk } from '../contract/punch.ts';
import { Attempt, type Shot } from './attempt.ts';
import { Bucket } from './budget.ts';
import type { Diary } from './diary.ts';
import { LonelySearch } from './lonely.ts';
import type { MachineOptions, MachineOutput } from './machine.ts';
import type { Way } from './path.ts';
import type { RemoteSide } from './remote.ts';
import { OPENER_TTL, TIMING } from './timing.ts';
import { isSymmetric } from './plan.ts';
import { HOPELESS_FOR_MS, Punching } from './punching.ts';
import { verdictOf, type Verdict } from './verdict.ts';
import type { VolleyEnd } from './volley.ts';

const LOST_FOR_MS = 180_000;
const RESTORED_GRACE_MS = 2_000;
/** A session that sent so lately is in use. */
const IN_USE_FOR_MS = 20_000;
const BY_TABLE = 'by-table';
/** Nothing but another NAT helps these. */
const STUBBORN: ReadonlySet<string> = new Set(['udp-blocked', 'symmetric-against-port-filter']);
const PATIENT_STEPS = 3;
/** A volley that missed is repeated soon, with a fresh measurement: the offering end does it. */
const QUICK_RETRIES = 3;
const QUICK_RETRY_MS = 250;
/** Offers of one peer that are answered: each costs a signal of ours, and probes. */
const OFFERS = { perSecond: 1, burst: 6 };

/** What the search asks of the peer machine. */
export interface Seeker {
  emit(output: MachineOutput): void;
  probe(shot: Shot, now: number): void;
  /** Is a path in use that is believed? */
  hasPath(): boolean;
  /** And goes through nobody else? */
  hasDirect(): boolean;
  /** Monotonic ms: when a packet of the card was last sent there. */
  usedAt(): number;
  isInUse(way: Way): boolean;
  heardAt(way: Way): number | null;
  gaveUp(verdict: Verdict, now: number): void;
}

export class Seeking {
  readonly #options: MachineOptions;
  readonly #remote: RemoteSide;
  readonly #diary: Diary;
  readonly #seeker: Seeker;
  readonly #punching: Punching;
  #attempt: Attempt | null = null;
  #lonely: LonelySearch | null = null;
  /** The other end's offer, made at the same time as ours. */
  #rival: PathSignal | null = null;
  /** An offer whose answer waits until our own address outside was asked afresh. */
  #awaited: { readonly id: string; readonly dueAt: number } | null = null;
  #verdict: Verdict | null = null;
  #wantedAt: number | null = null;
  /** A path in use was lost and none found since. */
  #lostAt: number | null = null;
  #restoredAt: number | null = null;
  #retryAt: number | null = null;
  #failures = 0;
  /** A try that changed candidates cut short, or one for something better, is due then. */
  #freshAt: number | null = null;
  #lastTryAt = -Infinity;
  readonly #offers = new Bucket(OFFERS.burst, 0);

  constructor(options: MachineOptions, remote: RemoteSide, diary: Diary, seeker: Seeker) {
    this.#options = options;
    this.#remote = remote;
    this.#diary = diary;
    this.#seeker = seeker;
    this.#punching = new Punching(options.self, remote, options.worked);
  }

  /** How it is sought just now, beyond plain probes; null: not at all, or by those alone. */
  get method(): PunchMethod | null {
    const method = this.#attempt?.method ?? 'plain';
    return method === 'plain' ? null : method;
  }

  get verdict(): Verdict | null {
    return this.#verdict;
  }

  get state(): 'trying' | 'offline' | 'unreachable' | 'idle' {
    if (this.#attempt !== null && this.#attempt.id !== '') return 'trying';
    if (this.#verdict?.code === 'offline') return 'offline';
    if (this.#lonely !== null || this.#lostAt !== null) return 'trying';
    return this.#verdict === null ? 'idle' : 'unreachable';
  }

  // ---- beginnings

  wanted(now: number): void {
    const isFresh =
      (this.#wantedAt === null || now - this.#wantedAt > TIMING.wantedFor) && !this.#punching.isHopeless(now);
    this.#wantedAt = now;
    if (isFresh) this.#retryAt = null;
    if (isFresh) this.#failures = 0;
    this.#restoredAt = null;
    if (this.#isContent() || this.#attempt !== null || this.#lonely !== null) return;
    if (this.#retryAt === null || now >= this.#retryAt) this.#seek(now, 'a packet wants to go there');
  }

  restored(now: number): void {
    if (this.#remote.good.length > 0) this.#restoredAt = now;
  }

  lost(now: number): void {
    this.#lostAt = now;
    this.#seeker.emit({ type: 'refresh' });
    this.#seek(now, 'the path fell silent', TIMING.refreshWait);
  }

  /** The mapped address was measured afresh: an offer that waited for it leaves. */
  refreshed(now: number): void {
    if (this.#awaited !== null) this.#accept(this.#awaited.id, now);
    if (this.#attempt?.offerAt != null) this.#attempt.offerAt = now;
  }

  /** Our own candidates are others: a try under way starts again with them, a path in use may find a better one. */
  candidatesChanged(isBetterWorthIt: boolean, now: number): void {
    if (!this.#options.self.isConnected()) return;
    if (!this.#options.self.upgrades()) return;
    if (this.#seeker.hasDirect()) {
      if (isBetterWorthIt) this.#freshAt = Math.max(now, this.#lastTryAt + TIMING.betterTryEvery);
    } else if (this.#attempt?.offerAt == null && (this.#isSought(now) || this.#isUnderWay()))
      this.#freshAt = Math.max(now, this.#lastTryAt + TIMING.restartEvery);
  }

  serverChanged(connected: boolean, now: number): void {
    if (connected) this.#restoredAt = null;
    const isOffering = this.#attempt?.role === 'offerer' && !this.#attempt.matched;
    const isFree = this.#attempt === null || isOffering;
    if (connected && !this.#isContent() && isFree && this.#isSought(now))
      this.#seek(now, 'the location server is there again');
    if (!connected && isOffering) this.#searchAlone(now, 'the location server went away');
  }

  onlineChanged(online: boolean, now: number): void {
    if (this.#isContent() || this.#attempt !== null) return;
    if (online && this.#isSought(now)) this.#seek(now, 'it is online again');
    if (!online) this.#verdict = OFFLINE;
  }

  #isSought(now: number): boolean {
    if (this.#wantedAt !== null && now - this.#wantedAt < TIMING.wantedFor) return true;
    // What goes through others is worth a better way as long as it goes at all.
    if (this.#seeker.hasPath() && now - this.#seeker.usedAt() < IN_USE_FOR_MS) return true;
    return this.#lostAt !== null && (!this.#options.self.isConnected() || now - this.#lostAt < LOST_FOR_MS);
  }

  upgradesChanged(now: number): void {
    if (this.#options.self.upgrades() && !this.#isContent() && this.#isSought(now)) {
      this.#failures = 0;
      this.#seek(now, 'better ways are wanted');
    }
  }

  /** Nothing better is to be sought. */
  #isContent(): boolean {
    return this.#options.self.upgrades() ? this.#seeker.hasDirect() : this.#seeker.hasPath();
  }

  #isUnderWay(): boolean {
    return this.#attempt !== null && this.#attempt.succeededAt === null;
  }

  #seek(now: number, why: string, offerAfterMs = 0): void {
    this.#retryAt = null;
    this.#freshAt = null;
    this.#seeker.emit({ type: 'connect' });
    if (!this.#options.self.isConnected()) {
      this.#searchAlone(now, `${why}; the location server is away`);
      return;
    }
    this.#lonely = null;
    this.#lastTryAt = now;
    if (!this.#options.self.upgrades()) {
      this.#goByTable(now, why);
      return;
    }
    if (this.#punching.isHopeless(now)) {
      this.#diary.note(now, `${why}: nothing leads straight there from here, as was found within the hour`);
      return;
    }
    const id = Buffer.from(this.#options.random.bytes(8)).toString('hex');
    const attempt = this.#begin(new Attempt(id, 'offerer', now));
    attempt.offerAt = now + offerAfterMs;
    this.#diary.note(now, `${why}: a new try`);
    this.#measure(attempt, this.#punching.measuresForOffer(), now + offerAfterMs);
    this.#aimAtOnce(attempt, now);
  }

  /** It takes the place of the one before. */
  #begin(attempt: Attempt): Attempt {
    this.#cease();
    this.#attempt = attempt;
    return attempt;
  }

  #cease(): void {
    const attempt = this.#attempt;
    if (attempt === null || (attempt.measureDueAt === null && !attempt.hasMeasured && !attempt.isFiring))
      return;
    attempt.isFiring = false;
    this.#seeker.emit({ type: 'cease', attempt: attempt.id });
  }

  #measure(attempt: Attempt, transport: 'udp' | 'tcp' | null, from: number): void {
    if (transport === null) return;
    attempt.measuring = transport;
    attempt.measureDueAt = from + TIMING.measureWait;
    this.#seeker.emit({ type: 'measure', attempt: attempt.id, transport });
  }

  measured(id: string, forecast: Forecast | null, now: number): void {
    const attempt = this.#attempt;
    if (attempt?.id !== id) return;
    attempt.measureDueAt = null;
    attempt.hasMeasured = true;
    if (forecast === null)
      this.#diary.note(now, 'the location server did not answer in time: no port is predicted');
    else if (attempt.measuring === 'tcp') attempt.measuredTcp = forecast;
    else attempt.measuredUdp = forecast;
    if (forecast !== null) this.#diary.note(now, `our next port outside is ${inPorts(forecast)}`);
    this.tick(now);
  }

  /** The server's route, and nothing else: no offer, and no place that nobody vouches for. */
  #goByTable(now: number, why: string): void {
    const attempt = this.#begin(matchedAttempt(BY_TABLE, now));
    this.#diary.note(now, `${why}: going by the server's route`);
    // It need not look for us; but it has to know who asks.
    this.#seeker.emit({ type: 'signal', kind: 'offer', attempt: BY_TABLE });
    this.#aimAtOpen(attempt, now);
  }

  /** The server's table is known, or another. */
  routed(now: number): void {
    if (this.#attempt !== null && this.#attempt.succeededAt === null) this.#aimAtOpen(this.#attempt, now);
  }

  #searchAlone(now: number, why: string): void {
    this.#cease();
    this.#attempt = null;
    if (this.#lonely !== null) return;
    const places = this.#remote.remembered(this.#options.self.wayTo);
    this.#diary.note(now, `${why}: asking the ${inWords(places.length)} where it was before`);
    this.#lonely = new LonelySearch(now);
    if (places.length === 0) this.#verdict = SERVER_AWAY;
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
      this.#rival = signal;
      own.answerDueAt = now + TIMING.rivalWait;
      this.#diary.note(now, 'both ends made an offer at once: ours stands');
    } else if (this.#offers.fill(now, OFFERS.perSecond) < 1) this.#count('signal.too-many');
    else {
      this.#offers.spend();
      this.#acceptFresh(signal.attempt, now);
    }
  }

  /** Whoever had a path and offers anew has lost it: what broke it may have changed our own address outside. */
  #acceptFresh(id: string, now: number): void {
    if (!this.#seeker.hasDirect() && this.#lostAt === null) {
      this.#accept(id, now);
      return;
    }
    this.#awaited = { id, dueAt: now + TIMING.refreshWait };
    this.#seeker.emit({ type: 'refresh' });
  }

  #accept(id: string, now: number): void {
    this.#awaited = null;
    const attempt = this.#begin(matchedAttempt(id, now));
    this.#rival = null;
    this.#lonely = null;
    this.#retryAt = null;
    this.#lastTryAt = now;
    const method = this.#punching.decide(now);
    attempt.method = method ?? 'plain';
    if (method === null) this.#punching.gaveUp(now);
    this.#seeker.emit({ type: 'connect' });
    attempt.isUnanswered = true;
    this.#measure(attempt, this.#punching.measuresFor(method), now);
    if (attempt.measureDueAt === null) this.#sendAnswer(attempt, now);
  }

  #sendAnswer(attempt: Attempt, now: number): void {
    attempt.isUnanswered = false;
    attempt.measureDueAt = null;
    // Without our forecast the other end would aim at nothing.
    const ask = this.#punching.ask(attempt, this.#holdBackMs(true));
    const isMissing = attempt.method === 'tcp' ? attempt.measuredTcp === null : ask === null;
    if (isMissing) attempt.method = 'plain';
    this.#emitSignal('answer', attempt);
    if (attempt.method !== 'plain') {
      this.#diary.note(now, `it made an offer: answered, ${METHODS[attempt.method]}`);
      if (ask !== null) this.#fire(attempt, ask);
      this.#aimAll(attempt, now + TIMING.plainBeside, now);
      return;
    }
    const holdMs = this.#holdBackMs(false);
    this.#aimAll(attempt, now + holdMs, now);
    const words = `it made an offer of ${inWords(attempt.size)}: answered, probing them in ${Math.round(holdMs)} ms`;
    this.#diary.note(now, words);
  }

  #emitSignal(kind: 'offer' | 'answer', attempt: Attempt): void {
    const punch = this.#punching.words(attempt);
    this.#seeker.emit({
      type: 'signal',
      kind,
      attempt: attempt.id,
      ...(punch === undefined ? {} : { punch }),
    });
  }

  #fire(attempt: Attempt, ask: VolleyAsk): void {
    attempt.isFiring = true;
    this.#seeker.emit({ type: 'fire', attempt: attempt.id, ask });
  }

  volleyEnded(id: string, end: VolleyEnd, now: number): void {
    const attempt = this.#attempt;
    if (attempt?.id !== id || !attempt.isFiring) return;
    attempt.isFiring = false;
    this.#diary.note(now, VOLLEY_ENDS[end]);
    if (end === 'no-room') this.#punching.noRoom(now);
    if (end === 'missed' && attempt.method !== 'plain') this.#endAttempt(attempt, now);
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
    attempt.method = signal.punch?.method ?? 'plain';
    this.#seeker.emit({ type: 'connect' });
    if (
      attempt.method === 'tcp' &&
      attempt.measuredTcp === null &&
      this.#punching.measuresForOffer() === 'tcp'
    ) {
      this.#seek(now, 'it wants connections that both ends open at once');
      return;
    }
    const ask = this.#punching.ask(attempt, TIMING.afterOpeners);
    if (ask !== null) {
      this.#diary.note(now, `it answered: ${METHODS[ask.method]}`);
      this.#fire(attempt, ask);
      this.#aimAll(attempt, now + TIMING.plainBeside, now);
      return;
    }
    this.#aimAll(attempt, now + TIMING.afterOpeners, now);
    this.#diary.note(now, `it answered with ${inWords(attempt.size)}: probing`);
  }

  signalFailed(id: string, code: string, now: number): void {
    const attempt = this.#attempt;
    if (attempt?.id !== id) return;
    this.#diary.note(now, `the signal did not reach it (${code})`);
    if (attempt.role !== 'offerer' || attempt.matched) return;
    const verdict = code === 'NODE_OFFLINE' ? OFFLINE : SERVER_AWAY;
    this.#cease();
    this.#attempt = null;
    if (this.#isSought(now)) this.#searchAlone(now, verdict.words);
    this.#fail(verdict, now);
  }

  // ---- aims

  /** Places that no early probe can spoil: on our LAN, or heard so lately that the openings still stand. */
  #aimAtOnce(attempt: Attempt, now: number): void {
    this.#aimAtOpen(attempt, now);
    for (const { way, learnt } of this.#remote.remembered(this.#options.self.wayTo)) {
      const heardAt = this.#seeker.heardAt(way);
      const isOpen = heardAt !== null && now - heardAt < TIMING.warm;
      if (way.class === 'lan' || isOpen) attempt.aim(way, learnt, now);
    }
  }

  #aimAtOpen(attempt: Attempt, now: number): void {
    for (const { way, learnt } of this.#remote.open(this.#options.self.wayTo))
      if (!this.#seeker.isInUse(way)) attempt.aim(way, learnt, now);
  }

  #aimAll(attempt: Attempt, fullAt: number, now: number): void {
    const { self } = this.#options;
    for (const { way, learnt } of this.#remote.told(self.wayTo)) {
      if (this.#seeker.isInUse(way)) continue;
      // Beside a volley, openers would take ports that were predicted.
      const isVolley = attempt.method !== 'plain';
      // Only where IPv4 is translated can an early probe take a port that somebody needs.
      if (way.class === 'lan' || way.endpoint?.family === 6) attempt.aim(way, learnt, now);
      else if (isVolley) attempt.aim(way, learnt, fullAt);
      else attempt.aim(way, learnt, fullAt, self.isNatted(4) ? OPENER_TTL.behindNat : OPENER_TTL.atTheEdge);
    }
  }

  /** One place that made itself known is asked for itself. */
  check(way: Way, learnt: string, now: number): void {
    this.#attempt ??= matchedAttempt('', now);
    this.#attempt.aim(way, learnt, now);
  }

  /** A probe was answered there; `isNews`: for the first time. */
  answered(way: Way, isNews: boolean, now: number): void {
    // A connection, straight or through others, ends no search where a better way is wanted.
    const isEnough = way.endpoint !== null || !this.#options.self.upgrades();
    if (isEnough) this.#attempt?.answered(way.key, now);
    else this.#attempt?.drop(way.key);
    if (!isNews || !isEnough) return;
    if (this.#attempt !== null && this.#attempt.id !== '') this.#keepWhatWorked(this.#attempt);
    this.#cease();
    this.#lonely = null;
    this.#lostAt = null;
    this.#restoredAt = null;
    this.#retryAt = null;
    this.#failures = 0;
    this.#verdict = null;
  }

  #keepWhatWorked({ method, matched }: Attempt): void {
    const worked = matched ? this.#punching.worked(method) : null;
    if (worked !== null) this.#seeker.emit({ type: 'worked', worked });
  }

  // ---- time

  tick(now: number): void {
    this.#tickRestored(now);
    if (this.#awaited !== null && now >= this.#awaited.dueAt) this.#accept(this.#awaited.id, now);
    this.#tickAttempt(now);
    this.#tickLonely(now);
    if (this.#freshAt !== null && now >= this.#freshAt) {
      this.#freshAt = null;
      if (this.#options.self.isConnected()) this.#seek(now, 'our addresses changed');
    }
    if (this.#retryAt !== null && now >= this.#retryAt) {
      this.#retryAt = null;
      if (this.#isSought(now) && this.#attempt === null) this.#seek(now, 'trying once more');
    }
    this.#tickAttempt(now);
  }

  wakes(): (number | null)[] {
    const attempt = this.#attempt;
    const restored = this.#restoredAt === null ? null : this.#restoredAt + RESTORED_GRACE_MS;
    const awaited = this.#awaited?.dueAt ?? null;
    const times = [this.#lonely?.nextAt ?? null, this.#retryAt, this.#freshAt, restored, awaited];
    if (attempt !== null) {
      times.push(attempt.offerDueAt, attempt.answerDueAt, attempt.nextAt());
      if (attempt.isUnanswered) times.push(attempt.measureDueAt);
      if (!attempt.isFiring) times.push(attempt.endsAt);
    }
    return times;
  }

  #tickAttempt(now: number): void {
    const attempt = this.#attempt;
    if (attempt === null) return;
    if (attempt.offerDueAt !== null && now >= attempt.offerDueAt) this.#sendOffer(attempt, now);
    const isLate = attempt.measureDueAt === null || now >= attempt.measureDueAt;
    if (attempt.isUnanswered && isLate) this.#sendAnswer(attempt, now);
    if (attempt.answerDueAt !== null && now >= attempt.answerDueAt) this.#missAnswer(attempt, now);
    for (const shot of attempt.due(now)) this.#seeker.probe(shot, now);
    const isWaiting = attempt.offerAt !== null || attempt.isUnanswered || attempt.isFiring;
    const isOver = now >= attempt.endsAt && !isWaiting;
    if (attempt === this.#attempt && isOver) this.#endAttempt(attempt, now);
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
    this.#diary.note(now, 'no answer to our offer yet');
    if (!attempt.repeated) this.#emitSignal('offer', attempt);
    attempt.repeated = true;
    this.#aimAll(attempt, now, now);
  }

  #endAttempt(attempt: Attempt, now: number): void {
    this.#cease();
    this.#attempt = null;
    if (attempt.method === 'tcp' && this.#isContent()) this.#keepWhatWorked(attempt);
    if (attempt.succeededAt !== null || this.#isContent() || attempt.id === '') return;
    if (attempt.matched) this.#punching.failed();
    const isQuick =
      attempt.method !== 'plain' && attempt.role === 'offerer' && this.#failures < QUICK_RETRIES;
    this.#fail(this.#verdictOn(attempt), now);
    if (isQuick) this.#retryAt = now + QUICK_RETRY_MS;
  }

  #verdictOn({ id, matched, method }: Attempt): Verdict {
    if (id === BY_TABLE) return NO_ROUTE;
    if (!matched) return NO_ANSWER;
    const verdict = verdictOf(this.#options.self.nat(), this.#remote.nat, method);
    if (this.#seeker.hasPath()) return verdict;
    return { ...verdict, words: `${verdict.words}; and no other box forwards between the two now` };
  }

  #fail(verdict: Verdict, now: number): void {
    this.#verdict = verdict;
    this.#diary.note(now, `not found: ${verdict.words}`);
    this.#seeker.gaveUp(verdict, now);
    // Nothing but another NAT helps these, and meanwhile there is a way through others.
    const isPatient = this.#seeker.hasPath() && STUBBORN.has(verdict.code);
    if (verdict.code === 'both-symmetric') this.#punching.gaveUp(now);
    const step = this.#failures + (isPatient ? PATIENT_STEPS : 0);
    const usual = TIMING.retries[Math.min(step, TIMING.retries.length - 1)]!;
    const pause = this.#punching.isHopeless(now) ? HOPELESS_FOR_MS : usual;
    this.#failures++;
    this.#retryAt = now + pause + this.#options.random.below(pause / 4);
  }

  #tickRestored(now: number): void {
    if (this.#restoredAt === null || now < this.#restoredAt + RESTORED_GRACE_MS) return;
    this.#restoredAt = null;
    if (this.#options.self.isConnected()) return;
    this.#lostAt = now;
    this.#searchAlone(now, 'started again without the location server');
  }

  #tickLonely(now: number): void {
    if (this.#lonely === null) return;
    if (!this.#isSought(now)) {
      this.#lonely = null;
      return;
    }
    const count = this.#lonely.due(now);
    const places = this.#remote.remembered(this.#options.self.wayTo).slice(0, count);
    for (const { way, learnt } of places) this.#seeker.probe({ way, learnt, ttl: null }, now);
  }

  #count(name: string): void {
    this.#options.counters.counter(name).value++;
  }
}

const METHODS: Readonly<Record<PunchMethod, string>> = {
  predict: 'sending to the ports that its router is about to use',
  birthday: 'guessing the port that its router uses, from many of ours or at many of theirs',
  tcp: 'opening connections from both ends at once',
};

const VOLLEY_ENDS: Readonly<Record<VolleyEnd, string>> = {
  missed: 'none of them got through',
  'no-room': 'stopped guessing: the router here takes no new connections any more; not again for an hour',
  busy: 'another box is being sought by guessing ports: later',
  impossible: 'that cannot be done from here now',
  through: 'a connection came about',
};

const inPorts = ({ address, port, step }: Forecast): string =>
  step === null || step === 0
    ? `${address}:${port}`
    : `${address}:${port}, and ${step > 0 ? '+' : ''}${step} for each next`;

const inWords = (places: number): string => (places === 1 ? '1 place' : `${places} places`);

const NO_ROUTE: Verdict = { code: 'no-candidates', words: "the location server's route leads nowhere now" };
const OFFLINE: Verdict = { code: 'offline', words: 'it is not connected to the location server' };
const SERVER_AWAY: Verdict = {
  code: 'server-away',
  words: 'the location server is away, and it is not where it was before',
};
const NO_ANSWER: Verdict = { code: 'no-candidates', words: 'it did not answer our offer' };

/** A try whose other end needs no answer of ours any more. */
function matchedAttempt(id: string, now: number): Attempt {
  const attempt = new Attempt(id, 'answerer', now);
  attempt.matched = true;
  return attempt;
}
