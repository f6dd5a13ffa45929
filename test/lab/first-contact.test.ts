// The virtual network card and the first packet: what enters the card and what does not, what the server is asked, and what
// becomes of packets to nobody. All by the counters of the kernel and of the server.
import t from 'tap';
import { whoCarries } from './carried.ts';
import { Flow, now } from './flow.ts';
import { startServer } from './ginnel.ts';
import { joinAll } from './homes.ts';
import type { Box } from './homes.ts';
import { buildLab } from './topology.ts';
import { until } from './waiting.ts';
import { enterLab } from './wrapper.ts';

enterLab(import.meta.url);

const BOUND_MS = 20_000;
const FIRST_REPLY_MS = 3000;
const NOBODY = '10.77.200.1';

const lab = await buildLab({ homes: [{ kind: 'prcnp' }, { kind: 'prc' }], delayMs: 20 });
t.teardown(() => lab.stop());
const server = await startServer(lab);
const [a, b] = await joinAll(lab, server);
if (a === undefined || b === undefined) throw new TypeError('two homes were asked for');

t.test('V1: the card stands in the IP stack with the addresses that the server gave', async t => {
  for (const { node, home, ip } of [a, b]) {
    const { ip6, tun } = await node.status();
    const { stdout } = await home.host.exec(`ip -j addr show dev ${tun}`);
    const addresses = JSON.parse(stdout) as { addr_info: { local: string }[] }[];
    const given = addresses.flatMap(({ addr_info }) => addr_info.map(({ local }) => local));
    t.ok(given.includes(ip) && given.includes(ip6), `${ip} and ${ip6}`, { given });
    const known = (await server.summary()).nodes.find(({ name }) => name === node.name);
    t.match(known, { ip4: ip, ip6, online: true }, 'and the server knows them so');
  }
});

t.test('V2: a packet to a real address goes the ordinary way', async t => {
  const before = await cardPackets(a);
  const line = await a.home.wanBytes();
  const { stdout } = await a.home.host.exec(`ping -q -c 50 -i 0.02 -s 1000 ${lab.server.address}`);
  t.match(stdout, /50 received/);
  t.ok((await a.home.wanBytes()) - line > 100_000, 'they crossed the line');
  t.equal(await cardPackets(a), before, 'and not one entered the card');
});

t.test('V10: the first packets to a virtual address ask the server once, and arrive', async t => {
  const before = await lookups();
  const started = now();
  const { stdout } = await a.home.host.exec(`ping -c 10 -i 0.05 -W 5 ${b.ip}`);
  t.comment(/icmp_seq=1 .*/.exec(stdout)?.[0] ?? 'the first was not answered');
  t.match(stdout, /icmp_seq=1 .* time=/, 'even the first was held and is answered');
  t.ok(now() - started < FIRST_REPLY_MS + BOUND_MS);
  t.equal((await lookups()) - before, 1, 'one look-up');
  await a.home.host.exec(`ping -q -c 10 -i 0.02 ${b.ip}`);
  t.equal((await lookups()) - before, 1, 'and none later');
  t.ok((await cardPackets(a)) >= 40, 'the card counted them');
});

t.test('V6: the address told to the peer is the one in the NAT of this home', async t => {
  const { udpPort, nat } = await a.node.status();
  const path = (await b.node.peer(a.node.name))?.path;
  const mapped = await mappingsOf(a, udpPort ?? 0);
  t.ok(mapped.includes(path?.remote ?? ''), `${path?.remote ?? 'none'} stands in the conntrack table`, {
    mapped,
  });
  t.ok(
    nat.mapped.every(endpoint => mapped.includes(endpoint)),
    'as does what STUN found',
    { mapped, nat },
  );
  t.ok(path?.remote?.startsWith(`${a.home.outerAddress}:`), "at this home's address outside");
});

t.test('V1, V12, V14: any program of IP: ICMP, ICMPv6, TCP; over the homes own lines', async t => {
  const { ip6 } = await b.node.status();
  t.match((await a.home.host.exec(`ping -q -c 5 -i 0.1 ${ip6}`)).stdout, /5 received/);
  t.match((await a.home.host.exec(`ping -q -c 5 -i 0.1 -s 8000 ${b.ip}`)).stdout, /5 received/, 'fragments');
  t.match(await whoCarries(lab, { place: a.home.host, home: a.home }, b), { by: 'direct', family: 4 });
  const before = await cardPackets(b);
  const flow = await Flow.start(a.home.host, b.home.host, b.ip);
  t.teardown(() => flow.stop());
  await flow.longestPause(now(), BOUND_MS);
  t.ok((await cardPackets(b)) - before > 50, 'TCP came in by the card');
});

t.test('V10: packets to an address that nobody has are dropped, counted, and hold up nothing', async t => {
  const [dropped, asked] = [await droppedUnknown(a), await lookups()];
  const { stdout } = await a.home.host.exec(`ping -q -c 20 -i 0.05 -W 1 ${NOBODY}`, { mayFail: true });
  t.match(stdout, / 0 received/);
  await until('all to be dropped', BOUND_MS, async () => (await droppedUnknown(a)) - dropped >= 20);
  t.equal((await droppedUnknown(a)) - dropped, 20, 'each is counted');
  const questions = (await lookups()) - asked;
  t.comment(`20 packets within 2 s, ${questions} look-ups`);
  t.ok(questions >= 1 && questions <= 3, 'the server was asked once in 2 s', { questions });

  const many = Array.from({ length: 100 }, (_, host) => `10.77.201.${host + 1}`);
  const sweep = a.home.host.exec(many.map(to => `ping -q -c 1 -W 1 ${to} &`).join('\n') + '\nwait', {
    mayFail: true,
  });
  const during = await a.home.host.exec(`ping -q -c 20 -i 0.05 -W 2 ${b.ip}`);
  t.match(during.stdout, / 0% packet loss/, 'a known peer is reached all the while');
  await sweep;
  await until('the sweep to be dropped', BOUND_MS, async () => (await droppedUnknown(a)) - dropped >= 120);
  t.match(
    await a.node.status(),
    { server: { state: 'connected' }, health: [] },
    'and the server is not fed up',
  );
});

/** Through the card, both ways, by the kernel's count. */
async function cardPackets({ node, home }: Box): Promise<number> {
  const { tun } = await node.status();
  const counters = (await home.host.counters())[tun];
  if (counters === undefined) throw new TypeError(`no card ${tun}`);
  return counters.receivedPackets + counters.sentPackets;
}

async function lookups(): Promise<number> {
  return (await server.summary()).counters['requests.lookup'] ?? 0;
}

async function droppedUnknown({ node }: Box): Promise<number> {
  const counters = await node.api<Record<string, number>>('GET', '/v1/node/counters');
  return (counters['dataplane.out.route-unknown'] ?? 0) + (counters['dataplane.out.held-dropped'] ?? 0);
}

/** Where the router of a home maps this UDP port of its host, by the kernel's own table. */
async function mappingsOf({ home }: Box, port: number): Promise<string[]> {
  const table = await home.router?.exec(
    `conntrack -L -p udp --orig-src ${home.host.address} --sport ${port}`,
  );
  const ports = [...(table?.stdout ?? '').matchAll(/dst=(\S+) sport=\d+ dport=(\d+)(?: \[|\s+mark)/g)];
  return ports.map(([, address = '', mapped = '']) => `${address}:${mapped}`);
}
