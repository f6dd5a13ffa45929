// IP addresses, endpoints, networks and their scopes, from text and back.
import t from 'tap';
import { canonicalIp, familyOf, formatIp, parseIp } from '../../../protocol/ip/address.ts';
import { ADDRESS_RULES, compileRules, isDocumentation, scopeOf } from '../../../protocol/ip/classify.ts';
import { parseEndpoint, splitHostPort } from '../../../protocol/ip/endpoint.ts';
import {
  formatPrefix,
  parseInterface,
  parsePrefix,
  prefixContains,
  prefixCovers,
  prefixesOverlap,
} from '../../../protocol/ip/prefix.ts';
import { sourceOf } from '../../../protocol/ip/source.ts';
import type { Result } from '../../../protocol/result.ts';

function value<T>(result: Result<T>): T {
  if (!result.ok) throw new Error(result.code);
  return result.value;
}

t.test('RFC 5952: one text for each address', async t => {
  const canonical: Record<string, string> = {
    '2001:0db8:0000:0000:0001:0000:0000:0001': '2001:db8::1:0:0:1',
    '2001:db8:0:1:1:1:1:1': '2001:db8:0:1:1:1:1:1',
    '2001:0DB8::ABCD': '2001:db8::abcd',
    '0:0:0:0:0:0:0:0': '::',
    '0:0:0:0:0:0:0:1': '::1',
    '1:0:0:0:0:0:0:0': '1::',
    '2001:db8:0:0:1:0:0:0': '2001:db8:0:0:1::',
    '::ffff:c000:201': '::ffff:192.0.2.1',
    '64:ff9b::192.0.2.33': '64:ff9b::c000:221',
    '1:2:3:4:5:6:7::': '1:2:3:4:5:6:7:0',
    '192.0.2.1': '192.0.2.1',
  };
  for (const [text, expected] of Object.entries(canonical)) {
    t.equal(canonicalIp(text), expected, text);
    t.equal(canonicalIp(expected), expected);
  }
  t.equal(familyOf('192.0.2.1'), 4);
  t.equal(familyOf('::1'), 6);
  t.throws(() => formatIp(new Uint8Array(5)), TypeError);
});

t.test('what only looks like an address is refused', async t => {
  const four = [
    '',
    '1.2.3',
    '1.2.3.4.5',
    '01.2.3.4',
    '256.1.1.1',
    '1.2.3.',
    '1..2.3',
    ' 1.2.3.4',
    '0x1.2.3.4',
    '127.1',
    '1.2.3.-4',
  ];
  const six = [
    ':',
    ':::',
    '1:2:3:4:5:6:7',
    '1:2:3:4:5:6:7:8:9',
    '1::2::3',
    '12345::',
    'g::',
    'fe80::1%eth0',
    '::1.2.3',
    '1.2.3.4::',
    '::1.2.3.4:5',
    ':1:2:3:4:5:6:7',
    '1:2:3:4:5:6:7:',
    '1:2:3:4::5:6:7:8',
    '[::1]',
    '1:2:3:4:5:6:7:1.2.3.4',
  ];
  for (const text of [...four, ...six, '1'.repeat(46)]) t.notOk(parseIp(text).ok, JSON.stringify(text));
});

t.test('endpoints: an IPv6 address wants its brackets', async t => {
  t.same(value(parseEndpoint('192.0.2.1:4444')), { family: 4, address: '192.0.2.1', port: 4444 });
  t.same(value(parseEndpoint('[2001:DB8::0:1]:65535')), { family: 6, address: '2001:db8::1', port: 65535 });
  t.same(value(parseEndpoint('192.0.2.1', 7443)).port, 7443);
  t.same(value(parseEndpoint('[::1]', 7443)).address, '::1');
  for (const text of [
    '192.0.2.1',
    '192.0.2.1:',
    '192.0.2.1:0',
    '192.0.2.1:65536',
    '192.0.2.1:080',
    '::1:80',
    '[::1]80',
    '[192.0.2.1]:80',
    'home:80',
    '[::1]:',
    ':80',
    '[]:80',
    '192.0.2.1:80:80',
    '',
  ]) {
    t.same(parseEndpoint(text), { ok: false, code: 'endpoint.syntax' }, text);
  }
  t.same(splitHostPort('home.example:7443'), { host: 'home.example', port: '7443', bracketed: false });
  t.equal(splitHostPort('a:b:c')?.port, 'b:c', 'unjudged');
});

