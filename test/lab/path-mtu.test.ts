// Lines that carry less than the card would like, where every ICMP message and every fragment is lost: what a path carries is
// found out all the same, and all that is sent fits.
import t from 'tap';
import { Flow, now } from './flow.ts';
import type { PathStatus } from '../../core/admin.ts';
import { startServer } from './ginnel.ts';
import type { LocationServer } from './ginnel.ts';
import { joinHome, meet } from './homes.ts';
import type { Box } from './homes.ts';
import { BEHIND, BLACK_HOLE, SYNS } from './black-hole.ts';
import { moveFile } from './moving.ts';
import type { Place } from './place.ts';
import { buildLab } from './topology.ts';
import { until } from './waiting.ts';
import { enterLab } from './wrapper.ts';

enterLab(import.meta.url);

const MEGABYTES = 50;
const BOUND_MS = 30_000;
/** Shorter than the 30 s after which it would be asked again in any case. */
const SHRUNK_MS = 15_000;
/** Of WireGuard and the fast profile. */
const ADDED = 33;
const DATAGRAMS = 20;
/** ping waits for the last answer no longer than the interval, or two round trips. */
const THREE = '-c 3 -i 0.4 -W 5';

const kinds = ['prc', 'prc', 'fw6', 'fw6'];
const lab = await buildLab({ homes: kinds.map((kind, index) => ({ kind, hosts: index === 0 ? 2 : 1 })) });
t.teardown(() => lab.stop());
const server: LocationServer = await startServer(lab);
const places = [lab.core, ...lab.homes.flatMap(({ router }) => router ?? [])];
await Promise.all(places.map(swallow));
await narrow(1, 1420);
await narrow(3, 1420);
const [a, b, c, d] = await Promise.all(lab.homes.map((home, index) => joinHome(server, home, `box${index}`)));
if (!a || !b || !c || !d) throw new TypeError('four homes were asked for');

t.test('IPv4 outside, 1,420 bytes: both ends find 1,359 inside, and status and why say so', async t => {
  await finds(a, b, 1420 - 28 - ADDED);
  const why = (await a.node.why(b.node.name)).join('\n');
  t.match(why, /this path carries packets of up to 1,359 bytes, found by asking; the card sends up to 1,400/);
  t.match(why, /ginnel set mtu 1359/);
  t.match((await a.node.ginnel(['status', '--json'])).stdout, /"mtu": ?1359/);
});

t.test(`TCP: ${MEGABYTES} MB each way arrive whole, and no fragment was made on the way`, async t => {
  for (const [from, to] of [
    [a, b],
    [b, a],
  ] as const) {
    const [before, asked] = [await fragments(), await counted('unfragmentable')];
    t.ok(asked > 0, 'it was asked by packets that nobody may fragment');
    const moved = await moveFile(from, to, MEGABYTES);
    t.ok(moved.equal, 'the hashes are equal', moved);
    t.comment(`${((8 * MEGABYTES) / moved.seconds).toFixed(0)} Mbit/s`);
    t.equal((await fragments()) - before, 0, 'no fragment came to any router');
    const alike = (await counted('unfragmentable')) - asked;
    t.ok(alike < 100, 'and only such questions, no data, are sent so', { alike });
  }
});

t.test('ICMP and UDP: what may be fragmented arrives, of the rest the sender is told', async t => {
  // What the kernel was told before would have it fragment by itself.
  await a.home.host.exec('ip route flush cache');
  const before = await fragments();
  for (const bytes of [1331, 1332, 1372, 1400, 4000]) {
    const { stdout } = await a.home.host.exec(`ping -q ${THREE} -M dont -s ${bytes} ${b.ip}`);
    t.match(stdout, /3 received/, `${bytes} bytes without Don't Fragment`);
  }
  await a.home.host.exec('ip route flush cache');
  const told = await a.home.host.exec(`ping -c 3 -i 0.1 -W 1 -M do -s 1372 ${b.ip}`, { mayFail: true });
  t.match(told.stdout + told.stderr, /mtu ?= ?1359/, "and with it, ping hears of the path's MTU");
  const { ip6 } = await b.node.status();
  t.match((await a.home.host.exec(`ping -q ${THREE} -s 1232 ${ip6}`)).stdout, /3 received/, 'IPv6');
  const told6 = await a.home.host.exec(`ping -c 3 -i 0.1 -W 1 -M do -s 1352 ${ip6}`, { mayFail: true });
  t.match(told6.stdout + told6.stderr, /mtu ?= ?1359/, 'told by ICMPv6');
  await a.home.host.exec('ip route flush cache; ip -6 route flush cache');
  const heard = await datagrams(a, b, 1372);
  t.comment(`${heard} of ${DATAGRAMS} datagrams of 1,372 bytes`);
  t.ok(heard >= DATAGRAMS - 2, 'the first one tells the kernel, the others arrive', { heard });
  t.equal((await fragments()) - before, 0, 'and outside there was no fragment');
  const counters = await a.node.api<Record<string, number>>('GET', '/v1/node/counters');
  t.ok((counters['dataplane.out.told-too-big'] ?? 0) > 0, 'the word is counted');
  t.ok((counters['dataplane.out.fragmented'] ?? 0) > 0, 'and what was fragmented');
});

