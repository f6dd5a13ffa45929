// Relays through a real location server and real TCP doors on loopback: who is found reachable, who gets relays, and who is
// told when one leaves.
import t from 'tap';
import type { Test } from 'tap';
import type { Registration, RelaysTold, RouteAnswer } from '../../../protocol/location/messages.ts';
import { primitives } from '../../../system/crypto.ts';
import type { CreateServerOptions } from '../../../server/server.ts';
import { join, makeIdentity, readInvite } from '../../support/location-client.ts';
import type { TestConnection, TestIdentity } from '../../support/location-client.ts';
import { startServer } from '../../support/location-server.ts';
import type { TestServer } from '../../support/location-server.ts';
import { openDoor } from '../../support/tcp-door.ts';
import type { TcpDoor } from '../../support/tcp-door.ts';

const LIMITS = { loopbackDoors: true, doorGraceMs: 100, doorAgainMs: 20, doorTimeoutMs: 1000 };
const OFFER = { limit: 100e6, spare: 100e6, nodes: 0, mostNodes: 512 };

const registration = (more: Partial<Registration> = {}): Registration => ({
  ...{ privateAddresses: [], publicAddresses: [], tcpPorts: [], candidates: [], bandwidth: null },
  ...{ cpuLoad: 0, reachable: 'no', relay: null, region: '', relays: [] },
  ...more,
});

interface Box {
  readonly connection: TestConnection;
  readonly id: string;
  readonly door: TcpDoor;
  register(more?: Partial<Registration>): Promise<void>;
}

const start = (t: Test, more: Partial<CreateServerOptions['limits']> = {}): Promise<TestServer> =>
  startServer(t, {}, { limits: { ...LIMITS, ...more } });

async function boxIn(
  t: Test,
  { invite, port }: TestServer,
  identity: TestIdentity = makeIdentity(),
): Promise<Box> {
  const { connection } = await join(await invite(), port, identity);
  const door = await openDoor(t, identity.control);
  return {
    ...{ connection, door, id: identity.id },
    register: async (more = {}) => {
      const answer = await connection.ask({ type: 'register', registration: registration(more) });
      if (answer.type !== 'done') throw new Error(JSON.stringify(answer));
    },
  };
}

/** A box whose door answers, and that forwards. */
async function relayIn(t: Test, server: TestServer, more: Partial<Registration> = {}): Promise<Box> {
  const box = await boxIn(t, server);
  await box.register({ tcpPorts: [box.door.port], relay: OFFER, ...more });
  await box.connection.ask({ type: 'ping' });
  await routeTo(box.connection, box.id, ({ tcp }) => tcp.length > 0);
  return box;
}

/** Asks until the answer is as wanted. */
async function routeTo(
  connection: TestConnection,
  node: string,
  isEnough: (route: RouteAnswer) => boolean,
): Promise<RouteAnswer> {
  for (let turn = 0; turn < 200; turn++) {
    const route = await connection.ask({ type: 'lookup', node });
    if (route.type === 'route' && isEnough(route)) return route;
    await new Promise(resolve => setTimeout(resolve, 20));
  }
  throw new Error('no such route');
}

const idsOf = (places: RelaysTold['keep']): string[] => places.map(({ node }) => node.record.id);

t.test('V7: the server looks itself whether a TCP door answers, and carries nothing there', async t => {
  const server = await start(t);
  const [box, asker] = [await boxIn(t, server), await boxIn(t, server)];
  await box.register({ tcpPorts: [box.door.port] });
  const route = await routeTo(asker.connection, box.id, ({ tcp }) => tcp.length > 0);
  t.same(route.tcp, [{ family: 4, address: '127.0.0.1', port: box.door.port }]);
  t.same(route.relays, [], 'who is reached needs no relays');
  const { serverKey } = readInvite(await server.invite());
  t.equal(box.door.proved.length, 1);
  t.same(Buffer.from(box.door.proved[0]!.key), Buffer.from(serverKey), 'it came with its own key');
  t.notOk(box.door.proved[0]!.broughtNode);
  t.equal(box.door.carried(), 0);
});

t.test('V7: a door of another box, or none, is no way in', async t => {
  const server = await start(t);
  const [box, asker] = [await boxIn(t, server), await boxIn(t, server)];
  const strange = await openDoor(t, primitives.dhKeyPair());
  const closed = await openDoor(t, primitives.dhKeyPair());
  await closed.close();
  await box.register({ tcpPorts: [strange.port, closed.port] });
  for (let turn = 0; turn < 20; turn++) {
    t.match(await asker.connection.ask({ type: 'lookup', node: box.id }), { tcp: [] });
    await new Promise(resolve => setTimeout(resolve, 10));
  }
  t.equal(strange.proved.length, 0);
  t.equal(server.counters.counter('door.refused').value, 1);
});

t.test('V7, V9: who is not reached gets two relays; look-ups answer with them, kept ones first', async t => {
  const server = await start(t);
  const relays = [await relayIn(t, server), await relayIn(t, server)];
  const [box, asker] = [await boxIn(t, server), await boxIn(t, server)];
  await box.register();
  const { keep } = await box.connection.next('relays');
  t.same(idsOf(keep).sort(), relays.map(({ id }) => id).sort());
  const ports = new Map(relays.map(({ id, door }) => [id, door.port]));
  for (const { node, places } of keep)
    t.same(places, [{ family: 4, address: '127.0.0.1', port: ports.get(node.record.id) }]);
  const [first, second] = idsOf(keep);
  t.same(idsOf((await routeTo(asker.connection, box.id, () => true)).relays), [first, second]);
  await box.register({ relays: [{ node: second!, state: 'kept', rttMs: 3 }] });
  t.same(idsOf((await routeTo(asker.connection, box.id, () => true)).relays), [second, first]);
  t.same(box.connection.cameOf('relays'), [], 'and the box was told nothing new');
  t.same(relays[0]!.connection.cameOf('relays'), [], 'who is reached is told of none');
});