t.test('networks: host bits, containment, overlap', async t => {
  t.equal(formatPrefix(value(parsePrefix('10.77.0.0/16'))), '10.77.0.0/16');
  t.equal(formatPrefix(value(parsePrefix('FD6A:91c2:44d0::/48'))), 'fd6a:91c2:44d0::/48');
  t.equal(formatPrefix(value(parsePrefix('192.0.2.1'))), '192.0.2.1/32');
  t.same(parsePrefix('10.77.0.2/16'), { ok: false, code: 'prefix.host-bits' });
  for (const text of [
    '10.0.0.0/33',
    '10.0.0.0/',
    '10.0.0.0/08',
    '::/129',
    'x/8',
    '10.0.0.0/8/8',
    '10.0.0.0/-1',
  ]) {
    t.same(parsePrefix(text), { ok: false, code: 'prefix.syntax' }, text);
  }
  const own = value(parseInterface('10.77.3.2/21'));
  t.equal(formatIp(own.address.bytes), '10.77.3.2');
  t.equal(formatPrefix(own.prefix), '10.77.0.0/21');
  t.ok(prefixContains(own.prefix, value(parseIp('10.77.7.255'))));
  t.notOk(prefixContains(own.prefix, value(parseIp('10.77.8.0'))));
  t.notOk(prefixContains(value(parsePrefix('0.0.0.0/0')), value(parseIp('::1'))));
  const [wide, narrow, beside] = ['10.0.0.0/8', '10.77.0.0/16', '10.78.0.0/16'].map(text =>
    value(parsePrefix(text)),
  );
  t.ok(prefixCovers(wide!, narrow!) && !prefixCovers(narrow!, wide!));
  t.ok(prefixesOverlap(narrow!, wide!) && prefixesOverlap(narrow!, narrow!));
  t.notOk(prefixesOverlap(narrow!, beside!));
});

t.test('V5: private and public are told apart by rules', async t => {
  const table = value(compileRules(ADDRESS_RULES));
  const scopes: Record<string, string> = {
    '10.1.2.3': 'private',
    '172.15.255.255': 'public',
    '172.16.0.1': 'private',
    '172.31.255.255': 'private',
    '172.32.0.0': 'public',
    '192.168.1.2': 'private',
    '100.64.0.1': 'shared',
    '100.128.0.1': 'public',
    '169.254.1.1': 'link-local',
    '127.0.0.1': 'loopback',
    '198.19.0.1': 'private',
    '203.0.113.1': 'public',
    '198.51.100.1': 'public',
    '8.8.8.8': 'public',
    '224.0.0.1': 'special',
    '255.255.255.255': 'special',
    '0.0.0.0': 'special',
    'fd00::1': 'private',
    'fe80::1': 'link-local',
    '::1': 'loopback',
    '::': 'special',
    '2001:db8::1': 'public',
    '2a00::1': 'public',
    'ff02::1': 'special',
    '::ffff:10.0.0.1': 'private',
    '::ffff:8.8.8.8': 'public',
    home: 'special',
  };
  for (const [address, scope] of Object.entries(scopes)) t.equal(scopeOf(table, address), scope, address);
  t.ok(isDocumentation(table, '203.0.113.1') && isDocumentation(table, '2001:db8::1'));
  t.notOk(isDocumentation(table, '8.8.8.8') || isDocumentation(table, 'home'));
});

t.test('V5: the rules can be set', async t => {
  const own = { prefix: '203.0.113.0/24', scope: 'private', source: 'the owner' } as const;
  const table = value(compileRules([...ADDRESS_RULES, own]));
  t.equal(scopeOf(table, '203.0.113.1'), 'private');
  t.notOk(isDocumentation(table, '203.0.113.1'));
  t.same(compileRules([{ ...own, prefix: '10.0.0.1/8' }]), { ok: false, code: 'prefix.host-bits' });
  t.equal(scopeOf(value(compileRules([])), '8.8.8.8'), 'special');
});

t.test('a source is an IPv4 address or an IPv6 /64', t => {
  const sources: Record<string, string> = {
    '198.51.100.7': '198.51.100.7',
    '2001:db8:1:2:3:4:5:6': '2001:db8:1:2::/64',
    '2001:db8:1:2::1': '2001:db8:1:2::/64',
    '2001:db8::1': '2001:db8::/64',
    'no address': 'no address',
  };
  for (const [address, source] of Object.entries(sources)) t.equal(sourceOf(address), source, address);
  t.not(sourceOf('2001:db8:1:2::1'), sourceOf('2001:db8:1:3::1'));
  t.end();
});
