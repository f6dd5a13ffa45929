// What a person could change so that two nodes meet directly: the last lines of `ginnel why`, cheapest first.
import type { Said } from '../../base/said.ts';
import type { PunchMethod } from '../../protocol/location/messages.ts';
import type { NatWords } from '../contract/nat-report.ts';
import { ALL_METHODS, isPunch, plansFor, sortOf } from './plan.ts';
import { says } from './sayings.ts';

export interface AdviceSide {
  readonly nat: NatWords;
  readonly can: readonly PunchMethod[];
  /** Does it have IPv6 addresses that it told? */
  readonly hasIpv6: boolean;
}

/** Empty: nothing is known that would help. */
export function adviceFor(here: AdviceSide, there: AdviceSide): Said[] {
  const advice: Said[] = [];
  const withAll = plansFor({ ...here, can: ALL_METHODS }, { ...there, can: ALL_METHODS });
  const missing = withAll.filter(isPunch);
  for (const [side, where] of sides(here, there))
    if (missing.length > 0 && side.can.length === 0) advice.push(says(`advice.predict-${where}`));
  if (here.hasIpv6 !== there.hasIpv6) advice.push(says(`advice.ipv6-${here.hasIpv6 ? 'there' : 'here'}`));
  const blocked = adviceForBlocked(here, there);
  return [...advice, ...(blocked.length > 0 ? blocked : [says('advice.port')])];
}

/** By UDP they would do better, also where they meet without it. */
export const adviceForBlocked = (here: AdviceSide, there: AdviceSide): Said[] =>
  sides(here, there)
    .filter(([{ nat }]) => sortOf(nat) === 'blocked')
    .map(([, where]) => says(`advice.udp-${where}`));

const sides = (here: AdviceSide, there: AdviceSide) =>
  [
    [here, 'here'],
    [there, 'there'],
  ] as const;
