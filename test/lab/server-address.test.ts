// A server and a node on one box whose public address changes, as a provider does it every night: without any name the other
// boxes find the server again: that box's node tells those whose NAT lets it in from its new address, they tell the rest, and
// all believe the server's signature.
import t from 'tap';
import { LocationServer, startNode } from './ginnel.ts';
import { meet } from './homes.ts';
import type { NodeStatus } from '../../core/admin.ts';
import { buildLab } from './topology.ts';
import { until } from './waiting.ts';
import { enterLab } from './wrapper.ts';

enterLab(import.meta.url);

const CHANGED = '198.51.100.77';
const FOUND_MS = 75_000;

t.test('a server whose address changes is found again without a name', { timeout: 200_000 }, async t => {
  const lab = await buildLab({ homes: [{ kind: 'public' }, { kind: 'full' }, { kind: 'prc' }], delayMs: 10 });
  t.teardown(() => lab.stop());
  const [home, homeA, homeC] = lab.homes;
  if (!home || !homeA || !homeC) throw new TypeError('three homes');
  const server = new LocationServer(home.host, 'with-node');
  await server.up();
  const invite = await server.invite();
  const own = await server.api<NodeStatus>('POST', '/v1/node/up', { name: 'box-of-server', invite });
  const a = { home: homeA, node: await startNode(server, homeA.host, 'box-a') };
  const ipA = (await a.node.status()).ip4;
  const c = { home: homeC, node: await startNode(server, homeC.host, 'box-c') };
  const ipC = (await c.node.status()).ip4;
  await meet({ ...a, ip: ipA }, { ...c, ip: ipC });
  await until('the boxes to meet', FOUND_MS, async () => {
    const { code } = await homeA.host.exec(`ping -q -c 1 -W 1 ${own.ip4}`, { mayFail: true });
    return code === 0;
  });

  const before = performance.now();
  await home.host.exec(`ip addr flush dev eth0 scope global
    ip addr add ${CHANGED}/32 dev eth0
    ip route replace 192.0.2.1 dev eth0 scope link
    ip route replace default via 192.0.2.1 dev eth0`);
  await lab.core.exec(`ip route del ${home.outerAddress}/32 dev home0
    ip route add ${CHANGED}/32 dev home0`);
  const isFound = async (): Promise<boolean> => {
    const all = await Promise.all([a, c].map(({ node }) => node.status()));
    return all.every(
      ({ server: { state, address } }) => state === 'connected' && address === `${CHANGED}:7443`,
    );
  };
  await a.node.explained(until('the server at its new address', FOUND_MS, isFound));
  t.comment(`found again after ${(performance.now() - before).toFixed(0)} ms`);
  t.equal((await a.node.status()).ip4, ipA, 'the addresses in the network are the same');
  t.equal((await c.node.status()).ip4, ipC);
});
