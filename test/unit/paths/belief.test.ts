// When a path is believed and when not: flushed NATs, dead servers, restarts, silence.
import t, { type Test } from 'tap';
import { SimWorld, type HomeKind, type SimNode } from './sim-node.ts';

interface Pair {
  readonly world: SimWorld;
  readonly one: SimNode;
  readonly two: SimNode;
}

/** Two homes that have met directly. */
async function metPair(t: Test, a: HomeKind, b: HomeKind, seed = 1): Promise<Pair> {
  const world = new SimWorld(seed);
  t.teardown(() => world.stop());
  const [one, two] = [world.home(a), world.home(b)];
  world.acquaint(one, two);
  await world.run(500);
  one.send(two);
  const ms = await world.until(() => one.stateOf(two) === 'direct' && two.stateOf(one) === 'direct', 3_000);
  t.ok(ms <= 3_000, 'they met');
  await world.run(1_000);
  return { world, one, two };
}

/** Both ways, as a TCP transfer does; answers when the first packet came through again after `from`. */
const flowing = (node: SimNode, from: number): boolean => (node.received.at(-1)?.at ?? 0) > from;

for (const [a, b] of [
  ['prcnp', 'prcnp'],
  ['prc', 'prcnp'],
  ['prcnp', 'arc'],
  ['carrier', 'prcnp'],
] as const)
  t.test(`P5: a flushed NAT (${a}, the peer's ${b}) under a transfer: it flows again within 3 s`, async t => {
    for (const seed of [1, 2, 3, 4, 5]) {
      const { world, one, two } = await metPair(t, a, b, seed);
      one.stream(two, 10);
      two.stream(one, 10);
      await world.run(2_000);
      const flushedAt = world.clock.monotonicMs();
      one.host.nat!.flush();
      one.host.nat!.parent?.flush();
      // The connection to the location server went through the same NAT: it finds that out when it next sends.
      one.control.isBroken = true;
      await world.run(100);
      const from = world.clock.monotonicMs();
      const ms = await world.until(() => flowing(one, from) && flowing(two, from), 8_000);
      t.ok(ms + 100 <= 3_000, `seed ${seed}: ${world.clock.monotonicMs() - flushedAt} ms`);
      world.stop();
    }
  });

t.test('P5: the peer of the flushed NAT starts over by itself too, within 3 s', async t => {
  const { world, one, two } = await metPair(t, 'prcnp', 'prcnp', 9);
  two.stream(one, 10);
  one.stream(two, 10);
  await world.run(1_000);
  two.host.nat!.flush();
  two.control.isBroken = true;
  await world.run(100);
  const from = world.clock.monotonicMs();
  const ms = await world.until(() => flowing(one, from) && flowing(two, from), 8_000);
  t.ok(ms <= 3_000, `${ms} ms`);
});

t.test('P5: NATs that forget again and again: each time it flows again within 3 s', async t => {
  for (const seed of [1, 2, 3, 4, 5]) {
    const { world, one, two } = await metPair(t, 'prcnp', 'prcnp', seed);
    one.stream(two, 10);
    two.stream(one, 10);
    for (const flushed of [one, two, two, one, one]) {
      await world.run(4_000);
      flushed.host.nat!.flush();
      flushed.control.isBroken = true;
      await world.run(100);
      const from = world.clock.monotonicMs();
      const ms = await world.until(() => [one, two].every(node => flowing(node, from)), 8_000);
      t.ok(ms + 100 <= 3_000, `seed ${seed}: ${ms + 100} ms`);
    }
    world.stop();
  }
});

t.test('a path whose peer vanished is distrusted within 2 s while data is sent', async t => {
  const { world, one, two } = await metPair(t, 'prc', 'prc');
  one.stream(two, 20);
  two.stream(one, 20);
  await world.run(1_000);
  two.stop();
  world.nodes.delete(two.id);
  const ms = await world.until(() => one.stateOf(two) !== 'direct', 5_000);
  t.ok(ms >= 700 && ms <= 1_500, `${ms} ms`);
  await world.until(() => one.stateOf(two) === 'offline', 5_000);
  t.equal(one.stateOf(two), 'offline');
  t.match(one.paths.status(two.id)?.reason, /not connected to the location server/);
});

t.test('a probe on a path in use wakes the session: a box that restarted has none', async t => {
  const { world, one, two } = await metPair(t, 'prc', 'prc');
  one.stream(two, 20);
  await world.run(1_000);
  t.ok(two.woken.includes(one.id), 'by the questions that follow unanswered data');
});

t.test('an idle path is kept up by few probes, and outlives the timeouts of its NATs', async t => {
  const { world, one, two } = await metPair(t, 'prcnp', 'prcnp');
  const used = one.used.length;
  const before = one.count('paths.probe.sent') + two.count('paths.probe.sent');
  await world.run(20 * 60_000);
  t.equal(one.stateOf(two), 'direct');
  t.equal(one.used.length, used, 'the same path all the time');
  const probes = one.count('paths.probe.sent') + two.count('paths.probe.sent') - before;
  t.ok(probes >= 40 && probes <= 200, `${probes} probes in 20 minutes`);
});

t.test('an idle path that died is noticed and replaced without any data', async t => {
  const { world, one, two } = await metPair(t, 'prcnp', 'prcnp');
  const before = two.linkTo(one);
  one.host.nat!.flush();
  const ms = await world.until(() => two.stateOf(one) === 'direct' && two.linkTo(one) !== before, 60_000);
  t.ok(ms < 30_000, `${ms} ms`);
  await world.run(5_000);
  t.equal(one.stateOf(two), 'direct');
  t.match(one.paths.status(two.id)?.reason, /answer/);
});

