// What volleys may cost: the router's entries, this box's sockets, other homes' quiet. Whatever peers, servers and plugins do.
import t, { type Test } from 'tap';
import type { PathSignal } from '../../../protocol/location/messages.ts';
import { Counters } from '../../../base/counters.ts';
import { Budget, BUDGET } from '../../../core/paths/budget.ts';
import { meets, met, pair } from './sim-pair.ts';
import { SimWorld, type SimNode } from './sim-node.ts';
import { portPredict } from './sim-portpredict.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

const begun = (node: SimNode): number => node.count('paths.volley.begun');
const flowsOf = ({ host }: SimNode, world: SimWorld): number => host.nat!.flows(world.clock.monotonicMs());

/** So many homes of that kind, all with the plugin, all known to the first. */
async function oneAndMany(t: Test, seed: number, many: number, kind: 'sym' | 'seq') {
  const world = new SimWorld(seed);
  t.teardown(() => world.stop());
  const further = portPredict(world);
  const one = world.home('prc', { further });
  const others = Array.from({ length: many }, () => world.home(kind, { further }));
  for (const other of others) world.acquaint(one, other);
  await world.run(500);
  return { world, one, others };
}

for (const [full, a, b] of [
  ['who guesses', { room: 256 }, {}],
  ['who opens many', {}, { room: 128 }],
] as const)
  t.test(`the router of ${full} has little room: the try stops, and no other begins for an hour`, async t => {
    const both = await pair(t, 7, [
      ['prc', a],
      ['sym', b],
    ]);
    const { world, one, two } = both;
    const small = 'room' in a ? one : two;
    // Nothing gets through, whatever is guessed.
    two.host.nat!.isDeaf = true;
    const offs = [one.stream(two, 500), two.stream(one, 500)];
    await world.until(() => begun(small) > 0, 5_000);
    const refusedFor = await world.until(() => small.host.nat!.refused > 0, 9_000);
    t.ok(refusedFor < Infinity, 'it did get full');
    const ms = await world.until(() => small.count('paths.volley.no-room') > 0, 5_000);
    t.ok(ms <= 1_000, `noticed after ${ms} ms`);
    const refused = small.host.nat!.refused;
    await world.run(35_000);
    t.ok(small.host.nat!.refused - refused < 30, `${small.host.nat!.refused - refused} more`);
    t.ok(flowsOf(small, world) < 60, `${flowsOf(small, world)} flows`);
    await world.run(20 * MINUTE_MS);
    t.equal(begun(small), 1, 'whoever of the two begins, and as often as they try');
    for (const off of offs) off();
  });

t.test('a router without room has none for another peer either', async t => {
  const { world, one, others } = await oneAndMany(t, 3, 2, 'sym');
  one.host.nat!.room = 256;
  for (const other of others) other.host.nat!.isDeaf = true;
  t.teardown(one.stream(others[0]!, 500));
  await world.run(12_000);
  t.equal(one.count('paths.volley.no-room'), 1);
  t.teardown(one.stream(others[1]!, 500));
  t.teardown(others[1]!.stream(one, 500));
  await world.run(5 * MINUTE_MS);
  t.equal(begun(one), 1);
});

t.test('a lost answer of the server is no full router', async t => {
  for (let seed = 1; seed <= 10; seed++) {
    const both = await pair(t, seed, [['prc'], ['sym']]);
    both.world.network.loss = 0.03;
    both.two.host.nat!.isDeaf = true;
    both.one.send(both.two);
    await both.world.run(12_000);
    t.equal(both.one.count('paths.volley.no-room'), 0, `seed ${seed}`);
    both.world.stop();
  }
});

t.test('a server far away is no full router', async t => {
  const both = await pair(t, 1, [['prc'], ['sym']]);
  both.world.network.oneWayMs = 280;
  both.one.control.rttMs = 560;
  both.two.host.nat!.isDeaf = true;
  both.one.send(both.two);
  await both.world.run(12_000);
  t.equal(both.one.count('paths.volley.no-room'), 0);
});

t.test(
  'many peers with random ports at once: the router of who guesses has fewer than 3,000 entries',
  async t => {
    const { world, one, others } = await oneAndMany(t, 1, 6, 'sym');
    for (const other of others) {
      other.host.nat!.isDeaf = true;
      t.teardown(one.stream(other, 500));
      t.teardown(other.stream(one, 500));
    }
    await world.run(5 * MINUTE_MS);
    t.ok(begun(one) >= 6, `${begun(one)} volleys`);
    t.ok(one.host.nat!.mostFlows < 3_000, `${one.host.nat!.mostFlows} entries`);
    t.ok(one.host.doors.size < 20, 'no socket is left over');
  },
);

