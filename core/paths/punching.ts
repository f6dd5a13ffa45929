// What a try at one peer does beyond plain probes: which method both ends agree on, what each has to measure for it, and
// what is remembered of earlier tries in these two networks.
import type { Forecast, PathSignal, PunchWords } from '../../protocol/location/messages.ts';
import type { VolleyAsk } from '../contract/punch.ts';
import type { Worked } from '../peers/peer.ts';
import type { Attempt } from './attempt.ts';
import type { SelfView } from './machine.ts';
import {
  ALL_METHODS,
  choosePlan,
  contradicts,
  DOUBT_AFTER,
  isPunch,
  plansFor,
  sortOf,
  toMeasure,
  type Method,
  type PlanSide,
} from './plan.ts';
import type { RemoteSide } from './remote.ts';
import { placesIn } from './self.ts';

/** Where nothing known gets through: not before an hour. */
export const HOPELESS_FOR_MS = 3_600_000;

/** Characters: what the book of peers keeps. */
const MAX_PLACES = 1_024;

const UNKNOWN: Forecast = { address: '0.0.0.0', port: 1, step: null, drift: 0 };

export class Punching {
  readonly #self: SelfView;
  readonly #remote: RemoteSide;
  /** What brought the two together, in which networks. */
  #worked: Worked | null;
  #failed: { readonly places: string; readonly count: number } | null = null;
  #hopeless: { readonly places: string; readonly until: number } | null = null;

  constructor(self: SelfView, remote: RemoteSide, worked: Worked | null) {
    this.#self = self;
    this.#remote = remote;
    this.#worked = worked;
  }

  // ---- before

