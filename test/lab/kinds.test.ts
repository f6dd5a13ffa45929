// The lab is what it says: each kind of NAT by coturn's verdict, delay, loss, hairpin, filters, the forced detour.
import t from 'tap';
import { askCoturn, COTURN_TOOLS, startCoturn } from './coturn.ts';
import { verdictOf } from './kinds.ts';
import type { Place } from './place.ts';
import { buildLab } from './topology.ts';
import type { Lab } from './topology.ts';
import { until } from './waiting.ts';
import { enterLab } from './wrapper.ts';

enterLab(import.meta.url, { tools: { ...COTURN_TOOLS, socat: 'socat' } });

const KINDS = [
  'public',
  'full',
  'arc',
  'prc',
  'prcnp',
  'eimprcnp',
  'naive',
  'reject',
  'sym',
  'seq1',
  'seq2',
  'seq5',
  'seqd1',
  'seqw2',
  'adm',
  'carrier',
  'double',
  'onrouter',
  'prc+rst',
  'prc+icmp',
  'full+hairpin',
  'arc+lim',
  'prc+lim4k',
  'prc+pppoe',
];

t.test("coturn's verdict on every kind is the table's", async t => {
  const lab = await buildLab({
    homes: [...KINDS, 'prc+noudp', 'prc+web'].map(kind => ({ kind })),
    server: { addresses: 2 },
  });
  t.teardown(() => lab.stop());
  await startCoturn(lab.server);
  const answers = await Promise.all(
    lab.homes.map(async home => ({ kind: home.kind, ...(await askCoturn(home.host)) })),
  );
  for (const { kind, verdict, said } of answers) {
    const udpPasses = !/noudp|web/.test(kind);
    t.same(verdict, udpPasses ? verdictOf(kind) : null, kind, { said });
  }
});

t.test(
  'sequences: the next new remote gets the port that the kind says, over the end of the range too',
  async t => {
    const ports = {
      seq1: [20_000, 20_001, 20_002, 20_003],
      seq5: [20_000, 20_005, 20_010, 20_015],
      seqd1: [21_999, 21_998, 21_997, 21_996],
      seqd2: [23_998, 23_996, 23_994, 23_992],
      // 32 before the end.
      seqw2: [23_936, 23_938, 23_940, 23_942],
    };
    const lab = await buildLab({ homes: Object.keys(ports).map(kind => ({ kind })) });
    t.teardown(() => lab.stop());
    for (const { kind, host, router } of lab.homes) {
      await host.exec('for p in {1..34}; do echo >/dev/udp/203.0.113.1/$p; done');
      const mapped = await mappedPorts(router!);
      t.same(mapped.slice(0, 4), ports[kind as keyof typeof ports], kind);
      if (kind === 'seqw2') t.same(mapped.slice(30), [23_996, 23_998, 20_000, 20_002], 'around the end');
    }
  },
);

t.test('routers with little room: so many flows and no more, whoever behind them asks', async t => {
  const lab = await buildLab({ homes: ['prc+lim', 'prc+lim4k'].map(kind => ({ kind, hosts: 2 })) });
  t.teardown(() => lab.stop());
  await startEcho(lab.server);
  for (const { kind, hosts, router } of lab.homes) {
    const room = kind === 'prc+lim' ? 256 : 4096;
    const [greedy, other] = hosts;
    t.equal(await echoes(other!, '203.0.113.1'), true, `${kind}: room for another`);
    await greedy!.exec(`for p in {1..${room + 400}}; do echo >/dev/udp/203.0.113.2/$p; done 2>/dev/null`);
    const entries = Number((await router!.exec('conntrack -C')).stdout);
    t.equal(Math.abs(entries - room) < 5, true, `${kind}: ${entries} entries`);
    t.equal(await echoes(other!, '203.0.113.1'), false, `${kind}: no room for another`);
  }
});

