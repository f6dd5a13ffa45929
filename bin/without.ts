// GINNEL_WITHOUT: abilities of the data plane that are left unused, to find out which of them a trouble belongs to.
import { ABILITIES, type Ability } from '../core/node/abilities.ts';
import type { DoorOffloads } from '../system/doors-linux.ts';
import { commandErrors } from './errors.ts';

/** A comma list; absent or empty: all are used. Throws ABILITY_UNKNOWN. */
export function withoutOf({ GINNEL_WITHOUT = '' }: NodeJS.ProcessEnv): ReadonlySet<Ability> {
  const words = GINNEL_WITHOUT.split(',').map(word => word.trim());
  return new Set(words.filter(word => word !== '').map(abilityOf));
}

function abilityOf(word: string): Ability {
  const ability = ABILITIES.find(each => each === word);
  if (ability === undefined) throw commandErrors('ABILITY_UNKNOWN', { word, known: ABILITIES.join(', ') });
  return ability;
}

/** Those that belong to the doors to the kernel. */
export const offloadsWithout = (without: ReadonlySet<Ability>): DoorOffloads => ({
  card: !without.has('card'),
  cut: !without.has('cut'),
  coalesce: !without.has('coalesce'),
});
