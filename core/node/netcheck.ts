// What follows from a NAT report, in plain words: the last lines of `ginnel netcheck`, the first of `ginnel status`.
import type { NatReport } from '../contract/nat-report.ts';

/** One sentence on how reachable this box is. */
export function reachability(report: NatReport): string {
  if (report.udp === 'no') return 'UDP does not pass here';
  if (report.nat === 'not-checked') return 'not yet measured';
  if (report.nat === 'no') {
    return report.filtering === 'endpoint-independent' || report.filtering === 'not-checked'
      ? 'on a public address'
      : 'on a public address behind a firewall';
  }
  switch (report.mapping) {
    case 'endpoint-independent':
      return `reachable from most networks (${filteringWords(report)}${portWords(report)})`;
    case 'address-dependent':
    case 'address-and-port-dependent':
      return `reachable from open networks only (symmetric NAT${portWords(report)})`;
    case 'not-checked':
      return `behind a NAT (kind not yet known${portWords(report)})`;
  }
}

export function conclusions(report: NatReport): string[] {
  const lines: string[] = [];
  if (report.udp === 'no') {
    lines.push(
      'UDP does not pass here: nothing came back from the location server. Direct paths need UDP; a firewall or the router blocks it.',
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
    lines.push(symmetricWords(report));
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

function symmetricWords(report: NatReport): string {
  const opening = 'This NAT picks a new outer port for every destination (symmetric)';
  if (report.ports.rule === 'sequential')
    return `${opening}, in steps of ${report.ports.step}. Direct paths work with open boxes, not with port-restricted ones (which let in only whom they sent to).`;
  return `${opening}. Direct paths work with boxes that are public or behind an open (full cone or address-restricted) NAT only.`;
}

function filteringWords(report: NatReport): string {
  switch (report.filtering) {
    case 'endpoint-independent':
      return 'full cone NAT';
    case 'address-dependent':
      return 'address-restricted NAT';
    case 'address-and-port-dependent':
      return 'port-restricted NAT';
    case 'not-checked':
      return 'NAT, filtering not checked';
  }
}

function portWords(report: NatReport): string {
  switch (report.ports.rule) {
    case 'preserved':
      return ', port kept';
    case 'random':
      return ', random ports';
    case 'sequential':
      return `, ports in steps of ${report.ports.step}`;
    case 'not-checked':
      return '';
  }
}
