// Nodes and the location server on loopback: the real protocol over real sockets.
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer as createTcpServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import type { Test } from 'tap';
import { ManualClock, systemClock } from '../../base/clock.ts';
import type { Clock } from '../../base/clock.ts';
import { Counters } from '../../base/counters.ts';
import { silentLog } from '../../base/log.ts';
import { systemRandom } from '../../base/random.ts';
import { openStore } from '../../base/store.ts';
import { fromBase64Url } from '../../protocol/base64.ts';
import { decodeInvite, encodeInvite } from '../../protocol/location/invite.ts';
import type { Invite } from '../../protocol/location/invite.ts';
import type { PathSignal, SignedNode } from '../../protocol/location/messages.ts';
import { ControlClient } from '../../core/control/client.ts';
import { openIdentity } from '../../core/control/identity.ts';
import type { NodeIdentity } from '../../core/control/identity.ts';
import { joinByInvite, MembershipFile } from '../../core/control/membership.ts';
import { NetworkTime } from '../../core/control/network-time.ts';
import type { Control, RouteFound } from '../../core/control/types.ts';
import { PeerBook } from '../../core/peers/peer-book.ts';
import { createServer } from '../../server/server.ts';
import type { LocationServer } from '../../server/server.ts';
import { primitives } from '../../system/crypto.ts';

const BOUND_MS = 20_000;

