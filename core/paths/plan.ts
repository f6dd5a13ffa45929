// How two nodes try to meet, from both ends' NAT reports and what failed before: the cheapest way that may work, as data.
// Grounds: natlab.md's table, RFC 4787's terms. The answering end decides, for both.
import type { Forecast, PunchMethod } from '../../protocol/location/messages.ts';
import type { NatWords } from '../contract/nat-report.ts';

/**
 * `plain`: probes to all known addresses, and nothing else; `none`: not even these, but on the LAN and by IPv6: nothing
 * known gets through.
 */
export type Method = 'none' | 'plain' | PunchMethod;

export const isPunch = (method: Method): method is PunchMethod => method !== 'none' && method !== 'plain';

/**
 * What a home is like for whoever wants in. `open`: whoever was written to (or anybody) gets in; `known`: its outer port is
 * known, but only who was written to at that very port gets in; `rule`: each destination gets the next port; `random`: any
 * port; `blocked`: no UDP.
 */
export type HomeSort = 'blocked' | 'open' | 'known' | 'rule' | 'random' | 'unknown';

export interface PlanSide {
  readonly nat: NatWords;
  readonly can: readonly PunchMethod[];
}

export const UDP_BLOCKED = 'blocked';
const SYMMETRIC = new Set(['address-dependent', 'address-and-port-dependent']);

export const isSymmetric = (nat: NatWords): boolean => SYMMETRIC.has(nat.mapping);

/**
 * A location server with one address alone cannot tell whether a mapping that is the same for two of its ports is the same
 * for all: it nearly always is.
 */
export function sortOf(nat: NatWords): HomeSort {
  if (nat.mapping === UDP_BLOCKED) return 'blocked';
  if (nat.filtering === 'endpoint-independent' || nat.filtering === 'address-dependent') return 'open';
  if (isSymmetric(nat))
    return nat.ports.startsWith('sequential') || nat.ports === 'preserved' ? 'rule' : 'random';
  return nat.mapping === 'not-checked' && nat.ports === 'not-checked' ? 'unknown' : 'known';
}

/** In the order in which they are tried, one a try, and from the beginning again. Empty: nothing known gets through. */
export function plansFor(one: PlanSide, other: PlanSide): readonly Method[] {
  const plans = surePlans(one, other);
  // It may let anybody in: then nothing else is needed. Prediction probes the known places beside, and costs as little.
  const mayBeOpen = [one, other].some(({ nat }) => isUnsure(nat));
  return mayBeOpen && plans[0] === 'birthday' ? ['plain', ...plans] : plans;
}

/** Another port of the server got in; whether another address does, a server with one address cannot tell. */
const isUnsure = (nat: NatWords): boolean =>
  nat.mapping !== UDP_BLOCKED && nat.filtering === 'not-checked' && nat.ports !== 'not-checked';

function surePlans(one: PlanSide, other: PlanSide): readonly Method[] {
  const both = (method: PunchMethod): Method[] =>
    one.can.includes(method) && other.can.includes(method) ? [method] : [];
  const sorts = [sortOf(one.nat), sortOf(other.nat)];
  const has = (sort: HomeSort): boolean => sorts.includes(sort);
  if (has('blocked')) return both('tcp');
  if (has('open')) return ['plain', ...both('tcp')];
  if (has('unknown')) return ['plain', ...both('predict'), ...both('tcp')];
  // Found with a number as well as without one: where the count was wrong, guessing still helps.
  if (has('random')) return has('known') ? both('birthday') : [];
  if (has('rule')) return [...both('predict'), ...both('predict'), ...(has('known') ? both('birthday') : [])];
  // A probe that came too early may have taken a port away: fresh ports on both sides know nothing of that.
  return ['plain', ...both('predict'), 'plain', ...both('tcp')];
}

/** What the plugins that came along can do. */
export const ALL_METHODS: readonly PunchMethod[] = ['predict', 'birthday', 'tcp'];

/** Would they get through, were they at work at both ends, where now nothing does? */
export const isForWantOfPlugins = (one: PlanSide, other: PlanSide): boolean =>
  plansFor(one, other).length === 0 &&
  plansFor({ ...one, can: ALL_METHODS }, { ...other, can: ALL_METHODS }).length > 0;

/** `worked`: what brought these two together before, in these networks. */
export function choosePlan(plans: readonly Method[], failures: number, worked: Method | null): Method {
  const isKnown = worked !== null && plans.includes(worked);
  const all = isKnown ? [worked, ...plans.filter(method => method !== worked)] : plans;
  return all[failures % Math.max(1, all.length)] ?? 'none';
}

/** After so many tries that failed in a row, an end's report is doubted: it is measured whatever it says. */
export const DOUBT_AFTER = 2;

/** Does what was measured for a try show another NAT than the report tells of? */
export function contradicts(nat: NatWords, { step }: Pick<Forecast, 'step'>): boolean {
  const sort = sortOf(nat);
  if (sort === 'known') return step !== 0;
  if (sort === 'random') return step !== null;
  return sort === 'rule' && (step === null || (step === 0 && nat.ports !== 'preserved'));
}

/** What an end has to measure before its word is of use to the other; null: nothing. */
export function toMeasure(own: PlanSide, theirs: NatWords | null, failures = 0): 'udp' | 'tcp' | null {
  const isBlocked = own.nat.mapping === UDP_BLOCKED || theirs?.mapping === UDP_BLOCKED;
  if (isBlocked) return own.can.includes('tcp') ? 'tcp' : null;
  const isOpen = theirs !== null && sortOf(theirs) === 'open';
  const isUnsure = ['rule', 'unknown'].includes(sortOf(own.nat)) || failures >= DOUBT_AFTER;
  return isUnsure && !isOpen && own.can.includes('predict') ? 'udp' : null;
}
