// What a peer told of itself in its last signal, and where it was met before: the places worth probing.
import type { Endpoint } from '../../protocol/address.ts';
import { formatEndpoint } from '../../protocol/address.ts';
import type { CandidateWords, PathSignal, PunchWords } from '../../protocol/location/messages.ts';
import { MAX_CANDIDATES } from '../contract/candidate.ts';
import type { Way } from './path.ts';
import { placeOfSignal } from './punching.ts';
import type { NatWords } from '../contract/nat-report.ts';
import { UNKNOWN_NAT } from './verdict.ts';

export interface Place {
  readonly way: Way;
  readonly learnt: string;
}

/** Turns an endpoint into a way; null where this node cannot or must not send there. */
export type WayFinder = (endpoint: Endpoint) => Way | null;

const KEPT_GOOD = 4;

export class RemoteSide {
  nat: NatWords = UNKNOWN_NAT;
  serverRttMs: number | null = null;
  /** Did it ever send us candidates? */
  known = false;
  /** What its last signal said beyond them; null: nothing. */
  punch: PunchWords | null = null;
  /** Names the network it is in. */
  place = '';
  /** Of its last signal, perhaps of an earlier run: those of other transports than UDP. */
  others: readonly CandidateWords[];
  #candidates: readonly { endpoint: Endpoint; kind: string }[] = [];
  /** Where anybody can reach it, by the server's table (V7). */
  #open: readonly Endpoint[] = [];
  /** Where it answered, the latest first. */
  #good: Endpoint[];
  #serial = 0;

  constructor(good: readonly Endpoint[], others: readonly CandidateWords[] = []) {
    this.others = others;
    this.#good = good.slice(0, KEPT_GOOD);
  }

  /** False: an old signal once more. */
  learn(signal: PathSignal): boolean {
    if (signal.serial <= this.#serial) return false;
    this.#serial = signal.serial;
    this.nat = signal.nat;
    this.serverRttMs = signal.serverRttMs;
    this.known = true;
    this.punch = signal.punch ?? null;
    this.place = placeOfSignal(signal);
    this.#candidates = signal.candidates
      .filter(({ transport }) => transport === 'udp')
      .slice(0, MAX_CANDIDATES);
    this.others = signal.candidates.filter(({ transport }) => transport !== 'udp');
    return true;
  }

  /** Seen outside by it, not only an address of its own. */
  get hasIpv6(): boolean {
    return this.#candidates.some(({ kind, endpoint }) => kind === 'reflexive' && endpoint.family === 6);
  }

  noteOpen(places: readonly Endpoint[]): void {
    this.#open = places.slice(0, MAX_CANDIDATES);
  }

  /** Nobody's early probe can spoil these. */
  open(wayTo: WayFinder): Place[] {
    return this.#places(this.#table(), wayTo);
  }

  /** Is the endpoint new as the last good one? */
  metAt(endpoint: Endpoint): boolean {
    const key = formatEndpoint(endpoint);
    const isNew = this.#good.length === 0 || formatEndpoint(this.#good[0]!) !== key;
    this.#good = [endpoint, ...this.#good.filter(other => formatEndpoint(other) !== key)].slice(0, KEPT_GOOD);
    return isNew;
  }

  get good(): readonly Endpoint[] {
    return this.#good;
  }

  /** Its candidates as it told them, each place once; then, within the limit, where it was met before. */
  told(wayTo: WayFinder): Place[] {
    return this.#places([...this.#candidates, ...this.#table(), ...this.#remembered()], wayTo);
  }

  /** The other way round: where it was met before comes first. */
  remembered(wayTo: WayFinder): Place[] {
    return this.#places([...this.#remembered(), ...this.#table(), ...this.#candidates], wayTo);
  }

  #table(): { endpoint: Endpoint; kind: string }[] {
    return this.#open.map(endpoint => ({ endpoint, kind: 'the server says' }));
  }

  #remembered(): { endpoint: Endpoint; kind: string }[] {
    return this.#good.map(endpoint => ({ endpoint, kind: 'last good' }));
  }

  #places(list: readonly { endpoint: Endpoint; kind: string }[], wayTo: WayFinder): Place[] {
    const places = new Map<string, Place>();
    for (const { endpoint, kind } of list) {
      const way = wayTo(endpoint);
      if (way !== null && !places.has(way.key)) places.set(way.key, { way, learnt: kind });
      if (places.size === MAX_CANDIDATES) break;
    }
    return [...places.values()];
  }
}
