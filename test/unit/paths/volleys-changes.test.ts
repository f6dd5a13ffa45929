// Volleys where the world is not as was said, or does not stay so: wrong reports, slow and lossy lines, flushed tables, restarts.
import t from 'tap';
import { meets, met, pair, type End } from './sim-pair.ts';
import { REPORTS, type HomeKind, type SimNode } from './sim-node.ts';
import { NOTHING_CHECKED, type NatReport } from '../../../core/contract/nat-report.ts';

const MINUTE_MS = 60_000;

const WRONG: readonly (readonly [string, End, End, Partial<NatReport>])[] = [
  ['seq × prc, nothing checked of seq', ['seq'], ['prc'], NOTHING_CHECKED],
  ['prc × seq, nothing checked of prc', ['prc'], ['seq'], NOTHING_CHECKED],
  ['seq × seq, nothing checked of one', ['seq'], ['seq'], NOTHING_CHECKED],
  ['seq × prc, said to be prc', ['seq'], ['prc'], REPORTS.prc],
  ['seq × prc, said to be random', ['seq'], ['prc'], REPORTS.sym],
  ['seq × seq, one said to be prc', ['seq'], ['seq'], REPORTS.prc],
  ['sym × prc, said to count', ['sym'], ['prc'], REPORTS.seq],
  ['prc × sym, prc said to count', ['prc'], ['sym'], REPORTS.seq],
  ['prc × seq, prc said to count', ['prc'], ['seq'], REPORTS.seq],
  ['prc × prc, one said to be random', ['prc'], ['prc'], REPORTS.sym],
  ['sym × prc, said to be prc', ['sym'], ['prc'], REPORTS.prc],
];

for (const [name, a, b, says] of WRONG)
  t.test(`wrong reports: ${name}`, async t => {
    for (let seed = 1; seed <= 3; seed++) {
      const both = await pair(t, seed, [a, b]);
      both.one.says = says;
      const ms = await meets(t, both, 60_000);
      t.ok(ms < 60_000, `seed ${seed}: ${ms} ms`);
      both.world.stop();
    }
  });

for (const [a, b, loss, oneWayMs, within] of [
  ['seq', 'prc', 0.05, 20, 5_000],
  ['seq', 'seq', 0.05, 20, 8_000],
  ['sym', 'prc', 0.05, 20, 9_000],
  ['seq', 'prc', 0, 150, 5_000],
  ['seq', 'seq', 0, 150, 5_000],
  ['sym', 'prc', 0, 150, 9_000],
] as const)
  t.test(`${a} × ${b}, loss ${loss}, ${oneWayMs} ms one way`, async t => {
    for (let seed = 1; seed <= 5; seed++) {
      const both = await pair(t, seed, [[a], [b]]);
      both.world.network.loss = loss;
      both.world.network.oneWayMs = oneWayMs;
      for (const node of [both.one, both.two]) {
        node.control.rttMs = 2 * oneWayMs;
        node.control.extraMs = 2 * (oneWayMs - 20);
      }
      const ms = await meets(t, both, 30_000);
      t.ok(ms <= within, `seed ${seed}: ${ms} ms`);
      both.world.stop();
    }
  });

t.test('a path on a further socket stays while nobody sends, and its socket with it', async t => {
  for (const [a, b] of [
    ['seq', 'prc'],
    ['sym', 'prc'],
    ['seq', 'seq'],
  ] as const) {
    const both = await pair(t, 2, [[a], [b]]);
    const { world, one, two } = both;
    const off = one.stream(two, 100);
    t.ok((await world.until(() => met(both), 9_000)) < 9_000);
    off();
    await world.run(20 * MINUTE_MS);
    t.ok(met(both), `${a} × ${b}`);
    t.ok(
      one.host.doors.size <= 3 && two.host.doors.size <= 3,
      `${one.host.doors.size}, ${two.host.doors.size}`,
    );
    const before = two.received.length;
    one.send(two);
    await world.run(100);
    t.equal(two.received.length, before + 1);
    world.stop();
  }
});

t.test('flushed again and again: found again each time, and no socket is left over', async t => {
  for (const [a, b] of [
    ['seq', 'prc'],
    ['sym', 'prc'],
  ] as const) {
    const both = await pair(t, 2, [[a], [b]]);
    const { world, one, two } = both;
    t.teardown(one.stream(two, 100));
    t.teardown(two.stream(one, 100));
    for (let round = 0; round < 8; round++) {
      await world.until(() => met(both), 20_000);
      t.ok(met(both), `${a} × ${b}, round ${round}`);
      await world.run(70_000);
      one.host.nat!.flush();
      await world.run(1_500);
    }
    await world.until(() => met(both), 20_000);
    await world.run(30_000);
    const sockets = (node: SimNode): number => node.host.doors.size;
    t.ok(sockets(one) <= 4 && sockets(two) <= 4, `${sockets(one)}, ${sockets(two)}`);
    world.stop();
  }
});

t.test('the other end starts again in the middle of a volley', async t => {
  for (const kind of ['seq', 'sym'] as const satisfies readonly HomeKind[]) {
    const both = await pair(t, 6, [[kind], ['prc']]);
    const { world, one, two } = both;
    t.teardown(one.stream(two, 100));
    await world.until(() => one.count('paths.volley.begun') > 0, 3_000);
    await world.run(60);
    const again = world.restart(two);
    world.acquaint(one, again);
    t.teardown(again.stream(one, 100));
    const ms = await world.until(() => one.stateOf(again) === 'direct', 20_000);
    t.ok(ms < 20_000, `${kind}: ${ms} ms`);
    world.stop();
  }
});