t.test('one-way traffic does not make a path doubted', async t => {
  const { world, one, two } = await metPair(t, 'prc', 'prcnp');
  one.stream(two, 50);
  const used = one.used.length;
  const before = one.count('paths.probe.sent');
  await world.run(60_000);
  t.equal(one.stateOf(two), 'direct');
  t.equal(one.used.length, used);
  const probes = one.count('paths.probe.sent') - before;
  t.ok(probes > 30 && probes < 120, `${probes} probes in a minute`);
  t.equal(one.plugin.refreshes, 1, 'and nothing was measured for it');
});

t.test('loss of 10 % each way neither moves nor breaks a path', async t => {
  const { world, one, two } = await metPair(t, 'prc', 'prc');
  world.network.loss = 0.1;
  const used = one.used.length;
  one.stream(two, 100);
  await world.run(5 * 60_000);
  t.equal(one.used.length, used);
  t.ok((one.paths.status(two.id)?.path?.loss ?? 0) > 0.03, 'though it is measured');
});

t.test('P5: homes meet through 20 % loss', async t => {
  for (const seed of [1, 2, 3, 4, 5, 6]) {
    const world = new SimWorld(seed);
    const [one, two] = [world.home('prc'), world.home('prcnp')];
    world.acquaint(one, two);
    await world.run(500);
    world.network.loss = 0.2;
    one.stream(two, 100);
    const ms = await world.until(() => one.stateOf(two) === 'direct' && two.stateOf(one) === 'direct', 6_000);
    t.ok(ms <= 3_000, `${ms} ms`);
    world.stop();
  }
});

t.test(
  'the server away: the homes stay connected, and a flushed port-preserving NAT is found again',
  async t => {
    const { world, one, two } = await metPair(t, 'prc', 'prcnp');
    world.serverIsUp = false;
    for (const node of [one, two]) node.control.set('away');
    await world.run(10 * 60_000);
    t.equal(one.stateOf(two), 'direct');
    one.host.nat!.flush();
    await world.run(30);
    one.stream(two, 100);
    const from = world.clock.monotonicMs();
    const ms = await world.until(() => flowing(two, from) && one.stateOf(two) === 'direct', 30_000);
    t.ok(ms <= 30_000, `${ms} ms`);
  },
);

for (const sender of ['the restarted', 'the other'] as const)
  t.test(
    `V4: the server away: a home restarted (daemon and NAT) finds the other from what it kept; ${sender} home speaks first`,
    async t => {
      const { world, one, two } = await metPair(t, 'prc', 'prcnp');
      world.serverIsUp = false;
      for (const node of [one, two]) node.control.set('away');
      await world.run(60_000);
      one.stop();
      one.host.nat!.flush();
      await world.run(40_000);
      const again = world.restart(one);
      world.acquaint(again, two);
      if (sender === 'the restarted') again.stream(two, 200);
      else two.stream(again, 200);
      const ms = await world.until(
        () => again.stateOf(two) === 'direct' && two.stateOf(again) === 'direct',
        40_000,
      );
      t.ok(ms <= 35_000, `${ms} ms`);
    },
  );

t.test('the server comes back: whoever is wanted is sought through it at once', async t => {
  const world = new SimWorld(3);
  t.teardown(() => world.stop());
  const [one, two] = [world.home('prcnp'), world.home('prcnp')];
  world.acquaint(one, two);
  await world.run(500);
  world.serverIsUp = false;
  for (const node of [one, two]) node.control.set('away');
  one.stream(two, 500);
  await world.run(20_000);
  t.equal(one.stateOf(two), 'trying');
  t.match(one.paths.why(two.id)?.lines.join('\n'), /location server is away/);
  world.serverIsUp = true;
  for (const node of [one, two]) node.control.set('connected');
  const ms = await world.until(() => one.stateOf(two) === 'direct', 10_000);
  t.ok(ms <= 1_000, `${ms} ms`);
});

t.test(
  'two random symmetric NATs: told at once, and tried at most once an hour, however much is sent',
  async t => {
    const world = new SimWorld(4);
    t.teardown(() => world.stop());
    const [one, two] = [world.home('sym'), world.home('sym')];
    world.acquaint(one, two);
    await world.run(500);
    const off = one.stream(two, 1_000);
    const back = two.stream(one, 1_000);
    await world.run(5_000);
    t.equal(one.paths.status(two.id)?.verdict?.code, 'both-symmetric');
    const signals = one.control.sent.length + two.control.sent.length;
    await world.run(3_590_000);
    t.equal(one.control.sent.length + two.control.sent.length, signals, 'nothing more within the hour');
    await world.run(920_000);
    t.ok(one.control.sent.length + two.control.sent.length > signals, 'then once more');
    off();
    back();
  },
);

t.test('tries that fail are repeated ever more slowly, and end when nobody wants the peer', async t => {
  const world = new SimWorld(4);
  t.teardown(() => world.stop());
  const [one, two] = [world.home('sym'), world.home('prc')];
  world.acquaint(one, two);
  await world.run(500);
  const off = one.stream(two, 1_000);
  await world.run(60_000);
  const offers = one.control.sent.length;
  t.ok(offers >= 4 && offers <= 8, `${offers} offers in the first minute`);
  off();
  await world.run(120_000);
  const later = one.control.sent.length;
  await world.run(600_000);
  t.equal(one.control.sent.length, later);
});
