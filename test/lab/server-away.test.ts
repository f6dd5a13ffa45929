// The location server dies: what is connected stays so, a home that restarts meanwhile finds the other from what it kept,
// and when the server is back everything is as before.
import t, { type Test } from 'tap';
import type { NodeStatus } from '../../core/admin.ts';
import { snapshot, whoCarries } from './carried.ts';
import { Flow, now } from './flow.ts';
import { startServer } from './ginnel.ts';
import type { LocationServer } from './ginnel.ts';
import { joinAll, joinHome, meet, movedSince } from './homes.ts';
import type { Box } from './homes.ts';
import { buildLab } from './topology.ts';
import type { Lab } from './topology.ts';
import { until } from './waiting.ts';
import { enterLab } from './wrapper.ts';

enterLab(import.meta.url);

/** Far more than a lost retransmission, far less than finding a path anew. */
const UNDISTURBED_MS = 1000;
const BOUND_MS = 30_000;
const FOUND_AGAIN_MS = 40_000;
/** A node that has failed for long asks once a minute. */
const SERVER_SEEN_MS = 75_000;

t.test('the location server dies and comes back', { timeout: 118_000 }, async t => {
  const lab = await buildLab({
    homes: [{ kind: 'prcnp' }, { kind: 'prc' }, { kind: 'prc' }],
    delayMs: 20,
  });
  t.teardown(() => lab.stop());
  const server = await startServer(lab);
  const [a, b] = await joinAll({ ...lab, homes: lab.homes.slice(0, 2) }, server);
  if (a === undefined || b === undefined) throw new TypeError('two homes were asked for');
  await meet(a, b);

  await t.test('V14: killed: pings and a transfer go on undisturbed', t => killed(t, lab, server, a, b));
  await t.test('it is told, and telling it is no failure of the command', t => told(t, a));
  await t.test('V4: a home restarts meanwhile, its NAT too: it finds the other from what it kept', t =>
    restarted(t, lab, a, b),
  );
  await t.test('it comes back: both are connected again, and a new box joins', t =>
    back(t, lab, server, a, b),
  );
});

async function killed(t: Test, lab: Lab, server: LocationServer, a: Box, b: Box): Promise<void> {
  const flow = await Flow.start(a.home.host, b.home.host, b.ip);
  t.teardown(() => flow.stop());
  await flow.longestPause(now(), BOUND_MS);
  const before = await snapshot(lab);
  const bytesBefore = flow.bytes;
  const since = now();
  await server.stop('SIGKILL');
  const pinged = await a.home.host.exec(`ping -q -c 25 -i 0.2 -W 2 ${b.ip}`, { mayFail: true });
  const pause = await flow.longestPause(since, BOUND_MS);
  t.comment(`longest pause ${pause} ms`);
  t.ok(pause < UNDISTURBED_MS, 'the transfer goes on', { pause });
  t.match(pinged.stdout, / 0% packet loss/, 'every ping is answered');
  t.ok(flow.isWhole);
  const moved = await movedSince(lab, before, a.home, b.home);
  t.ok(moved.lines > flow.bytes - bytesBefore, "the homes' lines carried it", moved);
  t.ok(moved.server < 50_000, "nothing but attempts to reach it came to the server's interface", moved);
}

async function told(t: Test, a: Box): Promise<void> {
  const words = await a.node.ginnel(['status']);
  t.equal(words.code, 0, 'status did what was asked', words);
  t.match(words.stdout, /Location server: not reached/);
  t.match(words.stdout, /Your homes stay connected/);
  t.match(words.stdout, /\(SERVER_AWAY\)/);
  t.match(words.stdout, /box1 +10\.77\.0\.\d+ +direct UDP/);
  const { node } = JSON.parse((await a.node.ginnel(['status', '--json'])).stdout) as { node: NodeStatus };
  t.match(node.server, { state: 'away' });
  t.match(node.health, [{ code: 'SERVER_AWAY', todo: /./ }]);
  const why = await a.node.ginnel(['why', 'server']);
  t.equal(why.code, 0);
  t.match(why.stdout, /away/);
  const { nat } = await a.node.netcheck();
  t.not(nat.udp, 'no', 'that no STUN server answers is not taken for blocked UDP');
  const up = await a.node.ginnel(['up', '--json']);
  t.equal(up.code, 0, 'who is up and says up again stays up', up);
}

async function restarted(t: Test, lab: Lab, a: Box, b: Box): Promise<void> {
  const addresses = await b.node.status();
  await b.node.stop('SIGKILL');
  await b.home.rebootNat();
  await b.node.start();
  const took = await meet(b, a, FOUND_AGAIN_MS);
  t.comment(`found again ${took.toFixed(0)} ms after the start`);
  const status = await b.node.status();
  t.match(status, { ip4: addresses.ip4, ip6: addresses.ip6, id: addresses.id }, 'it is the same box');
  t.not(status.server.state, 'connected', 'the server had no part in it');
  const carried = await whoCarries(lab, { place: b.home.host, home: b.home }, a);
  t.match(carried, { by: 'direct', family: 4 });
}

async function back(t: Test, lab: Lab, server: LocationServer, a: Box, b: Box): Promise<void> {
  const before = performance.now();
  await server.start();
  await until('both to be connected again', SERVER_SEEN_MS, async () => {
    const all = await Promise.all([a, b].map(({ node }) => node.status()));
    return all.every(({ server: { state }, health }) => state === 'connected' && health.length === 0);
  });
  t.comment(`connected again after ${(performance.now() - before).toFixed(0)} ms`);
  const summary = await server.summary();
  const known = summary.nodes.map(({ name, online }) => `${name} ${online ? 'online' : 'offline'}`);
  t.strictSame(known.sort(), ['box0 online', 'box1 online'], 'it knows both by what it kept');
  const home = lab.homes[2];
  if (home === undefined) throw new TypeError('three homes were asked for');
  const c = await joinHome(server, home, 'box2');
  t.notOk([a.ip, b.ip].includes(c.ip), 'a new box has an address of its own');
  await meet(c, a);
  t.match(await whoCarries(lab, { place: c.home.host, home: c.home }, a), { by: 'direct' });
}
