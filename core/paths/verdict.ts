// Why two nodes meet directly or not, from both NAT reports: a code for machines and words for people.
import type { PunchMethod } from '../../protocol/location/messages.ts';
import type { NatReport, NatWords } from '../contract/nat-report.ts';
import {
  isForWantOfPlugins,
  isPunch,
  isSymmetric,
  sortOf,
  UDP_BLOCKED,
  type Method,
  type PlanSide,
} from './plan.ts';

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
  readonly words: string;
}

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
  const verdict = plainVerdict(own.nat, theirs.nat, method);
  if (!isForWantOfPlugins(own, theirs)) return verdict;
  return {
    code: verdict.code === 'both-symmetric' ? 'symmetric-against-port-filter' : verdict.code,
    words: `${verdict.words}; the plugin nat-portpredict could get through, ${whyNotNow(own, theirs)}`,
  };
}

function whyNotNow(own: PlanSide, theirs: PlanSide): string {
  const [here, there] = [own, theirs].map(({ can }) => can.length > 0);
  if (here && there) return 'but what that takes is turned off at one end, or its router had no room for it';
  return `and is ${here ? 'not there' : there ? 'not here' : 'at neither end'} at work`;
}

function plainVerdict(own: NatWords, theirs: NatWords, method: Method): Verdict {
  if (own.mapping === UDP_BLOCKED)
    return { code: 'udp-blocked', words: "UDP does not get out of this node's network" };
  if (theirs.mapping === UDP_BLOCKED)
    return { code: 'udp-blocked', words: "UDP does not get out of the peer's network" };
  const [here, there] = [sortOf(own), sortOf(theirs)];
  const isGuess = here === 'random' || there === 'random';
  if (isSymmetric(own) && isSymmetric(theirs) && (isGuess || method === 'none'))
    return bothSymmetric(own, theirs);
  if (isSymmetric(own) && there !== 'open') return oneSymmetric("this node's", own, "the peer's");
  if (isSymmetric(theirs) && here !== 'open') return oneSymmetric("the peer's", theirs, "this node's");
  if (here === 'unknown' || there === 'unknown')
    return { code: 'not-checked', words: 'no probe got through, and what the NATs do was not checked' };
  return {
    code: 'possible',
    words: `no probe got through, though the NATs should allow it (${briefly(own, theirs)})`,
  };
}

const MISSED: Readonly<Record<PunchMethod, Verdict>> = {
  predict: {
    code: 'missed',
    words: 'the ports that the routers were expected to use next were not the ones they used',
  },
  birthday: { code: 'missed', words: 'no guess met the port that the router had picked' },
  tcp: { code: 'missed', words: 'no connection that both ends opened at once came about' },
};

const bothSymmetric = (own: NatWords, theirs: NatWords): Verdict => ({
  code: 'both-symmetric',
  words: `both NATs pick a new port for every destination (symmetric${portsOf(own)}; the peer's${portsOf(theirs) || ' too'}): neither end can tell the other where to send`,
});

const oneSymmetric = (whose: string, nat: NatWords, other: string): Verdict => ({
  code: 'symmetric-against-port-filter',
  words: `${whose} NAT picks a new port for every destination (symmetric${portsOf(nat)}), and ${other} NAT lets in only ports it has sent to`,
});

const portsOf = (nat: NatWords): string => (nat.ports === 'not-checked' ? '' : `, ports ${nat.ports}`);

const briefly = (own: NatWords, theirs: NatWords): string =>
  `here: mapping ${own.mapping}, filtering ${own.filtering}; there: mapping ${theirs.mapping}, filtering ${theirs.filtering}`;
