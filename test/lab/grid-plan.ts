// Which homes must meet how: the grid as data. A box is named by its home's kind and a letter: `prcnp-a`, `sym-b`.
import type { HomeOptions } from './plan.ts';

/**
 * How the packets of a pair travel once it has settled. `direct`: between the two; `tcp`: by a TCP connection between them;
 * `direct6`: by UDP over IPv6; `relay`: over a third box, from the first packet to the last.
 */
export type Expectation = 'direct' | 'direct6' | 'tcp' | 'lan' | 'relay';

export interface Trial {
  readonly from: string;
  readonly to: string;
  readonly expects: Expectation;
}

export interface BoxPlan {
  readonly name: string;
  /** Index into `homes`. */
  readonly home: number;
  readonly host: number;
  /** It stands on a public address, so others may choose it as their relay. */
  readonly mayForward: boolean;
}

export interface GridPlan {
  readonly homes: readonly HomeOptions[];
  readonly boxes: readonly BoxPlan[];
  readonly trials: readonly Trial[];
}

// Who meets whom, and why (RFC 4787 and 5382 terms). UDP: a packet gets in where the other end's NAT filters by nothing
// (endpoint-independent filtering: full), or by addresses that were written to (address-dependent: arc), whatever the
// port it comes from; where filtering is by address and port, both must know the other's mapped port beforehand, which
// holds where mapping is endpoint-independent, and not where each remote gets another port (seqN, adm, sym; as long as no
// port is predicted). TCP: a connection comes in to a listening port at a public address alone. A NAT that is loose about
// UDP is no door for TCP: mappings are made per protocol by what goes out, the door's own port never sends anything, so
// there is no mapping to it (kinds.test.ts looks at each); and both ends calling at once is not tried here. So without UDP
// on one side only a public box is met directly. A home that lets only the web out gets to port 443, which the public boxes
// here have open too (`web-port`).
const PUBLIC = 'public';
/** Lets anybody in who was asked, or is asked: whoever comes gets through. */
const OPEN = [PUBLIC, 'full', 'arc'];
/** Meet each other by punching alone. */
const PUNCHING = [...OPEN, 'prc', 'prcnp', 'naive', 'carrier', 'onrouter'];
/** Another port for each remote: found by an open end only, as long as no port is predicted. */
const STUBBORN = ['seq1', 'seq2', 'adm', 'sym'];
/** No UDP passes. */
const TCP_ONLY = ['noudp', 'web'];
export const KINDS = [...PUNCHING, ...STUBBORN, ...TCP_ONLY];

export function expectation(one: string, other: string): Expectation {
  const either = (kinds: readonly string[]): boolean => kinds.includes(one) || kinds.includes(other);
  if (either(TCP_ONLY)) return either([PUBLIC]) ? 'tcp' : 'relay';
  return either(OPEN) || !either(STUBBORN) ? 'direct' : 'relay';
}

/** Homes whose name is not their kind; both boxes of the first two stand in one home, or behind one NAT. */
const HOMES: Readonly<Record<string, HomeOptions>> = {
  lan: { kind: 'prc', hosts: 2 },
  tower: { kind: 'prc', carrier: 'tower' },
  noudp: { kind: 'prc+noudp' },
  web: { kind: 'prc+web' },
  relay: { kind: PUBLIC },
};

/** Members like all the others: nothing but their public address makes them relays. */
const RELAYS = ['relay-a', 'relay-b'];

const BESIDES: readonly Trial[] = [
  { from: 'lan-a', to: 'lan-b', expects: 'lan' },
  { from: 'tower-a', to: 'tower-b', expects: 'direct' },
  ...[PUBLIC, 'prcnp', 'naive', 'carrier', 'carriernp', 'onrouter'].map((to): Trial => ({
    from: 'carriernp-a',
    to: `${to}-b`,
    expects: 'direct',
  })),
  { from: 'fw6-a', to: 'fw6-b', expects: 'direct6' },
  { from: 'fw6-a', to: 'sym6-b', expects: 'direct6' },
  { from: 'sym6-a', to: 'sym6-b', expects: 'direct6' },
];

/** A few of each sort, for every run of the tests. */
const SAMPLE: readonly Trial[] = [
  { from: 'prcnp-a', to: 'prcnp-b', expects: 'direct' },
  { from: 'carrier-a', to: 'onrouter-b', expects: 'direct' },
  { from: 'naive-a', to: 'prcnp-a', expects: 'direct' },
  { from: 'sym-a', to: 'public-b', expects: 'direct' },
  { from: 'public-b', to: 'carrier-a', expects: 'direct' },
  { from: 'public-b', to: 'web-a', expects: 'tcp' },
  { from: 'lan-a', to: 'lan-b', expects: 'lan' },
  { from: 'fw6-a', to: 'sym6-b', expects: 'direct6' },
  { from: 'prcnp-b', to: 'sym-a', expects: 'relay' },
  { from: 'sym-a', to: 'web-a', expects: 'relay' },
  { from: 'web-a', to: 'prcnp-a', expects: 'relay' },
];

export function wholeGrid(): GridPlan {
  const trials = KINDS.flatMap(from =>
    KINDS.map(to => ({ from: `${from}-a`, to: `${to}-b`, expects: expectation(from, to) })),
  );
  return planFor([...trials, ...BESIDES]);
}

export function sampleGrid(): GridPlan {
  return planFor(SAMPLE);
}

/** Those trials alone, with the relays beside them. */
export function planFor(trials: readonly Trial[]): GridPlan {
  const names = [...new Set([...RELAYS, ...trials.flatMap(({ from, to }) => [from, to])])];
  const homes: HomeOptions[] = [];
  const known = new Map<string, number>();
  const boxes = names.map(name => {
    const [kind = '', letter = ''] = name.split('-');
    const options = HOMES[kind] ?? { kind };
    const isOneHome = (options.hosts ?? 1) > 1;
    const key = isOneHome ? kind : name;
    const home = known.get(key) ?? homes.push(options) - 1;
    known.set(key, home);
    const host = isOneHome && letter === 'b' ? 1 : 0;
    return { name, home, host, mayForward: options.kind === PUBLIC };
  });
  return { homes, boxes, trials };
}
