// Whose TCP door answers, and where: the server looks itself, when a node registers other places and from time to time.
import type { Clock, Timer } from '../../base/clock.ts';
import type { Counters } from '../../base/counters.ts';
import { formatEndpoint, sameEndpoint } from '../../protocol/address.ts';
import type { Endpoint } from '../../protocol/address.ts';
import type { NodeId } from '../../protocol/location/messages.ts';
import type { DoorAnswer } from './door-check.ts';
import { LookQueue } from './look-queue.ts';

const RELAY_EVERY_MS = 2 * 60_000;
const OTHERS_EVERY_MS = 10 * 60_000;
/** After the first, second … look in a row at which a door was closed. */
const CLOSED_MS = [2 * 60_000, 10 * 60_000, 30 * 60_000];

/** `checking`: nothing is known yet; `none`: it has no door that could be looked at. */
export type DoorState = 'none' | 'checking' | 'answers' | 'closed';

export interface Door {
  readonly state: DoorState;
  /** Where it answers, the likeliest first. */
  readonly places: readonly Endpoint[];
}

export interface DoorsOptions {
  readonly clock: Clock;
  readonly counters: Counters;
  readonly look: (place: Endpoint, controlKey: Uint8Array) => Promise<DoorAnswer>;
  /** Looks under way in all. */
  readonly most: number;
  /** A node's places are looked at at most once in that time, also where it leaves and comes back. */
  readonly againMs: number;
  /** What `door` answers of that node is something else now. */
  readonly changed: (node: NodeId) => void;
}

export interface DoorSubject {
  readonly places: readonly Endpoint[];
  readonly controlKey: Uint8Array;
  /** It offers to forward for others: looked at more often. */
  readonly isRelay: boolean;
}

interface Watched {
  readonly node: NodeId;
  subject: DoorSubject;
  /** By endpoint in words; absent: not looked at yet. */
  readonly answers: Map<string, boolean>;
  /** Of the round that is due or under way. */
  toLook: Endpoint[];
  under: number;
  lookedAt: number;
  /** Rounds in a row that found it closed. */
  closedRounds: number;
  timer: Timer | null;
}

const NONE: Door = { state: 'none', places: [] };

export class Doors {
  readonly #options: DoorsOptions;
  readonly #watched = new Map<NodeId, Watched>();
  /** Those that left lately, with what was seen of them, the first that left first. */
  readonly #left = new Map<NodeId, Watched>();
  readonly #queue = new LookQueue<Watched>();
  #under = 0;

  constructor(options: DoorsOptions) {
    this.#options = options;
  }

  door(node: NodeId): Door {
    const watched = this.#watched.get(node);
    if (watched === undefined || watched.subject.places.length === 0) return NONE;
    const { subject, answers } = watched;
    const places = subject.places.filter(place => answers.get(formatEndpoint(place)) === true);
    if (places.length > 0) return { state: 'answers', places };
    return { state: answers.size < subject.places.length ? 'checking' : 'closed', places };
  }

  /** What it registered; looks where anything of it is new. */
  watch(node: NodeId, subject: DoorSubject): void {
    const before = this.#watched.get(node);
    const watched = before ?? this.#begin(node, subject);
    const isMoved = !samePlaces(watched.subject.places, subject.places);
    const isNew = before === undefined || isMoved || watched.subject.isRelay !== subject.isRelay;
    watched.subject = subject;
    if (!isNew) return;
    if (isMoved) watched.closedRounds = 0;
    const wanted = new Set(subject.places.map(formatEndpoint));
    for (const place of watched.answers.keys()) if (!wanted.has(place)) watched.answers.delete(place);
    watched.toLook = watched.toLook.filter(place => wanted.has(formatEndpoint(place)));
    if (subject.places.length > 0) this.#lookSoon(watched);
    else this.#stop(watched);
  }

  /** Somebody could not reach it. */
  doubt(node: NodeId): void {
    const watched = this.#watched.get(node);
    if (watched !== undefined && watched.subject.places.length > 0) this.#lookSoon(watched);
  }

  /** It may be back soon: until then it is not looked at. */
  left(node: NodeId): void {
    const watched = this.#watched.get(node);
    if (watched === undefined) return;
    this.forget(node);
    this.#left.set(node, watched);
  }

  forget(node: NodeId): void {
    const watched = this.#watched.get(node);
    if (watched !== undefined) this.#stop(watched);
    this.#watched.delete(node);
    this.#left.delete(node);
  }

