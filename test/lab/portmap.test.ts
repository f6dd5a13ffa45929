// V6 by port mapping, with Debian's miniupnpd in the router: all three protocols make real rules of the kernel, strangers get
// in by them, and they are gone when this box goes. Home 0: a symmetric NAT and an IPv6 firewall. Homes 1 and
// 2: behind a second NAT, with a router that knows, and one that believes in an address that is not its.
import t from 'tap';
import type { PeerStatus, PluginDetail } from '../../core/admin.ts';
import type { ServerSummary } from '../../server/admin.ts';
import { startNode, startServer, type GinnelNode } from './ginnel.ts';
import { Miniupnpd, MINIUPNPD_TOOLS } from './miniupnpd.ts';
import type { Place } from './place.ts';
import { buildLab, type Home } from './topology.ts';
import { until } from './waiting.ts';
import { enterLab } from './wrapper.ts';

enterLab(import.meta.url, { tools: MINIUPNPD_TOOLS });

const BOUND_MS = 15_000;
const BACK_WITHIN_MS = 5_000;
const TCP_PORT = 7443;
const UDP_PORT = 41_641;
/** miniupnpd maps nothing where the outer address is one of documentation. */
const OUTER = '5.5.5.10';
const INNER = '192.168.1.2';
const RULES = [`tcp ${TCP_PORT} to ${INNER}:${TCP_PORT}`, `udp ${UDP_PORT} to ${INNER}:${UDP_PORT}`];

const lab = await buildLab({
  homes: [
    { kind: 'sym6', address: OUTER },
    { kind: 'prc', behind: 'eimprcnp' },
    { kind: 'prc', behind: 'eimprcnp' },
    { kind: 'public' },
    { kind: 'sym' },
    { kind: 'prc+noudp' },
  ],
  delayMs: 10,
});
t.teardown(() => lab.stop());
const [home, modest, inner, outside, symmetric, silent] = lab.homes as [Home, Home, Home, Home, Home, Home];
const stranger = outside.host;
const routerOf = ({ router }: Home): Place => {
  if (router === null) throw new TypeError('a home with a router');
  return router;
};
// The router's own firewall is miniupnpd's for this once: it opens holes in that alone.
await routerOf(home).exec('nft delete chain ip6 lab6 forward');
const router = await Miniupnpd.start(routerOf(home));
await Miniupnpd.start(routerOf(modest));
await Miniupnpd.start(routerOf(inner), ['ext_ip=5.5.5.99']);
const server = await startServer(lab);
const node = await startNode(server, home.host, 'box', { udpPort: UDP_PORT });

const plugin = (of: GinnelNode = node): Promise<PluginDetail> =>
  of.api<PluginDetail>('GET', '/v1/node/plugins/nat-portmap');
const set = (settings: object): Promise<PluginDetail> =>
  node.api<PluginDetail>('POST', '/v1/node/plugins/nat-portmap/settings', { set: settings });
const rulesAre = (wanted: readonly string[], boundMs = BOUND_MS): Promise<boolean> =>
  node.explained(
    until(`the rules ${wanted.join(', ') || '(none)'}`, boundMs, async () => {
      return (await router.rules()).join() === wanted.join();
    }),
  );

/** Packets of the stranger that the box's own card received, by the kernel's count. */
await home.host.exec('nft -f -', {
  input: `table inet seen {\n counter four {\n }\n counter six {\n }\n chain input {\n type filter hook input priority 0; policy accept;\n ip saddr ${stranger.address} udp dport ${UDP_PORT} counter name four\n ip6 saddr ${lab.server.address6} udp dport ${UDP_PORT} counter name six\n }\n}\n`,
});
const seen = async (family: 'four' | 'six'): Promise<number> => {
  const { stdout } = await home.host.exec(`nft list counter inet seen ${family}`);
  return Number(/packets (\d+)/.exec(stdout)?.[1] ?? NaN);
};

/** Does a datagram of somebody whom the box never sent anything get in? */
async function getsIn(family: 'four' | 'six' = 'four'): Promise<boolean> {
  const before = await seen(family);
  if (family === 'four') await stranger.exec(`echo stranger > /dev/udp/${OUTER}/${UDP_PORT}`);
  else await lab.server.exec(`echo stranger > /dev/udp/${home.host.address6}/${UDP_PORT}`);
  return until('a packet', 500, async () => (await seen(family)) > before).catch(() => false);
}

async function connects(): Promise<boolean> {
  const line = `exec 3<>/dev/tcp/${OUTER}/${TCP_PORT}`;
  return (await stranger.exec(`timeout 1 bash -c '${line}'`, { mayFail: true })).code === 0;
}

