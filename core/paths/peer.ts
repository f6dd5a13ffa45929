// The path machine of one Ginnel peer, without I/O: which paths there are, which are believed, which one is used.
// The order of the methods is the order of a path's life: found, watched, lost. How it is sought: seeking.ts.
import type { Said } from '../../base/said.ts';
import type { Endpoint } from '../../protocol/address.ts';
import type { CandidateWords, Forecast, PathSignal } from '../../protocol/location/messages.ts';
import type { Shot } from './attempt.ts';
import type { AdviceSide } from './advice.ts';
import { answeredSaid, choose, nameSaid, type Choice } from './choice.ts';
import { Diary } from './diary.ts';
import type { Machine, MachineOptions, MachineOutput, PeerState } from './machine.ts';
import { isRelayed, Path, type Way } from './path.ts';
import { RemoteSide } from './remote.ts';
import { says } from './sayings.ts';
import { Seeking } from './seeking.ts';
import { Sizing } from './sizing.ts';
import { TIMING } from './timing.ts';
import { Trial } from './trial.ts';
import { UDP_BLOCKED } from './plan.ts';
import type { Verdict } from './verdict.ts';
import type { VolleyEnd } from './volley.ts';
import { earliest, watch } from './watch.ts';

const MAX_PATHS = 48;

export class PeerMachine implements Machine {
  readonly diary = new Diary();
  readonly #options: MachineOptions;
  readonly #remote: RemoteSide;
  readonly #seeking: Seeking;
  readonly #sizing: Sizing;
  readonly #trial: Trial;
  readonly #paths = new Map<string, Path>();
  #outputs: MachineOutput[] = [];
  /** The path in use fell silent, no other is known, and the data plane holds what it has. */
  #isHeld = false;
  #active: Path | null = null;
  /** The next best, and where relays are the best ones the best without, kept warm. */
  #warm: readonly (Path | null)[] = [];
  #reason: Said = says('reason.unused');
  #keepAliveMs = Infinity;

