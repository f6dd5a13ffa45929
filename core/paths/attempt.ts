// One try at a peer: which of its candidates get an opener and when each gets its probes. Time comes in, shots come out.
import type { Way } from './path.ts';
import type { Forecast } from '../../protocol/location/messages.ts';
import type { Method } from './plan.ts';
import { TIMING } from './timing.ts';

/** Places in one try: a peer that speaks from ever other ports shall not fill our memory. */
export const MAX_TARGETS = 48;

export type Role = 'offerer' | 'answerer';

export interface Shot {
  readonly way: Way;
  readonly learnt: string;
  /** Hop limit; null: the ordinary one. */
  readonly ttl: number | null;
}

interface Target {
  readonly way: Way;
  readonly learnt: string;
  /** Hop limit of the opener that still has to leave; null: none. */
  openerTtl: number | null;
  startAt: number;
  step: number;
}

export class Attempt {
  readonly id: string;
  readonly role: Role;
  readonly startedAt: number;
  /** When the offer leaves; null: it has left, or this is the answering end. */
  offerAt: number | null = null;
  /** When an unanswered offer is sent once more, or a rival one answered; null: not waiting. */
  answerDueAt: number | null = null;
  repeated = false;
  /** The other end's candidates are known. */
  matched = false;
  /** A probe was answered. */
  succeededAt: number | null = null;
  /** How both ends try; the answering end has decided it. */
  method: Method = 'plain';
  /** Until when our word waits for a measurement; null: it does not. */
  measureDueAt: number | null = null;
  measuring: 'udp' | 'tcp' = 'udp';
  /** A measurement was asked for: what it opened is open, or will be. */
  wasMeasured = false;
  measuredUdp: Forecast | null = null;
  measuredTcp: Forecast | null = null;
  /** What the other end was told, or will be. */
  toldUdp: Forecast | null = null;
  /** An answer waits for a measurement. */
  isUnanswered = false;
  /** When it is over, whatever still has to leave; null: then. */
  endBy: number | null = null;
  /** A volley is under way; it ends of itself. */
  isFiring = false;
  /** It did not fail: another one was under way, or the router had no room. */
  isPutOff = false;
  readonly #targets = new Map<string, Target>();

  constructor(id: string, role: Role, startedAt: number) {
    this.id = id;
    this.role = role;
    this.startedAt = startedAt;
  }

  /** Takes a place into the try, where there is room; a place that is there already keeps its schedule unless the new one is earlier. */
  aim(way: Way, learnt: string, startAt: number, openerTtl: number | null = null): void {
    const known = this.#targets.get(way.key);
    if (known !== undefined && known.step > 0) return;
    if (known === undefined && this.#targets.size >= MAX_TARGETS && !this.#dropSpent()) return;
    this.#targets.set(way.key, {
      way,
      learnt,
      openerTtl,
      startAt: Math.min(startAt, known?.startAt ?? Infinity),
      step: 0,
    });
  }

  /** False: probes are still to leave for every place. */
  #dropSpent(): boolean {
    for (const [key, target] of this.#targets)
      if (target.openerTtl === null && nextAt(target) === null) return this.#targets.delete(key);
    return false;
  }

  get size(): number {
    return this.#targets.size;
  }

  /** What must leave now: all openers before the first full probe. */
  due(now: number): Shot[] {
    const shots: Shot[] = [];
    for (const target of this.#targets.values()) {
      if (target.openerTtl === null) continue;
      shots.push({ way: target.way, learnt: target.learnt, ttl: target.openerTtl });
      target.openerTtl = null;
    }
    for (const target of this.#targets.values()) {
      const at = nextAt(target);
      if (at === null || at > now) continue;
      while ((nextAt(target) ?? Infinity) <= now) target.step++;
      shots.push({ way: target.way, learnt: target.learnt, ttl: null });
    }
    return shots;
  }

  /** A place that answered needs no more of this; with one found, the rest get a short while only. */
  answered(key: string, now: number): void {
    this.#targets.delete(key);
    this.succeededAt ??= now;
    for (const target of this.#targets.values())
      if (target.startAt <= now) target.step = Math.max(target.step, TIMING.punchOffsets.length - 3);
  }

  /** It answered, and the others are still worth their probes. */
  drop(key: string): void {
    this.#targets.delete(key);
  }

  /** When the offer leaves; null: it has left, or this is the answering end. */
  get offerDueAt(): number | null {
    return this.offerAt === null ? null : Math.max(this.offerAt, this.measureDueAt ?? 0);
  }

  nextAt(): number | null {
    let next: number | null = null;
    for (const target of this.#targets.values()) {
      const at = target.openerTtl === null ? nextAt(target) : 0;
      if (at !== null && (next === null || at < next)) next = at;
    }
    return next;
  }

  /** When it is over, unless something still has to leave. */
  get endsAt(): number {
    if (this.endBy !== null) return this.endBy;
    const starts = [...this.#targets.values()].map(target => target.startAt);
    return Math.max(this.startedAt, ...starts) + TIMING.punchOffsets.at(-1)! + TIMING.punchGrace;
  }
}

function nextAt(target: Target): number | null {
  const offset = TIMING.punchOffsets[target.step];
  return offset === undefined ? null : target.startAt + offset;
}
