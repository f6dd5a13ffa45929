// The last hour of the paths to peers, for a plot: looked at every quarter of a minute by whoever runs it, kept in a few
// kilobytes a peer, for those that were in touch last.
import type { NodeStatus, PeerStatus } from '../../core/admin.ts';
import type { PathChange, PathSample, PeerHistory } from '../peers-admin.ts';

export const LOOK_EVERY_MS = 15_000;
const HOUR_MS = 3_600_000;
const SAMPLES = HOUR_MS / LOOK_EVERY_MS;
/** Whoever was not in touch for longest gives way. */
export const MOST_PEERS = 64;
export const MOST_CHANGES = 64;
/** Of labels and reasons: a relay's name is its owner's choice. */
const MAX_CHARACTERS = 256;
/** As JSON. */
const MAX_FACTS = 2048;

export class PathHistory {
  /** By peer id; the one that was sampled last comes last. */
  readonly #peers = new Map<string, PeerRing>();
  /** The last one that was asked for and was not there. */
  #asked = '';

  /** `at`: milliseconds since 1970. */
  note({ peers }: Pick<NodeStatus, 'peers'>, at: number): void {
    const active = peers.filter(({ state }) => state !== 'offline' && state !== 'idle');
    for (const peer of active.length > MOST_PEERS ? this.#chosen(active) : active) {
      const ring = this.#peers.get(peer.id) ?? new PeerRing();
      // Anew at the end of the order.
      this.#peers.delete(peer.id);
      this.#peers.set(peer.id, ring);
      ring.note(peer, at);
    }
    for (const id of this.#peers.keys()) {
      if (this.#peers.size <= MOST_PEERS) break;
      this.#peers.delete(id);
    }
  }

  /** Whom somebody asked for, then those that are kept already, then whoever was heard last. */
  #chosen(active: readonly PeerStatus[]): readonly PeerStatus[] {
    const rank = ({ id, lastHeardSecondsAgo }: PeerStatus): number =>
      id === this.#asked ? -2 : this.#peers.has(id) ? -1 : (lastHeardSecondsAgo ?? Infinity);
    const ranked = active.map(peer => ({ peer, rank: rank(peer) }));
    ranked.sort((one, other) => (one.rank === other.rank ? 0 : one.rank - other.rank));
    return ranked.slice(0, MOST_PEERS).map(({ peer }) => peer);
  }

  of(id: string, now: number): PeerHistory {
    const ring = this.#peers.get(id);
    if (ring === undefined) this.#asked = id;
    return {
      everyMs: LOOK_EVERY_MS,
      samples: ring?.samples(now - HOUR_MS) ?? [],
      changes: ring?.changes.filter(({ at }) => at > now - HOUR_MS) ?? [],
    };
  }

  get size(): number {
    return this.#peers.size;
  }
}

/** One path as it was sampled; few of them stand for many samples. */
interface Way {
  readonly class: PathSample['class'];
  readonly label: string;
}

const NONE: Way = { class: 'none', label: '' };

class PeerRing {
  readonly changes: PathChange[] = [];
  readonly #at = new Float64Array(SAMPLES);
  /** NaN: none was measured. */
  readonly #rttMs = new Float32Array(SAMPLES);
  readonly #loss = new Float32Array(SAMPLES);
  readonly #way: Way[] = new Array<Way>(SAMPLES).fill(NONE);
  #next = 0;
  #count = 0;
  #last: Way | null = null;

  note(peer: PeerStatus, at: number): void {
    const { path } = peer;
    const way = this.#noteWay(peer, at);
    const slot = this.#next;
    this.#next = (slot + 1) % SAMPLES;
    this.#count = Math.min(this.#count + 1, SAMPLES);
    this.#at[slot] = at;
    this.#rttMs[slot] = path?.rttMs ?? NaN;
    this.#loss[slot] = path?.loss ?? 0;
    this.#way[slot] = way;
  }

  samples(after: number): PathSample[] {
    const found: PathSample[] = [];
    for (let n = 0; n < this.#count; n++) {
      const slot = (this.#next - this.#count + n + SAMPLES) % SAMPLES;
      const at = this.#at[slot] ?? 0;
      if (at <= after) continue;
      const rttMs = rounded(this.#rttMs[slot] ?? NaN, 100);
      const way = this.#way[slot] ?? NONE;
      const loss = rounded(this.#loss[slot] ?? 0, 10_000);
      found.push({ at, rttMs: Number.isNaN(rttMs) ? null : rttMs, loss, ...way });
    }
    return found;
  }

  /** The same object for as long as it is the same way. */
  #noteWay({ path, ...peer }: PeerStatus, at: number): Way {
    const way: Way = path === null ? NONE : { class: path.class, label: cut(path.label) };
    const from = this.#last;
    if (from?.label === way.label && from.class === way.class) return from;
    this.#last = way;
    if (from !== null) this.changes.push({ at, from: from.label, to: way.label, ...reasonOf(peer) });
    if (this.changes.length > MOST_CHANGES) this.changes.shift();
    return way;
  }
}

const rounded = (value: number, steps: number): number => Math.round(value * steps) / steps;
const cut = (text: string): string => text.slice(0, MAX_CHARACTERS);

type Reason = Pick<PathChange, 'reason' | 'reasonCode' | 'reasonFacts'>;

/** One that is too long for the rest to be kept stays in English. */
function reasonOf({ reason, reasonCode, reasonFacts }: Reason): Reason {
  const isShort = JSON.stringify(reasonFacts).length <= MAX_FACTS;
  return isShort
    ? { reason: cut(reason), reasonCode, reasonFacts }
    : { reason: cut(reason), reasonCode: '', reasonFacts: {} };
}