t.test('guesses at one peer leave room for what is predicted of others', async t => {
  const world = new SimWorld(5);
  t.teardown(() => world.stop());
  const further = portPredict(world);
  const one = world.home('prc', { further });
  const [sym, ...counting] = (['sym', 'seq', 'seq', 'seq', 'seq', 'seq', 'seq'] as const).map(kind =>
    world.home(kind, { further }),
  );
  for (const other of [sym!, ...counting]) world.acquaint(one, other);
  await world.run(500);
  sym!.host.nat!.isDeaf = true;
  t.teardown(one.stream(sym!, 500));
  await world.until(() => begun(one) > 0, 3_000);
  await world.run(2_500);
  for (const other of counting) t.teardown(one.stream(other, 100));
  for (const other of counting) {
    const ms = await world.until(() => one.stateOf(other) === 'direct', 6_000);
    t.ok(ms <= 3_000, `${ms} ms`);
  }
});

t.test('a forecast that the server does not vouch for makes nobody shoot', async t => {
  for (const kind of ['seq', 'sym'] as const) {
    const both = await pair(t, 1, [['prc'], [kind]]);
    both.world.serverVouches = false;
    const ms = await meets(t, both, 20_000);
    t.equal(ms, Infinity);
    t.equal(begun(both.one) + begun(both.two), 0);
    t.ok(both.one.count('signal.forecast-not-seen') > 0);
    t.match(both.one.paths.status(both.two.id)?.verdict?.words, /NAT/);
    both.world.stop();
  }
});

for (const missing of ['one', 'two'] as const)
  for (const [a, b] of [
    ['seq', 'prc'],
    ['sym', 'prc'],
    ['seq', 'seq'],
  ] as const)
    t.test(`${a} × ${b}, end ${missing} has no plugin: nothing is fired, and both are told`, async t => {
      const both = await pair(t, 2, [[a], [b]], missing);
      const ms = await meets(t, both, 20_000);
      t.equal(ms, Infinity);
      t.equal(begun(both.one) + begun(both.two), 0);
      t.match(both.one.paths.status(both.two.id)?.verdict?.words, /plugin|both NATs/);
    });

t.test('sym × sym: told at once, and tried once an hour at most, and after an hour again', async t => {
  const both = await pair(t, 2, [['sym'], ['sym']]);
  const { world, one, two } = both;
  const off = one.stream(two, 2_000);
  t.equal((await world.until(() => one.stateOf(two) === 'unreachable', 1_000)) < 1_000, true);
  const offers = (node: SimNode): number => node.control.sent.filter(({ type }) => type === 'offer').length;
  await world.run(55 * MINUTE_MS);
  t.equal(offers(one), 1);
  await world.run(2 * HOUR_MS);
  t.ok(offers(one) >= 2 && offers(one) <= 3, `${offers(one)} offers in three hours`);
  t.equal(begun(one) + begun(two), 0);
  off();
});

/** What a member of the network may say that means harm: its NAT is whatever costs most. */
const offer = (number: number, ports: string): PathSignal => ({
  type: 'offer',
  attempt: `round-${number}`,
  serial: 0,
  candidates: [],
  nat: {
    mapping: 'address-and-port-dependent',
    filtering: 'address-and-port-dependent',
    ports,
  },
  serverRttMs: null,
  punch: {
    can: ['predict', 'birthday', 'tcp'],
    udp: { address: '198.51.100.1', port: 40_000, step: ports === 'random' ? null : 1, drift: 1_024 },
    tcp: { address: '198.51.100.1', port: 40_000, step: 1, drift: 1_024 },
  },
});

for (const [ports, kind] of [
  ['random', 'prc'],
  ['sequential 1', 'prc'],
  ['sequential 1', 'seq'],
] as const)
  t.test(`1,000 offers of a hostile peer (ports ${ports}) to a ${kind} home`, async t => {
    const world = new SimWorld(1);
    t.teardown(() => world.stop());
    const one = world.home('full');
    const two = world.home(kind, { further: portPredict(world) });
    world.acquaint(one, two);
    await world.run(500);
    world.network.keepsRecord = true;
    let sockets = 0;
    for (let round = 0; round < 1_000; round++) {
      await one.control.signal(two.asPeer().node!, offer(round, ports));
      await world.run(100);
      sockets = Math.max(sockets, two.host.doors.size);
    }
    const sent = world.network.crossed.filter(({ to }) => to.address === '198.51.100.1').length;
    t.ok(sent <= 2 * 2_560 + 1_000, `${sent} packets in 100 s`);
    t.ok(two.host.nat!.mostFlows < 3_000, `${two.host.nat!.mostFlows} entries`);
    t.ok(sockets <= 40, `${sockets} sockets`);
    await world.run(30_000);
    t.equal(two.host.doors.size, 1, 'all others are closed');
  });

