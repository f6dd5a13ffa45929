// The prediction model against its table of cases: what was seen, and what comes next.
import t from 'tap';
import {
  foresee,
  NOTHING_KNOWN,
  type Measurement,
  type Memory,
} from '../../../plugins/nat-portpredict/model.ts';
import { endpoint } from '../nat-stun/network.ts';

const PLACES = [
  endpoint('203.0.113.1', 3478),
  endpoint('203.0.113.2', 3478),
  endpoint('203.0.113.1', 3479),
  endpoint('203.0.113.2', 3479),
  endpoint('203.0.113.3', 3478),
  endpoint('203.0.113.3', 3479),
];
const LOCAL = 40_000;

/** One socket asked so many places; null: no answer. */
const seen = (ports: readonly (number | null)[], local = LOCAL, atMs = 0): Measurement => ({
  asked: ports.length,
  localPort: local,
  samples: ports.flatMap((port, order) =>
    port === null
      ? []
      : [{ order, localPort: local, to: PLACES[order]!, mapped: endpoint('198.51.100.7', port), atMs }],
  ),
});

const next = (ports: readonly (number | null)[], memory: Partial<Memory> = {}, difference = 1) => {
  const { forecast } = foresee(seen(ports), { ...NOTHING_KNOWN, ...memory }, difference)!;
  return [forecast.port, forecast.step];
};

t.test('P2: two testing packets p1 and p2: the port to use is p2 + |p2 − p1|', async t => {
  t.same(next([20_000, 20_001]), [20_002, 1]);
  t.same(next([20_000, 20_002]), [20_004, 2]);
  t.same(next([31_000, 31_005]), [31_010, 5]);
});

t.test('P2: the same from more packets and noisier worlds', async t => {
  const cases: readonly [string, readonly (number | null)[], readonly [number, number | null]][] = [
    ['four packets', [20_000, 20_001, 20_002, 20_003], [20_004, 1]],
    ['downwards', [20_003, 20_002, 20_001, 20_000], [19_999, -1]],
    ['downwards by five', [20_010, 20_005], [20_000, -5]],
    ['another got one in between', [20_000, 20_002, 20_003, 20_004], [20_005, 1]],
    ['others got some in between, by two', [20_000, 20_004, 20_006, 20_012], [20_014, 2]],
    ['others in every gap: the common divisor', [20_000, 20_004, 20_010, 20_020], [20_022, 2]],
    ['one overtook another', [20_001, 20_000, 20_002, 20_003], [20_004, 1]],
    ['the last two changed places', [20_000, 20_002, 20_006, 20_004], [20_008, 2]],
    ['the end of 16 bits', [65_534, 65_535, 1_024, 1_025], [1_026, 1]],
    ['just before the end of 16 bits', [65_532, 65_533, 65_534, 65_535], [1_024, 1]],
    ['the bottom, downwards', [1_026, 1_025, 1_024, 65_535], [65_534, -1]],
    ['through zero', [65_534, 65_535, 0, 1], [2, 1]],
    ['a range of its own ends', [21_994, 21_996, 21_998, 20_000], [20_002, 2]],
    ['a range of its own ended a while ago', [21_998, 20_000, 20_002, 20_004], [20_006, 2]],
    ['an answer in the middle is lost', [20_000, null, 20_002, 20_003], [20_004, 1]],
    ['two answers of four', [20_000, null, null, 20_006], [20_008, 2]],
    [
      'the last answer is lost: its packet got a port all the same',
      [20_000, 20_001, 20_002, null],
      [20_004, 1],
    ],
    ['every place sees the same port', [45_000, 45_000, 45_000, 45_000], [45_000, 0]],
    ['the port is kept', [LOCAL, LOCAL], [LOCAL, 0]],
    ['the port is kept, and one answer came', [LOCAL, null], [LOCAL, 0]],
    ['random', [51_234, 2_345, 33_456, 12_000], [12_000, null]],
    ['random, two packets', [51_234, 2_345], [2_345, null]],
    ['by address, at random', [30_100, 31_900, 30_100, 31_900], [31_900, null]],
    ['by address, counting', [20_000, 20_001, 20_000, 20_001], [20_002, 1]],
  ];
  for (const [name, ports, expected] of cases) t.same(next(ports), expected, name);
});

t.test('P4: one answer: the port to use is p1 and the preset difference', async t => {
  t.same(next([20_000]), [20_001, 1]);
  t.same(next([20_000, null]), [20_001, 1], 'the second packet was not answered');
  t.same(next([20_000], {}, 3), [20_003, 3]);
  t.same(next([20_000], {}, -1), [19_999, -1]);
  t.same(next([65_535]), [1_024, 1]);
  t.same(next([20_000], { step: 5 }), [20_005, 5], 'a difference that was measured before is better');
});

t.test('what earlier measurements taught', async t => {
  t.same(next([20_000, 20_004], { step: 2 }), [20_006, 2], 'a multiple of the known step is noise');
  t.same(next([20_001, 20_000], { step: 1 }), [20_002, 1], 'an overtaken packet');
  t.same(next([21_998, 20_000], { step: 2 }), [20_002, 2], 'the end of the range');
  t.same(next([20_000, 20_003], { step: 2 }), [20_006, 3], 'another step is another NAT');
  const wrapping = { step: 2, wraps: true, seen: { lowest: 20_000, highest: 21_998 } };
  t.same(
    next([21_996, 21_998], wrapping),
    [20_000, 2],
    'a range that was seen to end there ends there again',
  );
  t.same(next([21_994, 21_996], wrapping), [21_998, 2]);
  t.same(next([20_002, 20_000], { ...wrapping, step: -2 }), [21_998, -2], 'downwards');
  t.same(next([30_000, 30_002], wrapping), [30_004, 2], 'ports beyond it: the range is another one');
  t.same(next([20_000, 20_003, 21_000, 21_003], {}), [21_006, 3], 'a jump onwards is no end');
  const { memory } = foresee(seen([21_996, 21_998, 20_000, 20_002]), NOTHING_KNOWN, 1)!;
  t.match(memory, { step: 2, wraps: true, seen: { lowest: 20_000, highest: 21_998 } });
});

t.test('drift: so many ports may go to others, by the rate at which they went before', async t => {
  const drift = (last: number, elapsedMs: number, rate: number | null = null): number => {
    const memory = { ...NOTHING_KNOWN, step: 1, rate, next: { port: 20_000, atMs: 0, own: 0 } };
    return foresee(seen([last, last + 1], LOCAL, elapsedMs), memory, 1)!.forecast.drift;
  };
  const unknown = foresee(seen([20_000, 20_001]), NOTHING_KNOWN, 1)!.forecast.drift;
  t.ok(unknown >= 8 && unknown <= 12, `unknown: ten a second (${unknown})`);
  t.ok(drift(20_000, 10_000) < unknown, 'nobody else is there');
  t.ok(drift(20_400, 10_000) > 2 * unknown, 'forty a second');
  t.equal(drift(21_500, 10_000), 64, 'capped');
  t.equal(drift(29_999, 10_000), unknown, 'nobody takes a thousand a second: it counts from elsewhere');
  t.equal(drift(20_400, 100), unknown, 'an instant says nothing');
  t.equal(drift(20_400, 3_600_000), unknown, 'nor does an hour');
  t.equal(drift(19_000, 10_000), unknown, 'nor does a counter that went back');
});

t.test('nothing came, nothing is said', async t => {
  t.equal(foresee(seen([null, null]), NOTHING_KNOWN, 1), null);
});
