// Why a relay is a node's first choice, its second, or none of the two: in plain words, for `ginnel relays --why NODE`.
import type { NodeId } from '../../protocol/location/messages.ts';
import { apartness } from './apart.ts';
import { CALM_MS, costOf, refusalOf } from './choice.ts';
import type { Kept } from './choice.ts';
import { guessed, loadOf, rttOf, spareOf } from './facts.ts';
import type { NodeFacts, RelayChoice, RelayFacts, Surroundings } from './facts.ts';

export interface Ranked {
  readonly relay: NodeId;
  readonly use: 'first' | 'second' | 'not used' | 'not usable';
  /** One sentence or two. */
  readonly words: string;
}

/** The first choice first, then the second, then all others, the best of them first. */
export function rankingOf(
  node: NodeFacts,
  kept: Kept,
  relays: readonly RelayFacts[],
  around: Surroundings & { readonly now: number },
): readonly Ranked[] {
  const place = ({ id }: RelayFacts): number => (kept.relays.includes(id) ? kept.relays.indexOf(id) : 9);
  const isOut = (relay: RelayFacts): number => Number(refusalOf(node, relay, kept) !== null);
  const cost = (relay: RelayFacts): number => costOf(node, relay, around, place(relay) > 0);
  return [...relays]
    .filter(({ id }) => id !== node.id)
    .sort((a, b) => place(a) - place(b) || isOut(a) - isOut(b) || cost(a) - cost(b))
    .map(relay => ranked(node, kept, relay, { ...around, relays }));
}

interface Around extends Surroundings {
  readonly now: number;
  readonly relays: readonly RelayFacts[];
}

function ranked(node: NodeFacts, kept: Kept, relay: RelayFacts, around: Around): Ranked {
  const refusal = refusalOf(node, relay, kept);
  if ((refusal === 'failed' && !kept.relays.includes(relay.id)) || refusal === 'full')
    return { relay: relay.id, use: 'not usable', words: REFUSALS[refusal](relay) };
  const failed = refusal === 'failed' ? ', and could not be reached lately, for want of another' : '';
  const figure = `${FIGURES[around.way](node, relay, around)}${failed}`;
  const [first, second] = kept.relays.map(id => around.relays.find(each => each.id === id));
  if (relay === first) return { relay: relay.id, use: 'first', words: `${figure}.${calm(kept, around)}` };
  if (relay === second)
    return { relay: relay.id, use: 'second', words: `${figure}; ${beside(first!, relay)}.` };
  return {
    relay: relay.id,
    use: 'not used',
    words: `${figure}; ${whyNot(node, relay, [first, second], around)}.`,
  };
}

const REFUSALS = {
  failed: () => 'This box could not reach it lately.',
  full: ({ mostNodes }: RelayFacts) => `It serves ${mostNodes} boxes, and takes no more.`,
};

const FIGURES: Record<RelayChoice, (node: NodeFacts, relay: RelayFacts, around: Surroundings) => string> = {
  random: () => 'Chosen by chance, or not',
  nearest: (node, relay) => {
    if (node.rtts.has(relay.id)) return `${rttOf(node, relay).toFixed(1)} ms from this box`;
    return GUESSES[guessed(node.region, relay.region)](relay.region);
  },
  bandwidth: (_node, relay, { perNode }) =>
    relay.spare === null
      ? `It cannot tell what it has to spare; taken for ${bitsInWords(spareOf(relay, perNode))}`
      : `${bitsInWords(spareOf(relay, perNode))} to spare`,
  balanced: (_node, relay, { perNode }) =>
    `${percent(loadOf(relay, perNode))} loaded (CPU ${percent(relay.cpuLoad)}, ${spareInWords(relay)}, first choice of ${relay.firsts} ${relay.firsts === 1 ? 'box' : 'boxes'})`,
};

const GUESSES = {
  same: (region: string) => `In the same region (${region}), not measured yet`,
  other: (region: string) => `In another region (${region}), not measured yet`,
  unknown: () => 'Not measured yet, and the regions are not both known',
};

function calm({ changedAt }: Kept, { now }: Around): string {
  const left = changedAt === null ? 0 : changedAt + CALM_MS - now;
  return left <= 0
    ? ''
    : ` Not changed again for load or distance within the next ${Math.ceil(left / 60_000)} min.`;
}

function beside(first: RelayFacts, second: RelayFacts): string {
  const apart = apartness(first, second);
  if (apart === 0) return 'shares its network with the first choice, for want of one that does not';
  return apart === 1 ? 'in another network than the first choice' : 'apart from the first choice';
}

function whyNot(
  node: NodeFacts,
  relay: RelayFacts,
  [first, second]: readonly (RelayFacts | undefined)[],
  around: Around,
): string {
  if (first === undefined) return 'this box needs no relay';
  if (around.way === 'random') return 'others came up';
  const cost = costOf(node, relay, around, true);
  if (
    second !== undefined &&
    apartness(first, relay) < apartness(first, second) &&
    cost >= costOf(node, first, around, false)
  )
    return 'less apart from the first choice than the second is';
  if (second !== undefined && cost >= costOf(node, second, around, true))
    return 'no better than those in use';
  return 'not so much better than those in use that a change is worth it now';
}

const percent = (share: number): string => `${Math.round(100 * share)} %`;

const spareInWords = ({ spare }: RelayFacts): string =>
  spare === null ? 'its line does not tell what it has to spare' : `${bitsInWords(spare)} to spare`;

function bitsInWords(bits: number): string {
  const left = Math.max(0, bits);
  return left >= 1e9 ? `${(left / 1e9).toFixed(1)} Gbit/s` : `${Math.round(left / 1e6)} Mbit/s`;
}