t.test('delay: a round trip takes twice the one-way time', async t => {
  const lab = await buildLab({ homes: [{ kind: 'prc' }, { kind: 'public' }], delayMs: 20 });
  t.teardown(() => lab.stop());
  const [home, open] = lab.homes;
  for (const target of [lab.server.address, open!.outerAddress]) {
    const { average } = await ping(home!.host, `-c 10 -i 0.02 ${target}`);
    t.equal(average >= 40 && average < 60, true, `40 ms and little more to ${target}`, { average });
  }
});

t.test('delay: it carries more than 10 MB/s each way', async t => {
  const lab = await buildLab({ homes: [{ kind: 'prc' }], delayMs: 20 });
  t.teardown(() => lab.stop());
  lab.server.spawn('socat', ['-u', 'TCP-LISTEN:9000,reuseaddr', 'OPEN:/dev/null'], { stdio: 'ignore' });
  await until('the listener', 5000, async () =>
    (await lab.server.exec('cat /proc/net/tcp')).stdout.includes(':2328 '),
  );
  const before = performance.now();
  await lab.homes[0]!.host.exec('head -c 30000000 /dev/zero | socat -u - TCP:203.0.113.1:9000');
  const megabytesPerSecond = 30_000 / (performance.now() - before);
  t.equal(megabytesPerSecond > 10, true, `${megabytesPerSecond.toFixed(0)} MB/s`);
  t.equal((await lab.homes[0]!.wanBytes()) > 30e6, true, "the kernel's count agrees");
});

/** The packets that came to the server, once no more come: some are still on their way when the sender is done. */
async function arrivedAtLast(lab: Lab): Promise<number> {
  let before = -1;
  let alike = 0;
  return until('the last packet', 20_000, async () => {
    const now = (await lab.server.counters())['eth0']!.receivedPackets;
    alike = now === before ? alike + 1 : 0;
    before = now;
    return alike === 5 ? now : null;
  });
}

t.test('loss: the share of packets that was asked for', async t => {
  for (const { kind, trouble, expected } of [
    { kind: 'prc', trouble: { delayMs: 5, lossRate: 0.1 }, expected: 0.1 },
    { kind: 'prc+loss3', trouble: {}, expected: 0.03 },
  ]) {
    const lab = await buildLab({ homes: [{ kind }], ...trouble });
    const sent = 2000;
    await lab.homes[0]!.host.exec(`for i in {1..${sent}}; do echo >/dev/udp/203.0.113.1/9; done 2>/dev/null`);
    const lost = 1 - (await arrivedAtLast(lab)) / sent;
    await lab.stop();
    const fourDeviations = 4 * Math.sqrt((expected * (1 - expected)) / sent);
    t.equal(Math.abs(lost - expected) < fourDeviations, true, `${kind}: ${(lost * 100).toFixed(1)} %`);
  }
});

t.test('hairpin: only with the trait does a home reach itself from inside', async t => {
  const lab = await buildLab({ homes: ['full+hairpin', 'full'].map(kind => ({ kind, hosts: 2 })) });
  t.teardown(() => lab.stop());
  await startEcho(lab.server);
  for (const { kind, hosts, outerAddress } of lab.homes) {
    const [listener, asker] = hosts;
    await startEcho(listener!);
    await listener!.exec(
      'echo learn | socat -t 0.2 - UDP:203.0.113.1:9000,sourceport=9000,reuseaddr,reuseport',
      { mayFail: true },
    );
    t.equal(await echoes(asker!, outerAddress), kind === 'full+hairpin', kind);
  }
});

t.test('a port forwarded by hand, and addresses of its own: TCP and UDP come in by it alone', async t => {
  const lab = await buildLab({
    homes: [
      { kind: 'prc', address: '22.33.44.55', inside: '192.168.0.2', forwards: [9000] },
      { kind: 'sym', address: '33.44.55.66', inside: '192.168.1.3' },
      { kind: 'public', address: '11.22.33.44' },
    ],
  });
  t.teardown(() => lab.stop());
  const [forwarded, closed, open] = lab.homes;
  t.same(
    lab.homes.map(({ host, outerAddress }) => [host.address, outerAddress]),
    [
      ['192.168.0.2', '22.33.44.55'],
      ['192.168.1.3', '33.44.55.66'],
      ['11.22.33.44', '11.22.33.44'],
    ],
  );
  for (const home of lab.homes) await startEcho(home.host);
  for (const asker of [closed!, open!]) {
    t.equal(await echoes(asker.host, forwarded!.outerAddress), true, 'UDP');
    t.equal(await connects(asker.host, forwarded!.outerAddress), true, 'TCP');
  }
  t.equal(await connects(forwarded!.host, open!.outerAddress), true, 'out to a public box');
  t.equal(await connects(open!.host, closed!.outerAddress), false, 'the other router has no such rule');
});

