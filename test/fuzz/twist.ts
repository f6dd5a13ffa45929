// Damage to JSON as a tree: what damage to bytes alone seldom hits.
import type { FuzzRandom } from './mutate.ts';

/** A value of the JSON tree replaced by another, dropped, or doubled. */
export function twist(value: unknown, random: FuzzRandom): unknown {
  if (Array.isArray(value)) {
    const list: readonly unknown[] = value;
    if (random.oneIn(4)) return [...list, ...list];
    return list.map(one => (random.oneIn(3) ? twist(one, random) : one));
  }
  if (typeof value === 'object' && value !== null && !random.oneIn(8)) {
    const fields = Object.entries(value).filter(() => !random.oneIn(20));
    return Object.fromEntries(
      fields.map(([name, one]) => [name, random.oneIn(6) ? twist(one, random) : (one as unknown)]),
    );
  }
  return random.pick([
    null,
    0,
    -1,
    1.5,
    2 ** 53,
    '',
    'x',
    '10.77.0.1',
    '0.0.0.0/0',
    true,
    [],
    {},
    '_'.repeat(43),
    'a'.repeat(300),
    value,
  ]);
}
