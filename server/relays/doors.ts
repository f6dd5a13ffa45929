// Whose TCP door answers, and where: the server looks itself, when a node registers other places and from time to time.
import type { Clock, Timer } from '../../base/clock.ts';
import type { Counters } from '../../base/counters.ts';
import { formatEndpoint } from '../../protocol/address.ts';
import type { Endpoint } from '../../protocol/address.ts';
import type { NodeId } from '../../protocol/location/messages.ts';
import type { DoorAnswer } from './door-check.ts';

const RELAY_EVERY_MS = 2 * 60_000;
const OTHERS_EVERY_MS = 10 * 60_000;

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
  /** A node's places are looked at at most once in that time. */
  readonly againMs: number;
  /** What `door` answers of that node is something else now. */
  readonly changed: (node: NodeId) => void;
}

export interface DoorSubject {
  readonly places: readonly Endpoint[];
  readonly controlKey: Uint8Array;
  /** It offers to forward for others: looked at more often, and first. */
  readonly isRelay: boolean;
}

interface Watched {
  subject: DoorSubject;
  /** By endpoint in words; absent: not looked at yet. */
  answers: Map<string, boolean>;
  lookedAt: number;
  under: number;
  timer: Timer | null;
}

const NONE: Door = { state: 'none', places: [] };

export class Doors {
  readonly #options: DoorsOptions;
  readonly #watched = new Map<NodeId, Watched>();
  #waiting: (() => void)[] = [];
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
    const watched: Watched = before ?? {
      subject,
      answers: new Map(),
      lookedAt: -Infinity,
      under: 0,
      timer: null,
    };
    const isNew = before === undefined || !sameSubject(before.subject, subject);
    watched.subject = subject;
    this.#watched.set(node, watched);
    if (!isNew) return;
    const wanted = new Set(subject.places.map(formatEndpoint));
    for (const place of watched.answers.keys()) if (!wanted.has(place)) watched.answers.delete(place);
    if (subject.places.length > 0) this.#lookSoon(node, watched);
    else watched.timer?.cancel();
  }

  /** Somebody could not reach it. */
  doubt(node: NodeId): void {
    const watched = this.#watched.get(node);
    if (watched !== undefined && watched.subject.places.length > 0) this.#lookSoon(node, watched);
  }

  forget(node: NodeId): void {
    this.#watched.get(node)?.timer?.cancel();
    this.#watched.delete(node);
  }

  close(): void {
    for (const node of [...this.#watched.keys()]) this.forget(node);
    this.#waiting = [];
  }

  #lookSoon(node: NodeId, watched: Watched): void {
    const { clock, againMs } = this.#options;
    const waitMs = watched.lookedAt + againMs - clock.monotonicMs();
    if (waitMs <= 0 && watched.under === 0) this.#look(node, watched);
    else this.#lookIn(node, watched, Math.max(waitMs, 1));
  }

  #lookIn(node: NodeId, watched: Watched, ms: number): void {
    watched.timer?.cancel();
    watched.timer = this.#options.clock.after(ms, () => {
      watched.timer = null;
      if (watched.under === 0) this.#look(node, watched);
      else this.#lookIn(node, watched, this.#options.againMs);
    });
  }

  #look(node: NodeId, watched: Watched): void {
    const { clock } = this.#options;
    const { places, controlKey, isRelay } = watched.subject;
    watched.lookedAt = clock.monotonicMs();
    this.#lookIn(node, watched, isRelay ? RELAY_EVERY_MS : OTHERS_EVERY_MS);
    for (const place of places) {
      watched.under++;
      const look = (): void => void this.#lookAt(node, watched, place, controlKey);
      if (isRelay) this.#waiting.unshift(look);
      else this.#waiting.push(look);
    }
    this.#next();
  }

  #next(): void {
    while (this.#under < this.#options.most) {
      const look = this.#waiting.shift();
      if (look === undefined) return;
      this.#under++;
      look();
    }
  }

  async #lookAt(node: NodeId, watched: Watched, place: Endpoint, key: Uint8Array): Promise<void> {
    const { look, counters, changed } = this.#options;
    const isCurrent = (): boolean =>
      this.#watched.get(node) === watched && watched.subject.places.some(each => same(each, place));
    const name = formatEndpoint(place);
    const isKnownGood = watched.answers.get(name) === true;
    let answer: DoorAnswer = 'silent';
    // One that answered so far gets a second chance.
    for (let tries = 0; tries < (isKnownGood ? 2 : 1) && answer !== 'answers' && isCurrent(); tries++)
      answer = await look(place, key);
    this.#under--;
    watched.under--;
    if (isCurrent()) {
      counters.counter(`door.${answer}`).value++;
      const before = this.door(node);
      watched.answers.set(name, answer === 'answers');
      if (!sameDoor(before, this.door(node))) changed(node);
    }
    this.#next();
  }
}

const same = (one: Endpoint, other: Endpoint): boolean => formatEndpoint(one) === formatEndpoint(other);

const samePlaces = (one: readonly Endpoint[], other: readonly Endpoint[]): boolean =>
  one.length === other.length && one.every((place, at) => same(place, other[at]!));

const sameDoor = (one: Door, other: Door): boolean =>
  one.state === other.state && samePlaces(one.places, other.places);

const sameSubject = (one: DoorSubject, other: DoorSubject): boolean =>
  one.isRelay === other.isRelay && samePlaces(one.places, other.places);