t.test('V9: a box that came before its relays hears of them when they come', async t => {
  const server = await start(t);
  const box = await boxIn(t, server);
  await box.register();
  const relay = await relayIn(t, server);
  t.same(idsOf((await box.connection.next('relays')).keep), [relay.id]);
});

t.test(
  'V13: a relay whose connection ends is replaced at once; the box and who sends to it are told',
  async t => {
    const server = await start(t);
    const relays = [await relayIn(t, server), await relayIn(t, server), await relayIn(t, server)];
    const [box, sender] = [await boxIn(t, server), await boxIn(t, server)];
    await box.register();
    const [first, second] = idsOf((await box.connection.next('relays')).keep);
    const spare = relays.map(({ id }) => id).find(id => id !== first && id !== second);
    await box.register({
      relays: [first!, second!].map(node => ({ node, state: 'kept' as const, rttMs: 1 })),
    });
    await routeTo(sender.connection, box.id, () => true);
    relays.find(({ id }) => id === first)!.connection.terminate();
    t.same(idsOf((await box.connection.next('relays')).keep), [second, spare]);
    const rerouted = await sender.connection.next('rerouted');
    t.equal(rerouted.node, box.id);
    t.same(idsOf(rerouted.relays), [second, spare]);
  },
);

t.test(
  'V13: a relay is left when it offers no more, is disabled, or is doubted and does not answer',
  async t => {
    const server = await start(t);
    const box = await boxIn(t, server);
    await box.register();
    const withdrawn = await relayIn(t, server);
    t.same(idsOf((await box.connection.next('relays')).keep), [withdrawn.id]);
    await withdrawn.register({ tcpPorts: [withdrawn.door.port], relay: null });
    t.same(idsOf((await box.connection.next('relays')).keep), []);

    const disabled = await relayIn(t, server);
    t.same(idsOf((await box.connection.next('relays')).keep), [disabled.id]);
    await server.server.members.disableNode(disabled.id);
    t.same(idsOf((await box.connection.next('relays')).keep), []);

    const dead = await relayIn(t, server);
    t.same(idsOf((await box.connection.next('relays')).keep), [dead.id]);
    await dead.door.close();
    await box.register({ relays: [{ node: dead.id, state: 'failed', rttMs: null }] });
    t.same(idsOf((await box.connection.next('relays')).keep), [], 'the server looked itself');
  },
);

t.test('V13: what a box could not reach is replaced at once, for that box alone', async t => {
  const server = await start(t);
  for (let relay = 0; relay < 3; relay++) await relayIn(t, server);
  const [box, other] = [await boxIn(t, server), await boxIn(t, server)];
  await box.register();
  await other.register();
  const before = idsOf((await box.connection.next('relays')).keep);
  await other.connection.next('relays');
  await box.register({ relays: [{ node: before[0]!, state: 'failed', rttMs: null }] });
  const after = idsOf((await box.connection.next('relays')).keep);
  t.equal(after[0], before[1]);
  t.notOk(after.includes(before[0]!));
  await other.connection.ask({ type: 'ping' });
  t.same(other.connection.cameOf('relays'), []);
});

t.test('V8: the way of choosing is a setting that takes effect at once', async t => {
  const server = await start(t);
  const far = await relayIn(t, server, { region: 'there' });
  const box = await boxIn(t, server);
  await box.register({ region: 'here' });
  await box.connection.next('relays');
  await relayIn(t, server, { region: 'there', cpuLoad: 0.2 });
  await box.connection.next('relays');
  const near = await relayIn(t, server, { region: 'here', cpuLoad: 0.9 });
  t.equal(server.server.relays.shown().choice, 'balanced');
  await server.server.changeSettings({ set: { 'relay-choice': 'nearest' } });
  const { keep } = await box.connection.next('relays');
  t.equal(idsOf(keep)[0], near.id);
  t.match(server.server.relays.why(box.id), { choice: 'nearest', ranking: [{ id: near.id, use: 'first' }] });
  t.ok(far.id);
});

t.test('V8: nearest names others to be measured, and goes by what was measured', async t => {
  const server = await start(t);
  await server.server.changeSettings({ set: { 'relay-choice': 'nearest' } });
  for (let relay = 0; relay < 4; relay++) await relayIn(t, server);
  const box = await boxIn(t, server);
  await box.register();
  const told = await box.connection.next('relays');
  t.equal(told.measure.length, 2);
  const near = idsOf(told.measure)[0]!;
  await box.register({ relays: [{ node: near, state: 'measured', rttMs: 2 }] });
  t.equal(idsOf((await box.connection.next('relays')).keep)[0], near);
});

t.test(
  'V7: at most four places of one registration are looked at, and none that is nobody’s business',
  async t => {
    const server = await start(t, { loopbackDoors: false });
    const box = await boxIn(t, server);
    const near = ['127.0.0.1', '169.254.9.9', '224.0.0.1'].map(address => ({
      ...{ family: 4 as const, address, port: box.door.port },
    }));
    await box.register({ tcpPorts: [box.door.port], privateAddresses: near, publicAddresses: near });
    await new Promise(resolve => setTimeout(resolve, 100));
    t.equal(box.door.proved.length, 0, 'neither loopback nor link-local nor multicast');
  },
);
