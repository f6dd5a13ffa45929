// What follows from a NAT report, in plain words: the first line of `ginnel netcheck`, and its last ones.
import type { Said } from '../../base/said.ts';
import { formatEndpoint, type Endpoint } from '../../protocol/address.ts';
import type { PunchMethod } from '../../protocol/location/messages.ts';
import type { NatReport } from '../contract/nat-report.ts';
import type { AdviceSide } from '../paths/advice.ts';
import { sortOf, type HomeSort } from '../paths/plan.ts';
import { netcheckSays as says, type NetcheckSaying } from './netcheck-sayings.ts';

/** For who knows none of the words below. */
export const summary = (report: NatReport, can: readonly PunchMethod[], isMapped: boolean): Said =>
  says(isMapped ? 'sum.mapped' : sumOf(report, can));

function sumOf(
  { takenAt, udp, nat, mapping, ports }: NatReport,
  can: readonly PunchMethod[],
): NetcheckSaying {
  if (udp === 'no') return can.includes('tcp') ? 'sum.blocked-tcp' : 'sum.blocked';
  if (takenAt === 0 || nat === 'not-checked') return 'sum.unknown';
  if (nat === 'no') return 'sum.public';
  if (mapping === 'endpoint-independent') return 'sum.steady';
  if (mapping === 'not-checked') return 'sum.unchecked';
  const isForeseen = ports.rule === 'sequential' ? can.includes('predict') : can.includes('birthday');
  return isForeseen ? 'sum.hard-most' : 'sum.hard';
}

/** `can`: what this box does beyond plain probes. `mapped`: the place whose packets the router passes on, whoever sends them. */
export function conclusions(
  report: NatReport,
  can: readonly PunchMethod[] = [],
  mapped: Endpoint | null = null,
): Said[] {
  const said: Said[] = [];
  if (mapped !== null) said.push(says('nat.mapped', { place: formatEndpoint(mapped) }));
  if (report.udp === 'no') {
    const instead = says(can.includes('tcp') ? 'nat.blocked-tcp' : 'nat.blocked-alone');
    said.push(says('nat.blocked', { instead }));
  }
  if (report.nat === 'no') said.push(says('nat.public'));
  if (report.mapping === 'endpoint-independent' && report.nat === 'yes') said.push(says('nat.steady'));
  if (report.mapping === 'address-and-port-dependent' || report.mapping === 'address-dependent') {
    said.push(symmetric(report, can), ...(mapped === null ? [says('nat.fixed-port')] : []));
  }
  if (report.hairpin === 'no') said.push(says('nat.hairpin'));
  if (report.lifetimeMs !== null)
    said.push(says('nat.lifetime', { seconds: Math.round(report.lifetimeMs / 1000) }));
  if (report.ipv6 === 'no') said.push(says('nat.no-ipv6'));
  return said;
}

function symmetric({ ports }: NatReport, can: readonly PunchMethod[]): Said {
  if (ports.rule === 'sequential')
    return says(can.includes('predict') ? 'nat.stepped' : 'nat.stepped-off', { step: ports.step });
  return says(can.includes('birthday') ? 'nat.random' : 'nat.random-off');
}

/** The other box, by what it told of itself. */
export function otherSide(there: AdviceSide): Said[] {
  const isPublic = there.nat.mapping === 'none';
  return [
    says(isPublic ? 'there.public' : THERE[sortOf(there.nat)]),
    ...(there.can.length === 0 && WANTS_PLUGIN.has(sortOf(there.nat)) ? [says('there.no-predict')] : []),
    says(there.hasIpv6 ? 'there.ipv6' : 'there.no-ipv6'),
  ];
}

const THERE: Readonly<Record<HomeSort, NetcheckSaying>> = {
  blocked: 'there.blocked',
  open: 'there.open',
  known: 'there.steady',
  rule: 'there.stepped',
  random: 'there.random',
  unknown: 'there.unknown',
};

/** Homes that plain probes rarely get into. */
const WANTS_PLUGIN: ReadonlySet<HomeSort> = new Set(['blocked', 'rule', 'random']);