t.test('1,000 offers of a hostile peer with one port for all, to a home with random ports', async t => {
  const world = new SimWorld(1);
  t.teardown(() => world.stop());
  const one = world.home('full');
  const two = world.home('sym', { further: portPredict(world) });
  world.acquaint(one, two);
  await world.run(500);
  let sockets = 0;
  for (let round = 0; round < 1_000; round++) {
    const { punch, ...rest } = offer(round, 'random');
    const nat = { ...rest.nat, mapping: 'endpoint-independent' };
    const udp = { ...punch!.udp!, step: 0 };
    await one.control.signal(two.asPeer().node!, { ...rest, nat, punch: { ...punch!, udp } });
    await world.run(100);
    sockets = Math.max(sockets, two.host.doors.size);
  }
  t.ok(begun(two) > 0);
  t.ok(sockets <= 300, `${sockets} sockets`);
  t.ok(two.host.nat!.mostFlows < 3_000, `${two.host.nat!.mostFlows} entries`);
  await world.run(30_000);
  t.equal(two.host.doors.size, 1, 'all others are closed');
});

t.test('the plugin is switched off in the middle of a volley: nothing more of it leaves', async t => {
  const both = await pair(t, 4, [['prc'], ['sym']]);
  const { world, one, two } = both;
  two.host.nat!.isDeaf = true;
  one.send(two);
  await world.until(() => begun(one) > 0 && begun(two) > 0, 3_000);
  await world.run(1_000);
  t.ok(two.host.doors.size > 200);
  one.paths.setTraversal([one.plugin]);
  two.paths.setTraversal([two.plugin]);
  world.network.keepsRecord = true;
  await world.run(5_000);
  const shots = world.network.crossed.filter(({ bytes, ttl }) => bytes.length > 60 && ttl > 0);
  t.ok(shots.length < 60, `${shots.length} packets`);
  t.equal(two.host.doors.size, 1);
  t.not(one.stateOf(two), 'trying');
});

t.test('a node goes down in the middle of a volley, or of a measurement: no socket is left', async t => {
  for (const afterMs of [20, 60, 100, 150, 300, 800, 2_000]) {
    const both = await pair(t, 4, [['seq'], ['sym']].map(([kind]) => [kind]) as never);
    both.world.stop();
    const { world, one, two } = await pair(t, 4, [['seq'], ['prc']]);
    one.send(two);
    await world.run(afterMs);
    one.stop();
    two.stop();
    await world.run(500);
    t.equal(one.host.doors.size + two.host.doors.size, 0, `after ${afterMs} ms`);
  }
});

t.test('slow signals: a repeated offer gets the answer once more, and the volley goes on', async t => {
  for (const [a, b, extraMs] of [
    ['seq', 'seq', 500],
    ['prc', 'seq', 500],
    ['seq', 'seq', 1_100],
    ['prc', 'seq', 1_100],
    ['seq', 'prc', 1_100],
  ] as const) {
    const both = await pair(t, 3, [[a], [b]]);
    for (const node of [both.one, both.two]) node.control.extraMs = extraMs;
    const off = both.one.stream(both.two, 100);
    const ms = await both.world.until(() => met(both), 8_000);
    t.ok(ms <= 4_500, `${a} × ${b}, ${extraMs} ms: ${ms} ms`);
    off();
    both.world.stop();
  }
});

t.test('another network in the middle of it: a fresh try at once', async t => {
  const both = await pair(t, 3, [['seq'], ['prc']]);
  const { world, one, two } = both;
  two.host.nat!.isDeaf = true;
  t.teardown(one.stream(two, 500));
  await world.run(5 * MINUTE_MS);
  two.host.nat!.isDeaf = false;
  t.ok(one.stateOf(two) !== 'direct');
  one.host.nat!.moveTo('198.51.100.77');
  one.host.changed();
  const ms = await world.until(() => met(both), 10_000);
  t.ok(ms <= 3_000, `${ms} ms`);
});

t.test(
  'the budget: what is predicted goes before guesses, and flows are counted as long as routers keep them',
  t => {
    const budget = new Budget(new Counters(), 0);
    const shot = (port: number, now: number, isHeavy: boolean): boolean =>
      budget.takeShot(
        'main',
        { family: 4, address: isHeavy ? '192.0.2.1' : '192.0.2.2', port },
        now,
        isHeavy,
      );
    let port = 1_000;
    for (let now = 0; now < 600; now += 2) {
      shot(++port, now, true);
      if (now % 200 === 0)
        for (let light = 0; light < 80; light++) t.ok(shot(++port, now, false), `light one at ${now} ms`);
    }
    const other = new Budget(new Counters(), 0);
    let flows = 0;
    for (let now = 0; now < 29_000; now += 4)
      if (other.takeShot('main', { family: 4, address: `192.0.2.${now % 8}`, port: 1_000 + now / 4 }, now))
        flows++;
    t.equal(flows, BUDGET.volleyFlows);
    t.ok(
      other.takeShot('main', { family: 4, address: '192.0.2.0', port: 1_000 }, 29_500),
      'a known one costs nothing',
    );
    t.notOk(other.takeShot('main', { family: 4, address: '192.0.2.0', port: 65_000 }, 29_500));
    t.ok(other.takeShot('main', { family: 4, address: '192.0.2.0', port: 65_000 }, 60_000));
    t.end();
  },
);
