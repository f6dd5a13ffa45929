// The planner's table, as data: which ways two homes try, in which order.
import t from 'tap';
import type { NatWords } from '../../../core/contract/nat-report.ts';
import {
  choosePlan,
  plansFor,
  sortOf,
  toMeasure,
  type Method,
  type PlanSide,
} from '../../../core/paths/plan.ts';
import type { PunchMethod } from '../../../protocol/location/messages.ts';

const ALL: readonly PunchMethod[] = ['predict', 'birthday', 'tcp'];
const UDP: readonly PunchMethod[] = ['predict', 'birthday'];

const nat = (mapping: string, filtering: string, ports = 'not-checked'): NatWords => ({
  mapping,
  filtering,
  ports,
});
const APDF = 'address-and-port-dependent';
const NATS = {
  public: nat('none', 'endpoint-independent'),
  full: nat('endpoint-independent', 'endpoint-independent'),
  arc: nat('endpoint-independent', 'address-dependent'),
  prc: nat('endpoint-independent', APDF, 'preserved'),
  onrouter: nat('none', APDF),
  seq: nat(APDF, APDF, 'sequential 1'),
  down: nat(APDF, APDF, 'sequential -5'),
  sym: nat(APDF, APDF, 'random'),
  adm: nat('address-dependent', APDF, 'random'),
  unsure: nat(APDF, APDF),
  symOpen: nat(APDF, 'endpoint-independent', 'random'),
  noudp: nat('blocked', 'not-checked'),
  new: nat('not-checked', 'not-checked'),
  /** As a location server with one address tells them. */
  prcOne: nat('not-checked', APDF, 'preserved'),
  openOne: nat('not-checked', 'not-checked', 'random'),
} as const;
type Name = keyof typeof NATS;

t.test('what a home is like for whoever wants in', t => {
  const sorts = Object.fromEntries(Object.entries(NATS).map(([name, words]) => [name, sortOf(words)]));
  t.same(sorts, {
    ...{ public: 'open', full: 'open', arc: 'open', symOpen: 'open' },
    ...{ prc: 'known', onrouter: 'known', prcOne: 'known', openOne: 'known' },
    ...{ seq: 'rule', down: 'rule' },
    ...{ sym: 'random', adm: 'random', unsure: 'random' },
    ...{ noudp: 'blocked', new: 'unknown' },
  });
  t.end();
});

/** One home, another, what both can do, and what they try in turn. */
const TABLE: readonly (readonly [Name, Name, readonly PunchMethod[], readonly Method[]])[] = [
  ['prcOne', 'sym', ALL, ['birthday']],
  ['prcOne', 'seq', ALL, ['predict', 'predict', 'birthday']],
  ['openOne', 'sym', ALL, ['plain', 'birthday']],
  ['openOne', 'seq', ALL, ['predict', 'predict', 'birthday']],
  ['openOne', 'seq', [], []],
  ['public', 'sym', ALL, ['plain', 'tcp']],
  ['full', 'seq', ALL, ['plain', 'tcp']],
  ['arc', 'prc', ALL, ['plain', 'tcp']],
  ['symOpen', 'sym', ALL, ['plain', 'tcp']],
  ['prc', 'prc', ALL, ['plain', 'predict', 'plain', 'tcp']],
  ['prc', 'prc', UDP, ['plain', 'predict', 'plain']],
  ['prc', 'onrouter', [], ['plain', 'plain']],
  ['prc', 'seq', ALL, ['predict', 'predict', 'birthday']],
  ['onrouter', 'down', ALL, ['predict', 'predict', 'birthday']],
  ['prc', 'seq', ['tcp'], []],
  ['seq', 'seq', ALL, ['predict', 'predict']],
  ['seq', 'down', ALL, ['predict', 'predict']],
  ['prc', 'sym', ALL, ['birthday']],
  ['prc', 'adm', ALL, ['birthday']],
  ['prc', 'unsure', ALL, ['birthday']],
  ['prc', 'sym', ['predict', 'tcp'], []],
  ['sym', 'sym', ALL, []],
  ['sym', 'adm', ALL, []],
  ['seq', 'sym', ALL, []],
  ['noudp', 'prc', ALL, ['tcp']],
  ['noudp', 'public', ALL, ['tcp']],
  ['noudp', 'noudp', ALL, ['tcp']],
  ['noudp', 'prc', UDP, []],
  ['new', 'new', ALL, ['plain', 'predict', 'tcp']],
  ['new', 'prc', ALL, ['plain', 'predict', 'tcp']],
  ['new', 'sym', [], ['plain']],
];

for (const [a, b, can, plans] of TABLE)
  t.test(
    `${a} × ${b}, both with ${can.join(', ') || 'nothing beyond probes'}: ${plans.join(', ') || 'none'}`,
    t => {
      const [one, other] = [NATS[a], NATS[b]];
      t.same(plansFor({ nat: one, can }, { nat: other, can }), plans);
      t.same(plansFor({ nat: other, can }, { nat: one, can }), plans, 'the same from the other end');
      const isEmpty = plansFor({ nat: one, can }, { nat: other, can: [] }).every(plan => plan === 'plain');
      t.ok(isEmpty, 'nothing that one end alone can do');
      t.end();
    },
  );

t.test('one a try, and from the beginning again; first what worked here before', t => {
  const turns = (plans: readonly Method[], worked: Method | null): Method[] =>
    [0, 1, 2, 3, 4].map(failures => choosePlan(plans, failures, worked));
  const seq: readonly Method[] = ['predict', 'predict', 'birthday'];
  t.same(turns(seq, null), ['predict', 'predict', 'birthday', 'predict', 'predict']);
  t.same(turns(seq, 'birthday'), ['birthday', 'predict', 'predict', 'birthday', 'predict']);
  t.same(turns(seq, 'tcp'), turns(seq, null), 'what is not possible any more is no matter');
  t.same(turns([], 'predict'), ['none', 'none', 'none', 'none', 'none']);
  t.end();
});

const MEASURES: readonly (readonly [Name, Name | null, readonly PunchMethod[], 'udp' | 'tcp' | null])[] = [
  ['prc', null, ALL, null],
  ['prc', 'seq', ALL, null],
  ['sym', 'prc', ALL, null],
  ['seq', null, ALL, 'udp'],
  ['seq', 'prc', ALL, 'udp'],
  ['seq', 'seq', ALL, 'udp'],
  ['seq', 'public', ALL, null],
  ['seq', 'prc', ['tcp'], null],
  ['new', null, ALL, 'udp'],
  ['noudp', null, ALL, 'tcp'],
  ['noudp', null, UDP, null],
  ['prc', 'noudp', ALL, 'tcp'],
];

for (const [own, theirs, can, wanted] of MEASURES)
  t.test(`an offer from ${own} to ${theirs ?? 'a stranger'} measures ${wanted ?? 'nothing'}`, t => {
    const side: PlanSide = { nat: NATS[own], can };
    t.equal(toMeasure(side, theirs === null ? null : NATS[theirs]), wanted);
    t.end();
  });
