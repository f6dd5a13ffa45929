// Two homes on the simulated network, with the real nat-portpredict or without it, and how long they take to meet.
import type { Test } from 'tap';
import { SimWorld, type HomeKind, type HomeOptions, type SimNode } from './sim-node.ts';
import { portPredict } from './sim-portpredict.ts';

export interface Pair {
  readonly world: SimWorld;
  readonly one: SimNode;
  readonly two: SimNode;
}

export type End = readonly [HomeKind, HomeOptions?];

/** Both with the plugin, unless `without` says otherwise. */
export async function pair(
  t: Test,
  seed: number,
  [a, b]: readonly [End, End],
  without: 'one' | 'two' | null = null,
): Promise<Pair> {
  const world = new SimWorld(seed);
  t.teardown(() => world.stop());
  const further = portPredict(world);
  const home = ([kind, options]: End, has: boolean): SimNode =>
    world.home(kind, { ...options, ...(has ? { further } : {}) });
  const [one, two] = [home(a, without !== 'one'), home(b, without !== 'two')];
  world.acquaint(one, two);
  await world.run(500);
  return { world, one, two };
}

export const met = ({ one, two }: Pair) => one.stateOf(two) === 'direct' && two.stateOf(one) === 'direct';

/** The first packet goes from `one`; both speak from then on. */
export async function meets(t: Test, both: Pair, limitMs: number): Promise<number> {
  const { world, one, two } = both;
  t.teardown(one.stream(two, 100));
  t.teardown(two.stream(one, 100));
  return world.until(() => met(both), limitMs);
}
