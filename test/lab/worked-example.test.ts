// V15: the worked example with its very addresses, as cold starts: who carries the first packet each way, by the counters of
// the kernel in the core of the lab and at the location server.
import { readdir, rm } from 'node:fs/promises';
import t, { type Test } from 'tap';
import { snapshot, whoCarries } from './carried.ts';
import { startServer } from './ginnel.ts';
import type { LocationServer } from './ginnel.ts';
import { joinHome } from './homes.ts';
import type { Box } from './homes.ts';
import { buildLab } from './topology.ts';
import type { Lab } from './topology.ts';
import { Trouble } from './trouble.ts';
import { until } from './waiting.ts';
import { enterLab, LAB_FOLDER } from './wrapper.ts';

enterLab(import.meta.url);

const BOUND_MS = 20_000;
const FIRST_REPLY_MS = 3000;
/** Of a ping, in as many fragments as are held for a route: no handshake, registration or probe of that second is as much. */
const SIZE = 5000;
const BURST = 50;
const NODE_1 = { port: 8888, address: '11.22.33.44' };
const NODE_2 = { port: 4444, address: '22.33.44.55' };
const NODE_3 = { address: '33.44.55.66' };

interface Example {
  readonly lab: Lab;
  readonly server: LocationServer;
  readonly trouble: Trouble;
  readonly nodes: readonly [Box, Box, Box];
}

t.test('V15: cold, without upgrade: look-up and first packet from node 2 to node 3 cross node 1', async t => {
  const { lab, server, trouble, nodes } = await coldStart(t, { upgrade: false });
  const [one, two, three] = nodes;
  const asked = await lookups(server);
  const ways = { direct: [two, three], in: [two, one], out: [one, three] } as const;
  const moved = await movedBy(trouble, ways, () => firstPing(t, two, three));
  t.ok((await lookups(server)) > asked, 'the server was asked for the route');
  const seen = { moved, why: await two.node.why(three.node.name) };
  t.ok(moved.in > SIZE && moved.out > SIZE, 'node 1 took it from node 2 and gave it to node 3', seen);
  t.ok(moved.direct < SIZE, 'and it did not go straight', seen);
  t.match(await two.node.peer(three.node.name), {
    state: 'relayed',
    path: { label: `via ${one.node.name}` },
  });
  await byTheServer(t, lab, two, three);
});

t.test('V15: cold, without upgrade: look-up and first packet from node 3 to node 2 go directly', async t => {
  const { lab, server, trouble, nodes } = await coldStart(t, { upgrade: false });
  const [one, two, three] = nodes;
  const asked = await lookups(server);
  const ways = { direct: [three, two], in: [three, one], out: [one, two] } as const;
  const moved = await movedBy(trouble, ways, () => firstPing(t, three, two));
  t.ok((await lookups(server)) > asked, 'the server was asked for the route');
  const seen = { moved, why: await three.node.why(two.node.name) };
  t.ok(moved.direct > SIZE, 'straight to the forwarded port', seen);
  t.ok(moved.in < SIZE && moved.out < SIZE, 'node 1 saw nothing of it', seen);
  t.match(await three.node.peer(two.node.name), { state: 'direct' });
  await byTheServer(t, lab, three, two);
});

t.test('V15: with upgrade: what comes of it', async t => {
  const { lab, trouble, nodes } = await coldStart(t, { upgrade: true });
  const [one, two, three] = nodes;
  const ways = { direct: [two, three], in: [two, one], out: [one, three] } as const;
  const moved = await movedBy(trouble, ways, () => firstPing(t, two, three));
  t.comment('the first packet from node 2 to node 3', moved);
  const words = async (): Promise<string[]> => Promise.all([word(two, three), word(three, two)]);
  t.comment('at the first reply', await words());
  await two.home.host.exec(`ping -q -c 50 -i 0.1 ${three.ip}`);
  t.comment('after five seconds of traffic', await words());
  const relays = new Map([[one.home, one.node.name]]);
  const { by } = await whoCarries(lab, { place: two.home.host, home: two.home }, three, relays);
  t.comment(`carried then, by the kernel: ${by}`);
  t.ok(by === 'direct' || by === 'relay', 'one or the other');
});

