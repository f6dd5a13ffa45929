// One budget over the whole node for probes to places that did not ask for them: a peer's candidate is an address that
// someone may want attacked, and every new flow costs the home router a conntrack entry.
import type { Endpoint } from '../../protocol/address.ts';
import { formatEndpoint } from '../../protocol/address.ts';
import type { Counters } from '../../base/counters.ts';

/** Packets a second and how many may come at once. */
export interface Rate {
  readonly perSecond: number;
  readonly burst: number;
}

export interface BudgetLimits {
  /** All probes and STUN requests of this node. */
  readonly node: Rate;
  /** To one address that never answered. */
  readonly target: Rate;
  /** Endpoints (address and port) not sent to in the last 30 s. */
  readonly flows: Rate;
  /** Answers to authenticated probes. */
  readonly answers: Rate;
  /** Shots of volleys, beside the others. */
  readonly volleys: Rate;
  /** So many of them at once are not for heavy volleys: another peer's try is over before a heavy one is. */
  readonly volleysReserve: number;
  /** Flows of volleys within 30 s, over all peers: as long as a router remembers each. */
  readonly volleyFlows: number;
  /** Shots of volleys to one address within a minute. */
  readonly volleysPerTarget: number;
  /** After so many probes without an answer, an address gets one every 5 s. */
  readonly patience: number;
}

export const BUDGET: BudgetLimits = {
  node: { perSecond: 200, burst: 300 },
  target: { perSecond: 5, burst: 24 },
  flows: { perSecond: 10, burst: 128 },
  answers: { perSecond: 500, burst: 500 },
  volleys: { perSecond: 320, burst: 160 },
  volleysReserve: 96,
  volleyFlows: 2_304,
  volleysPerTarget: 2_560,
  patience: 80,
};

const IMPATIENT_PER_SECOND = 0.2;
const FLOW_LIVES_MS = 30_000;
const REMEMBERED = 1024;
const MINUTE_MS = 60_000;

/** A token bucket whose rate may change from one look to the next. */
export class Bucket {
  #tokens: number;
  #at: number;
  readonly #burst: number;

  constructor(burst: number, now: number) {
    this.#tokens = burst;
    this.#burst = burst;
    this.#at = now;
  }

  fill(now: number, perSecond: number): number {
    this.#tokens = Math.min(this.#burst, this.#tokens + ((now - this.#at) / 1000) * perSecond);
    this.#at = now;
    return this.#tokens;
  }

  spend(): void {
    this.#tokens -= 1;
  }
}

interface Target {
  readonly bucket: Bucket;
  unanswered: number;
}

export class Budget {
  readonly #limits: BudgetLimits;
  readonly #counters: Counters;
  readonly #node: Bucket;
  readonly #flowBucket: Bucket;
  readonly #answers: Bucket;
  readonly #volleys: Bucket;
  readonly #targets = new Map<string, Target>();
  /** Address → shots since when. */
  readonly #shotAt = new Map<string, { readonly since: number; shots: number }>();
  /** Local port and endpoint → when a shot was last sent there; the oldest first. */
  readonly #volleyFlows = new Map<string, number>();
  /** Endpoint → when last sent to. */
  readonly #flows = new Map<string, number>();
  /** Endpoints that answered an authenticated probe. */
  readonly #consented = new Set<string>();

  constructor(counters: Counters, now: number, limits: BudgetLimits = BUDGET) {
    this.#limits = limits;
    this.#counters = counters;
    this.#node = new Bucket(limits.node.burst, now);
    this.#flowBucket = new Bucket(limits.flows.burst, now);
    this.#answers = new Bucket(limits.answers.burst, now);
    this.#volleys = new Bucket(limits.volleys.burst, now);
  }

  /** May one packet go there now? Yes spends it; no is counted. */
  take(to: Endpoint, now: number): boolean {
    const key = formatEndpoint(to);
    if (this.#node.fill(now, this.#limits.node.perSecond) < 1) return this.#refuse('node');
    if (!this.#consented.has(key) && !this.#takeUnconsented(to.address, key, now)) return false;
    this.#node.spend();
    remember(this.#flows, key, now);
    return true;
  }

  /** May one shot of a volley go there now? `from`: names the socket. Yes spends it; no is counted. */
  takeShot(from: string, to: Endpoint, now: number, isHeavy = false): boolean {
    const { volleys, volleysReserve, volleysPerTarget } = this.#limits;
    const known = this.#shotAt.get(to.address);
    const target = known === undefined || now - known.since > MINUTE_MS ? { since: now, shots: 0 } : known;
    if (target.shots >= volleysPerTarget) return this.#refuse('shots-at-target');
    const least = isHeavy ? 1 + volleysReserve : 1;
    if (this.#volleys.fill(now, volleys.perSecond) < least) return this.#refuse('shots');
    if (!this.#takeVolleyFlow(`${from} ${formatEndpoint(to)}`, now)) return this.#refuse('shot-flows');
    this.#volleys.spend();
    target.shots++;
    remember(this.#shotAt, to.address, target);
    return true;
  }

  #takeVolleyFlow(key: string, now: number): boolean {
    for (const [flow, at] of this.#volleyFlows) {
      if (now - at <= FLOW_LIVES_MS) break;
      this.#volleyFlows.delete(flow);
    }
    const isNew = !this.#volleyFlows.delete(key);
    if (isNew && this.#volleyFlows.size >= this.#limits.volleyFlows) return false;
    this.#volleyFlows.set(key, now);
    return true;
  }

  mayAnswer(now: number): boolean {
    if (this.#answers.fill(now, this.#limits.answers.perSecond) < 1) return this.#refuse('answers');
    this.#answers.spend();
    return true;
  }

  /** An authenticated answer came from there: whoever lives there wants this. */
  consent(from: Endpoint): void {
    const key = formatEndpoint(from);
    if (this.#consented.size >= REMEMBERED)
      this.#consented.delete(this.#consented.values().next().value ?? '');
    this.#consented.add(key);
    const target = this.#targets.get(from.address);
    if (target !== undefined) target.unanswered = 0;
  }

  /** The place fell silent: it has to earn its ease again. */
  withdraw(from: Endpoint): void {
    this.#consented.delete(formatEndpoint(from));
  }

  #takeUnconsented(address: string, key: string, now: number): boolean {
    const target = this.#targets.get(address) ?? {
      bucket: new Bucket(this.#limits.target.burst, now),
      unanswered: 0,
    };
    remember(this.#targets, address, target);
    const patient = target.unanswered < this.#limits.patience;
    const rate = patient ? this.#limits.target.perSecond : IMPATIENT_PER_SECOND;
    if (target.bucket.fill(now, rate) < 1) return this.#refuse('target');
    const isNewFlow = now - (this.#flows.get(key) ?? -Infinity) > FLOW_LIVES_MS;
    if (isNewFlow && this.#flowBucket.fill(now, this.#limits.flows.perSecond) < 1)
      return this.#refuse('flows');
    if (isNewFlow) this.#flowBucket.spend();
    target.bucket.spend();
    target.unanswered++;
    return true;
  }

  #refuse(which: string): false {
    this.#counters.counter(`budget.${which}`).value++;
    return false;
  }
}

/** Puts an entry last and forgets the oldest of too many. */
function remember<T>(map: Map<string, T>, key: string, value: T): void {
  map.delete(key);
  map.set(key, value);
  if (map.size <= REMEMBERED) return;
  const oldest = map.keys().next();
  if (oldest.done !== true) map.delete(oldest.value);
}
