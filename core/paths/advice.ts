// What a person could change so that two nodes meet directly: the last lines of `ginnel why`, cheapest first.
import type { PunchMethod } from '../../protocol/location/messages.ts';
import type { NatWords } from '../contract/nat-report.ts';
import { ALL_METHODS, isPunch, plansFor, sortOf } from './plan.ts';

export interface AdviceSide {
  readonly nat: NatWords;
  readonly can: readonly PunchMethod[];
  /** Does it have IPv6 addresses that it told? */
  readonly hasIpv6: boolean;
}

/** Empty: nothing is known that would help. */
export function adviceFor(here: AdviceSide, there: AdviceSide): string[] {
  const lines: string[] = [];
  const withAll = plansFor({ ...here, can: ALL_METHODS }, { ...there, can: ALL_METHODS });
  const missing = withAll.filter(isPunch);
  for (const [side, where] of sides(here, there))
    if (missing.length > 0 && side.can.length === 0)
      lines.push(`turn the plugin nat-portpredict on ${where}: ginnel plugins enable nat-portpredict`);
  if (here.hasIpv6 !== there.hasIpv6)
    lines.push(
      `turn IPv6 on ${here.hasIpv6 ? 'there' : 'here'}: the other home has it, and it needs no luck`,
    );
  const blocked = sides(here, there).filter(([{ nat }]) => sortOf(nat) === 'blocked');
  for (const [, where] of blocked) lines.push(`let UDP out in the router or firewall ${where}`);
  if (blocked.length === 0)
    lines.push(
      'give one of the two boxes a port of its own: UPnP, NAT-PMP or PCP in its router, or a UDP port forwarded by hand and named with ginnel set external-addresses',
    );
  return lines;
}

const sides = (here: AdviceSide, there: AdviceSide): readonly (readonly [AdviceSide, string])[] => [
  [here, 'here'],
  [there, 'there'],
];
