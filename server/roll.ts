// Who is in the network, for those who look at a list of its boxes: only what changed since they asked last. Nothing is kept
// up to date while nobody asks; each question compares what is with what was told.
import type { Clock } from '../base/clock.ts';
import type { Enrolled, NodeId, RollAnswer, RollRequest } from '../protocol/location/messages.ts';
import { isMember, nameOf } from './registry-entries.ts';
import type { NodeEntry } from './registry-entries.ts';

/** Of members, and of those who are gone. */
const AT_ONCE = 128;
/** Beyond it whoever asks begins anew. */
const MOST_GONE = 4096;
/** However many ask: so many times as long as it took is passed before the network is looked through again. */
const REST = 19;

export interface RollOptions {
  readonly nodes: () => Iterable<NodeEntry>;
  readonly isHere: (node: NodeId) => boolean;
  readonly clock: Clock;
}

interface Line {
  readonly member: Enrolled;
  /** When it became so; each change has a number of its own, within one run of the server. */
  readonly at: number;
}

export class Roll {
  readonly #options: RollOptions;
  /** In the order of `at`, as is what went. */
  readonly #lines = new Map<NodeId, Line>();
  readonly #gone = new Map<NodeId, number>();
  /** The same, to be looked into; null: they changed since. */
  #inOrder: readonly Line[] | null = null;
  #nextLook = -Infinity;
  #at = 0;
  /** Who was told no more than this may know of some that are gone, and would not hear it. */
  #begunAt = 0;

  constructor(options: RollOptions) {
    this.#options = options;
  }

  answer({ id, after }: RollRequest): RollAnswer {
    this.#look();
    const whole = after === 0 || after < this.#begunAt || after > this.#at;
    const from = whole ? 0 : after;
    const lines = (this.#inOrder ??= [...this.#lines.values()]);
    const first = firstAfter(lines, from);
    const changed = lines.slice(first, first + AT_ONCE + 1);
    const gone = whole ? [] : [...this.#gone].filter(([, at]) => at > from);
    return { type: 'roll', re: id, whole, ...page(changed, gone, this.#at) };
  }

  #look(): void {
    const { clock } = this.#options;
    const begun = clock.monotonicMs();
    if (begun < this.#nextLook) return;
    const before = this.#at;
    this.#compare();
    if (this.#at !== before) this.#inOrder = null;
    const ended = clock.monotonicMs();
    this.#nextLook = ended + (ended - begun) * REST;
  }

  #compare(): void {
    const seen = new Set<NodeId>();
    for (const entry of this.#options.nodes()) {
      if (!isMember(entry)) continue;
      seen.add(entry.id);
      const member = enrolled(entry, this.#options.isHere(entry.id));
      const before = this.#lines.get(entry.id);
      if (before !== undefined && isSame(before.member, member)) continue;
      this.#lines.delete(entry.id);
      this.#lines.set(entry.id, { member, at: ++this.#at });
      this.#gone.delete(entry.id);
    }
    for (const node of this.#lines.keys()) {
      if (seen.has(node)) continue;
      this.#lines.delete(node);
      this.#gone.set(node, ++this.#at);
    }
    if (this.#gone.size > MOST_GONE) this.#beginAnew();
  }

  #beginAnew(): void {
    this.#begunAt = this.#at;
    this.#gone.clear();
    for (const [node, { member }] of this.#lines) this.#lines.set(node, { member, at: ++this.#at });
  }
}

/** The place of the first line that is newer. */
function firstAfter(lines: readonly Line[], after: number): number {
  let [low, high] = [0, lines.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (lines[middle]!.at > after) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** As many as one answer holds, in the order in which they changed. */
function page(
  changed: readonly Line[],
  gone: readonly (readonly [NodeId, number])[],
  newest: number,
): Pick<RollAnswer, 'members' | 'gone' | 'at' | 'more'> {
  const last = Math.min(changed[AT_ONCE]?.at ?? Infinity, gone[AT_ONCE]?.[1] ?? Infinity) - 1;
  const at = Math.min(last, newest);
  return {
    members: changed.filter(line => line.at <= at).map(({ member }) => member),
    gone: gone.filter(([, when]) => when <= at).map(([node]) => node),
    at,
    more: at < newest,
  };
}

function enrolled(entry: NodeEntry, isHere: boolean): Enrolled {
  const { id, assignment, lastSeen } = entry;
  const { ip4, ip6, issued } = assignment;
  return { id, name: nameOf(entry), ip4, ip6, issued, lastSeen: isHere ? null : lastSeen };
}

const isSame = (a: Enrolled, b: Enrolled): boolean =>
  a.name === b.name && a.issued === b.issued && a.lastSeen === b.lastSeen;
