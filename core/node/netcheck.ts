// What follows from a NAT report, in plain words: the first line of `ginnel netcheck`, and its last ones.
import { formatEndpoint, type Endpoint } from '../../protocol/address.ts';
import type { PunchMethod } from '../../protocol/location/messages.ts';
import type { NatReport } from '../contract/nat-report.ts';

/** For who knows none of the words below. */
export function summary(report: NatReport, can: readonly PunchMethod[], isMapped: boolean): string {
  const { takenAt, udp, nat, mapping, ports } = report;
  if (isMapped) return 'Other boxes reach this one directly: its router passes a port on to it.';
  if (udp === 'no')
    return can.includes('tcp')
      ? 'This network lets no UDP packets out; direct paths are tried by TCP, and work with many other homes.'
      : 'No direct path can be made from here: this network lets no UDP packets out.';
  if (takenAt === 0 || nat === 'not-checked')
    return 'It is not known yet how other boxes can reach this one.';
  if (nat === 'no') return 'Other boxes can reach this one directly, unless a firewall stops them.';
  if (mapping === 'endpoint-independent') return 'Direct paths from this home work with most other homes.';
  if (mapping === 'not-checked')
    return 'This home is behind a router that translates addresses; of which kind is not known yet.';
  const isForeseen = ports.rule === 'sequential' ? can.includes('predict') : can.includes('birthday');
  return isForeseen
    ? 'Direct paths from this home work with most other homes, though its router makes it hard to be found.'
    : 'Direct paths from this home work with some other homes only: its router makes it hard to be found.';
}

/** `can`: what this box does beyond plain probes. `mapped`: the place whose packets the router passes on, whoever sends them. */
export function conclusions(
  report: NatReport,
  can: readonly PunchMethod[] = [],
  mapped: Endpoint | null = null,
): string[] {
  const lines: string[] = [];
  if (mapped !== null)
    lines.push(
      `The router passes ${formatEndpoint(mapped)} on to this box: others get straight to it, whatever is said of the NAT below.`,
    );
  if (report.udp === 'no') {
    lines.push(
      `UDP does not pass here: nothing came back from the location server; a firewall or the router blocks it. ${withoutUdp(can)}`,
    );
  }
  if (report.nat === 'no')
    lines.push(
      'This box has an address of its own on the internet: others reach it directly unless a firewall filters.',
    );
  if (report.mapping === 'endpoint-independent' && report.nat === 'yes') {
    lines.push(
      'This NAT keeps one outer port for all destinations: direct paths work with every box whose NAT does the same, and with open ones.',
    );
  }
  if (report.mapping === 'address-and-port-dependent' || report.mapping === 'address-dependent') {
    lines.push(symmetricWords(report, can), ...(mapped === null ? [FIXED_PORT] : []));
  }
  if (report.hairpin === 'no')
    lines.push(
      'The router does not loop back its own outer address: boxes behind it meet on their LAN addresses instead.',
    );
  if (report.lifetimeMs !== null)
    lines.push(
      `An idle mapping (an outer port kept for this box) was seen alive after ${Math.round(report.lifetimeMs / 1000)} s; the small packets that keep it open (keep-alives) are fitted to that.`,
    );
  if (report.ipv6 === 'no')
    lines.push(
      'IPv6 does not reach the location server. Turning it on at both homes often gives a direct path where IPv4 has none.',
    );
  return lines;
}

const withoutUdp = (can: readonly PunchMethod[]): string =>
  can.includes('tcp')
    ? 'Direct paths by TCP connections that both ends open at once are tried; most routers allow them.'
    : 'Direct paths need UDP, or TCP with the plugin nat-portpredict, which is off here.';

function symmetricWords({ ports }: NatReport, can: readonly PunchMethod[]): string {
  const opening = 'This NAT picks a new outer port for every destination (symmetric)';
  if (ports.rule === 'sequential')
    return can.includes('predict')
      ? `${opening}, in steps of ${ports.step}, so the next one is known: direct paths work with most homes.`
      : `${opening}, in steps of ${ports.step}. The plugin nat-portpredict would know the next one, and is off here: direct paths work with open boxes only.`;
  return can.includes('birthday')
    ? `${opening}, at random. Homes with one outer port for all (most are) are met directly by guessing, which takes some seconds; two homes like this one are not.`
    : `${opening}. Direct paths work with boxes that are public or behind an open (full cone or address-restricted) NAT only.`;
}

const FIXED_PORT =
  'A port of its own in the router would make this box easy to find: UPnP, NAT-PMP or PCP turned on there (the plugin nat-portmap uses them), or a UDP port forwarded by hand and named with ginnel set external-addresses.';
