// Volleys as data, and whether two ends meet by them: a pair of NATs in memory, with others' traffic behind both.
import t from 'tap';
import { seededRandom, type Random } from '../../../base/random.ts';
import {
  MAX_BURST_SOCKETS,
  MAX_SHOTS,
  type PunchShot,
  type Volley,
  type VolleyAsk,
  type VolleySide,
} from '../../../core/contract/punch.ts';
import { birthdayVolley, MAX_GUESSES } from '../../../plugins/nat-portpredict/birthday.ts';
import { driftAt } from '../../../plugins/nat-portpredict/noise.ts';
import { MAX_PREDICT_SHOTS, predictVolley, tcpVolley } from '../../../plugins/nat-portpredict/volley.ts';
import { MAX_WINDOW } from '../../../plugins/nat-portpredict/window.ts';
import { meets, type EndSpec } from './pair.ts';

const DEPENDENT = 'address-and-port-dependent';
const fixed: VolleySide = {
  nat: { mapping: 'endpoint-independent', filtering: DEPENDENT, ports: 'preserved' },
  forecast: { address: '198.51.100.1', port: 41_641, step: 0, drift: 0 },
};
const counting = (step: number, drift = driftAt(10)): VolleySide => ({
  nat: { mapping: DEPENDENT, filtering: DEPENDENT, ports: 'sequential' },
  forecast: { address: '198.51.100.2', port: 20_004, step, drift },
});
const random: VolleySide = {
  nat: { mapping: DEPENDENT, filtering: DEPENDENT, ports: 'random' },
  forecast: { address: '198.51.100.3', port: 50_000, step: null, drift: 0 },
};
const ask = (own: VolleySide, theirs: VolleySide, more: Partial<VolleyAsk> = {}): VolleyAsk => ({
  method: 'predict',
  role: 'offerer',
  holdBackMs: 60,
  failures: 0,
  own,
  theirs,
  ...more,
});

const portsOf = ({ shots }: Volley): readonly number[] => [...new Set(shots.map(({ to }) => to.port))];
const at = ({ shots }: Volley, ms: number): readonly PunchShot[] => shots.filter(({ atMs }) => atMs === ms);

t.test('P6: to a NAT that counts: many packets, to one port after another', async t => {
  const volley = predictVolley(ask(fixed, counting(2)), MAX_WINDOW, 'main')!;
  const ports = portsOf(volley);
  t.same(ports.slice(0, 3), [20_004, 20_006, 20_008], 'the forecast first');
  t.ok(ports.length >= 8 && ports.length <= MAX_WINDOW, `${ports.length} ports`);
  t.ok(volley.shots.every(({ from, to }) => from === 'main' && to.address === '198.51.100.2'));
  t.notOk(volley.isHeavy);
  const narrow = predictVolley(ask(fixed, counting(2, 60)), 8)!;
  t.equal(portsOf(narrow).length, 8, 'no more than allowed');
  t.ok(portsOf(narrow)[0]! > 20_004, 'then those that are likely to be left by others');
});

t.test(
  'P5: packets that die early open the own NAT; full ones follow when the other end has sent',
  async t => {
    const volley = predictVolley(ask(counting(1), fixed), MAX_WINDOW)!;
    t.same(
      volley.shots.map(({ from, to, atMs, ttl }) => [from, to.port, atMs, ttl]),
      [
        ['measured', 41_641, 0, 'low'],
        ['measured', 41_641, 60, 'full'],
        ['measured', 41_641, 160, 'full'],
        ['measured', 41_641, 410, 'full'],
        ['measured', 41_641, 810, 'full'],
      ],
    );
    t.ok(volley.endsMs > 810 && volley.endsMs <= 60 + 1_500);
    for (const role of ['offerer', 'answerer'] as const) {
      const both = predictVolley(ask(counting(1), counting(1), { role }), MAX_WINDOW)!;
      t.ok(both.shots.filter(({ ttl }) => ttl === 'low').every(({ atMs }) => atMs === 0));
      t.ok(both.shots.filter(({ ttl }) => ttl === 'full').every(({ atMs }) => atMs >= 60));
      t.same(
        at(both, 0).map(({ to }) => to.port),
        at(both, 60).map(({ to }) => to.port),
        'the same mappings again',
      );
      t.ok(both.shots.length <= MAX_PREDICT_SHOTS);
    }
  },
);

t.test('P6: where both count, one strides by two', async t => {
  const strides = (['offerer', 'answerer'] as const).map(role => {
    const ports = portsOf(predictVolley(ask(counting(1), counting(5), { role }), MAX_WINDOW)!);
    return ports[1]! - ports[0]!;
  });
  t.same(strides, [5, 10]);
  const down = portsOf(predictVolley(ask(fixed, counting(-2)), MAX_WINDOW)!);
  t.same(down.slice(0, 3), [20_004, 20_002, 20_000]);
});

