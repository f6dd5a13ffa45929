// Why two nodes meet directly or not, from both NAT reports: a code for machines and words for people.
import type { PunchMethod } from '../../protocol/location/messages.ts';
import type { NatReport, NatWords } from '../contract/nat-report.ts';
import type { Said } from '../../base/said.ts';
import {
  isForWantOfPlugins,
  isPunch,
  isSymmetric,
  sortOf,
  UDP_BLOCKED,
  type Method,
  type PlanSide,
} from './plan.ts';
import { saidWord, says, type PathSaying } from './sayings.ts';

export type VerdictCode =
  | 'possible'
  | 'missed'
  | 'udp-blocked'
  | 'both-symmetric'
  | 'symmetric-against-port-filter'
  | 'not-checked'
  | 'offline'
  | 'server-away'
  | 'no-candidates';

export interface Verdict {
  readonly code: VerdictCode;
  readonly said: Said;
  readonly words: string;
}

export const verdict = (code: VerdictCode, said: Said): Verdict => ({ code, said, words: said.words });

export const UNKNOWN_NAT: NatWords = {
  mapping: 'not-checked',
  filtering: 'not-checked',
  ports: 'not-checked',
};

export function natWords(report: NatReport): NatWords {
  const { ports } = report;
  return {
    mapping: report.udp === 'no' ? UDP_BLOCKED : report.nat === 'no' ? 'none' : report.mapping,
    filtering: report.filtering,
    ports: ports.rule === 'sequential' ? `sequential ${ports.step}` : ports.rule,
  };
}

/** Why these two did not meet, though they tried by that method (RFC 4787's terms; the table was measured). */
export function verdictOf(own: PlanSide, theirs: PlanSide, method: Method): Verdict {
  if (isPunch(method)) return MISSED[method];
  const plain = plainVerdict(own.nat, theirs.nat, method);
  if (!isForWantOfPlugins(own, theirs)) return plain;
  const code = plain.code === 'both-symmetric' ? 'symmetric-against-port-filter' : plain.code;
  return verdict(code, says(whyNotNow(own, theirs), { why: plain.said }));
}

function whyNotNow(own: PlanSide, theirs: PlanSide): PathSaying {
  const [here, there] = [own, theirs].map(({ can }) => can.length > 0);
  if (here && there) return 'verdict.plugin-off';
  return here ? 'verdict.plugin-not-there' : there ? 'verdict.plugin-not-here' : 'verdict.plugin-nowhere';
}

function plainVerdict(own: NatWords, theirs: NatWords, method: Method): Verdict {
  if (own.mapping === UDP_BLOCKED) return verdict('udp-blocked', says('verdict.blocked-here'));
  if (theirs.mapping === UDP_BLOCKED) return verdict('udp-blocked', says('verdict.blocked-there'));
  const [here, there] = [sortOf(own), sortOf(theirs)];
  const isGuess = here === 'random' || there === 'random';
  if (isSymmetric(own) && isSymmetric(theirs) && (isGuess || method === 'none'))
    return bothSymmetric(own, theirs);
  if (isSymmetric(own) && there !== 'open') return oneSymmetric('verdict.ours', own);
  if (isSymmetric(theirs) && here !== 'open') return oneSymmetric('verdict.theirs', theirs);
  if (here === 'unknown' || there === 'unknown') return verdict('not-checked', says('verdict.unchecked'));
  const { mapping, filtering } = own;
  const { mapping: theirMapping, filtering: theirFiltering } = theirs;
  return verdict('possible', says('verdict.possible', { mapping, filtering, theirMapping, theirFiltering }));
}

const MISSED: Readonly<Record<PunchMethod, Verdict>> = {
  predict: verdict('missed', says('verdict.predict-missed')),
  birthday: verdict('missed', says('verdict.birthday-missed')),
  tcp: verdict('missed', says('verdict.tcp-missed')),
};

function bothSymmetric(own: NatWords, theirs: NatWords): Verdict {
  const theirPorts = theirs.ports === 'not-checked' ? says('ports.too') : portsOf(theirs);
  return verdict('both-symmetric', says('verdict.both', { ports: portsOf(own), theirPorts }));
}

const oneSymmetric = (code: 'verdict.ours' | 'verdict.theirs', nat: NatWords): Verdict =>
  verdict('symmetric-against-port-filter', says(code, { ports: portsOf(nat) }));

function portsOf({ ports }: NatWords): Said {
  if (ports === 'not-checked') return says('ports.untold');
  const [rule = '', step] = ports.split(' ');
  return says('ports.told', {
    ports: step === undefined ? saidWord('rule', rule) : says('rule.sequential', { step }),
  });
}
