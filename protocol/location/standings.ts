// What the server said last of each node that it disabled, removed or restored, and which of that another end lacks. Node
// and server keep the same list; verifying signatures and storing are theirs.
import { fromBase64Url, toBase64Url } from '../base64.ts';
import type { Primitives } from '../primitives.ts';
import type { Assignment, NodeId, Standing } from './messages.ts';

/** Beyond it restored nodes are dropped first, then the oldest. */
export const MAX_STANDINGS = 4096;

/** The digest has so many parts, one for each bucket of nodes, so that a difference narrows down what is lacking. */
const BUCKETS = 16;
const PART = 3;
/** Of two words of one instant the stricter counts. */
const STRICTNESS = { member: 0, disabled: 1, removed: 2 } as const;

export interface Taken {
  /** False: it is known, or overtaken. */
  readonly isNews: boolean;
  /** Had to make room. */
  readonly dropped: Standing | null;
}

/** Is a node with that assignment to be kept out by that word of the server? */
export function keepsOut(standing: Standing | null, assignment: Pick<Assignment, 'issued'>): boolean {
  if (standing === null || standing.state === 'member') return false;
  // Whoever is let in anew after a removal has a later assignment.
  return standing.state === 'disabled' || assignment.issued <= standing.at;
}

export class StandingList {
  readonly #primitives: Pick<Primitives, 'blake2s'>;
  readonly #most: number;
  readonly #standings = new Map<NodeId, Standing>();
  readonly #digest = new Uint8Array(BUCKETS * PART);

  constructor(primitives: Pick<Primitives, 'blake2s'>, most = MAX_STANDINGS) {
    this.#primitives = primitives;
    this.#most = most;
  }

  get size(): number {
    return this.#standings.size;
  }

  of(id: NodeId): Standing | null {
    return this.#standings.get(id) ?? null;
  }

  /** Would it say anything new? Cheap: asked before a signature is verified. */
  isNews({ id, state, at }: Standing): boolean {
    const known = this.#standings.get(id);
    if (known === undefined) return true;
    return at > known.at || (at === known.at && STRICTNESS[state] > STRICTNESS[known.state]);
  }

  /** A verified one. */
  take(standing: Standing): Taken {
    if (!this.isNews(standing)) return { isNews: false, dropped: null };
    this.#remove(standing.id);
    this.#standings.set(standing.id, standing);
    this.#toggle(standing);
    const dropped = this.#standings.size > this.#most ? this.#leastMissed() : null;
    if (dropped !== null) this.#remove(dropped.id);
    return { isNews: dropped !== standing, dropped };
  }

  /** 64 characters that are the same at both ends where the lists are. */
  digest(): string {
    return toBase64Url(this.#digest);
  }

  /** What somebody with that digest may lack, newest first; everything where it can't be read. */
  differing(digest: string): readonly Standing[] {
    if (digest === this.digest()) return [];
    const theirs = fromBase64Url(digest);
    const isSame = (bucket: number): boolean =>
      theirs?.length === this.#digest.length &&
      [0, 1, 2].every(byte => theirs[bucket * PART + byte] === this.#digest[bucket * PART + byte]);
    return [...this.#standings.values()]
      .filter(({ id }) => !isSame(bucketOf(id)))
      .sort((a, b) => b.at - a.at || (a.id < b.id ? -1 : 1));
  }

  /** In the order in which they came. */
  all(): readonly Standing[] {
    return [...this.#standings.values()];
  }

  #remove(id: NodeId): void {
    const known = this.#standings.get(id);
    if (known === undefined) return;
    this.#standings.delete(id);
    this.#toggle(known);
  }

  /** In and out are the same: exclusive or. */
  #toggle({ id, state, at }: Standing): void {
    const hash = this.#primitives.blake2s(new TextEncoder().encode(`${id}\n${state}\n${at}`));
    for (let byte = 0; byte < PART; byte++) {
      const place = bucketOf(id) * PART + byte;
      this.#digest[place] = this.#digest[place]! ^ hash[byte]!;
    }
  }

  #leastMissed(): Standing | null {
    const all = [...this.#standings.values()];
    const restored = all.filter(({ state }) => state === 'member');
    const from = restored.length > 0 ? restored : all;
    return from.reduce<Standing | null>(
      (least, one) => (least === null || one.at < least.at ? one : least),
      null,
    );
  }
}

/** Ids are keys, so their characters fall evenly. */
const bucketOf = (id: NodeId): number => id.charCodeAt(0) % BUCKETS;
