// Every kind of home router as data. What a kind does to ports, and whom it lets in, becomes nftables rules in
// rules.ts; the table of verdicts is what coturn says of each.

/** What becomes of the source port on the way out. */
export type PortRule =
  | { readonly type: 'kept' }
  /** Any of 10000-30000, the same for all remotes. */
  | { readonly type: 'range' }
  /** A random one for each remote. */
  | { readonly type: 'random' }
  /** The next one for each remote, so much further (negative: down), `before` of them up to the end of the range first. */
  | {
      readonly type: 'sequence';
      readonly step: number;
      readonly lowest: number;
      readonly length: number;
      readonly before: number;
    }
  /** One for each remote address, whatever its port. */
  | { readonly type: 'perAddress' };

/** Who may answer to a mapping: conntrack's own rule (`flow`: that address and port), or looser ones. */
export type Admission = 'flow' | 'addressAndPort' | 'address' | 'anyone';

/** What the router does with packets to itself. */
export type InputPolicy = 'drop' | 'accept' | 'reject';

export interface Verdict {
  readonly mapping: 'none' | 'EIM' | 'ADM' | 'APDM';
  readonly filtering: 'EIF' | 'ADF' | 'APDF';
}

export interface NatKind {
  readonly says: string;
  readonly ports: PortRule;
  readonly admits: Admission;
  readonly input: InputPolicy;
  readonly verdict: Verdict;
}

/** Traits that any kind may carry: `prc+rst+hairpin`. */
export type Trait =
  'rst' | 'icmp' | 'hairpin' | 'noudp' | 'web' | 'lim' | 'lim4k' | 'loss3' | 'pppoe' | 'short';

export interface HomeShape {
  readonly nat: NatKind | null;
  readonly traits: readonly Trait[];
  /** The kind of the carrier's NAT in front of this home. */
  readonly behind: string | null;
  /** Ginnel runs on the router itself. */
  readonly onRouter: boolean;
  readonly ipv4: boolean;
  readonly ipv6: boolean;
}

const EIM_APDF: Verdict = { mapping: 'EIM', filtering: 'APDF' };
const APDM_APDF: Verdict = { mapping: 'APDM', filtering: 'APDF' };

const PRC: NatKind = {
  says: 'port-restricted, keeps ports',
  ports: { type: 'kept' },
  admits: 'flow',
  input: 'drop',
  verdict: EIM_APDF,
};

/** The NATs, by the names used all over the tests; sequences are made as they are asked for. */
export const NATS: Readonly<Record<string, NatKind>> = {
  prc: PRC,
  prcnp: { ...PRC, says: 'port-restricted, changes ports', ports: { type: 'range' } },
  eimprcnp: { ...PRC, says: "a carrier's NAT", ports: { type: 'range' }, admits: 'addressAndPort' },
  full: { ...PRC, says: 'full cone', admits: 'anyone', verdict: { mapping: 'EIM', filtering: 'EIF' } },
  arc: {
    ...PRC,
    says: 'address-restricted',
    admits: 'address',
    verdict: { mapping: 'EIM', filtering: 'ADF' },
  },
  naive: { ...PRC, says: 'port-restricted, accepts packets to itself', input: 'accept' },
  reject: { ...PRC, says: 'port-restricted, rejects packets to itself', input: 'reject' },
  sym: { ...PRC, says: 'symmetric, random ports', ports: { type: 'random' }, verdict: APDM_APDF },
  adm: {
    ...PRC,
    says: 'a port for each remote address',
    ports: { type: 'perAddress' },
    verdict: { mapping: 'ADM', filtering: 'APDF' },
  },
};

const TRAITS: readonly string[] = [
  'rst',
  'icmp',
  'hairpin',
  'noudp',
  'web',
  'lim',
  'lim4k',
  'loss3',
  'pppoe',
  'short',
];

type Shape = Partial<Omit<HomeShape, 'nat' | 'traits'>> & { readonly nat?: string };

/** Homes that are more than one NAT: what stands where. */
const SHAPES: Readonly<Record<string, Shape>> = {
  public: {},
  carrier: { nat: 'prc', behind: 'eimprcnp+hairpin' },
  carriernp: { nat: 'prcnp', behind: 'eimprcnp+hairpin' },
  double: { nat: 'prc', behind: 'prc' },
  onrouter: { nat: 'reject', onRouter: true },
  /** An IPv6 firewall and no IPv4 way out at all. */
  fw6: { nat: 'prc', ipv4: false, ipv6: true },
  /** An IPv6 firewall beside an IPv4 NAT that leaves no hope. */
  sym6: { nat: 'sym', ipv6: true },
};

/** What coturn says where Ginnel runs, all NATs in between included. */
export function verdictOf(kind: string): Verdict {
  const { nat, behind, onRouter } = shapeOf(kind);
  if (nat === null) return { mapping: 'none', filtering: 'EIF' };
  if (behind !== null) return verdictOf(behind);
  return onRouter ? { mapping: 'none', filtering: nat.verdict.filtering } : nat.verdict;
}

/**
 * Reads `prc`, `seq2` (up by 2), `seqd1` (down by 1), `seqw2` (up by 2, over the end of its range soon), `carrier`,
 * `full+hairpin+loss3`. Throws TypeError on an unknown word.
 */
export function shapeOf(kind: string): HomeShape {
  const [name = '', ...words] = kind.split('+');
  const shape = SHAPES[name] ?? { nat: name };
  return {
    nat: shape.nat === undefined ? null : natOf(shape.nat),
    traits: words.map(traitOf),
    behind: shape.behind ?? null,
    onRouter: shape.onRouter ?? false,
    ipv4: shape.ipv4 ?? true,
    ipv6: shape.ipv6 ?? false,
  };
}

function natOf(name: string): NatKind {
  const [, way, step] = /^seq([dw]?)(\d+)$/.exec(name) ?? [];
  if (step !== undefined) return sequential(way ?? '', Number(step));
  const nat = NATS[name];
  if (nat === undefined) throw new TypeError(`no such kind of NAT: ${name}`);
  return nat;
}

/** So long that no port comes round again while its old mapping lives. */
const SEQUENCE_LENGTH = 2000;
/** A node that starts makes less than twice as many mappings. */
const BEFORE_WRAP = 32;

function sequential(way: string, step: number): NatKind {
  const words = { '': 'by', d: 'downwards by', w: 'wrapping soon, by' }[way] ?? way;
  const before = way === 'w' ? BEFORE_WRAP : SEQUENCE_LENGTH;
  return {
    ...PRC,
    says: `symmetric, ports ${words} ${step}`,
    ports: {
      type: 'sequence',
      step: way === 'd' ? -step : step,
      lowest: 20_000,
      length: SEQUENCE_LENGTH,
      before,
    },
    verdict: APDM_APDF,
  };
}

function traitOf(word: string): Trait {
  if (!TRAITS.includes(word)) throw new TypeError(`no such trait of a NAT: ${word}`);
  return word as Trait;
}
