// The probing plan as data, and the verdicts as functions of what was seen.
import t from 'tap';
import { formatEndpoint } from '../../../protocol/address.ts';
import type { Seen } from '../../../plugins/nat-stun/ask.ts';
import { judgeFiltering, judgeMapping, judgePorts } from '../../../plugins/nat-stun/judge.ts';
import {
  filteringPlan,
  hairpinPlan,
  mappingPlan,
  portPlan,
  type ServerView,
  type Step,
} from '../../../plugins/nat-stun/plan.ts';
import { endpoint } from './network.ts';

const primary = endpoint('198.51.100.1', 3478);
const view: ServerView = {
  primary,
  secondPort: 3479,
  other: endpoint('198.51.100.2', 3479),
  elsewhere: null,
};
const alone: ServerView = { primary, secondPort: null, other: null, elsewhere: null };

const lines = (steps: readonly Step[]): string[] =>
  steps.map(({ socket, to, change }) => {
    const asked =
      change === null ? '' : ` change${change.address ? ' address' : ''}${change.port ? ' port' : ''}`;
    return `${socket} → ${formatEndpoint(to)}${asked}`;
  });

t.test('RFC 5780 4.3: mapping is asked from the main socket, at every other address and port', async t => {
  t.same(lines(mappingPlan(view)), [
    'main → 198.51.100.1:3479',
    'main → 198.51.100.2:3478',
    'main → 198.51.100.2:3479',
  ]);
  t.same(lines(mappingPlan({ ...alone, secondPort: 3479 })), ['main → 198.51.100.1:3479']);
  t.same(lines(mappingPlan({ ...alone, elsewhere: endpoint('203.0.113.1', 3478) })), [
    'main → 203.0.113.1:3478',
  ]);
  t.same(lines(mappingPlan(alone)), []);
  const samePort = { ...view, secondPort: null, other: endpoint('198.51.100.2', 3478) };
  t.same(lines(mappingPlan(samePort)), ['main → 198.51.100.2:3478'], 'no address is asked twice');
});

t.test('RFC 5780 4.4: filtering is asked from one fresh socket, of the primary address alone', async t => {
  t.same(lines(filteringPlan(view)), [
    'filter → 198.51.100.1:3478',
    'filter → 198.51.100.1:3478 change address port',
    'filter → 198.51.100.1:3478 change port',
  ]);
  t.same(lines(filteringPlan({ ...alone, secondPort: 3479 })), [
    'filter → 198.51.100.1:3478',
    'filter → 198.51.100.1:3478 change port',
  ]);
  t.same(lines(filteringPlan(alone)), ['filter → 198.51.100.1:3478']);
});

t.test('ports: one request from each fresh socket; hairpin: from a fresh one to ourselves', async t => {
  t.same(
    lines(portPlan(alone, 3)),
    [0, 1, 2].map(index => `port-${index} → 198.51.100.1:3478`),
  );
  t.same(lines(hairpinPlan(endpoint('203.0.113.77', 4444))), ['hairpin → 203.0.113.77:4444']);
});

t.test('mapping: what each set of answers means', async t => {
  const judged = (nat: boolean, ...samples: [string, number, number][]) =>
    judgeMapping(
      samples.map(([address, port, mapped]) => ({
        to: endpoint(address, port),
        mapped: endpoint('203.0.113.77', mapped),
      })),
      nat,
    );
  const [a, b] = ['198.51.100.1', '198.51.100.2'];
  t.equal(judged(true, [a, 1, 7], [a, 2, 7], [b, 1, 7], [b, 2, 7]).verdict, 'endpoint-independent');
  t.equal(judged(true, [a, 1, 7], [a, 2, 7], [b, 1, 8], [b, 2, 8]).verdict, 'address-dependent');
  t.equal(judged(true, [a, 1, 7], [b, 1, 8], [b, 2, 8]).verdict, 'address-dependent');
  t.equal(judged(true, [a, 1, 7], [a, 2, 9], [b, 1, 8], [b, 2, 5]).verdict, 'address-and-port-dependent');
  t.equal(judged(true, [a, 1, 7], [a, 2, 8]).verdict, 'address-and-port-dependent', 'one address tells that');
  t.match(judged(true, [a, 1, 7], [a, 2, 7]), {
    verdict: 'not-checked',
    note: /does not depend on the port/,
  });
  t.match(judged(true, [a, 1, 7], [b, 1, 8]), { verdict: 'not-checked', note: /depends on the address/ });
  t.match(judged(true, [a, 1, 7]), { verdict: 'not-checked', note: /neither/ });
  t.match(judged(true), { verdict: 'not-checked', note: /no server/ });
  t.equal(judged(false, [a, 1, 7]).verdict, 'endpoint-independent', 'no NAT, nothing to depend on');
});

t.test('filtering: what each set of answers means', async t => {
  const from = (address: string, port: number): Seen => ({
    ok: true,
    mapped: endpoint('203.0.113.77', 1),
    other: null,
    from: endpoint(address, port),
    localPort: 1,
    rttMs: 1,
  });
  const none = from('198.51.100.1', 3478);
  const both = from('198.51.100.2', 3479);
  const port = from('198.51.100.1', 3479);
  const lost: Seen = { ok: false, code: 'timeout' };
  const refused: Seen = { ok: false, code: 'refused' };
  const cases: [Seen, Seen | null, Seen | null, string][] = [
    [none, both, port, 'endpoint-independent'],
    [none, both, lost, 'endpoint-independent'],
    [none, lost, port, 'address-dependent'],
    [none, lost, lost, 'address-and-port-dependent'],
    [none, null, lost, 'address-and-port-dependent'],
    [none, null, port, 'not-checked'],
    [none, null, null, 'not-checked'],
    [none, refused, refused, 'not-checked'],
    [none, none, none, 'not-checked'],
    [none, lost, { ok: false, code: 'budget' }, 'not-checked'],
    [lost, lost, lost, 'not-checked'],
  ];
  for (const [plain, atBoth, atPort, expected] of cases) {
    const { verdict, note } = judgeFiltering({ none: plain, both: atBoth, port: atPort });
    t.equal(verdict, expected);
    t.equal(note === null, expected !== 'not-checked', 'a note says why');
  }
});

t.test('P2: the step of a counting NAT is found among the noise of others', async t => {
  const rule = (...ports: number[]) =>
    judgePorts(ports.map((mappedPort, at) => ({ localPort: 40_000 + at, mappedPort }))).verdict;
  t.same(rule(20_000, 20_001, 20_002, 20_003), { rule: 'sequential', step: 1 });
  t.same(rule(20_000, 20_005, 20_010, 20_015), { rule: 'sequential', step: 5 });
  t.same(
    rule(20_000, 20_002, 20_006, 20_008, 20_014, 20_016),
    { rule: 'sequential', step: 2 },
    'foreign mappings',
  );
  t.same(
    rule(20_000, 20_005, 20_010, 20_017, 20_022, 20_027),
    { rule: 'sequential', step: 5 },
    'one odd distance',
  );
  t.same(rule(65_534, 65_535, 1_024, 1_025, 1_026, 1_027), { rule: 'sequential', step: 1 }, 'a wrap');
  t.same(rule(20_009, 20_006, 20_003, 20_000), { rule: 'sequential', step: -3 }, 'downwards');
  t.same(rule(51_234, 1_999, 33_333, 12_000, 60_001, 40_404), { rule: 'random' });
  t.same(rule(40_000, 40_001, 40_002, 1_234), { rule: 'preserved' }, 'one met a port in use');
  t.same(rule(20_000, 20_001), { rule: 'not-checked' });
});