  constructor(options: MachineOptions) {
    this.#options = options;
    this.#remote = new RemoteSide(options.good, options.others);
    this.#trial = new Trial(options.random);
    this.#seeking = new Seeking(options, this.#remote, this.diary, {
      emit: output => void this.#outputs.push(output),
      probe: (shot, now) => this.#shoot(shot, now),
      hasPath: () => this.#active?.usable === true,
      hasDirect: () => this.#hasDirect(),
      usedAt: () => this.#options.usedAt(),
      isInUse: way => this.#active?.way.key === way.key && this.#active.state === 'valid',
      heardAt: way => this.#paths.get(way.key)?.heardAt ?? null,
      gaveUp: verdict => this.#gaveUp(verdict),
    });
    this.#sizing = new Sizing({
      ...{ budget: options.budget, random: options.random, diary: this.diary, card: options.self.card },
      emit: output => void this.#outputs.push(output),
      probe: (path, now) => void this.#probe(path, now, null),
    });
  }

  /** By TCP alone only where UDP gets out of one of the two. */
  #hasDirect(): boolean {
    const active = this.#active;
    if (active?.usable !== true || isRelayed(active.way)) return false;
    const isBlocked = this.#options.self.nat().mapping === UDP_BLOCKED || this.isUdpBlocked;
    return active.way.endpoint !== null || isBlocked;
  }

  /** The owner wants better ways sought, or the server's route and no other. */
  upgradesChanged(now: number): void {
    this.#decide(now);
    this.#seeking.upgradesChanged(now);
    this.tick(now);
  }

  // ---- sought

  wanted(now: number): void {
    this.#seeking.wanted(now);
    this.tick(now);
  }

  restored(now: number): void {
    this.#seeking.restored(now);
  }

  signalled(signal: PathSignal, now: number): void {
    this.#seeking.signalled(signal, now);
    this.tick(now);
  }

  signalFailed(attempt: string, code: string, now: number): void {
    this.#seeking.signalFailed(attempt, code, now);
    this.tick(now);
  }

  measured(attempt: string, forecast: Forecast | null, now: number): void {
    this.#seeking.measured(attempt, forecast, now);
    this.tick(now);
  }

  volleyEnded(attempt: string, end: VolleyEnd, now: number): void {
    this.#seeking.volleyEnded(attempt, end, now);
    this.tick(now);
  }

  refreshed(now: number): void {
    this.#seeking.refreshed(now);
    this.tick(now);
  }

  serverChanged(connected: boolean, now: number): void {
    this.#seeking.serverChanged(connected, now);
    this.tick(now);
  }

  onlineChanged(online: boolean, now: number): void {
    this.#seeking.onlineChanged(online, now);
    this.tick(now);
  }

  /** Our mapped address is another: a path that is silent just now is given up without waiting longer. */
  candidatesChanged(now: number): void {
    const active = this.#active;
    const isSilent = active?.usable === true && active.silentSince !== null && active.probesSinceHeard >= 2;
    if (isSilent) this.#distrust(active, now);
    else this.#seeking.candidatesChanged(active?.way.class !== 'lan', now);
    this.tick(now);
  }

  /** Routes or addresses of this machine changed: ask the path in use at once. */
  networkChanged(now: number): void {
    if (this.#active?.usable === true) {
      this.#probe(this.#active, now, null);
      this.#sizing.begin(this.#active, now);
    }
    this.tick(now);
  }

  routed(open: readonly Endpoint[], now: number): void {
    this.#remote.noteOpen(open);
    this.#seeking.routed(now);
    this.tick(now);
  }

  get remote(): AdviceSide | null {
    const { known, nat, punch, hasIpv6 } = this.#remote;
    return known ? { nat, can: punch?.can ?? [], hasIpv6 } : null;
  }

  get others(): readonly CandidateWords[] {
    return this.#remote.others;
  }

  get isUdpBlocked(): boolean {
    return this.#remote.nat.mapping === UDP_BLOCKED;
  }

  // ---- found

  linked(way: Way, learnt: string, now: number): void {
    const path = this.#paths.get(way.key);
    if (path?.state === 'valid') return;
    this.#seeking.check(way, learnt, now);
    this.tick(now);
  }

  /** A shot of a volley was answered: now it is asked like any other place. */
  hit(way: Way, now: number): void {
    const path = this.#path(way, this.#seeking.method ?? 'peer-reflexive', now);
    if (path.state !== 'valid') this.#check(path, now);
  }

  usesSocket(localPort: number): boolean {
    return [...this.#paths.values()].some(({ way, usable }) => usable && way.socket === localPort);
  }

  knowsSocket(localPort: number): boolean {
    return [...this.#paths.values()].some(({ way }) => way.socket === localPort);
  }

  /** An authenticated request: whoever stands there is asked in turn, and believed only by its own answer. */
  requested(way: Way, inUse: boolean, now: number): void {
    const path = this.#path(way, this.#seeking.method ?? 'peer-reflexive', now);
    path.theirChoice = inUse;
    if (path.state !== 'valid') this.#check(path, now);
  }

  answered(way: Way, transaction: string, seenAs: Endpoint | null, now: number): boolean {
    const path = this.#paths.get(way.key);
    if (path !== undefined && this.#sizing.answered(path, transaction, now)) {
      this.heard(way, now);
      return true;
    }
    if (path?.owns(transaction) !== true) return false;
    const isNews = path.state !== 'valid';
    path.answered(transaction, now);
    if (way.endpoint !== null) this.#options.budget.consent(way.endpoint);
    this.#seeking.answered(way, isNews, now);
    if (isNews) this.#noteFound(path, seenAs, now);
    this.#decide(now);
    // One that was used as soon as it was heard, and answers only now.
    if (isNews && path === this.#active) this.#remember(path);
    return true;
  }

  #noteFound(path: Path, seenAs: Endpoint | null, now: number): void {
    this.diary.note(now, answeredSaid(path, path.way.endpoint === null ? null : seenAs));
    if (path === this.#active) this.#reason = says('reason.again', { path: nameSaid(path) });
  }

  heard(way: Way, now: number): void {
    const path = this.#path(way, 'roaming', now);
    const isNews = !path.usable;
    path.heard(now);
    if (!isNews) return;
    this.diary.note(now, says('try.heard', { way: way.key }));
    this.#check(path, now);
    if (this.#isHeld || this.#active?.usable !== true) this.#decide(now);
  }

  #check(path: Path, now: number): void {
    this.#seeking.check(path.way, path.learnt, now);
    this.tick(now);
  }

  sent(now: number): void {
    if (this.#active !== null && this.#active.state !== 'lost') {
      this.#active.waitingSince ??= now;
      this.#active.mtu?.sent(now);
    } else this.wanted(now);
  }

  #decide(now: number): void {
    const choice = this.#choice();
    if (choice === null || (choice.path === this.#active && !this.#isHeld)) return;
    const { path } = choice;
    const again = path === this.#active ? says('reason.again', { path: nameSaid(path) }) : null;
    const reason = again ?? choice.reason ?? this.#reason;
    this.#isHeld = false;
    this.#active = path;
    this.#reason = reason;
    // Two ends with the same interval would ask each other at the same moment for ever.
    const intervalMs = this.#options.self.keepAliveMs();
    this.#keepAliveMs = intervalMs - this.#options.random.below(Math.ceil(intervalMs / 6));
    this.#sizing.begin(path, now);
    this.#outputs.push({ type: 'use', way: path.way, reason: reason.words });
    this.diary.note(now, says('try.now-by', { path: nameSaid(path), reason }));
    this.#remember(path);
  }

  #choice(): Choice | null {
    const ways = this.#options.self.upgrades() ? [...this.#paths.values()] : this.#byTable();
    const active = this.#active;
    if (active === null || ways.includes(active)) return choose(ways, active);
    const choice = choose(ways, null);
    return choice === null ? null : { ...choice, reason: says('reason.table') };
  }

  /** TCP connections, and places that the server's table names; all there are where none of these is usable. */
  #byTable(): readonly Path[] {
    const all = [...this.#paths.values()];
    const open = new Set(this.#remote.open(this.#options.self.wayTo).map(({ way }) => way.key));
    const named = all.filter(
      ({ way }) => (way.endpoint === null && way.isUnordered !== true) || open.has(way.key),
    );
    return named.some(path => path.usable) ? named : all;
  }

  /** Where it was met is kept for the days without a server; not so what a router gave for once. */
  #remember({ way: { endpoint, socket }, state }: Path): void {
    if (socket !== undefined) return;
    if (endpoint !== null && state === 'valid' && this.#remote.metAt(endpoint))
      this.#outputs.push({ type: 'keep', endpoint });
  }

  // ---- watched

  tick(now: number): void {
    this.#tickPaths(now);
    this.#seeking.tick(now);
    if (this.#active?.usable === true) this.#sizing.tick(this.#active, now);
  }

  wakeAt(now: number): number | null {
    const times = [...this.#seeking.wakes(), this.#trial.nextAt];
    if (this.#active?.usable === true) times.push(this.#active.mtu?.wakeAt ?? null);
    for (const path of this.#paths.values())
      times.push(watch(path, this.#role(path), this.#keepAliveMs, now).nextAt);
    return earliest(times);
  }

  #role(path: Path): 'active' | 'warm' | 'other' {
    return path === this.#active ? 'active' : this.#warm.includes(path) ? 'warm' : 'other';
  }

  #tickPaths(now: number): void {
    const spare = [...this.#paths.values()].filter(path => path !== this.#active && path.state === 'valid');
    const straight = spare.filter(({ way }) => !isRelayed(way));
    this.#warm = [spare, straight].map(some => choose(some, null)?.path ?? null);
    for (const path of [...this.#paths.values()]) {
      const { action } = watch(path, this.#role(path), this.#keepAliveMs, now);
      if (action === 'probe') this.#keepUp(path, now);
      else if (action === 'distrust') this.#distrust(path, now);
      else if (action === 'forget') this.#paths.delete(path.way.key);
    }
    this.#try(now);
  }

  /** Whoever forwards may be none to trust: only words inside the session tell. */
  #try(now: number): void {
    const active = this.#active;
    this.#trial.forgive(this.#paths.values(), now);
    if (active?.usable !== true || !isRelayed(active.way)) {
      this.#trial.rest();
      return;
    }
    const token = this.#trial.tick(active, this.#options.usedAt(), now);
    if (token !== null) this.#outputs.push({ type: 'echo', token });
    if (!this.#trial.isBad) return;
    this.#trial.shun(active, now);
    this.#options.counters.counter('path.shunned').value++;
    this.diary.note(now, says('try.shunned', { path: nameSaid(active) }));
    this.#decide(now);
    this.#outputs.push({ type: 'connect' });
  }

  echoed(token: string, now: number): void {
    this.#trial.answered(token);
    this.tick(now);
  }

  unsaid(token: string): void {
    this.#trial.unsaid(token);
  }

  #keepUp(path: Path, now: number): void {
    const isDoubted = path.probesSinceHeard >= 1;
    if (isDoubted && path === this.#active) this.#outputs.push({ type: 'refresh' });
    if (path.waitingSince !== null) path.mtu?.doubted(now);
    // A refused probe counts as asked, or a spent budget would be asked again in the same millisecond.
    if (!this.#probe(path, now, null)) path.probedAt = now;
  }

  #shoot({ way, learnt, ttl }: Shot, now: number): void {
    this.#probe(this.#path(way, learnt, now), now, ttl);
  }

  /** False: the budget does not allow it now. */
  #probe(path: Path, now: number, ttl: number | null): boolean {
    const { way } = path;
    if (way.endpoint !== null && !this.#options.budget.take(way.endpoint, now)) return false;
    const transaction = Buffer.from(this.#options.random.bytes(12)).toString('hex');
    path.probed(transaction, now);
    this.#outputs.push({ type: 'probe', way, transaction, ttl, inUse: path === this.#active, size: 0 });
    return true;
  }

  // ---- lost

  #distrust(path: Path, now: number): void {
    const wasIdle = path.waitingSince === null;
    path.distrust();
    if (path.way.endpoint !== null) this.#options.budget.withdraw(path.way.endpoint);
    if (path !== this.#active) return;
    if (wasIdle) this.#keepAliveMs = Math.max(TIMING.keepAliveMin, this.#keepAliveMs / 2);
    this.diary.note(now, says('try.silent', { path: nameSaid(path) }));
    this.#options.counters.counter('path.lost').value++;
    this.#reason = says('reason.lost', { path: nameSaid(path) });
    this.#decide(now);
    // What is sent now waits in the data plane for the next path: a lost packet costs the inner TCP far more time.
    if (this.#active === path) this.#outputs.push({ type: 'use', way: null, reason: this.#reason.words });
    this.#isHeld = this.#active === path;
    // What broke this one may have broken the next best too: it has to answer now.
    if (this.#active !== path && this.#active.usable) this.#active.waitingSince ??= now - TIMING.doubtAfter;
    this.#seeking.lost(now);
  }

  knows(way: string): boolean {
    return this.#paths.has(way);
  }

  closed(way: Way, now: number): void {
    const path = this.#paths.get(way.key);
    if (path === undefined) return;
    if (path === this.#active) this.#distrust(path, now);
    if (path !== this.#active) this.#paths.delete(way.key);
  }

  /** No direct way, for the moment: a path through others stays. */
  #gaveUp({ said: why }: Verdict): void {
    const active = this.#active;
    if (active?.usable === true) {
      this.#reason = says('reason.because', { path: nameSaid(active), why });
      return;
    }
    this.#reason = why;
    if (this.#active !== null) this.#outputs.push({ type: 'use', way: null, reason: why.words });
    this.#active = null;
    this.#isHeld = false;
  }

  // ---- seen from outside

  get active(): Path | null {
    return this.#active;
  }

  get paths(): Iterable<Path> {
    return this.#paths.values();
  }

  get reason(): Said {
    return this.#reason;
  }

  get verdict(): Verdict | null {
    return this.#seeking.verdict;
  }

  get state(): PeerState {
    if (this.#active?.usable !== true) return this.#seeking.state;
    return isRelayed(this.#active.way) ? 'relayed' : 'direct';
  }

  take(): MachineOutput[] {
    const taken = this.#outputs;
    this.#outputs = [];
    return taken;
  }

  #path(way: Way, learnt: string, now: number): Path {
    const known = this.#paths.get(way.key);
    if (known !== undefined) return known;
    if (this.#paths.size >= MAX_PATHS) this.#forgetOne(now);
    const path = new Path(way, learnt);
    this.#paths.set(way.key, path);
    return path;
  }

  #forgetOne(now: number): void {
    for (const path of this.#paths.values())
      if (path !== this.#active && path.state !== 'valid' && now !== path.probedAt) {
        this.#paths.delete(path.way.key);
        return;
      }
  }
}
