// Nodes and the location server on loopback: the real protocol over real sockets.
import t from 'tap';
import { ManualClock, systemClock } from '../../base/clock.ts';
import type { Clock } from '../../base/clock.ts';
import { encodeInvite } from '../../protocol/location/invite.ts';
import {
  folderOf,
  freePort,
  inState,
  inviteOf,
  join2,
  lookUp,
  offer,
  serve,
  start,
  until,
} from '../support/control-node.ts';

t.test('V1, V4, V10: two nodes join, register, find each other and signal', async t => {
  const home = await serve(t);
  const [attic, cellar] = await join2(t, home);
  t.match(attic.membership.current, { token: null, networkName: 'test', assignment: { ip4: /^10\.177\./ } });
  t.not(attic.self.record.ip4, cellar.self.record.ip4);
  const registration = {
    ...{ privateAddresses: [], publicAddresses: [], tcpPorts: [], bandwidth: 1e6, cpuLoad: 0.25 },
    ...{ relay: null, region: '', relays: [] },
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
