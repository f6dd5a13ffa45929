// P2 to P6 whole, in simulated time: the real plugin, the real core, NATs that count or pick at random, and whoever means harm.
import t from 'tap';
import { meets, met, pair, type End } from './sim-pair.ts';

const COUNTING: readonly (readonly [string, End, End])[] = [
  ['seq × prc', ['seq'], ['prc']],
  ['prc × seq', ['prc'], ['seq']],
  ['seq × carrier', ['seq'], ['carrier']],
  ['seq × onrouter', ['seq'], ['onrouter']],
  ['seq × seq', ['seq'], ['seq']],
  ['seq2 × seq5', ['seq', { step: 2 }], ['seq', { step: 5 }]],
  ['seq−1 × seq1', ['seq', { step: -1 }], ['seq']],
  ['seq × prc, ten foreign mappings a second', ['seq', { foreign: 10 }], ['prc']],
  ['seq × seq, ten foreign mappings a second on both', ['seq', { foreign: 10 }], ['seq', { foreign: 10 }]],
];

for (const [name, a, b] of COUNTING)
  t.test(`P2 to P6: ${name} meet directly`, async t => {
    for (let seed = 1; seed <= 5; seed++) {
      const both = await pair(t, seed, [a, b]);
      const ms = await meets(t, both, 6_000);
      t.ok(ms <= 3_000, `seed ${seed}: ${ms} ms`);
      const before = both.two.received.length;
      await both.world.run(30_000);
      t.ok(both.two.received.length - before >= 250, 'the session flows, and goes on flowing');
      t.ok(met(both));
      t.same(both.one.faults, []);
      both.world.stop();
    }
  });

for (const [a, b] of [
  ['sym', 'prc'],
  ['prc', 'sym'],
  ['sym', 'carrier'],
  ['adm', 'prc'],
] as const)
  t.test(`birthday: ${a} × ${b} meet directly within 8 s`, async t => {
    for (let seed = 1; seed <= 3; seed++) {
      const both = await pair(t, seed, [[a], [b]]);
      const ms = await meets(t, both, 12_000);
      t.ok(ms <= 8_000, `seed ${seed}: ${ms} ms`);
      await both.world.run(40_000);
      t.ok(met(both));
      both.world.stop();
    }
  });