t.test('TCP: only a public box is connected to; what a NAT learnt of UDP lets no connection in', async t => {
  const kinds = [...KINDS, 'prc+noudp', 'prc+web'].filter(kind => kind !== 'public');
  const lab = await buildLab({ homes: ['public', 'public', ...kinds].map(kind => ({ kind })) });
  t.teardown(() => lab.stop());
  const [asker, open, ...closed] = lab.homes;
  await startEcho(open!.host);
  t.equal(await connects(asker!.host, open!.outerAddress), true, 'public');
  await Promise.all(
    closed.map(async home => {
      await startEcho(home.host);
      // From the very port, so that a loose filter has something to learn.
      await home.host.exec(
        `echo learn | socat -t 0.2 - UDP:${open!.outerAddress}:9000,sourceport=9000,reuseaddr,reuseport`,
        { mayFail: true },
      );
      t.equal(await connects(asker!.host, home.outerAddress), false, home.kind);
      t.equal(await connects(home.host, open!.outerAddress), !home.kind.includes('web'), `${home.kind}: out`);
    }),
  );
});

t.test('two homes behind one carrier meet through its hairpin', async t => {
  const lab = await buildLab({
    homes: ['full', 'full'].map(kind => ({ kind, carrier: 'one' })),
    server: { addresses: 2 },
  });
  t.teardown(() => lab.stop());
  await startCoturn(lab.server);
  const [one, other] = [lab.homes[0]!, lab.homes[1]!];
  t.equal(one.outerAddress, other.outerAddress);
  t.equal(await reaches(one.host, other.router!.address), false, "not across the carrier's own net");
  const port = /reflexive addr: \S+:(\d+)/.exec((await askCoturn(other.host, '-m -l 9000')).said)?.[1];
  await startEcho(other.host);
  t.equal(await echoes(one.host, other.outerAddress, port), true, 'through the mapping');
});

t.test('an IPv6 firewall: out and back, nothing from outside; without IPv4 where so asked', async t => {
  const lab = await buildLab({ homes: [{ kind: 'fw6' }, { kind: 'sym6' }], delayMs: 5 });
  t.teardown(() => lab.stop());
  const [only6, both] = lab.homes;
  await startEcho(only6!.host);
  await startEcho(lab.server);
  t.equal(await reaches(only6!.host, lab.server.address6), true);
  t.equal(await reaches(only6!.host, lab.server.address), false, 'no IPv4');
  t.equal(await reaches(both!.host, lab.server.address), true, 'IPv4 through the NAT');
  t.equal(await echoes(only6!.host, `[${lab.server.address6}]`), true, 'UDP out and back');
  t.equal(await echoes(both!.host, `[${only6!.host.address6}]`), false, 'UDP from outside is dropped');
});

t.test('pppoe: what does not fit is lost without a word', async t => {
  const lab = await buildLab({ homes: [{ kind: 'prc+pppoe' }], delayMs: 1 });
  t.teardown(() => lab.stop());
  const sends = async (bytes: number) =>
    (await ping(lab.homes[0]!.host, `-M do -s ${bytes - 28} -c 1 -W 1 203.0.113.1`)).loss === 0;
  t.equal(await sends(1492), true);
  t.equal(await sends(1493), false);
});

