// What the plugin does with routers that mean well: each protocol, its order, refusals, restarts, and taking back.
import { setTimeout as pause } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { ManualClock } from '../../../base/clock.ts';
import { Counters } from '../../../base/counters.ts';
import type { WantedPort } from '../../../core/contract/plugin.ts';
import { EpochWatch } from '../../../plugins/nat-portmap/epoch-watch.ts';
import { createPlugin } from '../../../plugins/nat-portmap/index.ts';
import { isPcpEpochGood } from '../../../protocol/portmap/epoch.ts';
import { memoryStore } from '../../support/memory-store.ts';
import {
  home,
  igd,
  natPmpAnswer,
  OUTSIDE,
  pcpAnswer,
  ssdpAnswer,
  type Home,
  type IgdWords,
  type Mapped,
  type PcpWords,
} from './fake-router.ts';
import { contextOf, LOCAL, PORT, stage } from './stage.ts';

t.jobs = 6;

const HERE = [`udp ${OUTSIDE}:${PORT}`];
const only = (name: string): object => ({ settings: { protocols: [name] } });

async function until(what: string, ask: () => boolean): Promise<void> {
  for (let tries = 0; tries < 800; tries++) {
    if (ask()) return;
    await pause(10);
  }
  throw new Error(`waited for ${what}`);
}

interface PcpRouter extends Home {
  /** Lifetimes of the MAP requests, with their nonces. */
  readonly maps: { readonly lifetimeS: number; readonly nonce: string }[];
}

async function pcpRouter(t: Test, words: () => PcpWords = () => ({})): Promise<PcpRouter> {
  const at = { ...home(t), maps: [] as { lifetimeS: number; nonce: string }[] };
  await at.router.udp(5351, ({ bytes, reply }) => {
    const answer = pcpAnswer(bytes, words());
    if (answer === null) return;
    if (bytes.length >= 60)
      at.maps.push({ lifetimeS: bytes.readUInt32BE(4), nonce: bytes.toString('hex', 24, 36) });
    reply(answer);
  });
  return at;
}

interface UpnpRouter extends Home {
  readonly table: Map<string, Mapped>;
  readonly calls: string[];
}

async function upnpRouter(t: Test, words: IgdWords = {}): Promise<UpnpRouter> {
  const at = { ...home(t), table: new Map<string, Mapped>(), calls: [] as string[] };
  const port = await at.router.http(igd(at.table, { calls: at.calls, ...words }));
  await at.router.udp(1900, ({ reply }) => reply(ssdpAnswer(`http://${at.router.address}:${port}/d.xml`)));
  return at;
}

t.test('V6: PCP: mapped, told, and taken back with the same nonce at the end', async t => {
  const at = await pcpRouter(t);
  const { plugin, candidates, told, code } = await stage(t, at, only('pcp'));
  t.same(candidates(), HERE);
  t.same(told(), HERE);
  t.equal(code(), '');
  await plugin.stop();
  t.same(
    at.maps.map(({ lifetimeS }) => lifetimeS),
    [3600, 0],
  );
  t.equal(new Set(at.maps.map(({ nonce }) => nonce)).size, 1);
});

t.test('V6: NAT-PMP: mapped, told, and taken back', async t => {
  const at = home(t);
  const asked: number[] = [];
  await at.router.udp(5351, ({ bytes, reply }) => {
    if (bytes.length === 12) asked.push(bytes.readUInt32BE(8));
    const answer = natPmpAnswer(bytes);
    if (answer !== null) reply(answer);
  });
  const { plugin, candidates } = await stage(t, at, only('nat-pmp'));
  t.same(candidates(), HERE);
  await plugin.stop();
  t.same(asked, [3600, 0]);
});

t.test(
  'V6: UPnP: mapped and taken back; nothing but GET and POST, nothing subscribed to, no port 0',
  async t => {
    const at = await upnpRouter(t);
    const { plugin, candidates } = await stage(t, at, only('upnp'));
    t.same(candidates(), HERE);
    t.match(at.table.get(`UDP ${PORT}`), { client: LOCAL, port: String(PORT), lease: '3600' });
    await plugin.stop();
    t.equal(at.table.size, 0);
    const kinds = at.router.visits
      .filter(visit => visit.startsWith('http'))
      .map(visit => visit.split(' ')[1]);
    t.same([...new Set(kinds)].sort(), ['GET', 'POST']);
    t.notOk(
      at.calls.some(call => / 0(?: |$)/.test(call)),
      at.calls.join('; '),
    );
  },
);

