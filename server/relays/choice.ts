// Which relays a node gets (V8): four ways of choosing, and calm: who has relays that do keeps them for ten minutes, however
// loads change. Pure: time and randomness are handed in, and nothing is remembered here.
import type { Random } from '../../base/random.ts';
import type { NodeId } from '../../protocol/location/messages.ts';
import { apartness, FARTHEST } from './apart.ts';
import { loadOf, rttOf, spareOf } from './facts.ts';
import type { NodeFacts, RelayFacts, Surroundings } from './facts.ts';

/** How many relays a node keeps a connection to. */
export const KEEP = 2;
/** Under changing load a node's relays change at most once in that time. */
export const CALM_MS = 10 * 60_000;

/** What a node has: the first choice first. */
export interface Kept {
  readonly relays: readonly NodeId[];
  /** When they changed last of the load's changes; null: never. */
  readonly changedAt: number | null;
}

export interface ChoiceOptions extends Surroundings {
  readonly now: number;
  readonly random: Random;
}

/** `relays`: all that can forward for this node now. Answers `kept` itself where nothing changes. */
export function chooseRelays(
  node: NodeFacts,
  kept: Kept,
  relays: ReadonlyMap<NodeId, RelayFacts>,
  options: ChoiceOptions,
): Kept {
  const staying = kept.relays.flatMap(id => usableAt(node, relays.get(id), kept));
  const all = [...relays.values()];
  const filled = filledUp(node, staying, all, options);
  const isForced = staying.length < kept.relays.length || filled.length > kept.relays.length;
  if (isForced) return { ...kept, relays: filled.map(({ id }) => id) };
  if (kept.changedAt !== null && options.now - kept.changedAt < CALM_MS) return kept;
  const better = improved(node, filled, all, options);
  return better === null ? kept : { relays: better.map(({ id }) => id), changedAt: options.now };
}

/** Why this relay is not to be had for that node at all; null: it is. */
export function refusalOf(node: NodeFacts, relay: RelayFacts, kept: Kept): 'self' | 'failed' | 'full' | null {
  if (relay.id === node.id) return 'self';
  if (node.failed.has(relay.id)) return 'failed';
  const isNew = !kept.relays.includes(relay.id);
  return isNew && relay.nodes >= relay.mostNodes ? 'full' : null;
}

/** The smaller, the better; of `random` all are alike. */
export function costOf(
  node: NodeFacts,
  relay: RelayFacts,
  { way, perNode }: Surroundings,
  isNew: boolean,
): number {
  if (way === 'random') return 0;
  if (way === 'nearest') return rttOf(node, relay);
  return way === 'bandwidth'
    ? -spareOf(relay, perNode, isNew ? 1 : 0)
    : loadOf(relay, perNode, isNew ? 1 : 0);
}

/** Less than any apartness. */
const FAILED = -1;
const NONE: Kept = { relays: [], changedAt: null };

function usableAt(node: NodeFacts, relay: RelayFacts | undefined, kept: Kept): RelayFacts[] {
  return relay === undefined || refusalOf(node, relay, kept) !== null ? [] : [relay];
}

/** Two where there are two, the second as far from the first as can be. */
function filledUp(
  node: NodeFacts,
  staying: readonly RelayFacts[],
  relays: readonly RelayFacts[],
  options: ChoiceOptions,
): RelayFacts[] {
  const filled = staying.slice(0, KEEP);
  while (filled.length < KEEP) {
    const next = best(node, filled, relays, options);
    if (next === null) break;
    filled.push(next);
  }
  return filled;
}

/** The best that stands apart from those it joins; of several alike a random one. */
function best(
  node: NodeFacts,
  beside: readonly RelayFacts[],
  relays: readonly RelayFacts[],
  options: ChoiceOptions,
): RelayFacts | null {
  let found: RelayFacts[] = [];
  let [foundApart, foundCost] = [FAILED, Infinity];
  for (const relay of relays) {
    const refusal = refusalOf(node, relay, NONE);
    if (beside.includes(relay) || (refusal !== null && refusal !== 'failed')) continue;
    // One that failed lately is better than none.
    let apart: number = refusal === 'failed' ? FAILED : FARTHEST;
    for (const other of beside) apart = Math.min(apart, apartness(other, relay));
    if (apart < foundApart) continue;
    const cost = costOf(node, relay, options, true);
    if (apart === foundApart && cost > foundCost) continue;
    if (apart > foundApart || cost < foundCost) found = [];
    found.push(relay);
    [foundApart, foundCost] = [apart, cost];
  }
  return found.length === 0 ? null : found[options.random.below(found.length)]!;
}

/** One exchange that is worth it: a much better first choice, or a second that stands apart; null: there is none. */
function improved(
  node: NodeFacts,
  [first, second]: readonly RelayFacts[],
  relays: readonly RelayFacts[],
  options: ChoiceOptions,
): readonly RelayFacts[] | null {
  if (first === undefined || second === undefined) return null;
  const others = relays.filter(relay => relay !== first);
  const wanted = best(node, [], others, options);
  if (wanted !== null && isWorthIt(node, first, wanted, options)) {
    const warm = wanted === second || apartness(wanted, first) >= apartness(wanted, second) ? first : second;
    return [wanted, warm];
  }
  const farther = best(node, [first], relays, options);
  const isFarther =
    farther !== null && !node.failed.has(farther.id) && apartness(first, farther) > apartness(first, second);
  return isFarther ? [first, farther] : null;
}

const LEAST_NEARER_MS = 1;
const LEAST_WIDER = 10e6;
const LEAST_LIGHTER = 0.03;

/** A change costs something: a little better is not worth it. */
function isWorthIt(node: NodeFacts, now: RelayFacts, wanted: RelayFacts, options: ChoiceOptions): boolean {
  if (node.failed.has(wanted.id)) return false;
  const [before, after] = [costOf(node, now, options, false), costOf(node, wanted, options, true)];
  switch (options.way) {
    case 'random':
      return false;
    case 'nearest': {
      // What is only guessed proves nothing against what was measured.
      const isKnown = node.rtts.has(wanted.id) || !node.rtts.has(now.id);
      return isKnown && before - after > Math.max(LEAST_NEARER_MS, before * 0.05);
    }
    case 'bandwidth':
      return before - after > Math.max(LEAST_WIDER, -before * 0.5);
    case 'balanced':
      return before - after > Math.max(LEAST_LIGHTER, before * 0.05);
  }
}

/** V8, nearest "of source, destination and relay": the destination's relays as they suit who sends, the first choice first. */
export function orderFor(
  source: Pick<NodeFacts, 'region' | 'rtts'>,
  destination: Pick<NodeFacts, 'region' | 'rtts'>,
  relays: readonly RelayFacts[],
  way: Surroundings['way'],
): readonly RelayFacts[] {
  if (way !== 'nearest') return relays;
  const whole = (relay: RelayFacts): number => rttOf(source, relay) + rttOf(destination, relay);
  return [...relays].sort((a, b) => whole(a) - whole(b));
}
