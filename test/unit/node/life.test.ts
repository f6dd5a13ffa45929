// A node's comings and goings: what fails leaves nothing behind, and what worked before works on.
import { createSocket } from 'node:dgram';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import t from 'tap';
import { GinnelError } from '../../../base/errors.ts';
import { decodeInvite, encodeInvite } from '../../../protocol/location/invite.ts';
import { startServer } from '../../support/location-server.ts';
import { openNode, until } from './bench.ts';

const codeOf = async (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'no error',
    (error: unknown) => (error instanceof GinnelError ? error.code : String(error)),
  );

const NO_TUN = new GinnelError('TUN_MISSING', 'There is no /dev/net/tun. (TUN_MISSING)');

/** The invite, leading to that port of loopback instead. */
function leadingTo(invite: string, port: number): string {
  const decoded = decodeInvite(invite);
  if (!decoded.ok) throw new Error(decoded.code);
  return encodeInvite({ ...decoded.value, addresses: [`127.0.0.1:${port}`] });
}

t.test('V1: up by an invite opens the card with the addresses assigned; down closes all', async t => {
  const { invite } = await startServer(t);
  const bench = await openNode(t);
  const status = await bench.node.up({ invite: await invite(), name: 'attic' });
  t.match(status, { state: 'up', name: 'attic', ip4: '10.77.0.1', tun: 'ginnel0', health: [] });
  t.same(bench.cards[0]?.options.addresses, ['10.77.0.1/16', `${status.ip6}/48`]);
  await bench.node.down();
  t.equal(bench.node.status().state, 'down');
  t.equal(bench.cards[0]?.isOpen, false);
  t.equal(bench.openDoors(), 0);
});

t.test('up twice at once: one after the other, one card in the end', async t => {
  const { invite } = await startServer(t);
  const bench = await openNode(t);
  const given = await invite();
  await Promise.all([bench.node.up({ invite: given }), bench.node.up({ invite: given })]);
  t.equal(bench.cards.filter(({ isOpen }) => isOpen).length, 1);
  t.equal(bench.openDoors(), 3, 'two sockets and the look at the networks');
});

t.test('down breaks off an up that waits for a server that never answers', async t => {
  const { invite } = await startServer(t);
  const silent = createServer().listen(0, '127.0.0.1');
  t.teardown(() => silent.close());
  await new Promise(resolve => silent.once('listening', resolve));
  const bench = await openNode(t);
  const up = bench.node.up({ invite: leadingTo(await invite(), (silent.address() as AddressInfo).port) });
  const outcome = codeOf(up);
  await until(() => (bench.counters.snapshot()['control.knocks'] ?? 0) > 0, 'the server is asked');
  const begun = performance.now();
  await bench.node.down();
  t.ok(performance.now() - begun < 3_000, 'at once');
  t.equal(await outcome, 'NODE_DOWN');
  t.equal(bench.openDoors(), 0);
  t.equal(await codeOf(bench.node.up({})), 'INVITE_NEEDED', 'it joined nothing');
});

t.test('a closed node does not come up again, whatever was asked before', async t => {
  const { invite } = await startServer(t);
  const bench = await openNode(t);
  const asked = Promise.all([codeOf(bench.node.up({ invite: await invite() })), codeOf(bench.node.up({}))]);
  await bench.node.close();
  t.same((await asked)[1], 'NODE_DOWN');
  t.equal(bench.openDoors(), 0);
  t.equal(bench.cards.filter(({ isOpen }) => isOpen).length, 0);
});

t.test(
  'no card to be had: nothing stays open, the server is not asked, and the invite stays good',
  async t => {
    const { invite, server } = await startServer(t);
    const bench = await openNode(t);
    bench.cardError = NO_TUN;
    const given = await invite();
    t.equal(await codeOf(bench.node.up({ invite: given })), 'TUN_MISSING');
    t.equal(bench.openDoors(), 0);
    t.equal(server.summary().nodes.length, 0);
    const other = await openNode(t);
    t.match(await other.node.up({ invite: given }), { state: 'up', ip4: '10.77.0.1' });
  },
);

