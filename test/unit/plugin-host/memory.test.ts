// What the process grew by while a plugin started: each plugin's own part of it, and never a figure for what does not run.
import t from 'tap';
import { ManualClock } from '../../../base/clock.ts';
import { HAND_OVER_MS, StartMeter } from '../../../core/plugin-host/start-meter.ts';
import { bench, code, manifest } from './made-up.ts';

function stage() {
  const clock = new ManualClock();
  let resident = 100;
  const meter = new StartMeter({ clock, residentBytes: () => resident });
  const grow = (bytes: number): number => (resident += bytes);
  return { clock, meter, grow };
}

t.test('plugins that start together are measured one after the other', async t => {
  const { meter, grow } = stage();
  const grew: number[] = [];
  const start = (bytes: number) => async () => {
    await Promise.resolve();
    grow(bytes);
  };
  await Promise.all([5, 7, -3].map(bytes => meter.measured(start(bytes), one => void grew.push(one))));
  t.same(grew, [5, 7, 0], 'what others took is not in it; less than nothing is nothing');
});

t.test('one that waits for the network lets the next begin, and its figure ends there', async t => {
  const { clock, meter, grow } = stage();
  const grew: Record<string, number> = {};
  let arrived = (): void => undefined;
  const network = new Promise<void>(resolve => (arrived = resolve));
  const slow = meter.measured(
    async () => {
      grow(4);
      await network;
      grow(1000);
    },
    bytes => (grew['slow'] = bytes),
  );
  const next = meter.measured(
    async () => Promise.resolve(void grow(2)),
    bytes => (grew['next'] = bytes),
  );
  await new Promise(setImmediate);
  t.same(grew, {}, 'not yet');
  clock.advance(HAND_OVER_MS);
  await next;
  t.same(grew, { slow: 4, next: 2 });
  arrived();
  await slow;
  t.same(grew, { slow: 4, next: 2 }, 'told once');
});

t.test('one that fails holds nobody up', async t => {
  const { meter, grow } = stage();
  await t.rejects(
    meter.measured(
      async () => Promise.reject(new Error('no')),
      () => undefined,
    ),
  );
  let told = -1;
  await meter.measured(
    async () => Promise.resolve(void grow(9)),
    bytes => (told = bytes),
  );
  t.equal(told, 9);
});

t.test('a plugin has a figure while it runs, and keeps the first: code stays loaded', async t => {
  const b = bench(t, { grows: { 'plugin.json': manifest('grows'), 'index.js': code('grows') } });
  const memory = (): number | null | undefined => b.host.known()[0]?.memoryBytes;
  await b.host.list();
  t.equal(memory(), null);
  await b.start();
  const first = memory();
  t.ok(typeof first === 'number' && first >= 0 && first < 500e6, String(first));
  await b.host.disable('grows');
  t.equal(memory(), null);
  await b.host.enable('grows');
  t.ok((memory() ?? -1) >= (first ?? 0), 'not less than at first');
});
