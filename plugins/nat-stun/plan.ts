// The tests of RFC 5780 as data: which request goes from which socket to which address, and what it asks for.
import { sameEndpoint, type Endpoint } from '../../protocol/address.ts';
import type { ChangeRequest } from '../../protocol/stun/attributes.ts';

/** What is known of the server that answers the tests. */
export interface ServerView {
  readonly primary: Endpoint;
  /** The second port on the primary address. */
  readonly secondPort: number | null;
  /** Its OTHER-ADDRESS: second address and second port. */
  readonly other: Endpoint | null;
  /** Another server at another address: good for the mapping, not for the filtering. */
  readonly elsewhere: Endpoint | null;
}

export type TestName =
  'mapping' | 'filtering-none' | 'filtering-both' | 'filtering-port' | 'port' | 'hairpin';

export interface Step {
  readonly test: TestName;
  /** `main`, or the name of a fresh socket: one name, one socket. */
  readonly socket: string;
  readonly to: Endpoint;
  readonly change: ChangeRequest | null;
  /** How long silence is waited for. */
  readonly timeoutMs: number;
}

/** Three tries (at 0, 500, 1500 ms): a silence after them is the NAT's doing, not a lost packet. */
const SILENCE_MS = 2_500;
const HAIRPIN_SILENCE_MS = 1_500;

/** RFC 5780 4.3, from the main socket. The first test, to the primary address, has been made. */
export function mappingPlan({ primary, secondPort, other, elsewhere }: ServerView): readonly Step[] {
  const targets: Endpoint[] = [];
  if (secondPort !== null) targets.push({ ...primary, port: secondPort });
  if (other !== null) targets.push({ ...other, port: primary.port }, other);
  else if (elsewhere !== null) targets.push(elsewhere);
  return targets
    .filter((to, at) => !sameEndpoint(to, primary) && targets.findIndex(one => sameEndpoint(one, to)) === at)
    .map(to => step('mapping', 'main', to, null));
}

/** RFC 5780 4.4, all from one fresh socket: what the main socket has sent before would open its filter. */
export function filteringPlan({ primary, secondPort, other }: ServerView): readonly Step[] {
  const steps = [step('filtering-none', 'filter', primary, null)];
  if (other !== null) steps.push(step('filtering-both', 'filter', primary, { address: true, port: true }));
  if (other !== null || secondPort !== null) {
    steps.push(step('filtering-port', 'filter', primary, { address: false, port: true }));
  }
  return steps;
}

/** One request from each of so many fresh sockets, laid out in one turn: between them few others get a port. */
export const portPlan = ({ primary }: ServerView, samples: number): readonly Step[] =>
  Array.from({ length: samples }, (_, index) => step('port', `port-${index}`, primary, null));

/** RFC 5780 4.5: from a fresh socket to the main socket's own mapped address. */
export const hairpinPlan = (mapped: Endpoint): readonly Step[] => [
  { ...step('hairpin', 'hairpin', mapped, null), timeoutMs: HAIRPIN_SILENCE_MS },
];

const step = (test: TestName, socket: string, to: Endpoint, change: ChangeRequest | null): Step => ({
  test,
  socket,
  to,
  change,
  timeoutMs: SILENCE_MS,
});