t.test('P6: without a rule there is nothing to predict', async t => {
  t.equal(predictVolley(ask(fixed, random), MAX_WINDOW), null);
  t.equal(predictVolley(ask(random, fixed), MAX_WINDOW), null);
  t.equal(tcpVolley(ask(random, random), MAX_WINDOW), null);
});

t.test('P7: TCP: from the measured port, the same way, to fewer places', async t => {
  const volley = tcpVolley(ask(fixed, counting(1, 60), { method: 'tcp' }), MAX_WINDOW)!;
  t.ok(volley.shots.every(({ from }) => from === 'measured'));
  t.ok(portsOf(volley).length <= 24);
  t.ok(at(volley, 0).every(({ ttl }) => ttl === 'low') && at(volley, 60).every(({ ttl }) => ttl === 'full'));
});

t.test(
  'P6: a random NAT: many sockets on its side, many guesses from the other, no more than the budget',
  async t => {
    const opened = birthdayVolley(ask(random, fixed), seededRandom(1))!;
    t.equal(opened.shots.length, MAX_BURST_SOCKETS);
    t.equal(new Set(opened.shots.map(({ from }) => from)).size, MAX_BURST_SOCKETS);
    t.ok(opened.shots.every(({ ttl, to }) => ttl === 'low' && to.port === 41_641));
    t.ok(at(opened, 0).length <= 32, 'not all at once');
    const again = birthdayVolley(ask(random, fixed, { failures: 1 }), seededRandom(1))!;
    t.ok(
      again.shots.every(({ ttl }) => ttl === 'full'),
      'the second time they go all the way',
    );
    const guessed = birthdayVolley(ask(fixed, random), seededRandom(1))!;
    t.ok(
      guessed.shots.length > 1_900 && guessed.shots.length <= MAX_GUESSES,
      `${guessed.shots.length} guesses`,
    );
    t.ok(guessed.shots.length <= MAX_SHOTS);
    t.equal(portsOf(guessed).length, guessed.shots.length, 'none twice');
    t.ok(portsOf(guessed).every(port => port >= 1_024 && port <= 65_535));
    const inFirst = guessed.shots.filter(({ atMs }) => atMs < 60 + 1_000).length;
    const inFourth = guessed.shots.filter(({ atMs }) => atMs >= 4_000 && atMs < 5_000).length;
    t.ok(
      inFirst <= 160 && inFourth > 280 && inFourth <= 305,
      `${inFirst} in the first second, ${inFourth} later`,
    );
    t.ok(guessed.isHeavy && opened.isHeavy && guessed.endsMs <= 8_000);
    t.equal(birthdayVolley(ask(random, random), seededRandom(1)), null, 'two random ones: hopeless');
    t.equal(birthdayVolley(ask(fixed, fixed), seededRandom(1)), null);
  },
);

t.test('P6: by guessing they meet in 49 of 50 tries, most of them within 3 s', async t => {
  const source = seededRandom(11);
  const times = Array.from({ length: 100 }, () => {
    const openAt = new Map<number, number>();
    for (const { atMs } of birthdayVolley(ask(random, fixed), source)!.shots)
      openAt.set(1_024 + source.below(64_512), atMs);
    const { shots } = birthdayVolley(ask(fixed, random), source)!;
    return shots.find(({ to, atMs }) => (openAt.get(to.port) ?? Infinity) <= atMs)?.atMs ?? Infinity;
  }).sort((a, b) => a - b);
  t.ok(times.filter(time => time < 8_000).length >= 98);
  t.ok(times[50]! < 3_000, `median ${times[50]} ms`);
});

const TRIES = 150;
const share = (
  offerer: EndSpec,
  answerer: EndSpec,
  source: Random,
  method: 'predict' | 'tcp' = 'predict',
): number => {
  let met = 0;
  for (let one = 0; one < TRIES; one++) if (meets(offerer, answerer, source, method)) met++;
  return met / TRIES;
};

const quiet = 0;
const noisy = 10;
const EIM = 'fixed';
for (const [a, b, least] of [
  [1, 1, 0.9],
  [1, 2, 0.9],
  [2, 5, 0.9],
  [EIM, 1, 0.95],
  [5, EIM, 0.95],
] as const) {
  t.test(`P6: ${a} and ${b} meet behind NATs with others' traffic`, async t => {
    const source = seededRandom(7);
    for (const [rateA, rateB, bound] of [
      [quiet, quiet, 1],
      [noisy, quiet, least],
      [quiet, noisy, least],
      [noisy, noisy, least],
    ] as const) {
      const met = share({ kind: a, rate: rateA }, { kind: b, rate: rateB }, source);
      t.ok(met >= bound, `${rateA} and ${rateB} per second: ${met}`);
      const over = share({ kind: a, rate: rateA }, { kind: b, rate: rateB }, source, 'tcp');
      t.ok(over >= bound, `over TCP: ${over}`);
    }
  });
}
