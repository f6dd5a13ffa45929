// The path machine of one Ginnel peer, without I/O: when to try, when to believe a path, which one to use.
// The order of the methods is the order of a peer's life: wanted, tried, found, watched, lost, sought again.
import type { Endpoint } from '../../protocol/address.ts';
import { formatEndpoint } from '../../protocol/address.ts';
import type { PathSignal } from '../../protocol/location/messages.ts';
import { Attempt, type Role } from './attempt.ts';
import { choose, nameOf } from './choice.ts';
import { Diary } from './diary.ts';
import { LonelySearch } from './lonely.ts';
import type { Machine, MachineOptions, MachineOutput, PeerState } from './machine.ts';
import { Path, type Way } from './path.ts';
import { RemoteSide, type Place } from './remote.ts';
import { TIMING } from './timing.ts';
import { verdictOf, type Verdict } from './verdict.ts';
import { earliest, watch } from './watch.ts';

const MAX_PATHS = 48;
const LOST_FOR_MS = 180_000;
const RESTORED_GRACE_MS = 2_000;

export class PeerMachine implements Machine {
  readonly diary = new Diary();
  readonly #options: MachineOptions;
  readonly #remote: RemoteSide;
  readonly #paths = new Map<string, Path>();
  #outputs: MachineOutput[] = [];
  #active: Path | null = null;
  #attempt: Attempt | null = null;
  #lonely: LonelySearch | null = null;
  #rival: PathSignal | null = null;
  #reason = 'nothing was sent there yet';
  #verdict: Verdict | null = null;
  #wantedAt: number | null = null;
  /** A path in use was lost and none found since. */
  #lostAt: number | null = null;
  #restoredAt: number | null = null;
  #retryAt: number | null = null;
  #failures = 0;
  /** A try that candidates cut short, or one for something better, is due then. */
  #freshAt: number | null = null;
  #lastTryAt = -Infinity;
  #keepAliveMs = Infinity;
  #warm: Path | null = null;

  constructor(options: MachineOptions) {
    this.#options = options;
    this.#remote = new RemoteSide(options.good);
  }

  // ---- wanted

  wanted(now: number): void {
    const isFresh = this.#wantedAt === null || now - this.#wantedAt > TIMING.wantedFor;
    this.#wantedAt = now;
    if (isFresh) this.#retryAt = null;
    if (isFresh) this.#failures = 0;
    this.#restoredAt = null;
    if (this.#active?.usable === true || this.#attempt !== null || this.#lonely !== null) return;
    if (this.#retryAt === null || now >= this.#retryAt) this.#seek(now, 'a packet wants to go there');
    this.tick(now);
  }

  restored(now: number): void {
    if (this.#remote.good.length > 0) this.#restoredAt = now;
  }

  #isSought(now: number): boolean {
    if (this.#wantedAt !== null && now - this.#wantedAt < TIMING.wantedFor) return true;
    return this.#lostAt !== null && (!this.#options.self.isConnected() || now - this.#lostAt < LOST_FOR_MS);
  }

  #seek(now: number, why: string, afterRefresh = false): void {
    this.#retryAt = null;
    this.#freshAt = null;
    if (!this.#options.self.isConnected()) {
      this.#searchAlone(now, `${why}; the location server is away`);
      return;
    }
    this.#lonely = null;
    this.#lastTryAt = now;
    this.#attempt = new Attempt(hex(this.#options.random.bytes(8)), 'offerer', now);
    this.#attempt.offerAt = afterRefresh ? now + TIMING.refreshWait : now;
    this.diary.note(now, `${why}: a new try`);
    this.#aimAtOnce(this.#attempt, now);
  }

  #searchAlone(now: number, why: string): void {
    this.#attempt = null;
    if (this.#lonely !== null) return;
    const places = this.#remote.remembered(this.#options.self.wayTo);
    this.diary.note(now, `${why}: asking the ${places.length} places where it was before`);
    this.#lonely = new LonelySearch(now);
    if (places.length === 0) this.#verdict = SERVER_AWAY;
  }

  // ---- tried

  /** Places that no early probe can spoil: on our LAN, or heard so lately that the openings still stand. */
  #aimAtOnce(attempt: Attempt, now: number): void {
    for (const { way, learnt } of this.#remote.remembered(this.#options.self.wayTo)) {
      const heardAt = this.#paths.get(way.key)?.heardAt ?? null;
      if (way.class === 'lan' || (heardAt !== null && now - heardAt < TIMING.warm))
        attempt.aim(way, learnt, now, false);
    }
  }

  #aimAll(attempt: Attempt, fullAt: number, now: number): void {
    const { self } = this.#options;
    for (const place of this.#remote.told(self.wayTo)) {
      if (this.#paths.get(place.way.key)?.state === 'valid' && this.#active?.way.key === place.way.key)
        continue;
      const isLan = place.way.class === 'lan';
      const opener = !isLan && place.way.endpoint !== null && self.isNatted(place.way.endpoint.family);
      attempt.aim(place.way, place.learnt, isLan ? now : fullAt, opener);
    }
  }

  signalled(signal: PathSignal, now: number): void {
    if (!this.#remote.learn(signal)) {
      this.#count('signal.repeated');
      return;
    }
    if (signal.type === 'answer') this.#answer(signal, now);
    else this.#offer(signal, now);
    this.tick(now);
  }

  /** Both offered at once: the smaller id's offer stands, the other is kept in case that one got lost. */
  #offer(signal: PathSignal, now: number): void {
    const own = this.#attempt;
    const { self, peer } = this.#options;
    if (own?.role === 'offerer' && own.offerAt === null && !own.matched && self.id < peer.id) {
      this.#rival = signal;
      own.answerDueAt = now + TIMING.rivalWait;
      this.diary.note(now, 'both ends made an offer at once: ours stands');
      return;
    }
    this.#accept(signal.attempt, now);
  }

