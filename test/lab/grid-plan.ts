// Which homes must meet how: the grid as data. A box is named by its home's kind and a letter: `prcnp-a`, `sym-b`.
import type { HomeOptions } from './plan.ts';

/**
 * How the packets of a pair travel once it has settled. `direct`: between the two; `tcp`: by a TCP connection between them;
 * `direct6`: by UDP over IPv6; `relay`: over a third box, from the first packet to the last; `turn`: over a TURN server; `none`: not at
 * all.
 */
export type Expectation = 'direct' | 'direct6' | 'tcp' | 'lan' | 'relay' | 'turn' | 'none';

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
  /** The plugin webrtc alone is on, with a TURN server that is the location server's machine. */
  readonly isWebrtcAlone: boolean;
}

// Who meets whom, and why (RFC 4787 and 5382 terms). UDP: a packet gets in where the other end's NAT filters by nothing
// (endpoint-independent filtering: full), or by addresses that were written to (address-dependent: arc), whatever the
// port it comes from; where filtering is by address and port, both must know the other's mapped port beforehand. That is
// known where mapping is endpoint-independent, and predicted where each remote gets the next port in a row (seqN). Where
// it gets any port (sym, adm), many sockets at that end and many guesses at the other find it, as long as the other end's
// own port is known; against a port that is itself picked anew for each destination there is no hope. TCP: a connection
// comes in to a listening port at a public address alone (a NAT that is loose about UDP is no door for TCP: mappings are
// made per protocol by what goes out, and the door's own port never sends anything); elsewhere both ends call at once, to
// ports that are known or predicted. A home that lets only the web out gets to port 443, which the public boxes here have
// open too (`web-port`), and nowhere else.
const PUBLIC = 'public';
/** Lets anybody in who was asked, or is asked: whoever comes gets through. */
const OPEN = [PUBLIC, 'full', 'arc'];
/** One port for all remotes. */
const KNOWN = ['prc', 'prcnp', 'naive', 'carrier', 'onrouter'];
/** The next port for each remote. */
const COUNTING = ['seq1', 'seq2', 'seq5'];
/** Any port for each remote, or for each remote address. */
const RULELESS = ['adm', 'sym'];
/** No UDP passes; of TCP, everything or the web alone. */
const TCP_ONLY = ['noudp', 'web'];
export const KINDS = [...OPEN, ...KNOWN, ...COUNTING, ...RULELESS, ...TCP_ONLY];

export function expectation(one: string, other: string): Expectation {
  const either = (kinds: readonly string[]): boolean => kinds.includes(one) || kinds.includes(other);
  if (either(TCP_ONLY)) return either([PUBLIC]) || !either(['web', ...RULELESS]) ? 'tcp' : 'relay';
  return either(RULELESS) && !either(OPEN) && !either(KNOWN) ? 'relay' : 'direct';
}

/**
 * With data channels alone (the plugin webrtc, no other): ICE knows one port of each end, as STUN shows it, so it gets as
 * far as plain probes do; what is left goes by TURN, as long as UDP passes.
 */
export function webrtcExpectation(one: string, other: string): Expectation {
  const either = (kinds: readonly string[]): boolean => kinds.includes(one) || kinds.includes(other);
  const both = (kinds: readonly string[]): boolean => kinds.includes(one) && kinds.includes(other);
  if (either(TCP_ONLY)) return either([PUBLIC]) ? 'tcp' : 'none';
  return either(OPEN) || both(KNOWN) ? 'direct' : 'turn';
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
  { from: 'prcnp-b', to: 'sym-a', expects: 'direct' },
  { from: 'sym-a', to: 'web-a', expects: 'relay' },
  { from: 'web-a', to: 'prcnp-a', expects: 'relay' },
];

export function wholeGrid(): GridPlan {
  return planFor([...everyPair(expectation), ...BESIDES]);
}

export function webrtcGrid(): GridPlan {
  return { ...planFor(everyPair(webrtcExpectation)), isWebrtcAlone: true };
}

const everyPair = (expects: typeof expectation): Trial[] =>
  KINDS.flatMap(from => KINDS.map(to => ({ from: `${from}-a`, to: `${to}-b`, expects: expects(from, to) })));

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
  return { homes, boxes, trials, isWebrtcAlone: false };
}
