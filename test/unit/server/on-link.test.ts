// A server that stands in the same local network as a box: that it reaches that box says nothing about those outside.
import t from 'tap';
import { ManualClock } from '../../../base/clock.ts';
import { familyOf } from '../../../protocol/ip/address.ts';
import { ADDRESS_RULES, compileRules } from '../../../protocol/ip/classify.ts';
import type { Registration } from '../../../protocol/location/messages.ts';
import type { MachineAddress } from '../../../server/machine-addresses.ts';
import { doorPlaces, isNear, reachOf } from '../../../server/relays/door-places.ts';
import { OnLink } from '../../../server/relays/on-link.ts';

const card = (address: string, network: string, internal = false): MachineAddress => ({
  ...{ family: familyOf(address), address, network, internal, card: internal ? 'lo' : 'eth0' },
});

const SERVER = [
  card('127.0.0.1', '127.0.0.0/8', true),
  card('::1', '::1/128', true),
  card('198.51.100.2', '198.51.100.0/24'),
  card('2001:db8:1::5', '2001:db8:1::/64'),
];

const table = compileRules(ADDRESS_RULES);
const onLink = new OnLink(new ManualClock(), () => SERVER);
const scopes = {
  table: table.ok ? table.value : [],
  isOnLink: (address: string) => onLink.has(address),
  loopbackIsPublic: false,
};
const at = (address: string) => ({ family: familyOf(address), address, port: 40000 });
const from = (address: string) => ({ remote: at(address), local: at('::1'), host: null, proxied: false });

t.test('a global IPv6 address in the server’s own network is near, others are outside', t => {
  t.equal(reachOf(scopes, '2001:db8:1::20'), 'near');
  t.equal(reachOf(scopes, '2001:db8:2::20'), 'outside');
  t.equal(reachOf(scopes, '2001:db8:1::5'), 'outside', 'the server’s own, by which nodes reach it');
  t.equal(reachOf(scopes, '198.51.100.9'), 'outside', 'machines of one data centre share no firewall');
  t.ok(isNear(scopes, from('2001:db8:1::20')));
  t.notOk(isNear(scopes, from('2001:db8:2::20')));
  t.end();
});

t.test('a box in the server’s own network is tried there, and is nobody else’s way in', t => {
  const registration: Registration = {
    ...{ candidates: [], bandwidth: null, cpuLoad: 0, reachable: 'no', relay: null, region: '', relays: [] },
    ...{ tcpPorts: [7443], privateAddresses: [at('192.168.1.20')], publicAddresses: [at('2001:db8:1::20')] },
  };
  const found = doorPlaces(registration, from('192.168.1.20'), scopes);
  t.same(
    found.map(({ address }) => address),
    ['192.168.1.20', '2001:db8:1::20'],
  );
  t.same(new Set(found.map(({ address }) => reachOf(scopes, address))), new Set(['near']));
  t.end();
});

t.test('a network that the machine joins later counts, too', t => {
  const clock = new ManualClock();
  const addresses: MachineAddress[] = [];
  const later = new OnLink(clock, () => addresses);
  t.notOk(later.has('2001:db8:1::20'));
  addresses.push(...SERVER);
  clock.advance(10_000);
  t.ok(later.has('2001:db8:1::20'));
  t.end();
});
