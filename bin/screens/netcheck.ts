// What `ginnel netcheck` shows: what was asked of the NAT, each answer, and what follows.
import type { NetcheckReport } from '../../core/admin.ts';
import type { PortRule } from '../../core/contract/nat-report.ts';
import { durationInWords, plain, table } from '../words.ts';

export function netcheckScreen({ nat, conclusions }: NetcheckReport): string {
  const said = (answer: string): string => answer.replaceAll('-', ' ');
  const rows = [
    ['UDP gets through', said(nat.udp)],
    ['Behind a NAT', said(nat.nat)],
    ['Seen from outside as', nat.mapped.length === 0 ? 'not known' : nat.mapped.map(plain).join(', ')],
    ['Mapping', said(nat.mapping)],
    ['Filtering', said(nat.filtering)],
    ['Outer ports', portsInWords(nat.ports)],
    ['Hairpin', said(nat.hairpin)],
    [
      'A mapping lasts',
      nat.lifetimeMs === null ? 'not checked' : `at least ${durationInWords(nat.lifetimeMs / 1000)}`,
    ],
    ['IPv6', said(nat.ipv6)],
  ];
  const notes = nat.notes.map(note => `! ${plain(note)}`);
  const followed = conclusions.map(plain);
  return [table(rows), ...notes, ...(followed.length === 0 ? [] : ['', ...followed])].join('\n');
}

function portsInWords(ports: PortRule): string {
  if (ports.rule === 'sequential')
    return `sequential, ${Math.abs(ports.step)} ${Math.abs(ports.step) === 1 ? 'step' : 'steps'}`;
  return ports.rule === 'preserved' ? 'preserved (outside as inside)' : ports.rule.replaceAll('-', ' ');
}
