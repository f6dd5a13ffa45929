// The home as a node sees it: which routers are asked, for which ports, and what becomes of what they grant.
import t from 'tap';
import { Forwarding } from '../../../bin/forwarding.ts';
import type { MappedPort } from '../../../core/contract/plugin.ts';
import { HomePlace } from '../../../core/node/home.ts';
import { registrationOf } from '../../../core/node/registration.ts';
import { Blame } from '../../../core/plugin-host/blame.ts';
import { guardedHome } from '../../../core/plugin-host/doors.ts';
import { Guard } from '../../../core/plugin-host/guard.ts';
import { NOTHING_CHECKED } from '../../../core/contract/nat-report.ts';
import { ADDRESS_RULES, compileRules } from '../../../protocol/ip/classify.ts';
import { doorPlaces } from '../../../server/relays/door-places.ts';
import type { NetworkInterface } from '../../../system/doors.ts';

const LAN4: NetworkInterface = { name: 'eth0', family: 4, address: '192.168.1.2', prefixLength: 24 };
const LAN6: NetworkInterface = { name: 'eth0', family: 6, address: '2001:4860::2', prefixLength: 64 };
const ULA: NetworkInterface = { name: 'eth0', family: 6, address: 'fd00::2', prefixLength: 64 };
const WAN4: NetworkInterface = { name: 'wan', family: 4, address: '9.9.9.2', prefixLength: 24 };
const CARD: NetworkInterface = { name: 'ginnel0', family: 4, address: '10.77.0.2', prefixLength: 16 };

function home(
  addresses: readonly NetworkInterface[],
  gateways: Readonly<Record<4 | 6, string | null>>,
  server: Forwarding | null = null,
) {
  const listeners = new Set<() => void>();
  const place = new HomePlace({
    network: {
      addresses: () => addresses,
      gateway: family => gateways[family],
      onChange(changed) {
        listeners.add(changed);
        return () => void listeners.delete(changed);
      },
    },
    ...{ udpPort: 41_641, tcpPorts: () => [7443], server },
  });
  return { place, listeners };
}

t.test(
  "the routers: with this box's address on their network, none where it is on the internet itself",
  t => {
    const cases: readonly [NetworkInterface[], Record<4 | 6, string | null>, string[]][] = [
      [[CARD, LAN4], { 4: '192.168.1.1', 6: null }, ['192.168.1.1 192.168.1.2']],
      [[LAN4], { 4: null, 6: null }, []],
      [[WAN4], { 4: '9.9.9.1', 6: null }, []],
      [[LAN4], { 4: '172.16.0.1', 6: null }, []],
      [
        [LAN4, ULA, LAN6],
        { 4: '192.168.1.1', 6: 'fe80::1%eth0' },
        ['192.168.1.1 192.168.1.2', 'fe80::1%eth0 2001:4860::2'],
      ],
      [[ULA], { 4: null, 6: 'fe80::1%eth0' }, []],
      [[LAN6], { 4: null, 6: 'fe80::1%eth1' }, []],
      [[LAN6], { 4: null, 6: '2001:4860::1' }, ['2001:4860::1 2001:4860::2']],
    ];
    for (const [addresses, gateways, wanted] of cases)
      t.same(
        home(addresses, gateways)
          .place.gateways()
          .map(({ address, local }) => `${address} ${local}`),
        wanted,
      );
    t.end();
  },
);

const MAPPED: readonly MappedPort[] = [
  { transport: 'tcp', port: 7500, outer: { family: 4, address: '9.9.9.9', port: 17_500 } },
  { transport: 'udp', port: 7500, outer: { family: 4, address: '9.9.9.9', port: 7500 } },
];

t.test(
  'the location server of this box: its ports are wanted while it is up, and it hears where they are outside',
  t => {
    const forwarding = new Forwarding();
    const { place } = home([LAN4], { 4: '192.168.1.1', 6: null }, forwarding);
    const ports = (): string[] =>
      place.ports().map(({ transport, port, purpose }) => `${transport} ${port} ${purpose}`);
    const own = ['udp 41641 data', 'tcp 7443 connections'];
    t.same(ports(), own);
    let changes = 0;
    const end = place.onChange(() => changes++);
    const up = new AbortController();
    const granted: (readonly string[])[] = [];
    forwarding.keep(
      [
        { protocol: 'TCP', port: 7500 },
        { protocol: 'UDP', port: 7500 },
      ],
      up.signal,
      places => granted.push(places),
    );
    t.same(ports(), [...own, 'tcp 7500 server', 'udp 7500 server']);
    t.equal(changes, 1);
    const telling = place.telling();
    telling.tell(MAPPED);
    t.same(granted.at(-1), ['9.9.9.9:17500'], 'by its first port');
    telling.end();
    telling.tell(MAPPED);
    t.same(granted.at(-1), [], 'taken back with the run that told it');
    up.abort();
    t.same(ports(), own);
    t.equal(changes, 2);
    end();
    t.end();
  },
);

t.test('a run of a plugin: its words are taken back at its end, and it is called no more', t => {
  const forwarding = new Forwarding();
  const { place, listeners } = home([LAN4], { 4: '192.168.1.1', 6: null }, forwarding);
  const granted: (readonly string[])[] = [];
  forwarding.keep([{ protocol: 'TCP', port: 7500 }], new AbortController().signal, places =>
    granted.push(places),
  );
  const guard = new Guard({
    ...{ blame: new Blame<Guard>(), scrub: text => text },
    ...{ wrong: () => undefined, crashed: () => undefined },
  });
  const guarded = guardedHome(place, guard);
  const { door } = guarded;
  let calls = 0;
  door.onChange(() => calls++);
  for (const changed of listeners) changed();
  t.equal(calls, 1);
  door.tell(MAPPED);
  t.same(granted.at(-1), ['9.9.9.9:17500']);
  guard.end();
  guarded.end();
  t.same(granted.at(-1), []);
  t.equal(listeners.size, 0);
  door.tell(MAPPED);
  t.same(granted.at(-1), [], 'said too late');
  t.end();
});

t.test('a mapped place: this box can be reached from outside, and the server looks at the door there', t => {
  const table = compileRules(ADDRESS_RULES);
  if (!table.ok) throw new TypeError(table.code);
  const at = { family: 4, address: '9.9.9.9', port: 17_443 } as const;
  const registration = registrationOf({
    candidates: [
      { kind: 'mapped', transport: 'udp', endpoint: { ...at, port: 41_641 }, foundBy: 'nat-portmap' },
      { kind: 'mapped', transport: 'tcp', endpoint: at, foundBy: 'nat-portmap' },
    ],
    ...{ nat: NOTHING_CHECKED, cpuLoad: 0, scopes: table.value, tcpPorts: [7443] },
  });
  t.equal(registration.reachable, 'yes');
  const remote = { family: 4, address: '9.9.9.9', port: 4711 } as const;
  const places = doorPlaces(
    registration,
    { remote, local: remote, host: null, proxied: false },
    { table: table.value, isOnLink: () => false, loopbackIsPublic: false },
  );
  t.same(places[0], at, 'with its own port, not with that of the door inside');
  t.notOk(
    places.some(({ port }) => port === 41_641),
    'a UDP port is no door',
  );
  t.end();
});