  /** What an offer's try has to measure; null: nothing. */
  measuresForOffer(): 'udp' | 'tcp' | null {
    const { known, nat } = this.#remote;
    if (this.#needsFresh()) return 'udp';
    return toMeasure(this.#own(), known ? nat : null, this.#isDoubted() ? DOUBT_AFTER : 0);
  }

  /** The answering end decides. */
  decide(): Method {
    const plans = plansFor(this.#own(), this.#theirs());
    const known = this.#worked?.places === this.#places() ? this.#worked.method : null;
    const method = choosePlan(plans, this.#failures, plans.find(plan => plan === known) ?? null);
    // The other end would fire in vain.
    return method === 'birthday' && this.#self.isGuessing() ? 'plain' : method;
  }

  /** May plain probes alone be enough? */
  isPlain(): boolean {
    const plans = plansFor(this.#own(), this.#theirs());
    return plans.length === 0 || plans.includes('plain');
  }

  isImpossible(): boolean {
    return plansFor(this.#own(), this.#theirs()).length === 0;
  }

  /** What the answering end has to measure for the method; null: nothing. */
  measuresFor(method: Method): 'udp' | 'tcp' | null {
    if (method === 'tcp') return 'tcp';
    const isDoubted = this.#isDoubted() && this.#own().can.includes('predict');
    const isKnown = sortOf(this.#self.nat()) === 'known' && !this.#needsFresh();
    return isDoubted || (method === 'predict' && !isKnown) ? 'udp' : null;
  }

  /** Both have one port for all, and yet they failed: from other sockets what spoilt it does not matter. */
  #needsFresh(): boolean {
    const areKnown = [this.#self.nat(), this.#remote.nat].every(nat => sortOf(nat) === 'known');
    return areKnown && this.#failures > 0 && this.#own().can.includes('predict');
  }

  /** Does the other end's answer take a measurement? */
  theyMeasure(): boolean {
    const theirs = this.#theirs();
    return this.#needsFresh() || toMeasure(theirs, this.#self.nat()) !== null;
  }

  /** By the reports nothing is possible, or what should be possible fails: perhaps ours is wrong. */
  #isDoubted(): boolean {
    const [one, other] = [this.#self.nat(), this.#remote.nat].map(nat => ({ nat, can: ALL_METHODS }));
    return this.#failures >= DOUBT_AFTER || (this.#remote.known && plansFor(one!, other!).length === 0);
  }

  /** The report tells of another NAT: it has to be taken anew. */
  isContradicted(forecast: Forecast): boolean {
    return contradicts(this.#self.nat(), forecast);
  }

  words(attempt: Attempt): PunchWords | undefined {
    const can = this.#own().can;
    if (can.length === 0) return undefined;
    const udp = this.#told(attempt);
    const tcp = attempt.measuredTcp;
    return {
      can,
      ...(attempt.role === 'answerer' && isPunch(attempt.method) ? { method: attempt.method } : {}),
      ...(udp === null ? {} : { udp }),
      ...(tcp === null ? {} : { tcp }),
    };
  }

  /** Null: an end has not said where it will be. */
  ask(attempt: Attempt, holdBackMs: number): VolleyAsk | null {
    const { method, role } = attempt;
    if (!isPunch(method) || !this.#own().can.includes(method)) return null;
    const own = method === 'tcp' ? attempt.measuredTcp : this.#told(attempt);
    const punch = this.#remote.punch;
    const theirs = method === 'tcp' ? punch?.tcp : punch?.udp;
    if (theirs === undefined || (own === null && method !== 'birthday')) return null;
    // Whoever vouches for an address says nothing of whether one may send there: not to ourselves, not into the overlay.
    if (this.#self.wayTo({ family: 4, address: theirs.address, port: theirs.port }) === null) return null;
    return {
      ...{ method, role, holdBackMs, failures: this.#failures },
      own: { nat: this.#self.nat(), forecast: own ?? UNKNOWN },
      theirs: { nat: this.#remote.nat, forecast: theirs },
    };
  }

  // ---- afterwards

  /** What is to be kept; null: that was known. */
  worked(method: Method): Worked | null {
    const worked = { places: this.#places(), method };
    const isNews = this.#worked?.places !== worked.places || this.#worked.method !== method;
    this.#worked = worked;
    this.#failed = null;
    return isNews ? worked : null;
  }

  failed(): void {
    this.#failed = { places: this.#places(), count: this.#failures + 1 };
  }

  gaveUp(now: number): void {
    this.#hopeless = { places: this.#places(), until: now + HOPELESS_FOR_MS };
  }

  /** Nothing gets through between these two networks, as was found within the hour. */
  isHopeless(now: number): boolean {
    return this.#hopeless?.places === this.#places() && now < this.#hopeless.until;
  }

  get #failures(): number {
    return this.#failed?.places === this.#places() ? this.#failed.count : 0;
  }

  sides(): [own: PlanSide, theirs: PlanSide] {
    return [this.#own(), this.#theirs()];
  }

  #own(): PlanSide {
    return { nat: this.#self.nat(), can: this.#self.can() };
  }

  #theirs(): PlanSide {
    return { nat: this.#remote.nat, can: this.#remote.punch?.can ?? [] };
  }

  /**
   * The same all through a try, though reports come and go. An end with one port for all tells of its long-lived socket's,
   * whatever was measured, unless that failed: it is the one it fires from.
   */
  #told(attempt: Attempt): Forecast | null {
    const { measuredUdp } = attempt;
    const isKnown = sortOf(this.#self.nat()) === 'known' && !this.#needsFresh();
    const isMain = measuredUdp === null || (measuredUdp.step === 0 && isKnown);
    attempt.toldUdp ??= isMain ? this.#unmeasured() : measuredUdp;
    return attempt.toldUdp;
  }

  /** Of an end whose outer port is the same for all, or follows no rule. */
  #unmeasured(): Forecast | null {
    const outside = this.#self.outside();
    if (outside === null) return null;
    const isKnown = ['known', 'open', 'unknown'].includes(sortOf(this.#self.nat()));
    return { address: outside.address, port: outside.port, step: isKnown ? 0 : null, drift: 0 };
  }

  #places(): string {
    const { mapping, filtering, ports } = this.#remote.nat;
    const text = `${this.#self.place()} ${this.#self.can().join(' ')} / ${this.#remote.place} ${mapping} ${filtering} ${ports}`;
    return text.slice(0, MAX_PLACES);
  }
}

/** By what a signal tells: the same text, the same network. */
export const placeOfSignal = ({ candidates, punch }: PathSignal): string =>
  [...placesIn(candidates), ...(punch === undefined ? [] : punch.can)].join(' ');