  #accept(id: string, now: number): void {
    const attempt = new Attempt(id, 'answerer', now);
    attempt.matched = true;
    this.#attempt = attempt;
    this.#rival = null;
    this.#lonely = null;
    this.#retryAt = null;
    this.#lastTryAt = now;
    const holdMs = this.#holdBackMs();
    this.#outputs.push({ type: 'signal', kind: 'answer', attempt: id });
    this.#aimAll(attempt, now + holdMs, now);
    this.diary.note(
      now,
      `it made an offer of ${attempt.size} places: answered, probing them in ${Math.round(holdMs)} ms`,
    );
  }

  /** P5: our full probes must not reach the offerer's NAT before its own first packet has left: the answer's time. */
  #holdBackMs(): number {
    const own = this.#options.self.serverRttMs();
    const theirs = this.#remote.serverRttMs;
    if (own === null || theirs === null) return TIMING.holdBackUnknown;
    return Math.min(TIMING.holdBackMax, Math.max(TIMING.holdBackMin, (own + theirs) / 2));
  }

  #answer(signal: PathSignal, now: number): void {
    const attempt = this.#attempt;
    if (attempt?.role !== 'offerer' || attempt.id !== signal.attempt || attempt.matched) {
      this.#count('signal.stray');
      return;
    }
    attempt.matched = true;
    attempt.answerDueAt = null;
    this.#aimAll(attempt, now + TIMING.afterOpeners, now);
    this.diary.note(now, `it answered with ${attempt.size} places: probing them`);
  }

  signalFailed(attempt: string, code: string, now: number): void {
    if (this.#attempt?.id !== attempt) return;
    this.diary.note(now, `the offer did not reach it (${code})`);
    if (this.#attempt.role !== 'offerer' || this.#attempt.matched) return;
    this.#verdict = code === 'NODE_OFFLINE' ? OFFLINE : SERVER_AWAY;
    this.#attempt = null;
    if (this.#isSought(now)) this.#searchAlone(now, this.#verdict.words);
    this.#fail(now, this.#verdict);
    this.tick(now);
  }

  /** An authenticated request: whoever stands there is asked in turn, and believed only by its own answer. */
  requested(way: Way, inUse: boolean, now: number): void {
    const path = this.#path({ way, learnt: 'peer-reflexive' }, now);
    path.theirChoice = inUse;
    if (path.state !== 'valid') this.#check(path, now);
  }

  #check(path: Path, now: number): void {
    this.#attempt ??= matchedAttempt('answerer', now);
    this.#attempt.aim(path.way, path.learnt, now, false);
    this.tick(now);
  }

  // ---- found

  answered(way: Way, transaction: string, seenAs: Endpoint | null, now: number): boolean {
    const path = this.#paths.get(way.key);
    if (path?.owns(transaction) !== true) return false;
    const isNews = path.state !== 'valid';
    path.answered(transaction, now);
    if (way.endpoint !== null) this.#options.budget.consent(way.endpoint);
    this.#attempt?.answered(way.key, now);
    if (isNews && path === this.#active) this.#reason = `${nameOf(path)} answers again`;
    if (isNews) this.#found(path, seenAs, now);
    this.#decide(now);
    return true;
  }

  #found(path: Path, seenAs: Endpoint | null, now: number): void {
    const seen = seenAs === null ? '' : `, and sees us as ${formatEndpoint(seenAs)}`;
    this.diary.note(now, `${path.way.key} (${path.learnt}) answered in ${path.srttMs!.toFixed(1)} ms${seen}`);
    this.#lonely = null;
    this.#lostAt = null;
    this.#restoredAt = null;
    this.#retryAt = null;
    this.#failures = 0;
    this.#verdict = null;
  }

  heard(way: Way, now: number): void {
    const path = this.#path({ way, learnt: 'roaming' }, now);
    const isNews = !path.usable;
    path.heard(now);
    if (!isNews) return;
    this.diary.note(now, `its packets come by ${way.key}: asking there`);
    this.#check(path, now);
    if (this.#active?.usable !== true) this.#decide(now);
  }

  sent(now: number): void {
    if (this.#active !== null && this.#active.state !== 'lost') this.#active.waitingSince ??= now;
    else this.wanted(now);
  }

  #decide(now: number): void {
    const choice = choose(this.#paths.values(), this.#active);
    if (choice === null || choice.path === this.#active) return;
    this.#active = choice.path;
    this.#reason = choice.reason;
    this.#keepAliveMs = this.#freshKeepAlive(this.#options.self.keepAliveMs());
    this.#outputs.push({ type: 'use', way: choice.path.way, reason: choice.reason });
    this.diary.note(now, `now by ${nameOf(choice.path)}: ${choice.reason}`);
    const { endpoint } = choice.path.way;
    if (endpoint !== null && choice.path.state === 'valid' && this.#remote.metAt(endpoint))
      this.#outputs.push({ type: 'keep', endpoint });
  }

  // ---- watched

  tick(now: number): void {
    this.#tickAttempt(now);
    this.#tickLonely(now);
    this.#tickPaths(now);
    if (this.#freshAt !== null && now >= this.#freshAt) this.#seek(now, 'our addresses changed');
    if (this.#retryAt !== null && now >= this.#retryAt) {
      this.#retryAt = null;
      if (this.#isSought(now) && this.#attempt === null) this.#seek(now, 'trying once more');
    }
    if (this.#attempt !== null && (this.#attempt.nextAt() ?? Infinity) <= now) this.#tickAttempt(now);
  }

  wakeAt(now: number): number | null {
    const attempt = this.#attempt;
    const sooner = [this.#lonely?.nextAt ?? null, this.#retryAt, this.#freshAt];
    if (this.#restoredAt !== null) sooner.push(this.#restoredAt + RESTORED_GRACE_MS);
    if (attempt !== null) sooner.push(attempt.offerAt, attempt.answerDueAt, attempt.nextAt(), attempt.endsAt);
    for (const path of this.#paths.values())
      sooner.push(watch(path, this.#role(path), this.#keepAliveMs, now).nextAt);
    return earliest(sooner);
  }

  #tickAttempt(now: number): void {
    const attempt = this.#attempt;
    if (attempt === null) return;
    if (attempt.offerAt !== null && now >= attempt.offerAt) this.#sendOffer(attempt, now);
    if (attempt.answerDueAt !== null && now >= attempt.answerDueAt) this.#missAnswer(attempt, now);
    for (const { way, learnt, ttl } of attempt.due(now))
      this.#probe(this.#path({ way, learnt }, now), now, ttl);
    if (attempt === this.#attempt && now >= attempt.endsAt && attempt.offerAt === null)
      this.#endAttempt(attempt, now);
  }

  #sendOffer(attempt: Attempt, now: number): void {
    attempt.offerAt = null;
    attempt.answerDueAt = now + TIMING.answerWait;
    this.#outputs.push({ type: 'signal', kind: 'offer', attempt: attempt.id });
  }

  #missAnswer(attempt: Attempt, now: number): void {
    attempt.answerDueAt = null;
    if (this.#rival !== null) {
      this.#accept(this.#rival.attempt, now);
      return;
    }
    this.diary.note(now, 'no answer to our offer yet');
    if (!attempt.repeated) this.#outputs.push({ type: 'signal', kind: 'offer', attempt: attempt.id });
    attempt.repeated = true;
    this.#aimAll(attempt, now, now);
  }

  #endAttempt(attempt: Attempt, now: number): void {
    this.#attempt = null;
    if (attempt.succeededAt !== null || this.#active?.usable === true || attempt.id === '') return;
    if (!attempt.matched) {
      this.#fail(now, NO_ANSWER);
      return;
    }
    this.#fail(now, verdictOf(this.#options.self.nat(), this.#remote.nat));
  }

  #fail(now: number, verdict: Verdict): void {
    this.#verdict = verdict;
    this.#reason = verdict.words;
    this.diary.note(now, `not found: ${verdict.words}`);
    if (this.#active !== null) this.#outputs.push({ type: 'use', way: null, reason: verdict.words });
    this.#active = null;
    const pause = TIMING.retries[Math.min(this.#failures, TIMING.retries.length - 1)]!;
    this.#failures++;
    this.#retryAt = now + pause + this.#options.random.below(pause / 4);
  }

  #tickLonely(now: number): void {
    const { self } = this.#options;
    if (this.#restoredAt !== null && now >= this.#restoredAt + RESTORED_GRACE_MS) {
      this.#restoredAt = null;
      if (!self.isConnected()) this.#lostAt = now;
      if (!self.isConnected()) this.#searchAlone(now, 'started again without the location server');
    }
    if (this.#lonely === null) return;
    if (!this.#isSought(now)) return void (this.#lonely = null);
    const count = this.#lonely.due(now);
    for (const place of this.#remote.remembered(self.wayTo).slice(0, count))
      this.#probe(this.#path(place, now), now, null);
  }

  #role(path: Path): 'active' | 'warm' | 'other' {
    return path === this.#active ? 'active' : path === this.#warm ? 'warm' : 'other';
  }

  #tickPaths(now: number): void {
    const spare = [...this.#paths.values()].filter(path => path !== this.#active && path.state === 'valid');
    this.#warm = choose(spare, null)?.path ?? null;
    for (const path of [...this.#paths.values()]) {
      const verdict = watch(path, this.#role(path), this.#keepAliveMs, now);
      if (verdict.action === 'probe') this.#keepUp(path, now);
      else if (verdict.action === 'distrust') this.#distrust(path, now);
      else if (verdict.action === 'forget') this.#paths.delete(path.way.key);
    }
  }

  #keepUp(path: Path, now: number): void {
    const isDoubted = path.probesSinceHeard >= 1;
    if (isDoubted && path === this.#active) this.#outputs.push({ type: 'refresh' });
    // A refused probe counts as asked, or a spent budget would be asked again in the same millisecond.
    if (!this.#probe(path, now, null)) path.probedAt = now;
  }

  #probe(path: Path, now: number, ttl: number | null): boolean {
    const { way } = path;
    if (way.endpoint !== null && !this.#options.budget.take(way.endpoint, now)) return false;
    const transaction = hex(this.#options.random.bytes(12));
    path.probed(transaction, now);
    this.#outputs.push({ type: 'probe', way, transaction, ttl, inUse: path === this.#active });
    return true;
  }

  // ---- lost

  #distrust(path: Path, now: number): void {
    const wasIdle = path.waitingSince === null;
    path.distrust();
    if (path.way.endpoint !== null) this.#options.budget.withdraw(path.way.endpoint);
    if (path !== this.#active) return;
    if (wasIdle) this.#keepAliveMs = Math.max(TIMING.keepAliveMin, this.#keepAliveMs / 2);
    this.diary.note(now, `${nameOf(path)} fell silent`);
    this.#count('path.lost');
    this.#lostAt = now;
    this.#reason = `${nameOf(path)} fell silent: looking for another`;
    this.#decide(now);
    if (this.#active !== path && this.#active.usable) this.#active.waitingSince ??= now - TIMING.doubtAfter;
    this.#outputs.push({ type: 'refresh' });
    this.#seek(now, 'the path fell silent', true);
  }

  closed(way: Way, now: number): void {
    const path = this.#paths.get(way.key);
    if (path === undefined) return;
    if (path === this.#active) this.#distrust(path, now);
    if (path !== this.#active) this.#paths.delete(way.key);
  }

  refreshed(now: number): void {
    if (this.#attempt?.offerAt != null) this.#attempt.offerAt = now;
    this.tick(now);
  }

  /** Our mapped address is another: a silent path is given up at once, a try under way starts again with it. */
  candidatesChanged(now: number): void {
    const active = this.#active;
    if (active?.usable === true && active.silentSince !== null && active.probesSinceHeard >= 2)
      this.#distrust(active, now);
    else if (active?.usable === true && active.way.class !== 'lan')
      this.#startFresh(this.#lastTryAt + TIMING.betterTryEvery, now);
    else if (active?.usable !== true && this.#attempt?.offerAt == null && this.#isEngaged(now))
      this.#startFresh(this.#lastTryAt + TIMING.restartEvery, now);
    this.tick(now);
  }

  #isEngaged(now: number): boolean {
    return this.#isSought(now) || (this.#attempt !== null && this.#attempt.succeededAt === null);
  }

  #startFresh(notBefore: number, now: number): void {
    if (this.#options.self.isConnected()) this.#freshAt = Math.max(now, notBefore);
  }

  /** Routes or addresses of this machine changed: ask the path in use at once. */
  networkChanged(now: number): void {
    if (this.#active?.usable === true) this.#probe(this.#active, now, null);
    this.tick(now);
  }

  serverChanged(connected: boolean, now: number): void {
    if (connected) this.#restoredAt = null;
    const isIdle = this.#attempt === null || (this.#attempt.role === 'offerer' && !this.#attempt.matched);
    if (connected && this.#active?.usable !== true && isIdle && this.#isSought(now))
      this.#seek(now, 'the location server is there again');
    if (!connected && this.#attempt?.role === 'offerer' && !this.#attempt.matched)
      this.#searchAlone(now, 'the location server went away');
    this.tick(now);
  }

  onlineChanged(online: boolean, now: number): void {
    if (online && this.#active?.usable !== true && this.#attempt === null && this.#isSought(now))
      this.#seek(now, 'it is online again');
    if (!online && this.#active === null) this.#verdict = OFFLINE;
    this.tick(now);
  }

  // ---- seen from outside

  get active(): Path | null {
    return this.#active;
  }

  get paths(): Iterable<Path> {
    return this.#paths.values();
  }

  get reason(): string {
    return this.#reason;
  }

  get verdict(): Verdict | null {
    return this.#verdict;
  }

  get state(): PeerState {
    if (this.#active?.usable === true)
      return ['relay', 'turn'].includes(this.#active.way.class) ? 'relayed' : 'direct';
    if (this.#attempt !== null && this.#attempt.id !== '') return 'trying';
    if (this.#verdict?.code === 'offline') return 'offline';
    if (this.#lonely !== null || this.#lostAt !== null) return 'trying';
    return this.#verdict === null ? 'idle' : 'unreachable';
  }

  take(): MachineOutput[] {
    const taken = this.#outputs;
    this.#outputs = [];
    return taken;
  }

  #path(place: Place, now: number): Path {
    const known = this.#paths.get(place.way.key);
    if (known !== undefined) return known;
    if (this.#paths.size >= MAX_PATHS) this.#forgetOne(now);
    const path = new Path(place.way, place.learnt);
    this.#paths.set(place.way.key, path);
    return path;
  }

  #forgetOne(now: number): void {
    for (const path of this.#paths.values())
      if (path !== this.#active && path.state !== 'valid' && now !== path.probedAt) {
        this.#paths.delete(path.way.key);
        return;
      }
  }

  /** Two ends that ask at the same moment would answer each other's keep-alives for ever: a little jitter. */
  #freshKeepAlive(ms: number): number {
    return ms - this.#options.random.below(Math.ceil(ms / 6));
  }

  #count(name: string): void {
    this.#options.counters.counter(name).value++;
  }
}

const OFFLINE: Verdict = { code: 'offline', words: 'it is not connected to the location server' };
const SERVER_AWAY: Verdict = {
  code: 'server-away',
  words: 'the location server is away, and it is not where it was before',
};
const NO_ANSWER: Verdict = { code: 'no-candidates', words: 'it did not answer our offer' };

function matchedAttempt(role: Role, now: number): Attempt {
  const attempt = new Attempt('', role, now);
  attempt.matched = true;
  return attempt;
}

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
