// A box is removed: it stays out with the location server dead, after restarts of the others, for a box that was away when
// it happened, and with an old back-up of the server restored, which learns the removal again from its boxes.
import { cpSync, rmSync } from 'node:fs';
import t, { type Test } from 'tap';
import type { NodesShown } from '../../server/admin.ts';
import { startServer } from './ginnel.ts';
import type { LocationServer } from './ginnel.ts';
import { joinAll, meet } from './homes.ts';
import type { Box } from './homes.ts';
import { buildLab } from './topology.ts';
import { until } from './waiting.ts';
import { enterLab } from './wrapper.ts';

enterLab(import.meta.url);

const BOUND_MS = 40_000;

t.test('a removed box stays out', { timeout: 118_000 }, async t => {
  const lab = await buildLab({ homes: [{ kind: 'prc' }, { kind: 'prc' }, { kind: 'prc' }], delayMs: 5 });
  t.teardown(() => lab.stop());
  const server = await startServer(lab);
  const [a, b, c] = await joinAll(lab, server);
  if (a === undefined || b === undefined || c === undefined)
    throw new TypeError('three homes were asked for');
  for (const [from, to] of [
    [b, a],
    [b, c],
    [a, c],
  ] as const)
    await meet(from, to);
  const backUp = await backedUp(server);
  await until('all to be connected again', BOUND_MS, () => allConnected([a, b, c]));

  await t.test('V3: removed, with one box away: the server dies at once', t => removed(t, server, a, b, c));
  await t.test('V3: with the server dead it reaches nobody, nor the box that was away', t =>
    dead(t, a, b, c),
  );
  await t.test('V3: nor after a restart of the others', t => restarted(t, a, b));
  await t.test('V3: nor with an old back-up of the server, which learns the removal again', t =>
    restored(t, server, backUp, a, b, c),
  );
});

/** A copy of the server's folder from before the removal; the server runs again. */
async function backedUp(server: LocationServer): Promise<string> {
  const copy = `${server.folder}.before`;
  await server.stop();
  cpSync(server.folder, copy, { recursive: true, filter: path => !path.endsWith('.sock') });
  await server.start();
  return copy;
}

async function removed(t: Test, server: LocationServer, a: Box, b: Box, c: Box): Promise<void> {
  await c.node.stop();
  const told = await server.ginnel(['nodes', 'remove', 'box1']);
  t.match(told, { code: 0, stdout: /box1 .* was removed/ });
  await until('box0 to forget it', BOUND_MS, async () => (await a.node.peer('box1')) === null);
  await until(
    'the removed box to hear it',
    BOUND_MS,
    async () => (await b.node.status()).server.state === 'refused',
  );
  await server.stop('SIGKILL');
  const { stdout } = await b.node.ginnel(['status']);
  t.match(stdout, /was removed from the network.*\(NODE_REMOVED\)/);
  t.notMatch(stdout, /Your homes stay connected/);
}

async function dead(t: Test, a: Box, b: Box, c: Box): Promise<void> {
  await isUnreachable(t, b, a);
  await c.node.start();
  await meet(a, c);
  await until('box2 to hear it from box0', BOUND_MS, async () => (await c.node.peer('box1')) === null);
  await isUnreachable(t, b, c);
}

async function restarted(t: Test, a: Box, b: Box): Promise<void> {
  await a.node.stop('SIGKILL');
  await a.node.start();
  await isUnreachable(t, b, a);
  t.equal(await a.node.peer('box1'), null);
}

async function restored(
  t: Test,
  server: LocationServer,
  backUp: string,
  a: Box,
  b: Box,
  c: Box,
): Promise<void> {
  // Whoever knows of the removal is away, so that the server knows no better for a while.
  for (const { node } of [a, c]) await node.stop();
  rmSync(server.folder, { recursive: true });
  cpSync(backUp, server.folder, { recursive: true });
  await server.start();
  await until('the server to be up', BOUND_MS, async () => (await server.summary()).state === 'up');
  const nodes = (): Promise<NodesShown> => server.api('GET', '/v1/server/nodes');
  t.match(await nodes(), { removed: [] }, 'the back-up is from before the removal');
  await b.node.stop('SIGKILL');
  await b.node.start();
  await until('the removed box to be let in', BOUND_MS, () => allConnected([b]));
  for (const { node } of [a, c]) await node.start();
  await until('the server to learn it again', BOUND_MS, async () => (await nodes()).removed.length === 1);
  t.match(await nodes(), { removed: [{ name: 'box1' }] });
  t.match((await server.ginnel(['audit'])).stdout, /brought the word that box1 is removed/);
  await until('it to be refused', BOUND_MS, async () => (await b.node.status()).server.state === 'refused');
  await isUnreachable(t, b, a);
  await isUnreachable(t, b, c);
}

/** By the kernel's count of what came out of the other's card, and both ways. */
async function isUnreachable(t: Test, from: Box, to: Box): Promise<void> {
  const before = await cameOut(to);
  const ping = `ping -q -c 5 -i 0.3 -W 1 ${to.ip}`;
  const { stdout } = await from.home.host.exec(ping, { mayFail: true });
  t.match(stdout, / 0 received/, `${from.node.name} has no answer from ${to.node.name}`);
  t.equal((await cameOut(to)) - before, 0, 'nothing of it came out of the card there');
  const back = await to.home.host.exec(`ping -q -c 3 -i 0.3 -W 1 ${from.ip}`, { mayFail: true });
  t.match(back.stdout, / 0 received/, 'nor the other way');
}

async function cameOut({ home }: Box): Promise<number> {
  const { stdout } = await home.host.exec(
    "cat /sys/class/net/ginnel*/statistics/rx_packets || awk '/ginnel/ {print $3}' /proc/net/dev",
  );
  return Number(stdout.trim().split('\n')[0]);
}

async function allConnected(boxes: readonly Box[]): Promise<boolean> {
  const all = await Promise.all(boxes.map(({ node }) => node.status()));
  return all.every(({ server }) => server.state === 'connected');
}