t.test('all at once: the one that says most of itself is used where it answers, else the next', async t => {
  const both = await upnpRouter(t);
  await both.router.udp(5351, ({ bytes, reply }) => reply(pcpAnswer(bytes) ?? natPmpAnswer(bytes)!));
  const first = await stage(t, both);
  t.match(first.plugin.report().facts, { routers: [{ ports: [{ by: 'pcp' }] }] });
  const older = await upnpRouter(t);
  await older.router.udp(5351, ({ bytes, reply }) => {
    const answer = natPmpAnswer(bytes);
    // RFC 6886 3.5: so says a router that knows NAT-PMP alone.
    reply(answer ?? Buffer.from([0, 128, 0, 1, 0, 0, 0, 9]));
  });
  const second = await stage(t, older);
  t.match(second.plugin.report().facts, { routers: [{ ports: [{ by: 'nat-pmp' }] }] });
});

t.test('a protocol that refuses gives way to one that does not', async t => {
  const at = await upnpRouter(t);
  await at.router.udp(5351, ({ bytes, reply }) => {
    const answer = pcpAnswer(bytes, bytes.length > 24 ? { result: 2 } : {});
    if (answer !== null) reply(answer);
  });
  const { plugin, candidates } = await stage(t, at);
  await until('UPnP', () => candidates().length > 0);
  t.match(plugin.report().facts, { routers: [{ ports: [{ by: 'upnp' }] }] });
});

for (const error of [725, 402])
  t.test(`UPnP error ${error}: asked again without a lease, and taken back all the same`, async t => {
    const at = await upnpRouter(t, { refuses: (_, { lease }) => (lease === '0' ? null : error) });
    const { plugin, candidates } = await stage(t, at, only('upnp'));
    t.same(candidates(), HERE);
    t.equal(at.table.get(`UDP ${PORT}`)?.lease, '0');
    await plugin.stop();
    t.equal(at.table.size, 0);
  });

for (const [whose, client] of [
  ["another box's", '127.0.0.9'],
  ["another program's", LOCAL],
] as const)
  t.test(`UPnP: ${whose} port is left alone, whatever the router would do`, async t => {
    const at = await upnpRouter(t);
    at.table.set(`UDP ${PORT}`, { client, port: '7', lease: '0' });
    const { plugin, candidates } = await stage(t, at, only('upnp'));
    const [place = ''] = candidates();
    t.match(place, new RegExp(`^udp ${OUTSIDE.replaceAll('.', '\\.')}:`));
    t.not(place, HERE[0]);
    await plugin.stop();
    t.same([...at.table.keys()], [`UDP ${PORT}`], 'nor is it taken away');
  });

t.test('UPnP error 718: another outer port', async t => {
  const at = await upnpRouter(t, { refuses: key => (key === `UDP ${PORT}` ? 718 : null) });
  const { candidates } = await stage(t, at, only('upnp'));
  t.equal(candidates().length, 1);
  t.not(candidates()[0], HERE[0]);
});

t.test('a router that refuses: told, with its answer', async t => {
  const at = await upnpRouter(t, { refuses: () => 606 });
  const { plugin, code, candidates } = await stage(t, at, only('upnp'));
  t.same([code(), candidates()], ['PORTMAP_REFUSED', []]);
  t.match(plugin.natReport().notes.join(), /UPnP error 606/);
});

t.test('a router that started again: asked anew by the next look', async t => {
  const began = Date.now();
  let offset = 1000;
  const at = await pcpRouter(t, () => ({ epochS: offset + Math.floor((Date.now() - began) / 1000) }));
  const { candidates, count } = await stage(t, at, only('pcp'));
  t.same(at.maps.length, 1);
  offset = 0;
  await until('the mapping again', () => at.maps.length > 1);
  t.equal(count('router.restarted'), 1);
  t.ok(count('refused.epoch') > 0);
  t.same(candidates(), HERE);
});

t.test('a clock of a router that means nothing is not believed for ever', t => {
  const clock = new ManualClock();
  const ground = {
    gateway: { family: 4, address: '127.0.0.1', local: LOCAL },
    clock,
    counters: new Counters(),
  } as const;
  const watch = new EpochWatch(ground, isPcpEpochGood);
  const looks = Array.from({ length: 7 }, (_, at) => {
    clock.advance(2_500);
    return watch.heard(100_000 - 1000 * at);
  });
  t.same(looks, ['same', 'restarted', 'restarted', 'restarted', 'same', 'same', 'same']);
  t.end();
});

