// Two relays of one node should not fail together: other addresses (another /24 or /48), another region.
import { parseIp } from '../../protocol/ip/address.ts';
import { formatPrefix, networkOf } from '../../protocol/ip/prefix.ts';
import type { RelayFacts } from './facts.ts';

/** The larger, the farther apart: 0: they share a line or a house, as far as can be seen; 1: the region. */
export type Apartness = 0 | 1 | 2;
export const FARTHEST: Apartness = 2;

type Place = Pick<RelayFacts, 'places' | 'region'>;

export function apartness(one: Place, other: Place): Apartness {
  const blocks = blocksOf(one);
  if (blocksOf(other).some(block => blocks.includes(block))) return 0;
  return one.region !== '' && one.region === other.region ? 1 : FARTHEST;
}

const BLOCK = { 4: 24, 6: 48 } as const;

const known = new WeakMap<Place['places'], readonly string[]>();

/** The networks of its addresses: `198.51.100.0/24`. */
function blocksOf({ places }: Place): readonly string[] {
  const found = known.get(places);
  if (found !== undefined) return found;
  const blocks = places.flatMap(({ family, address }) => {
    const ip = parseIp(address);
    return ip.ok ? [formatPrefix(networkOf(ip.value, BLOCK[family]))] : [];
  });
  known.set(places, blocks);
  return blocks;
}
