// Looking for a way to one peer, through the location server and without it: when to begin, when to try again, when to give
// up. How one try goes is meeting.ts's; what is found, and whether it is believed, the peer machine's.
import type { Said } from '../../base/said.ts';
import type { Forecast, PathSignal, PunchMethod } from '../../protocol/location/messages.ts';
import type { Attempt, Shot } from './attempt.ts';
import type { Diary } from './diary.ts';
import { LonelySearch } from './lonely.ts';
import type { MachineOptions, MachineOutput } from './machine.ts';
import { BY_TABLE, placesSaid, Meeting } from './meeting.ts';
import type { Way } from './path.ts';
import { isPunch } from './plan.ts';
import { HOPELESS_FOR_MS, type Punching } from './punching.ts';
import type { RemoteSide } from './remote.ts';
import { says } from './sayings.ts';
import { TIMING } from './timing.ts';
import { verdict, verdictOf, type Verdict } from './verdict.ts';
import type { VolleyEnd } from './volley.ts';

const LOST_FOR_MS = 180_000;
const RESTORED_GRACE_MS = 2_000;
/** A session that sent so lately is in use. */
const IN_USE_FOR_MS = 20_000;
/** Nothing but another NAT helps these. */
const STUBBORN: ReadonlySet<string> = new Set(['udp-blocked', 'symmetric-against-port-filter']);
const PATIENT_STEPS = 3;
/** A volley that missed is repeated soon, with a fresh measurement: the offering end does it. */
const QUICK_RETRIES = 3;
const QUICK_RETRY_MS = 250;

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
  readonly #meeting: Meeting;
  readonly #punching: Punching;
  #lonely: LonelySearch | null = null;
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
  /** The network of the last try. */
  #place = '';

  constructor(options: MachineOptions, remote: RemoteSide, diary: Diary, seeker: Seeker) {
    this.#options = options;
    this.#remote = remote;
    this.#diary = diary;
    this.#seeker = seeker;
    this.#meeting = new Meeting(options, remote, diary, {
      emit: output => seeker.emit(output),
      probe: (shot, now) => seeker.probe(shot, now),
      isInUse: way => seeker.isInUse(way),
      heardAt: way => seeker.heardAt(way),
      mayHaveMoved: () => seeker.hasDirect() || this.#lostAt !== null,
      accepted: now => this.#accepted(now),
      over: (attempt, now) => this.#over(attempt, now),
      again: (now, why) => this.#seek(now, why),
    });
    this.#punching = this.#meeting.punching;
  }

  /** How it is sought just now, beyond plain probes; null: not at all, or by those alone. */
  get method(): PunchMethod | null {
    const method = this.#meeting.attempt?.method ?? 'plain';
    return isPunch(method) ? method : null;
  }

  get verdict(): Verdict | null {
    return this.#verdict;
  }

  get state(): 'trying' | 'offline' | 'unreachable' | 'idle' {
    if (this.#meeting.attempt !== null && this.#meeting.attempt.id !== '') return 'trying';
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
    if (this.#isContent() || this.#meeting.attempt !== null || this.#lonely !== null) return;
    if (this.#retryAt === null || now >= this.#retryAt) this.#seek(now, says('cause.packet'));
  }

  restored(now: number): void {
    if (this.#remote.good.length > 0) this.#restoredAt = now;
  }

  lost(now: number): void {
    this.#lostAt = now;
    this.#seeker.emit({ type: 'refresh' });
    this.#seek(now, says('cause.silent'), TIMING.refreshWait);
  }

  refreshed(now: number): void {
    this.#meeting.refreshed(now);
  }

  /** Our own candidates are others: a try under way starts again with them, a path in use may find a better one. */
  candidatesChanged(isBetterWorthIt: boolean, now: number): void {
    if (!this.#options.self.isConnected()) return;
    if (!this.#options.self.upgrades()) return;
    const isElsewhere = this.#options.self.place() !== this.#place;
    // What failed in another network says nothing of this one.
    if (isElsewhere) this.#failures = 0;
    const { attempt } = this.#meeting;
    const willTell = attempt?.offerAt != null && !(isElsewhere && attempt.wasMeasured);
    if (this.#seeker.hasDirect()) {
      if (isBetterWorthIt) this.#freshAt = Math.max(now, this.#lastTryAt + TIMING.betterTryEvery);
    } else if (!willTell && (this.#isSought(now) || this.#isUnderWay()))
      this.#freshAt = Math.max(now, this.#lastTryAt + TIMING.restartEvery);
  }

  serverChanged(connected: boolean, now: number): void {
    if (connected) this.#restoredAt = null;
    const isOffering = this.#meeting.attempt?.role === 'offerer' && !this.#meeting.attempt.matched;
    const isFree = this.#meeting.attempt === null || isOffering;
    if (connected && !this.#isContent() && isFree && this.#isSought(now))
      this.#seek(now, says('cause.server-back'));
    if (!connected && isOffering) this.#searchAlone(now, says('cause.server-gone'));
  }

  onlineChanged(online: boolean, now: number): void {
    if (this.#isContent() || this.#meeting.attempt !== null) return;
    if (online && this.#isSought(now)) this.#seek(now, says('cause.online'));
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
      this.#seek(now, says('cause.better'));
    }
  }

  /** Nothing better is to be sought. */
  #isContent(): boolean {
    return this.#options.self.upgrades() ? this.#seeker.hasDirect() : this.#seeker.hasPath();
  }

  #isUnderWay(): boolean {
    return this.#meeting.attempt !== null && this.#meeting.attempt.succeededAt === null;
  }

  #seek(now: number, cause: Said, offerAfterMs = 0): void {
    this.#freshAt = null;
    this.#seeker.emit({ type: 'connect' });
    const { self } = this.#options;
    this.#place = self.place();
    if (self.isConnected() && self.upgrades() && this.#punching.isHopeless(now)) {
      this.#diary.note(now, says('try.hopeless', { cause }));
      this.#retryAt ??= now + HOPELESS_FOR_MS;
      return;
    }
    this.#retryAt = null;
    if (!this.#options.self.isConnected()) {
      this.#searchAlone(now, says('cause.alone', { cause }));
      return;
    }
    this.#lonely = null;
    this.#lastTryAt = now;
    if (!this.#options.self.upgrades()) {
      this.#diary.note(now, says('try.table', { cause }));
      this.#meeting.goByTable(now);
      return;
    }
    this.#diary.note(now, says('try.new', { cause }));
    this.#meeting.offer(now, offerAfterMs);
  }

  #searchAlone(now: number, cause: Said): void {
    this.#meeting.drop();
    if (this.#lonely !== null) return;
    const places = this.#remote.remembered(this.#options.self.wayTo);
    this.#diary.note(now, says('try.places', { cause, places: placesSaid(places.length) }));
    this.#lonely = new LonelySearch(now);
    if (places.length === 0) this.#verdict = SERVER_AWAY;
  }

  // ---- what the try under way is told

  signalled(signal: PathSignal, now: number): void {
    this.#meeting.signalled(signal, now);
  }

  routed(now: number): void {
    this.#meeting.routed(now);
  }

  measured(attempt: string, forecast: Forecast | null, now: number): void {
    this.#meeting.measured(attempt, forecast, now);
  }

  volleyEnded(attempt: string, end: VolleyEnd, now: number): void {
    this.#meeting.volleyEnded(attempt, end, now);
  }

  check(way: Way, learnt: string, now: number): void {
    this.#meeting.check(way, learnt, now);
  }

  #accepted(now: number): void {
    this.#lonely = null;
    this.#retryAt = null;
    this.#lastTryAt = now;
  }

  signalFailed(id: string, code: string, now: number): void {
    const attempt = this.#meeting.attempt;
    if (attempt?.id !== id) return;
    this.#diary.note(now, says('try.unsignalled', { code }));
    if (attempt.role !== 'offerer' || attempt.matched) return;
    const failure = code === 'NODE_OFFLINE' ? OFFLINE : SERVER_AWAY;
    this.#meeting.drop();
    if (this.#isSought(now)) this.#searchAlone(now, failure.said);
    this.#fail(failure, now);
  }

  /** A probe was answered there; `isNews`: for the first time. */
  answered(way: Way, isNews: boolean, now: number): void {
    // A connection, straight or through others, ends no search where a better way is wanted.
    const isEnough = way.endpoint !== null || !this.#options.self.upgrades();
    this.#meeting.answered(way, isEnough, now);
    if (!isNews || !isEnough) return;
    const { attempt } = this.#meeting;
    if (attempt !== null && attempt.id !== '') this.#keepWhatWorked(attempt);
    this.#meeting.cease();
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
    this.#meeting.tick(now);
    this.#tickLonely(now);
    if (this.#freshAt !== null && now >= this.#freshAt) {
      this.#freshAt = null;
      if (this.#options.self.isConnected()) this.#seek(now, says('cause.moved'));
    }
    // One of the two is another NAT now, or was seen to be: the hour is of no more use.
    const isNews = this.#verdict?.code === 'both-symmetric' && !this.#punching.isHopeless(now);
    if (this.#retryAt !== null && (isNews || now >= this.#retryAt)) {
      this.#retryAt = null;
      if (this.#isSought(now) && this.#meeting.attempt === null) this.#seek(now, says('cause.again'));
    }
    this.#meeting.tick(now);
  }

  wakes(): (number | null)[] {
    const restored = this.#restoredAt === null ? null : this.#restoredAt + RESTORED_GRACE_MS;
    const own = [this.#lonely?.nextAt ?? null, this.#retryAt, this.#freshAt, restored];
    return [...own, ...this.#meeting.wakes()];
  }

  #over(attempt: Attempt, now: number): void {
    if (attempt.method === 'tcp' && this.#isContent()) this.#keepWhatWorked(attempt);
    if (attempt.succeededAt !== null || this.#isContent() || attempt.id === '') return;
    const { method, role, matched, isPutOff, endBy } = attempt;
    if (matched && !isPutOff) this.#punching.failed();
    const isSoon = (isPunch(method) || endBy !== null) && !isPutOff;
    const isQuick = isSoon && role === 'offerer' && this.#failures < QUICK_RETRIES;
    this.#fail(this.#verdictOn(attempt), now);
    if (isQuick) this.#retryAt = now + QUICK_RETRY_MS;
  }

  #verdictOn({ id, matched, method }: Attempt): Verdict {
    if (id === BY_TABLE) return NO_ROUTE;
    if (!matched) return NO_ANSWER;
    const missed = verdictOf(...this.#punching.sides(), method);
    if (this.#seeker.hasPath()) return missed;
    return verdict(missed.code, says('verdict.no-relay', { why: missed.said }));
  }

  #fail(failure: Verdict, now: number): void {
    this.#verdict = failure;
    this.#diary.note(now, says('try.failed', { why: failure.said }));
    this.#seeker.gaveUp(failure, now);
    // Nothing but another NAT helps these, and meanwhile there is a way through others.
    const isPatient = this.#seeker.hasPath() && STUBBORN.has(failure.code);
    if (failure.code === 'both-symmetric') this.#punching.gaveUp(now);
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
    this.#searchAlone(now, says('cause.restarted'));
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
}

const NO_ROUTE = verdict('no-candidates', says('verdict.no-route'));
const OFFLINE = verdict('offline', says('verdict.offline'));
const SERVER_AWAY = verdict('server-away', says('verdict.server-away'));
const NO_ANSWER = verdict('no-candidates', says('verdict.no-answer'));