t.test('after a restart of this box: the same nonce, the same port outside', async t => {
  const at = await pcpRouter(t, () => ({ outerPort: 50_001 }));
  const store = memoryStore();
  const first = await stage(t, at, { ...only('pcp'), store });
  t.same(first.candidates(), [`udp ${OUTSIDE}:50001`]);
  await first.plugin.stop();
  await stage(t, at, { ...only('pcp'), store });
  t.equal(new Set(at.maps.map(({ nonce }) => nonce)).size, 1);
});

t.test(
  'ports come and go; those of the location server only where they are wanted, and never as places of a node',
  async t => {
    const server: WantedPort = { transport: 'tcp', port: 7443, purpose: 'server' };
    const data: WantedPort = { transport: 'udp', port: PORT, purpose: 'data' };
    const at = await upnpRouter(t);
    const { candidates, told, world } = await stage(t, at, { ...only('upnp'), ports: [data, server] });
    await until('both', () => at.table.size === 2);
    t.same(candidates(), HERE);
    t.same(told(), [`tcp ${OUTSIDE}:7443`, ...HERE]);
    world.ports = [data];
    world.change();
    await until('one', () => at.table.size === 1);
    const without = await upnpRouter(t);
    await stage(t, without, { settings: { protocols: ['upnp'], server: false }, ports: [data, server] });
    t.same([...without.table.keys()], [`UDP ${PORT}`]);
  },
);

t.test('the outside view decides', async t => {
  const cases: readonly [what: string, outer: readonly number[], seen: string | null, code: string][] = [
    ['it agrees', [5, 5, 5, 5], '5.5.5.5', ''],
    ['it is another one', [5, 5, 5, 5], '9.9.9.9', 'PORTMAP_DOUBLE_NAT'],
    ['the router has a private one', [10, 0, 0, 2], '9.9.9.9', 'PORTMAP_DOUBLE_NAT'],
    [
      'the router has a private one, and nobody outside answers',
      [192, 168, 0, 2],
      null,
      'PORTMAP_DOUBLE_NAT',
    ],
    ["the router has a carrier's", [100, 64, 0, 2], null, 'PORTMAP_DOUBLE_NAT'],
    ['nobody outside answers', [5, 5, 5, 5], null, ''],
    ['who answers sits on our side of the router', [5, 5, 5, 5], LOCAL, ''],
    ['a network without the internet', [10, 0, 0, 2], '10.0.0.2', ''],
    ['the router has none', [0, 0, 0, 0], '9.9.9.9', 'PORTMAP_NO_OUTSIDE'],
    ['the router says a group', [224, 0, 0, 1], '9.9.9.9', 'PORTMAP_NO_OUTSIDE'],
    ['the router says ourselves', [127, 0, 0, 1], '127.0.0.1', 'PORTMAP_NO_OUTSIDE'],
  ];
  for (const [what, outer, seen, wanted] of cases) {
    const at = await pcpRouter(t, () => ({ outer }));
    const { code, candidates, told } = await stage(t, at, { ...only('pcp'), seen });
    t.equal(code(), wanted, what);
    t.same(candidates(), wanted === '' ? [`udp ${outer.join('.')}:${PORT}`] : [], what);
    t.same(told(), candidates(), what);
  }
});

t.test('another network: the old router is told, the new one asked', async t => {
  const [old, fresh] = [await pcpRouter(t), await pcpRouter(t)];
  const { world, candidates } = await stage(t, old, only('pcp'));
  world.gateways = [{ family: 4, address: fresh.router.address, local: LOCAL }];
  world.change();
  await until('the new one', () => fresh.maps.length === 1 && candidates().length === 1);
  await until('the old one', () => old.maps.some(({ lifetimeS }) => lifetimeS === 0));
});

t.test('other protocols in the settings: what was made by the former one is taken back', async t => {
  const at = await upnpRouter(t);
  await at.router.udp(5351, ({ bytes, reply }) => reply(pcpAnswer(bytes) ?? natPmpAnswer(bytes)!));
  const { plugin } = await stage(t, at, only('upnp'));
  t.equal(at.table.size, 1);
  await plugin.reconfigure?.({ protocols: ['pcp'] });
  t.equal(at.table.size, 0);
  await until('the other one', () => JSON.stringify(plugin.report().facts).includes('"by":"pcp"'));
});

t.test('nothing is asked where there is no router, or no protocol is wanted', async t => {
  const { context } = contextOf([]);
  const plugin = createPlugin(context);
  await plugin.start(new AbortController().signal);
  t.match(plugin.report(), { state: 'ready', code: '', facts: { routers: [] } });
  await plugin.stop();
  const at = await pcpRouter(t);
  await stage(t, at, { settings: { protocols: [] } });
  t.same(at.router.visits, []);
});