t.test('no card after all: the box that was let in need not be invited again', async t => {
  const { invite, server } = await startServer(t);
  let isBroken = true;
  const bench = await openNode(t, {}, doors => ({
    ...doors,
    openTun(options) {
      if (isBroken && options.addresses.length > 0) throw NO_TUN;
      return doors.openTun(options);
    },
  }));
  t.equal(await codeOf(bench.node.up({ invite: await invite() })), 'TUN_MISSING');
  t.equal(bench.openDoors(), 0);
  isBroken = false;
  t.match(await bench.node.up({}), { state: 'up', ip4: '10.77.0.1' });
  t.equal(server.summary().nodes.length, 1);
});

t.test(
  'V3: a removed box with a new invite waits for the word of the server, and has the new address',
  async t => {
    const { invite, server } = await startServer(t);
    const bench = await openNode(t);
    const before = await bench.node.up({ invite: await invite(), name: 'attic' });
    await server.members.removeNode('attic');
    await until(() => bench.node.status().server.state === 'refused', 'it heard of it');
    t.match(bench.node.status(), { state: 'up', health: [{ code: 'NODE_REMOVED' }] });
    const after = await bench.node.up({ invite: await invite() });
    t.not(after.ip4, before.ip4);
    t.match(after, { state: 'up', ip4: server.summary().nodes[0]?.ip4, server: { state: 'connected' } });
  },
);

t.test('V3: a removed box with an invite that is used up is refused, and stays out', async t => {
  const { invite, server } = await startServer(t);
  const bench = await openNode(t);
  await bench.node.up({ invite: await invite(), name: 'attic' });
  const used = await invite();
  await (await openNode(t)).node.up({ invite: used });
  await server.members.removeNode('attic');
  t.equal(await codeOf(bench.node.up({ invite: used })), 'INVITE_USED');
  await until(() => bench.node.status().server.state === 'refused', 'it is told again');
  t.match(bench.node.status(), { health: [{ code: 'NODE_REMOVED' }] });
});

t.test('V3: back by an invite with approval a removed box waits, without its old address', async t => {
  const { invite, server } = await startServer(t);
  const bench = await openNode(t);
  await bench.node.up({ invite: await invite(), name: 'attic' });
  await server.members.removeNode('attic');
  const { invite: asking } = await server.invite({ approval: true });
  t.match(await bench.node.up({ invite: asking }), { ip4: '', tun: '', server: { state: 'waiting' } });
  await bench.node.down();
  t.match(await bench.node.up({}), { ip4: '', server: { state: 'waiting' } }, 'and after a restart too');
  await server.members.approveNode('attic');
  await until(() => bench.node.status().ip4 !== '', 'it takes its place');
  t.match(bench.node.status(), { ip4: server.summary().nodes[0]?.ip4, health: [] });
});

t.test('V3: removed while it waited for approval, a box hears just that', async t => {
  const { server } = await startServer(t);
  const bench = await openNode(t);
  const { invite } = await server.invite({ approval: true });
  await bench.node.up({ invite, name: 'attic' });
  await server.members.removeNode('attic');
  await until(() => bench.node.status().server.state === 'refused', 'it is refused');
  t.match(bench.node.status(), { health: [{ code: 'NODE_REMOVED' }] });
});

t.test('a member with an invite is up at once, with its old place, while the server is away', async t => {
  const { invite, server } = await startServer(t);
  const bench = await openNode(t);
  const { ip4 } = await bench.node.up({ invite: await invite() });
  const given = await invite();
  await server.down();
  t.match(await bench.node.up({ invite: given }), { state: 'up', ip4, health: [{ code: 'SERVER_AWAY' }] });
});

