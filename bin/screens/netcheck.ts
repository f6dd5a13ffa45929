// What `ginnel netcheck` shows: what follows for this home in a sentence, what was asked of the NAT and each answer, and
// what follows in full.
import type { NetcheckReport } from '../../core/admin.ts';
import type { NatBehaviour, NatReport, PortRule } from '../../core/contract/nat-report.ts';
import { rowsWithin, wrap } from '../layout.ts';
import { durationInWords, plain } from '../words.ts';

export function netcheckScreen({ nat, summary, conclusions }: NetcheckReport, columns: number): string {
  const said = (answer: string): string => answer.replaceAll('-', ' ');
  const rows = [
    ['UDP gets through', said(nat.udp)],
    ['NAT (translates addresses)', said(nat.nat)],
    ...outside(nat),
    ['Mapping (which outer port)', MAPPING[nat.mapping]],
    ['Filtering (who is let in)', FILTERING[nat.filtering]],
    ['Outer ports (how chosen)', portsInWords(nat.ports)],
    ['Hairpin (own outer address)', HAIRPIN[nat.hairpin]],
    [
      'Lifetime (of idle mappings)',
      nat.lifetimeMs === null ? 'not checked' : `at least ${durationInWords(nat.lifetimeMs / 1000)}`,
    ],
    ['IPv6 (to the server)', said(nat.ipv6)],
  ];
  const parts = [
    plain(summary),
    '',
    rowsWithin(
      columns,
      rows.map(cells => ({ cells })),
      [1],
    ),
    ...nat.notes.map(note => `! ${plain(note)}`),
    ...(conclusions.length === 0 ? [] : ['', ...conclusions.map(plain)]),
  ];
  return wrap(parts.join('\n'), columns);
}

function outside({ mapped }: NatReport): string[][] {
  const label = 'Seen from outside as';
  if (mapped.length === 0) return [[label, 'not known']];
  return mapped.map((address, n) => [n === 0 ? label : '', plain(address)]);
}

const MAPPING: Readonly<Record<NatBehaviour, string>> = {
  'endpoint-independent': 'one for all (endpoint independent)',
  'address-dependent': 'one for each address (address dependent)',
  'address-and-port-dependent': 'another for each destination (symmetric)',
  'not-checked': 'not checked',
};

const FILTERING: Readonly<Record<NatBehaviour, string>> = {
  'endpoint-independent': 'everyone (endpoint independent)',
  'address-dependent': 'addresses sent to before (address dependent)',
  'address-and-port-dependent': 'ports sent to before (address and port dependent)',
  'not-checked': 'not checked',
};

const HAIRPIN = {
  yes: 'works from inside',
  no: 'does not work from inside',
  'not-checked': 'not checked',
} as const;

function portsInWords(ports: PortRule): string {
  if (ports.rule === 'sequential')
    return `sequential, ${Math.abs(ports.step)} ${Math.abs(ports.step) === 1 ? 'step' : 'steps'}`;
  return ports.rule === 'preserved' ? 'preserved (outside as inside)' : ports.rule.replaceAll('-', ' ');
}
