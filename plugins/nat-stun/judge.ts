// From what was seen to what it means (RFC 5780 4.3 and 4.4, RFC 4787). Nothing is guessed: what can't be told from
// the tests that could be made is `not-checked`, with a note that says why.
import type { NatBehaviour, PortRule } from '../../core/contract/nat-report.ts';
import { sameEndpoint, type Endpoint } from '../../protocol/address.ts';
import type { Seen } from './ask.ts';

export interface Verdict<T> {
  readonly verdict: T;
  readonly note: string | null;
}

const sure = <T>(verdict: T): Verdict<T> => ({ verdict, note: null });
const unsure = (note: string): Verdict<'not-checked'> => ({ verdict: 'not-checked', note });

/** A request of the main socket to `to` was seen as coming from `mapped`. */
export interface MappingSample {
  readonly to: Endpoint;
  readonly mapped: Endpoint;
}

/** `samples[0]` is the first test; without a NAT there is nothing that could depend on anything. */
export function judgeMapping(samples: readonly MappingSample[], nat: boolean): Verdict<NatBehaviour> {
  const first = samples[0];
  if (first === undefined) return unsure('Mapping: no server answered.');
  if (!nat) return sure('endpoint-independent');
  const elsewhere = samples.filter(({ to }) => to.address !== first.to.address);
  if (elsewhere.some(({ mapped }) => sameEndpoint(mapped, first.mapped))) return sure('endpoint-independent');
  const byPort = portMatters(samples);
  if (byPort === true) return sure('address-and-port-dependent');
  if (elsewhere.length > 0 && byPort === false) return sure('address-dependent');
  if (elsewhere.length > 0) {
    return unsure(
      'Mapping: it depends on the address asked; whether on the port too, takes a server with two ports.',
    );
  }
  return byPort === false
    ? unsure(
        'Mapping: it does not depend on the port asked; whether on the address, takes a server with two.',
      )
    : unsure('Mapping: the server has neither a second address nor a second port to ask.');
}

/** Did two ports of one address see different mappings? Null: no address was asked at two ports. */
function portMatters(samples: readonly MappingSample[]): boolean | null {
  const pairs = samples.flatMap((a, at) =>
    samples
      .slice(at + 1)
      .filter(b => b.to.address === a.to.address && b.to.port !== a.to.port)
      .map(b => sameEndpoint(a.mapped, b.mapped)),
  );
  return pairs.length === 0 ? null : pairs.some(same => !same);
}

/** Answers of the filtering tests; null: the test could not be asked of this server. */
export interface FilteringAnswers {
  readonly none: Seen;
  readonly both: Seen | null;
  readonly port: Seen | null;
}

export function judgeFiltering({ none, both, port }: FilteringAnswers): Verdict<NatBehaviour> {
  if (!none.ok) return unsure('Filtering: the server did not answer a fresh socket.');
  const bothPassed = passed(both, none.from);
  const portPassed = passed(port, none.from);
  if (bothPassed === true) return sure('endpoint-independent');
  if (portPassed === false) return sure('address-and-port-dependent');
  if (bothPassed === false && portPassed === true) return sure('address-dependent');
  return portPassed === true
    ? unsure(
        'Filtering: another port gets in; whether another address does, takes a server with two addresses.',
      )
    : unsure('Filtering: the server cannot answer from another address or port.');
}

/** True: an answer came, and from elsewhere. False: silence. Null: not asked, not understood, or not sent. */
function passed(seen: Seen | null, asked: Endpoint): boolean | null {
  if (seen === null) return null;
  if (seen.ok) return sameEndpoint(seen.from, asked) ? null : true;
  return seen.code === 'timeout' ? false : null;
}

/** One fresh socket: its own port and the one it got outside, in the order in which they were sent. */
export interface PortSample {
  readonly localPort: number;
  readonly mappedPort: number;
}

/** Further apart than this, two ports have nothing to do with each other. */
const MAX_STEP = 512;

export function judgePorts(samples: readonly PortSample[]): Verdict<PortRule> {
  if (samples.length < 3) return { verdict: { rule: 'not-checked' }, note: 'Ports: too few answers.' };
  const kept = samples.filter(({ localPort, mappedPort }) => localPort === mappedPort).length;
  // One may have met a port in use.
  if (kept >= samples.length - 1) return sure({ rule: 'preserved' });
  const step = commonStep(samples.map(({ mappedPort }) => mappedPort));
  return sure(step === null ? { rule: 'random' } : { rule: 'sequential', step });
}

/**
 * The largest step that divides at least three quarters of the distances, all of them short and in one direction:
 * mappings that others made in between make a distance a multiple, a packet overtaken or a wrap spoils one.
 */
function commonStep(ports: readonly number[]): number | null {
  const distances = ports.slice(1).map((port, index) => port - ports[index]!);
  const needed = Math.ceil(distances.length * 0.75);
  for (const sign of [1, -1]) {
    const short = distances.map(distance => distance * sign).filter(one => one > 0 && one <= MAX_STEP);
    if (short.length < needed) continue;
    const steps = short.flatMap(a => short.map(b => gcd(a, b))).sort((a, b) => b - a);
    const step = steps.find(one => short.filter(distance => distance % one === 0).length >= needed);
    return (step ?? 1) * sign;
  }
  return null;
}

const gcd = (a: number, b: number): number => (b === 0 ? a : gcd(b, a % b));