t.test('a port that is taken is an error, and not asked for again the next time', async t => {
  const { invite } = await startServer(t);
  const bench = await openNode(t);
  const first = await bench.node.up({ invite: await invite() });
  const other = createSocket('udp4').bind(0);
  t.teardown(() => other.close());
  await new Promise(resolve => other.once('listening', resolve));
  t.equal(await codeOf(bench.node.up({ udpPort: other.address().port })), 'PORT_TAKEN');
  t.match(bench.node.status(), { state: 'up', udpPort: first.udpPort }, 'it is up as before');
  await bench.node.down();
  t.match(await bench.node.up({}), { state: 'up', udpPort: first.udpPort });
});

t.test('wishes that cannot be granted do not take a node down that is up', async t => {
  const { invite } = await startServer(t);
  const bench = await openNode(t);
  await bench.node.up({ invite: await invite() });
  t.equal(await codeOf(bench.node.up({ invite: 'ginnel:nonsense' })), 'INVITE_UNREADABLE');
  t.equal(await codeOf(bench.node.up({ name: 'a b' })), 'NAME_WRONG');
  t.equal(bench.node.status().state, 'up');
  t.equal(bench.cards.length, 1, 'the card was never closed');
});

t.test('an invite of another network that is refused: the node is back in the network it was in', async t => {
  const [home, other] = [await startServer(t), await startServer(t)];
  const bench = await openNode(t);
  const before = await bench.node.up({ invite: await home.invite() });
  const used = await other.invite();
  const guest = await openNode(t);
  await guest.node.up({ invite: used });
  t.equal(await codeOf(bench.node.up({ invite: used })), 'INVITE_USED');
  const { network, id, ip4 } = before;
  t.match(bench.node.status(), { state: 'up', network, id, ip4 });
});

t.test('it joins another network with the identity it has', async t => {
  const [home, other] = [await startServer(t), await startServer(t)];
  const bench = await openNode(t);
  const before = await bench.node.up({ invite: await home.invite() });
  const after = await bench.node.up({ invite: await other.invite() });
  t.equal(after.id, before.id);
  t.not(after.network, before.network);
  t.equal(bench.openDoors(), 3);
});

t.test('a part that cannot be made closes the sockets under it', async t => {
  const { invite } = await startServer(t);
  const bench = await openNode(t, {}, doors => ({
    ...doors,
    arena: {
      ...doors.arena,
      allocate(bytes, align) {
        // The data plane's first wish; what the sockets take goes another way.
        if (bytes > 100_000) throw new GinnelError('ARENA_FULL', 'No memory left. (ARENA_FULL)');
        return doors.arena.allocate(bytes, align);
      },
    },
  }));
  t.equal(await codeOf(bench.node.up({ invite: await invite() })), 'ARENA_FULL');
  t.equal(bench.openDoors(), 0);
});

t.test('a ping under way hears that the node went down', async t => {
  const { invite } = await startServer(t);
  const bench = await openNode(t);
  await bench.node.up({ invite: await invite() });
  const options = { peer: '10.77.0.9', count: 100, intervalMs: 1, timeoutMs: 100 };
  const pinging = codeOf(
    (async () => {
      for await (const event of bench.node.ping(options, new AbortController().signal))
        if (event.type === 'done') return;
    })(),
  );
  await bench.node.down();
  t.equal(await pinging, 'NODE_DOWN');
});

t.test('V3: a box that was refused as disabled or removed is out, too, while the server is away', async t => {
  const { invite, server } = await startServer(t);
  const bench = await openNode(t);
  await bench.node.up({ invite: await invite(), name: 'attic' });
  await server.members.disableNode('attic');
  await until(() => bench.node.status().server.state === 'waiting', 'it heard of it');
  t.match(bench.node.status(), { state: 'up', health: [{ code: 'NODE_DISABLED' }] });
  await server.down();
  await until(() => bench.node.status().server.state === 'away', 'the server is away');
  t.match(bench.node.status(), { state: 'up', health: [{ code: 'NODE_DISABLED' }] });
});
