// Which addresses are the home network's, on all kinds of machines, and who is near.
import t from 'tap';
import { lanOf, type Networks } from '../../../bin/daemon/lan.ts';
import { parsePagePlaces } from '../../../bin/daemon/page-places.ts';
import type { NetworkInterface } from '../../../system/doors.ts';

/** `br-lan 192.168.1.1/24`. */
function card(text: string): NetworkInterface {
  const [name = '', prefix = ''] = text.split(' ');
  const [address = '', length = ''] = prefix.split('/');
  return { name, address, prefixLength: Number(length), family: address.includes(':') ? 6 : 4 };
}

const networks = (
  cards: readonly string[],
  defaultCards: readonly string[],
  more: Partial<Networks> = {},
): Networks => ({
  cards: cards.map(card),
  defaultCards,
  gateways: [],
  virtual: { card: 'ginnel0', addresses: [] },
  ...more,
});

interface Case {
  readonly what: string;
  readonly cards: readonly string[];
  readonly defaults: readonly string[];
  readonly up?: readonly string[];
  readonly addresses: readonly string[];
}

const UP = ['10.77.0.2', 'fd6a:91c2:44d0::2'];

const CASES: readonly Case[] = [
  {
    what: 'a router: LAN private, WAN public',
    ...{
      cards: ['br-lan 192.168.1.1/24', 'wan 203.0.113.7/24'],
      defaults: ['wan'],
      addresses: ['192.168.1.1'],
    },
  },
  {
    what: 'a router whose WAN is a private network of another router',
    ...{
      cards: ['br-lan 192.168.1.1/24', 'wan 192.168.0.17/24'],
      defaults: ['wan'],
      addresses: ['192.168.1.1'],
    },
  },
  {
    what: 'a router behind a carrier NAT',
    ...{
      cards: ['br-lan 192.168.1.1/24', 'wan 100.72.3.4/10'],
      defaults: ['wan'],
      addresses: ['192.168.1.1'],
    },
  },
  {
    what: 'a router with a guest network',
    cards: ['br-lan 192.168.1.1/24', 'br-guest 192.168.3.1/24', 'pppoe-wan 203.0.113.7/32'],
    ...{ defaults: ['pppoe-wan'], addresses: ['192.168.1.1', '192.168.3.1'] },
  },
  {
    what: 'a NAS with one card',
    ...{
      cards: ['eth0 192.168.1.2/24', 'eth0 2001:db8::2/64'],
      defaults: ['eth0'],
      addresses: ['192.168.1.2'],
    },
  },
  {
    what: 'a PC on cable and wireless at once',
    cards: ['eth0 192.168.1.2/24', 'wlan0 192.168.1.3/24'],
    ...{ defaults: ['eth0', 'wlan0'], addresses: ['192.168.1.2', '192.168.1.3'] },
  },
  {
    what: 'a rented machine with a public address only, up',
    ...{ cards: ['eth0 203.0.113.5/24', 'ginnel0 10.77.0.2/16'], defaults: ['eth0'], up: UP, addresses: UP },
  },
  {
    what: 'the same while down',
    ...{ cards: ['eth0 203.0.113.5/24', 'eth0 2001:db8::5/64'], defaults: ['eth0'], addresses: [] },
  },
  {
    what: 'a rented machine whose card has a private address beside the public one',
    ...{ cards: ['eth0 203.0.113.5/20', 'eth0 10.19.0.5/16'], defaults: ['eth0'], up: UP, addresses: UP },
  },
  {
    what: 'a home with private IPv6 (ULA), and link-local addresses that nobody uses',
    cards: ['br-lan 192.168.1.1/24', 'br-lan fd12:3456::1/64', 'br-lan 169.254.9.9/16', 'wan 203.0.113.7/24'],
    ...{ defaults: ['wan'], addresses: ['192.168.1.1', 'fd12:3456::1'] },
  },
  {
    what: 'containers, virtual machines and tunnels are inside this machine',
    cards: [
      'eth0 192.168.1.2/24',
      'docker0 172.17.0.1/16',
      'br-0123456789ab 172.18.0.1/16',
      'veth12ab 172.19.0.1/16',
      'virbr0 192.168.122.1/24',
      'wg0 10.6.0.1/24',
      'tailscale0 100.100.1.1/32',
      'ginnel0 10.77.0.2/16',
    ],
    ...{ defaults: ['eth0'], up: UP, addresses: ['192.168.1.2'] },
  },
  {
    what: 'a bridge that a person named is no bridge of containers',
    ...{
      cards: ['br-home 192.168.5.1/24', 'eth0 203.0.113.1/24'],
      defaults: ['eth0'],
      addresses: ['192.168.5.1'],
    },
  },
  {
    what: 'a NAS with only containers beside it keeps its card, though the internet is there',
    ...{ cards: ['eth0 10.0.0.2/24', 'docker0 172.17.0.1/16'], defaults: ['eth0'], addresses: ['10.0.0.2'] },
  },
  { what: 'a machine without any card', cards: [], defaults: [], addresses: [] },
];