/** All join in order, and node 3, which nobody gets in to, keeps its connection with its relay. */
async function coldStart(t: Test, settings: { readonly upgrade: boolean }): Promise<Example> {
  const lab = await buildLab({
    homes: [
      { kind: 'public', address: NODE_1.address },
      { kind: 'prc', address: NODE_2.address, inside: '192.168.0.2', forwards: [NODE_2.port] },
      { kind: 'sym', address: NODE_3.address, inside: '192.168.1.3' },
    ],
    server: { addresses: 2 },
  });
  t.teardown(async () => {
    await lab.stop();
    // The next one begins with nothing, too; the folder itself is a mount.
    for (const name of await readdir(LAB_FOLDER)) await rm(`${LAB_FOLDER}/${name}`, { recursive: true });
  });
  const [home1, home2, home3] = lab.homes;
  const server = await startServer(lab, { pool4: '10.1.1.0/24' });
  const join = joinHome.bind(null, server);
  const nodes = [
    await join(home1!, 'node1', {
      udpPort: NODE_1.port,
      settings: { ...settings, 'tcp-port': NODE_1.port },
    }),
    // It could forward, too, and node 3 would find it as good: it does not, as in the example.
    await join(home2!, 'node2', {
      udpPort: NODE_2.port,
      settings: {
        ...settings,
        'tcp-port': NODE_2.port,
        'external-addresses': [`${NODE_2.address}:${NODE_2.port}`],
      },
      plugins: { 'relay-tcp': { serve: false } },
    }),
    await join(home3!, 'node3', { settings }),
  ] as const;
  t.same(
    nodes.map(({ ip, home }) => [ip, home.host.address]),
    [
      ['10.1.1.1', '11.22.33.44'],
      ['10.1.1.2', '192.168.0.2'],
      ['10.1.1.3', '192.168.1.3'],
    ],
    'the addresses of the example',
  );
  // The location server alone has told of it.
  const others = (await nodes[2].node.status()).peers.filter(({ name }) => name !== 'node1');
  t.match(others, [{ name: 'node2', state: 'idle', paths: [], reason: /sought with the first packet$/ }]);
  await nodes[2].node.explained(
    until('node 3 to keep its relay', BOUND_MS, async () => {
      const connections = await nodes[2].home.host.connections();
      return connections.some(({ remote }) => remote === `${NODE_1.address}:${NODE_1.port}`);
    }),
  );
  return { lab, server, trouble: await Trouble.open(lab), nodes };
}

async function firstPing(t: Test, from: Box, to: Box): Promise<void> {
  const { stdout } = await from.home.host.exec(`ping -c 1 -W ${FIRST_REPLY_MS / 1000} -s ${SIZE} ${to.ip}`, {
    mayFail: true,
  });
  const time = /time=([\d.]+) ms/.exec(stdout)?.[1];
  t.ok(time !== undefined, `the very first packet is answered, after ${time ?? '∞'} ms`);
}

/** Bytes between outer addresses while something was done. */
async function movedBy<Way extends string>(
  trouble: Trouble,
  ways: Readonly<Record<Way, readonly [Box, Box]>>,
  act: () => Promise<unknown>,
): Promise<Record<Way, number>> {
  const count = async (): Promise<[string, number][]> =>
    Promise.all(
      Object.entries<readonly [Box, Box]>(ways).map(async ([name, [from, to]]): Promise<[string, number]> => [
        name,
        (await trouble.between(from.home, to.home)).bytes,
      ]),
    );
  const before = new Map(await count());
  await act();
  const after = await count();
  return Object.fromEntries(after.map(([name, bytes]) => [name, bytes - before.get(name)!])) as Record<
    Way,
    number
  >;
}

/** Its interface saw no data in a burst. */
async function byTheServer(t: Test, lab: Lab, from: Box, to: Box): Promise<void> {
  const before = await snapshot(lab);
  await from.home.host.exec(`ping -q -c ${BURST} -i 0.02 -s ${SIZE} ${to.ip}`);
  const bytes = (await snapshot(lab)).server - before.server;
  t.ok(bytes < 3 * SIZE, `V14: the server carried none of ${BURST} more`, { bytes });
}

async function word(from: Box, to: Box): Promise<string> {
  const peer = await from.node.peer(to.node.name);
  return `${from.node.name} → ${to.node.name}: ${peer?.state} ${peer?.path?.label} (${peer?.reason})`;
}

async function lookups(server: LocationServer): Promise<number> {
  return (await server.summary()).counters['requests.lookup'] ?? 0;
}