t.test('a host behind a box: the MSS of its SYN is lowered, and its data flows', async t => {
  const guest = a.home.hosts[1];
  if (guest === undefined) throw new TypeError('a second host was asked for');
  await guest.exec(`ip route add 10.77.0.0/16 via ${a.home.host.address}`);
  await a.home.host.exec('echo 1 > /proc/sys/net/ipv4/ip_forward');
  await a.home.host.exec('nft -f -', { input: BEHIND });
  await b.home.host.exec('nft -f -', { input: SYNS });
  const moved = await moveFile({ ...a, home: { ...a.home, host: guest } }, b, 5);
  t.ok(moved.equal, 'the hashes are equal', moved);
  const { stdout } = await b.home.host.exec('nft list counters');
  t.match(stdout, /counter fitting \{\s+packets [1-9]/, '1,319 bytes: what the path carries, less 40');
  t.match(stdout, /counter others \{\s+packets 0/, 'and not the 1,460 of its own network');
});

t.test('IPv6 outside, 1,420 bytes: 1,339 inside, and data flows', async t => {
  await finds(c, d, 1420 - 48 - ADDED);
  const before = await fragments();
  const moved = await moveFile(d, c, 10);
  t.ok(moved.equal, 'the hashes are equal', moved);
  t.equal((await fragments()) - before, 0);
});

t.test('the path shrinks under a running transfer: it goes on within seconds', async t => {
  const flow = await Flow.start(a.home.host, b.home.host, b.ip);
  t.teardown(() => flow.stop());
  await flow.longestPause(now(), BOUND_MS);
  const since = now();
  await narrow(1, 1380);
  const pause = await flow.longestPause(since, SHRUNK_MS);
  t.comment(`longest pause ${pause} ms`);
  await finds(a, b, 1380 - 28 - ADDED);
  t.ok(flow.isWhole, 'it is the same TCP connection');
  const before = await fragments();
  const arrived = flow.bytes;
  await until('more of it', BOUND_MS, () => flow.bytes - arrived > 1_000_000);
  t.equal((await fragments()) - before, 0, 'and no more fragments');
});

/** Both ends say that they found so much, by asking. */
async function finds(one: Box, other: Box, mtu: number): Promise<void> {
  await meet(one, other);
  for (const [from, to] of [
    [one, other],
    [other, one],
  ] as const) {
    let path: PathStatus | null | undefined = null;
    const found = until(`${from.node.name} to find ${mtu} bytes`, BOUND_MS, async () => {
      path = (await from.node.peer(to.node.name))?.path;
      // Within the 8 bytes to which the search goes.
      return path?.mtuBy === 'probed' && path.mtu !== null && path.mtu <= mtu && path.mtu > mtu - 8;
    });
    await found.catch((error: unknown) => {
      throw new Error(`${String(error)}: ${JSON.stringify(path)}`, { cause: error });
    });
  }
}

/** The line of a home, both ways. */
async function narrow(home: number, mtu: number): Promise<void> {
  await Promise.all([
    lab.core.exec(`ip link set home${home} mtu ${mtu}`),
    lab.homes[home]?.router?.exec(`ip link set wan mtu ${mtu}`),
  ]);
}

async function swallow(place: Place): Promise<void> {
  await place.exec('nft -f -', { input: BLACK_HOLE });
}

/** Fragments that came to a router of the lab, and ended there. */
const fragments = (): Promise<number> => counted('fragments');

async function counted(counter: string): Promise<number> {
  const all = await Promise.all(places.map(place => place.exec('nft list counters')));
  const lines = new RegExp(`counter ${counter} \\{\\s+packets (\\d+)`, 'g');
  const counts = all.flatMap(({ stdout }) => [...stdout.matchAll(lines)]);
  return counts.reduce((sum, [, packets]) => sum + Number(packets), 0);
}

/** How many of some UDP datagrams arrive. */
async function datagrams(from: Box, to: Box, bytes: number): Promise<number> {
  const dgram = `const socket = require('node:dgram').createSocket('udp4');`;
  const receive = `${dgram} let count = 0; socket.on('message', () => console.log(++count));
    socket.bind(5004, '${to.ip}', () => console.log('0'));`;
  const send = `${dgram} let left = ${DATAGRAMS};
    const next = () => left-- > 0 ? socket.send(Buffer.alloc(${bytes}), 5004, '${to.ip}', () => setTimeout(next, 20)) : socket.close();
    next();`;
  const receiver = to.home.host.spawn(process.execPath, ['-e', receive], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let heard = '';
  receiver.stdout?.setEncoding('utf8').on('data', (text: string) => (heard += text));
  await until('the receiver', BOUND_MS, () => heard.startsWith('0'));
  await from.home.host.exec(`'${process.execPath}' -`, { input: send });
  await until('the last of them', BOUND_MS, () => heard.split('\n').length > DATAGRAMS - 1).catch(() => null);
  receiver.kill('SIGKILL');
  return heard.trim().split('\n').length - 1;
}
