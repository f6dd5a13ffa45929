// One way to one peer and what is known of it: round trip, loss, when it was last heard, whether it is believed.
import type { Endpoint } from '../../protocol/address.ts';
import type { PathClass } from '../contract/link.ts';
import type { PathMtu } from './path-mtu.ts';
import { TIMING } from './timing.ts';

/** Where a path leads. The key is the link's id. */
export interface Way {
  readonly key: string;
  readonly transport: string;
  /** Where datagrams are sent to; null: a connection leads there. */
  readonly endpoint: Endpoint | null;
  readonly class: PathClass;
  /** The further socket that it leaves from, by its local port; absent: the long-lived one. */
  readonly socket?: number;
  /** A connection that holds nothing up for what was lost before it. */
  readonly isUnordered?: boolean;
  /** Of a connection: its far end, */
  readonly place?: Endpoint;
  /** and the name of the node that forwards. */
  readonly via?: string;
}

export const isRelayed = ({ class: way }: Way): boolean => way === 'relay' || way === 'turn';

/**
 * `untried`: nothing came over it yet; `heard`: the session's packets came over it, no probe was answered;
 * `valid`: our own probe was answered; `lost`: it was one of those, and fell silent.
 */
export type PathState = 'untried' | 'heard' | 'valid' | 'lost';

const MAX_IN_FLIGHT = 16;
const SMOOTHING = 1 / 8;
const LOSS_SMOOTHING = 1 / 16;
/** As many as `TIMING.measureAfter` asks for, and the one that found it. */
const FIRST_MEASURES = 6;

export class Path {
  readonly way: Way;
  /** How it was learnt: `host`, `reflexive`, `peer-reflexive`, `last good`. */
  readonly learnt: string;
  state: PathState = 'untried';
  srttMs: number | null = null;
  loss = 0;
  heardAt: number | null = null;
  answeredAt: number | null = null;
  probedAt: number | null = null;
  /** Data went out at that time and nothing came back since; null: nothing outstanding. */
  waitingSince: number | null = null;
  /** The first probe that went out since it was last heard. */
  probingSince: number | null = null;
  probesSinceHeard = 0;
  /** The peer says that it sends by this one. */
  theirChoice = false;
  /** It loses or alters what goes by it: used only where there is nothing else. */
  shunned = false;
  /** What it carries; null: it was never in use, or the peer answers no probes. */
  mtu: PathMtu | null = null;
  /** When it was found, and how often it was measured since. */
  foundAt: number | null = null;
  measured = 0;
  readonly #inFlight = new Map<string, number>();

  constructor(way: Way, learnt: string) {
    this.way = way;
    this.learnt = learnt;
  }

  get usable(): boolean {
    return this.state === 'valid' || this.state === 'heard';
  }

  /** How long an answer may take before it counts as lost. */
  get answerTimeoutMs(): number {
    return Math.max(300, 3 * (this.srttMs ?? 100));
  }

  /** Since when we have been asking in vain; null: all is well. */
  get silentSince(): number | null {
    if (this.waitingSince === null) return this.probingSince;
    return this.probingSince === null ? this.waitingSince : Math.min(this.waitingSince, this.probingSince);
  }

  probed(transaction: string, now: number): void {
    this.#expire(now);
    if (this.#inFlight.size >= MAX_IN_FLIGHT) this.#inFlight.delete(this.#inFlight.keys().next().value ?? '');
    this.#inFlight.set(transaction, now);
    this.probedAt = now;
    this.probingSince ??= now;
    this.probesSinceHeard++;
  }

  owns(transaction: string): boolean {
    return this.#inFlight.has(transaction);
  }

  answered(transaction: string, now: number): void {
    const sentAt = this.#inFlight.get(transaction);
    if (sentAt === undefined) return;
    this.#inFlight.delete(transaction);
    this.#measure(now - sentAt);
    if (this.state === 'valid') this.loss -= this.loss * LOSS_SMOOTHING;
    else {
      this.#inFlight.clear();
      this.foundAt = now;
      this.measured = 0;
    }
    this.state = 'valid';
    this.answeredAt = now;
    this.heard(now);
  }

  /** The first answers meet boxes that are busy with a beginning: the quickest of a few counts. */
  #measure(rttMs: number): void {
    const isFirst = this.srttMs === null || this.state === 'lost';
    this.measured++;
    if (isFirst || this.srttMs === null) this.srttMs = rttMs;
    else if (this.measured < FIRST_MEASURES) this.srttMs = Math.min(this.srttMs, rttMs);
    else this.srttMs += (rttMs - this.srttMs) * SMOOTHING;
  }

  /** An authenticated packet of the peer came over it. */
  heard(now: number): void {
    this.heardAt = now;
    this.waitingSince = null;
    this.probingSince = null;
    this.probesSinceHeard = 0;
    if (!this.usable) this.state = 'heard';
  }

  distrust(): void {
    this.state = 'lost';
    this.#inFlight.clear();
    this.waitingSince = null;
    this.probingSince = null;
    this.probesSinceHeard = 0;
  }

  /** A probe counts as lost only on a path that worked: before that, silence says something about NATs. */
  #expire(now: number): void {
    const patienceMs = Math.max(1_000, 2 * this.answerTimeoutMs);
    for (const [transaction, sentAt] of this.#inFlight) {
      if (now - sentAt < patienceMs) continue;
      this.#inFlight.delete(transaction);
      if (this.state === 'valid') this.loss += (1 - this.loss) * LOSS_SMOOTHING;
    }
  }
}

/** Is data or a probe unanswered for so long that the path must be asked again quickly? The time from which on. */
export function doubtAt(path: Path): number | null {
  const rtt = path.srttMs ?? 100;
  if (path.waitingSince !== null) return path.waitingSince + Math.max(TIMING.doubtAfter, 2 * rtt + 200);
  return path.probingSince === null ? null : path.probingSince + Math.max(TIMING.quickSpacing, 2 * rtt);
}

/** Nobody answered for long enough, and several probes in a row: not believed any more. */
export function isDistrusted(path: Path, now: number): boolean {
  const since = path.silentSince;
  if (since === null) return false;
  const enoughProbes = path.probesSinceHeard >= (path.loss > 0.1 ? 6 : 3);
  return (
    enoughProbes &&
    now - since >= Math.max(TIMING.distrustAfter, 4 * (path.srttMs ?? 100) + TIMING.doubtAfter)
  );
}