for (const protocol of ['pcp', 'nat-pmp', 'upnp'] as const)
  t.test(
    `V6: ${protocol} alone: mapped for real, gone after down, back after the router's restart`,
    async t => {
      await set({ protocols: [protocol] });
      await rulesAre(RULES);
      t.match((await plugin()).facts, { routers: [{ state: 'mapped', ports: [{ by: protocol }] }] });
      t.ok(await getsIn(), "a stranger's datagram gets in");
      t.ok(await connects(), "a stranger's connection gets in");

      await router.kill();
      t.notOk(await getsIn(), 'not while the router has lost it');
      await router.start();
      const began = performance.now();
      await rulesAre(RULES, BACK_WITHIN_MS);
      t.comment(`back ${Math.round(performance.now() - began)} ms after the restart of miniupnpd`);
      t.ok(await getsIn(), 'gets in again');

      const { code, stderr } = await node.ginnel(['down']);
      t.equal(code, 0, stderr);
      t.same(await router.rules(), [], 'gone after ginnel down');
      t.notOk(await getsIn(), 'and nobody gets in');
      await node.up();
    },
  );

t.test(
  'all of them at once: the place outside is told, the server sees the door answer there, turned off it is gone',
  async t => {
    await set({ protocols: ['pcp', 'nat-pmp', 'upnp'] });
    await rulesAre(RULES);
    await until('the plugin to be content', BOUND_MS, async () => (await plugin()).state === 'ready');
    const { status } = { status: await node.status() };
    const { nodes } = await server.summary();
    t.match(nodes, [{ name: 'box' }]);
    const place = `${OUTER}:${TCP_PORT}`;
    await server.explained(
      until('the server to find the door', 20_000, async () => {
        const { relays } = await server.api<{ relays: { name: string; places: string[] }[] }>(
          'GET',
          '/v1/server/relays',
        );
        return relays.some(relay => relay.name === status.name && JSON.stringify(relay).includes(place));
      }),
    );
    await node.api('POST', '/v1/node/plugins/nat-portmap/disable');
    t.same(await router.rules(), [], 'turned off');
    await node.api('POST', '/v1/node/plugins/nat-portmap/enable');
    await rulesAre(RULES);
  },
);

t.test(
  'who could not meet this box otherwise meets it at the mapped places: by UDP from a symmetric NAT, by TCP without UDP',
  async t => {
    const { ip4 } = await node.status();
    const meets = async (from: Home, name: string): Promise<PeerStatus['path']> => {
      const other = await startNode(server, from.host, name);
      await other.explained(
        until(`${name} to meet the box`, BOUND_MS, async () => {
          await from.host.exec(`ping -q -c 1 -W 1 ${ip4}`, { mayFail: true });
          return (await other.peer('box'))?.state === 'direct';
        }),
      );
      return (await other.peer('box'))?.path ?? null;
    };
    const [udp, tcp] = await Promise.all([meets(symmetric, 'symmetric'), meets(silent, 'silent')]);
    t.match(udp, { remote: `${OUTER}:${UDP_PORT}` }, JSON.stringify(udp));
    t.match(tcp, { remote: `${OUTER}:${TCP_PORT}` }, JSON.stringify(tcp));
  },
);

t.test('V6: PCP opens a hole in the IPv6 firewall', async t => {
  await until('the hole', BOUND_MS, async () =>
    (await router.holes()).includes(`udp ${UDP_PORT} to ${home.host.address6}`),
  );
  t.ok(await getsIn('six'), "a stranger's datagram gets in");
});

t.test('a location server at home: invites name the place outside', async t => {
  await node.api('POST', '/v1/server/up', { port: 7500 });
  await rulesAre([...RULES, `tcp 7500 to ${INNER}:7500`, `udp 7500 to ${INNER}:7500`].sort());
  await until('the server to say so', BOUND_MS, async () => {
    const { addresses } = await node.api<ServerSummary>('GET', '/v1/server');
    return addresses.includes(`${OUTER}:7500`);
  });
  const line = `exec 3<>/dev/tcp/${OUTER}/7500`;
  t.equal((await stranger.exec(`timeout 1 bash -c '${line}'`, { mayFail: true })).code, 0);
  await node.api('POST', '/v1/server/down');
  await rulesAre(RULES);
});

t.test('a router behind another one: told, with what a person can do, and no place is named', async t => {
  const told = async (place: Place, name: string): Promise<{ code: string; notes: string }> => {
    const other = await startNode(server, place, name);
    const code = await until('the word of it', BOUND_MS, async () => {
      const { state, code: said } = await plugin(other);
      return state === 'limited' ? said : null;
    });
    return { code, notes: (await other.status()).nat.notes.join() };
  };
  const [knows, believes] = await Promise.all([told(modest.host, 'modest'), told(inner.host, 'inner')]);
  t.equal(knows.code, 'PORTMAP_NO_OUTSIDE');
  t.match(knows.notes, /no address of its own on the internet.*bridge mode/s);
  t.equal(believes.code, 'PORTMAP_DOUBLE_NAT');
  t.match(believes.notes, /not reached from outside itself.*5\.5\.5\.99.*198\.51\.100\.201/s);
});