for (const { what, cards, defaults, up = [], addresses } of CASES)
  t.test(what, t => {
    const lan = lanOf(networks(cards, defaults, { virtual: { card: 'ginnel0', addresses: up } }));
    t.same(lan.addresses, addresses);
    t.ok(lan.isNear('127.0.0.1') && lan.isNear('::1'), 'this machine itself is near');
    t.notOk(
      lan.isNear('203.0.113.99') || lan.isNear('10.77.0.9') || lan.isNear('172.17.0.5'),
      'others are not',
    );
    t.end();
  });

t.test('near is who is on a network of the home, without the router that passes others on', t => {
  const cards = [
    'br-lan 192.168.1.1/24',
    'br-lan fd12:3456::1/64',
    'br-lan 2001:db8:1::1/64',
    'wan 192.168.0.17/24',
  ];
  const router = lanOf(networks(cards, ['wan'], { gateways: ['192.168.0.1'] }));
  const near = ['192.168.1.9', 'fd12:3456::9', '2001:db8:1::9'];
  const far = [
    '192.168.0.9',
    '192.168.0.1',
    '192.168.2.9',
    '10.0.0.1',
    '2001:db8:2::9',
    'fe80::1',
    '',
    'nonsense',
    '0.0.0.0',
  ];
  for (const address of near) t.ok(router.isNear(address), address);
  for (const address of far) t.notOk(router.isNear(address), address);
  const nas = lanOf(networks(['eth0 192.168.1.2/24'], ['eth0'], { gateways: ['192.168.1.1'] }));
  t.ok(nas.isNear('192.168.1.9'));
  t.notOk(nas.isNear('192.168.1.1'), 'a forwarded port bears the address of the router');
  t.notOk(
    lanOf(networks(['eth0 10.0.0.1/0'], ['eth0'])).isNear('198.51.100.1'),
    'no home is the whole internet',
  );
  t.end();
});

t.test('the setting: lan, off, or addresses with ports', t => {
  t.same(parsePagePlaces('lan'), { kind: 'lan', port: 7080 });
  t.same(parsePagePlaces('lan:8080'), { kind: 'lan', port: 8080 });
  t.same(parsePagePlaces('off'), { kind: 'off' });
  t.same(parsePagePlaces('192.168.1.2:7080, [fd00::1]:80 localhost:1'), {
    kind: 'list',
    places: [
      { host: '192.168.1.2', port: 7080 },
      { host: 'fd00::1', port: 80 },
      { host: '127.0.0.1', port: 1 },
    ],
  });
  for (const text of [
    '',
    'on',
    'lan:0',
    'lan:99999',
    'lan off',
    '192.168.1.2',
    'home.example:7080',
    'off,127.0.0.1:1',
  ])
    t.equal(parsePagePlaces(text), null, text);
  t.end();
});