async function folderOf(test: Test): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'ginnel-control-'));
  test.teardown(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

async function freePort(): Promise<number> {
  const server = createTcpServer();
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise(resolve => server.close(resolve));
  return port;
}

interface Home {
  readonly server: LocationServer;
  readonly stateDir: string;
  readonly port: number;
}

async function serve(test: Test, port?: number, stateDir?: string): Promise<Home> {
  const home = { stateDir: stateDir ?? (await folderOf(test)), port: port ?? (await freePort()) };
  const server = createServer({
    stateDir: home.stateDir,
    primitives,
    clock: systemClock,
    counters: new Counters(),
    log: silentLog,
  });
  test.teardown(() => server.down());
  await server.up({ port: home.port, listen: ['127.0.0.1'], pool4: '10.177.0.0/16', networkName: 'test' });
  return { ...home, server };
}

async function inviteOf({ server }: Home): Promise<Invite> {
  const decoded = decodeInvite((await server.invite({})).invite);
  if (!decoded.ok) throw new Error(decoded.code);
  return decoded.value;
}

interface Node {
  readonly control: Control;
  readonly identity: NodeIdentity;
  readonly membership: MembershipFile;
  readonly peers: PeerBook;
  readonly counters: Counters;
  readonly states: string[];
  readonly signals: { from: string; signal: PathSignal }[];
  readonly changes: { name: string; online: boolean }[];
  readonly self: SignedNode;
  end(): Promise<void>;
}

interface NodeWishes {
  readonly folder: string;
  readonly invite?: Invite;
  readonly name?: string;
  readonly clock?: Clock;
}

/** Everything a node has but its data plane, started. */
async function start(test: Test, wishes: NodeWishes): Promise<Node> {
  const { folder, invite, name = 'box', clock = systemClock } = wishes;
  const counters = new Counters();
  const shared = { log: silentLog, counters, primitives, clock };
  const membership = await MembershipFile.open({ folder, ...shared });
  const identity = await openIdentity({ folder, joined: membership.current !== null, ...shared });
  if (invite !== undefined)
    await membership.replace(joinByInvite(invite, { name, udpPort: 0 }, membership.current));
  const store = await openStore({ path: join(folder, 'peers'), firstSetUp: true, counters });
  const time = new NetworkTime(clock);
  const peers = await PeerBook.open({
    ...shared,
    store,
    nowMs: () => time.nowMs(),
    network: membership.current!.network,
    serverIdentity: fromBase64Url(membership.current!.serverIdentity)!,
    self: identity.id,
    localStatic: identity.control,
  });
  const [states, signals, changes]: [string[], Node['signals'], Node['changes']] = [[], [], []];
  const control = new ControlClient({
    ...shared,
    random: systemRandom,
    identity,
    membership,
    peers,
    time,
    events: {
      welcomed() {},
      stateChanged: state => void states.push(state),
      signalled: (from, signal) => void signals.push({ from: from.record.name, signal }),
      nodeChanged: (node, online) => void changes.push({ name: node.record.name, online }),
      seenFrom() {},
      placesLearnt() {},
    },
    localAddresses: () => [],
    localNetworks: () => ['192.168.77.0/24'],
    sharedNetworks: () => [],
    allowLoopback: true,
  });
  let ended = false;
  const end = async (): Promise<void> => {
    if (ended) return;
    ended = true;
    await control.stop();
    await store.close();
  };
  test.teardown(end);
  control.start();
  return {
    ...{ control, identity, membership, peers, counters, states, signals, changes, end },
    get self() {
      const { record, assignment } = membership.current!;
      return { record: record!, assignment: assignment! };
    },
  };
}

/** Waits until it holds, 20 s at most. */
async function until(what: string, holds: () => boolean): Promise<void> {
  const before = performance.now();
  while (!holds()) {
    if (performance.now() - before > BOUND_MS) throw new Error(`not within ${BOUND_MS / 1000} s: ${what}`);
    await new Promise(resolve => setTimeout(resolve, 20));
  }
}

const inState = (node: Node, state: string): Promise<void> =>
  until(
    `${state} (it is ${node.control.state}: ${node.control.problem?.message ?? ''})`,
    () => node.control.state === state,
  );

async function join2(test: Test, home: Home): Promise<[Node, Node]> {
  const join = async (name: string): Promise<Node> => {
    const node = await start(test, { folder: await folderOf(test), invite: await inviteOf(home), name });
    await inState(node, 'connected');
    return node;
  };
  return [await join('attic'), await join('cellar')];
}

/** Asks until there is such an answer: records and registrations reach the server a moment after the welcome. */
async function lookUp(
  node: Node,
  what: Parameters<Control['lookup']>[0],
  isEnough: (found: RouteFound) => boolean = () => true,
): Promise<RouteFound> {
  const before = performance.now();
  for (;;) {
    const found = await node.control.lookup(what).catch((error: unknown) => error);
    if (!(found instanceof Error) && isEnough(found as RouteFound)) return found as RouteFound;
    if (performance.now() - before > BOUND_MS) throw new Error('not found in time', { cause: found });
    await new Promise(resolve => setTimeout(resolve, 100));
  }
}

const offer: PathSignal = {
  type: 'offer',
  attempt: 'try-1',
  serial: 0,
  candidates: [{ kind: 'host', transport: 'udp', endpoint: { family: 4, address: '127.0.0.1', port: 4444 } }],
  nat: { mapping: 'not-checked', filtering: 'not-checked', ports: 'not-checked' },
  serverRttMs: null,
};

t.test('V1, V4, V10: two nodes join, register, find each other and signal', async t => {
  const home = await serve(t);
  const [attic, cellar] = await join2(t, home);
  t.match(attic.membership.current, { token: null, networkName: 'test', assignment: { ip4: /^10\.177\./ } });
  t.not(attic.self.record.ip4, cellar.self.record.ip4);
  const registration = {
    ...{ privateAddresses: [], publicAddresses: [], tcpPort: null, bandwidth: 1e6, cpuLoad: 0.25 },
    candidates: offer.candidates,
    reachable: 'no',
  } as const;
  cellar.control.register(registration);
  const byAddress = await lookUp(attic, { address: cellar.self.record.ip4 });
  t.match(byAddress, { online: true, node: { record: { name: 'cellar', id: cellar.identity.id } } });
  for (const what of [
    { address: cellar.self.record.ip6 },
    { node: cellar.identity.id },
    { wireguardKey: cellar.identity.wireguardKey },
  ])
    t.equal((await attic.control.lookup(what)).node.record.name, 'cellar');
  t.equal(attic.peers.find('cellar')?.node.record.id, cellar.identity.id, 'it is kept');
  const found = await lookUp(attic, { node: cellar.identity.id }, route => route.registration !== null);
  t.match(found.registration, { cpuLoad: 0.25, reachable: 'no' });

  await attic.control.signal(found.node, offer);
  await until('the signal', () => cellar.signals.length === 1);
  t.match(cellar.signals[0], { from: 'attic', signal: { attempt: 'try-1', candidates: offer.candidates } });
  const back = cellar.peers.find('attic')!.node;
  await cellar.control.signal(back, { ...offer, type: 'answer' });
  await attic.control.signal(found.node, offer);
  await until('both', () => attic.signals.length === 1 && cellar.signals.length === 2);
  t.ok(cellar.signals[1]!.signal.serial > cellar.signals[0]!.signal.serial);
  await t.rejects(attic.control.lookup({ address: '10.177.99.99' }), { code: 'NODE_UNKNOWN' });

  await cellar.end();
  await until('attic hears of it', () =>
    attic.changes.some(change => change.name === 'cellar' && !change.online),
  );
  await t.rejects(attic.control.signal(found.node, offer), { code: 'NODE_OFFLINE' });
});

t.test(
  'P1: the server goes and comes back: the node knows, goes on with what it knows, and reconnects',
  async t => {
    const home = await serve(t);
    const [attic, cellar] = await join2(t, home);
    await lookUp(attic, { node: cellar.identity.id });
    await home.server.down();
    await inState(attic, 'away');
    t.match(attic.control.problem, { code: /SERVER_AWAY|SERVER_UNREACHABLE/ });
    await t.rejects(attic.control.lookup({ node: cellar.identity.id }), { code: 'SERVER_AWAY' });
    t.ok(attic.peers.byAddress(cellar.self.record.ip4), 'the peer is still known');
    await serve(t, home.port, home.stateDir);
    await inState(attic, 'connected');
    t.match(await lookUp(attic, { node: cellar.identity.id }), { node: { record: { name: 'cellar' } } });
    t.equal(attic.self.record.generation, 1, 'a record that the server has is not signed again');
  },
);

t.test(
  'V4, V10: a node restarts while the server is away: same number, same address, same peers',
  async t => {
    const home = await serve(t);
    const folder = await folderOf(t);
    const first = await start(t, { folder, invite: await inviteOf(home), name: 'attic' });
    await inState(first, 'connected');
    const cellar = await start(t, {
      folder: await folderOf(t),
      invite: await inviteOf(home),
      name: 'cellar',
    });
    await inState(cellar, 'connected');
    const { node } = await lookUp(first, { address: cellar.self.record.ip4 });
    await first.control.signal(node, offer);
    const { self, identity } = first;
    await first.end();
    await home.server.down();
    const second = await start(t, { folder });
    await until('it has looked for the server', () => second.control.problem !== null);
    t.match(second.control.problem, {
      code: 'SERVER_UNREACHABLE',
      message: /127\.0\.0\.1:\d+: nothing listens there/,
    });
    t.equal(second.identity.id, identity.id);
    t.same(second.self, self);
    t.equal(second.peers.byAddress(cellar.self.record.ip4)?.node.record.name, 'cellar');
    await serve(t, home.port, home.stateDir);
    await inState(second, 'connected');
    t.equal(second.self.assignment.ip4, self.assignment.ip4);
  },
);

t.test('a server with another key at the same address is refused', async t => {
  const home = await serve(t);
  const [attic] = await join2(t, home);
  await home.server.down();
  const other = await serve(t, home.port);
  attic.control.kick();
  await inState(attic, 'refused');
  t.match(attic.control.problem, { code: 'SERVER_KEY_WRONG', message: /another key/ });
  t.equal(other.server.summary().nodes.length, 0);
  await other.server.down();
  await serve(t, home.port, home.stateDir);
  attic.control.kick();
  await inState(attic, 'connected');
});

t.test('a used, an unknown and a misdirected invite are refused with a sentence', async t => {
  const home = await serve(t);
  const invite = await inviteOf(home);
  const first = await start(t, { folder: await folderOf(t), invite, name: 'first' });
  await inState(first, 'connected');
  const second = await start(t, { folder: await folderOf(t), invite, name: 'second' });
  await inState(second, 'refused');
  t.match(second.control.problem, { code: 'INVITE_USED', message: /has been used already/ });
  t.same(second.states, ['connecting', 'refused']);
  const unknown = { ...invite, token: new Uint8Array(16) };
  const third = await start(t, { folder: await folderOf(t), invite: unknown, name: 'third' });
  await inState(third, 'refused');
  t.match(third.control.problem, { code: 'INVITE_UNKNOWN' });
  const nowhere = { ...invite, addresses: [`127.0.0.1:${await freePort()}`] };
  const fourth = await start(t, { folder: await folderOf(t), invite: nowhere, name: 'fourth' });
  await inState(fourth, 'away');
  t.match(fourth.control.problem, { code: 'SERVER_UNREACHABLE', message: /nothing listens there/ });
  t.ok(encodeInvite(invite).startsWith('ginnel:'));
});

t.test('V3: the same node comes back with its used invite: it is known by its key', async t => {
  const home = await serve(t);
  const [folder, invite] = [await folderOf(t), await inviteOf(home)];
  const first = await start(t, { folder, invite, name: 'attic' });
  await inState(first, 'connected');
  const { ip4 } = first.self.assignment;
  await first.end();
  const again = await start(t, { folder, invite, name: 'attic' });
  await inState(again, 'connected');
  t.equal(again.self.assignment.ip4, ip4);
});

t.test(
  'V4: a clock in 1970: the node joins, its record is good by the time of the server, its signals are new',
  async t => {
    const home = await serve(t);
    const clock: Clock = { ...systemClock, wallMs: () => performance.now() };
    const folder = await folderOf(t);
    const early = await start(t, { folder, invite: await inviteOf(home), name: 'attic', clock });
    const late = await start(t, { folder: await folderOf(t), invite: await inviteOf(home), name: 'cellar' });
    await inState(early, 'connected');
    await inState(late, 'connected');
    t.ok(Math.abs(early.control.nowMs() - Date.now()) < 5_000);
    t.ok(early.self.record.expires > Date.now());
    const { node } = await lookUp(early, { node: late.identity.id });
    await early.control.signal(node, offer);
    await early.end();
    const again = await start(t, { folder, clock });
    await inState(again, 'connected');
    await again.control.signal(node, offer);
    await until('both signals', () => late.signals.length === 2);
    t.ok(late.signals[1]!.signal.serial > late.signals[0]!.signal.serial);
  },
);

t.test('a silent death of the connection is noticed within the time of a ping', async t => {
  const home = await serve(t);
  const clock = new ManualClock(Date.now());
  const node = await start(t, { folder: await folderOf(t), invite: await inviteOf(home), clock });
  await inState(node, 'connected');
  clock.advance(25_000);
  await until('the answer to the ping', () => node.control.rttMs !== null);
  t.equal(node.control.state, 'connected');
  node.control.kick();
  clock.advance(3_000);
  t.equal(node.control.state, 'away', 'no answer was read in the time that the clock says has passed');
  clock.advance(2_000);
  await inState(node, 'connected');
});