t.test(
  'flushNat: a port that is not kept is a different one afterwards; rebootNat: the line comes back',
  async t => {
    const lab = await buildLab({ homes: [{ kind: 'prcnp' }], server: { addresses: 2 } });
    t.teardown(() => lab.stop());
    await startCoturn(lab.server);
    const home = lab.homes[0]!;
    const mapped = async () =>
      /reflexive addr: (\S+)/.exec((await askCoturn(home.host, '-m -l 5000')).said)?.[1];
    const first = await mapped();
    t.equal(await mapped(), first, 'kept while the router remembers');
    await home.flushNat();
    t.not(await mapped(), first);
    await home.rebootNat();
    t.equal(await reaches(home.host, '203.0.113.1'), true);
  },
);

t.test("forceThroughServer: the server's interface carries what passes between two homes", async t => {
  const lab = await buildLab({ homes: [{ kind: 'public' }, { kind: 'public' }], delayMs: 20 });
  t.teardown(() => lab.stop());
  const [one, other] = [lab.homes[0]!, lab.homes[1]!];
  const carried = async () => {
    const before = await lab.server.bytes();
    const { average } = await ping(one.host, `-c 20 -i 0.01 -s 1000 ${other.outerAddress}`);
    return { bytes: (await lab.server.bytes()) - before, average };
  };
  t.equal((await carried()).bytes < 2000, true, 'nothing before');
  await lab.forceThroughServer(one, other);
  const after = await carried();
  t.equal(after.bytes > 2 * 20 * 2 * 1000, true, 'everything after, in and out', after);
  t.equal(after.average < 60, true, 'and no more delay', after);
});

t.test('building two homes takes less than a second', async t => {
  const before = performance.now();
  const lab = await buildLab({ homes: [{ kind: 'prc' }, { kind: 'seq1' }], delayMs: 20 });
  const tookMs = performance.now() - before;
  await lab.stop();
  t.equal(tookMs < 1000, true, `${tookMs.toFixed(0)} ms`);
});

async function ping(from: Place, args: string): Promise<{ loss: number; average: number }> {
  const { stdout } = await from.exec(`ping -q -W 1 ${args}`, { mayFail: true, timeoutMs: 15_000 });
  const loss = /([\d.]+)% packet loss/.exec(stdout)?.[1] ?? '100';
  return { loss: Number(loss) / 100, average: Number(/= [\d.]+\/([\d.]+)\//.exec(stdout)?.[1] ?? Infinity) };
}

/** By the kernel's table, in the order of the ports that they were sent to. */
async function mappedPorts(router: Place): Promise<number[]> {
  const { stdout } = await router.exec('conntrack -L -p udp');
  return [...stdout.matchAll(/ dport=(\d+) .* dport=(\d+) /g)]
    .map(([, to, mapped]) => [Number(to), Number(mapped)] as const)
    .sort(([one], [other]) => one - other)
    .map(([, mapped]) => mapped);
}

async function reaches(from: Place, address: string): Promise<boolean> {
  return (await ping(from, `-c 1 ${address}`)).loss === 0;
}

/** An echo on port 9000: UDP in both families, TCP in IPv4. */
async function startEcho(place: Place): Promise<void> {
  place.spawn('socat', ['TCP4-LISTEN:9000,fork,reuseaddr', 'EXEC:cat'], { stdio: 'ignore' });
  place.spawn('socat', ['UDP6-LISTEN:9000,fork,reuseaddr,reuseport', 'EXEC:cat'], { stdio: 'ignore' });
  await until('the echo', 5000, async () =>
    (await place.exec('cat /proc/net/udp6')).stdout.includes(':2328 '),
  );
}

async function connects(from: Place, address: string): Promise<boolean> {
  const line = `echo hallo | timeout 2 socat -t 1 - TCP4:${address}:9000,connect-timeout=1`;
  return (await from.exec(line, { mayFail: true })).stdout === 'hallo\n';
}

async function echoes(from: Place, address: string, port = '9000'): Promise<boolean> {
  const family = address.startsWith('[') ? 'UDP6' : 'UDP4';
  return (
    (await from.exec(`echo hallo | socat -t 1 - ${family}:${address}:${port}`, { mayFail: true })).stdout ===
    'hallo\n'
  );
}
