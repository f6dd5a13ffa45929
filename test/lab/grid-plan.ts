// Which homes must meet how: the grid as data. A box is named by its home's kind and a letter: `prcnp-a`, `sym-b`.
import type { HomeOptions } from './plan.ts';

/** `direct6`: direct over IPv6. `apart`: no direct path, and the reason in words. */
export type Expectation = 'direct' | 'direct6' | 'lan' | 'apart';

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
}

export interface GridPlan {
  readonly homes: readonly HomeOptions[];
  readonly boxes: readonly BoxPlan[];
  readonly trials: readonly Trial[];
}

/** Lets anybody in who was asked, or is asked: whoever comes gets through. */
const OPEN = ['public', 'full', 'arc'];
/** Meet each other by punching alone. */
const PUNCHING = [...OPEN, 'prc', 'prcnp', 'naive', 'carrier', 'onrouter'];
/** Another port for each remote: found by an open end only, as long as no port is predicted. */
const STUBBORN = ['seq1', 'adm', 'sym'];
export const KINDS = [...PUNCHING, ...STUBBORN];

/** Both boxes of these stand in one home, or behind one NAT. */
const SHARED: Readonly<Record<string, HomeOptions>> = {
  lan: { kind: 'prc', hosts: 2 },
  tower: { kind: 'prc', carrier: 'tower' },
};

const BESIDES: readonly Trial[] = [
  { from: 'lan-a', to: 'lan-b', expects: 'lan' },
  { from: 'tower-a', to: 'tower-b', expects: 'direct' },
  ...['public', 'prcnp', 'naive', 'carrier', 'carriernp', 'onrouter'].map((to): Trial => ({
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
  { from: 'lan-a', to: 'lan-b', expects: 'lan' },
  { from: 'fw6-a', to: 'sym6-b', expects: 'direct6' },
  { from: 'prcnp-b', to: 'sym-a', expects: 'apart' },
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

export function expectation(one: string, other: string): Expectation {
  const isOpen = OPEN.includes(one) || OPEN.includes(other);
  const isStubborn = STUBBORN.includes(one) || STUBBORN.includes(other);
  return isOpen || !isStubborn ? 'direct' : 'apart';
}

function planFor(trials: readonly Trial[]): GridPlan {
  const names = [...new Set(trials.flatMap(({ from, to }) => [from, to]))];
  const homes: HomeOptions[] = [];
  const known = new Map<string, number>();
  const boxes = names.map(name => {
    const [kind = '', letter = ''] = name.split('-');
    const options = SHARED[kind] ?? { kind };
    const isOneHome = (options.hosts ?? 1) > 1;
    const key = isOneHome ? kind : name;
    const home = known.get(key) ?? homes.push(options) - 1;
    known.set(key, home);
    return { name, home, host: isOneHome && letter === 'b' ? 1 : 0 };
  });
  return { homes, boxes, trials };
}
