// Every pair of NAT kinds in simulated time: who meets directly within 3 s, and who is told why not.
import t from 'tap';
import { SimWorld, type HomeKind } from './sim-node.ts';

const OPEN: readonly HomeKind[] = ['public', 'full', 'arc'];
const PORT_RESTRICTED: readonly HomeKind[] = ['prc', 'prcnp', 'naive', 'onrouter', 'carrier'];
const SYMMETRIC: readonly HomeKind[] = ['sym', 'seq', 'adm'];
const ALL = [...OPEN, ...PORT_RESTRICTED, ...SYMMETRIC];

const meets = (a: HomeKind, b: HomeKind): boolean =>
  OPEN.includes(a) || OPEN.includes(b) || (PORT_RESTRICTED.includes(a) && PORT_RESTRICTED.includes(b));

for (const a of ALL)
  for (const b of ALL)
    t.test(
      `P5: ${a} and ${b} ${meets(a, b) ? 'meet directly within 3 s of the first packet' : 'are told why not'}`,
      async t => {
        const world = new SimWorld(ALL.indexOf(a) * 100 + ALL.indexOf(b));
        t.teardown(() => world.stop());
        const [one, two] = [world.home(a), world.home(b)];
        world.acquaint(one, two);
        await world.run(500);
        const off = one.stream(two, 100);
        const back = two.stream(one, 100);
        t.teardown(off);
        t.teardown(back);
        const ms = await world.until(
          () => one.stateOf(two) === 'direct' && two.stateOf(one) === 'direct',
          5_000,
        );
        if (!meets(a, b)) {
          t.equal(ms, Infinity);
          const verdict = one.paths.status(two.id)?.verdict;
          t.match(verdict?.words, /symmetric/);
          t.match(verdict?.code, /^(both-symmetric|symmetric-against-port-filter)$/);
          return;
        }
        t.ok(ms <= 3_000, `${ms} ms`);
        const before = two.received.length;
        await world.run(1_000);
        t.ok(two.received.length - before >= 8, 'the session flows');
      },
    );

for (const a of PORT_RESTRICTED)
  for (const b of PORT_RESTRICTED)
    t.test(`P5: ${a} and ${b} meet whichever side starts first, 0 to 100 ms apart`, async t => {
      for (const skew of [-100, -50, -15, 0, 15, 50, 100]) {
        const world = new SimWorld(1000 + skew);
        const [one, two] = [world.home(a), world.home(b)];
        world.acquaint(one, two);
        await world.run(500);
        world.clock.after(Math.max(0, skew), () => one.stream(two, 100));
        world.clock.after(Math.max(0, -skew), () => two.stream(one, 100));
        const ms = await world.until(
          () => one.stateOf(two) === 'direct' && two.stateOf(one) === 'direct',
          5_000,
        );
        t.ok(ms <= 3_000, `skew ${skew}: ${ms} ms`);
        world.stop();
      }
    });
