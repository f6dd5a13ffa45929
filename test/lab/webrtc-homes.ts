// The webrtc plugin between homes: straight through NATs with no other help, by a TURN server where nothing leads straight, not
// at all where UDP is blocked; and a transfer that goes on while its path becomes another three times. By the kernel's count.
import t, { type Test } from 'tap';
import { snapshot, whoCarries } from './carried.ts';
import { COTURN_TOOLS, startTurn } from './coturn.ts';
import { now } from './flow.ts';
import { startServer, type Chosen } from './ginnel.ts';
import { joinHome, type Box } from './homes.ts';
import { moveFile } from './moving.ts';
import { buildLab, type Home } from './topology.ts';
import { until } from './waiting.ts';
import { enterLab } from './wrapper.ts';

enterLab(import.meta.url, { tools: { turnserver: COTURN_TOOLS.turnserver } });

const BOUND_MS = 30_000;
const MEGABYTES = 25;
const BYTES_A_SECOND = 1_500_000;
const [STATIC_PORT, SECRET_PORT] = [3481, 3482];
const ONLY: Pick<Chosen, 'on' | 'off'> = {
  on: ['webrtc'],
  off: ['nat-stun', 'nat-portmap', 'nat-portpredict', 'relay-tcp'],
};
/** Its own forwarding is off: only the public box does that. */
const WITH_RELAYS: Pick<Chosen, 'on' | 'off'> = {
  on: ['webrtc'],
  off: ['nat-stun', 'nat-portmap', 'nat-portpredict'],
};

const kinds = ['public', 'prc', 'prc', 'sym', 'sym', 'prc+noudp', 'prc'];
const lab = await buildLab({
  homes: kinds.map(kind => ({ kind })),
  delayMs: 10,
  server: { addresses: 2 },
});
t.teardown(() => lab.stop());
const server = await startServer(lab);
const place = lab.server.address;
await startTurn(lab.server, { port: STATIC_PORT, user: 'anna', password: 'a-password' });
await startTurn(lab.server, { port: SECRET_PORT, secret: 'a-secret' });
const choices: Chosen[] = [
  { off: ['nat-portmap', 'nat-portpredict'] },
  WITH_RELAYS,
  WITH_RELAYS,
  {
    ...ONLY,
    plugins: {
      webrtc: { turn: [`${place}:${STATIC_PORT}`], 'turn-user': 'anna', 'turn-password': 'a-password' },
    },
  },
  {
    ...ONLY,
    plugins: {
      webrtc: { turn: [`${place}:${SECRET_PORT}`], 'turn-user': 'bert', 'turn-secret': 'a-secret' },
    },
  },
  WITH_RELAYS,
  ONLY,
];
const join = (index: number): Promise<Box> =>
  joinHome(server, lab.homes[index]!, `box${index}`, choices[index]);
// The relay first: when the others come, there is one. The others a few at once: they share two processors.
const boxes: Box[] = [await join(0)];
for (const some of [
  [1, 2, 3],
  [4, 5, 6],
])
  boxes.push(...(await Promise.all(some.map(join))));
const [relay, c, d, symA, symB, noUdp, alone] = boxes as [Box, Box, Box, Box, Box, Box, Box];

/** Pings until there is an answer, and both say that. */
async function meetBy(from: Box, to: Box, label: RegExp): Promise<void> {
  await from.node.explained(
    until(`${from.node.name} to meet ${to.node.name} by ${String(label)}`, BOUND_MS, async () => {
      await from.home.host.exec(`ping -q -c 1 -W 1 ${to.ip}`, { mayFail: true });
      return bothSay(from, to, label);
    }),
  );
}

async function bothSay(from: Box, to: Box, label: RegExp): Promise<boolean> {
  const ends = await Promise.all([from.node.peer(to.node.name), to.node.peer(from.node.name)]);
  return ends.every(end => label.test(end?.path?.label ?? ''));
}

async function carriedBy(from: Box, to: Box): Promise<string> {
  const relays = new Map([[relay.home, relay.node.name]]);
  return (await whoCarries(lab, { place: from.home.host, home: from.home }, to, relays)).by;
}