  close(): void {
    for (const node of [...this.#watched.keys()]) this.forget(node);
    this.#left.clear();
  }

  /** As it was seen just before it left, where that is not long ago. */
  #begin(node: NodeId, subject: DoorSubject): Watched {
    for (const [other, left] of this.#left) {
      if (!this.#mayLook(left)) break;
      this.#left.delete(other);
    }
    const left = this.#left.get(node);
    this.#left.delete(node);
    const isLately = left !== undefined && !this.#mayLook(left);
    const seen = isLately ? left : { answers: new Map<string, boolean>(), lookedAt: -Infinity };
    const watched: Watched = {
      ...{ node, subject, answers: new Map(seen.answers), lookedAt: seen.lookedAt },
      ...{ toLook: [], under: 0, closedRounds: 0, timer: null },
    };
    this.#watched.set(node, watched);
    return watched;
  }

  #stop(watched: Watched): void {
    watched.timer?.cancel();
    watched.timer = null;
    watched.toLook = [];
    this.#queue.remove(watched);
  }

  // ---- when

  #mayLook({ lookedAt }: Watched): boolean {
    return lookedAt + this.#options.againMs <= this.#options.clock.monotonicMs();
  }

  #lookSoon(watched: Watched): void {
    const { clock, againMs } = this.#options;
    const isUnderWay = watched.under > 0;
    if (!isUnderWay && this.#mayLook(watched)) this.#look(watched, true);
    else this.#lookIn(watched, Math.max(watched.lookedAt + againMs - clock.monotonicMs(), 1), true);
  }

  #lookIn(watched: Watched, ms: number, isUrgent: boolean): void {
    watched.timer?.cancel();
    watched.timer = this.#options.clock.after(ms, () => {
      watched.timer = null;
      if (watched.under === 0) this.#look(watched, isUrgent);
      else this.#lookIn(watched, this.#options.againMs, isUrgent);
    });
  }

  /** All of its places, in its turn; what a round before has left comes first. */
  #look(watched: Watched, isUrgent: boolean): void {
    watched.timer?.cancel();
    watched.timer = null;
    const { toLook, subject } = watched;
    const others = subject.places.filter(place => !toLook.some(each => sameEndpoint(each, place)));
    watched.toLook = [...toLook, ...others];
    this.#queue.add(watched, isUrgent);
    this.#next();
  }

  /** A round is over. */
  #lookLater(watched: Watched): void {
    const isWatched = this.#watched.get(watched.node) === watched;
    if (!isWatched || watched.subject.places.length === 0) return;
    const isClosed = this.door(watched.node).state === 'closed';
    watched.closedRounds = isClosed ? watched.closedRounds + 1 : 0;
    const everyMs = watched.subject.isRelay ? RELAY_EVERY_MS : OTHERS_EVERY_MS;
    const closedMs = CLOSED_MS[Math.min(watched.closedRounds, CLOSED_MS.length) - 1];
    // One that is due sooner stays so.
    if (watched.timer === null) this.#lookIn(watched, closedMs ?? everyMs, false);
  }

  // ---- the looks themselves

  #next(): void {
    while (this.#under < this.#options.most) {
      const watched = this.#queue.take();
      if (watched === null) return;
      const place = watched.toLook.shift();
      if (place === undefined) continue;
      if (watched.toLook.length > 0) this.#queue.putBack(watched);
      this.#under++;
      watched.under++;
      watched.lookedAt = this.#options.clock.monotonicMs();
      void this.#lookAt(watched, place);
    }
  }

  async #lookAt(watched: Watched, place: Endpoint): Promise<void> {
    const { look, counters, changed } = this.#options;
    const { node } = watched;
    const isCurrent = (): boolean =>
      this.#watched.get(node) === watched && watched.subject.places.some(each => sameEndpoint(each, place));
    const name = formatEndpoint(place);
    let answer = await look(place, watched.subject.controlKey);
    // One that answered so far gets a second chance.
    if (answer !== 'answers' && watched.answers.get(name) === true && isCurrent())
      answer = await look(place, watched.subject.controlKey);
    this.#under--;
    watched.under--;
    if (isCurrent()) {
      counters.counter(`door.${answer}`).value++;
      const before = this.door(node);
      watched.answers.set(name, answer === 'answers');
      if (!sameDoor(before, this.door(node))) changed(node);
    }
    if (watched.under === 0 && watched.toLook.length === 0) this.#lookLater(watched);
    this.#next();
  }
}

const samePlaces = (one: readonly Endpoint[], other: readonly Endpoint[]): boolean =>
  one.length === other.length && one.every((place, at) => sameEndpoint(place, other[at]!));

const sameDoor = (one: Door, other: Door): boolean =>
  one.state === other.state && samePlaces(one.places, other.places);