t.test('prc × prc with this plugin alone: straight', async t => {
  const since = now();
  await meetBy(alone, d, /^direct WebRTC$/);
  t.comment(`after ${now() - since} ms`);
  t.equal(await carriedBy(alone, d), 'direct', 'by the kernel');
});

t.test('sym × sym: by a TURN server, whose word is a password or a secret', async t => {
  await meetBy(symA, symB, /^TURN WebRTC$/);
  t.equal(await carriedBy(symA, symB), 'server', 'by the kernel: coturn stands on that machine');
  const peer = await symA.node.peer(symB.node.name);
  t.match(peer, { state: 'relayed', path: { class: 'turn' } });
  const { stdout } = await symB.node.ginnel(['plugins', 'show', 'webrtc']);
  t.notMatch(stdout, /a-secret/, 'the secret is not shown');
});

t.test('where UDP is blocked it says so, and relays go on', async t => {
  await meetBy(noUdp, c, /^via /);
  t.equal(await carriedBy(noUdp, c), 'relay', 'by the kernel');
  const told = await noUdp.node.api('GET', '/v1/node/plugins/webrtc');
  t.match(told, { state: 'limited', code: 'WEBRTC_UDP_BLOCKED' });
});

t.test('data channel → direct UDP → relay → data channel under a running transfer', async t => {
  await meetBy(c, d, /^direct WebRTC$/);
  const moving = moveFile(c, d, MEGABYTES, BYTES_A_SECOND);
  await flows();
  await stays(t, 'direct WebRTC', 'direct');
  const both = [c, d];
  for (const { node } of both) await node.choose({ on: ['nat-stun'] });
  await becomes(t, /^direct UDP$/);
  await stays(t, 'direct UDP', 'direct');
  for (const { node } of both) await node.choose({ settings: { upgrade: false } });
  await becomes(t, /^via /);
  await stays(t, 'via', 'relayed');
  // The long-lived sockets get out no more; the plugin's do.
  for (const { node, home } of both) {
    const { udpPort } = await node.status();
    await shutPort(home, udpPort);
  }
  for (const { node } of both) await node.choose({ settings: { upgrade: true } });
  await becomes(t, /^direct WebRTC$/);
  await stays(t, 'direct WebRTC', 'direct');
  const moved = await moving;
  t.ok(moved.equal, `${MEGABYTES} MB arrive as they were sent, by one TCP connection`, moved);
});

/** What comes from that port of the home is dropped by its router. */
async function shutPort(home: Home, port: number | null): Promise<void> {
  if (home.router === null || port === null) throw new TypeError('a home with a router, and a port');
  const rules = `table ip shut {
    chain forward {
      type filter hook forward priority -10; policy accept;
      udp sport ${port} drop
    }
  }`;
  await home.router.exec('nft -f -', { input: `${rules}\n` });
}

async function becomes(t: Test, label: RegExp): Promise<void> {
  const since = now();
  await c.node.explained(until(`both to go by ${String(label)}`, BOUND_MS, () => bothSay(c, d, label)));
  t.comment(`${String(label)} after ${now() - since} ms`);
}

/** Waits until the transfer has begun. */
async function flows(): Promise<void> {
  const before = await d.home.wanBytes();
  await until('the transfer', BOUND_MS, async () => (await d.home.wanBytes()) - before > BYTES_A_SECOND / 4);
}

/** For a while, and it is so by the kernel's counters. */
async function stays(t: Test, label: string, state: 'direct' | 'relayed'): Promise<void> {
  const before = await snapshot(lab);
  await new Promise(resolve => setTimeout(resolve, 1_500));
  const after = await snapshot(lab);
  const grew = (box: Box): number => after.wan.get(box.home)! - before.wan.get(box.home)!;
  const [line, forwarded] = [grew(d), grew(relay)];
  t.ok(state === 'relayed' ? forwarded > line : forwarded < line / 10, `${label}, by the kernel`, {
    line,
    forwarded,
  });
  t.ok(line > BYTES_A_SECOND, 'and it is the transfer that crosses the line', { line });
}
