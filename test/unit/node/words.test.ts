// What a NAT report means in words, and what is registered of it.
import t from 'tap';
import type { Candidate } from '../../../core/contract/candidate.ts';
import { NOTHING_CHECKED, type NatReport } from '../../../core/contract/nat-report.ts';
import { conclusions as concluded, otherSide } from '../../../core/node/netcheck.ts';
import { registrationOf } from '../../../core/node/registration.ts';
import { ADDRESS_RULES, compileRules } from '../../../protocol/ip/classify.ts';

const conclusions = (...of: Parameters<typeof concluded>): string[] =>
  concluded(...of).map(({ words }) => words);
const report = (facts: Partial<NatReport>): NatReport => ({ ...NOTHING_CHECKED, takenAt: 1, ...facts });
const HOME = report({
  udp: 'yes',
  nat: 'yes',
  mapping: 'endpoint-independent',
  filtering: 'address-and-port-dependent',
  ports: { rule: 'preserved' },
});

t.test('what follows from a report names what a person could change', t => {
  t.match(conclusions(report({ udp: 'no' })), [/UDP does not pass/]);
  t.match(conclusions({ ...HOME, ipv6: 'no', hairpin: 'no', lifetimeMs: 60_000 }), [
    /one outer port/,
    /LAN addresses/,
    /after 60 s/,
    /IPv6/,
  ]);
  const at = { family: 4, address: '9.9.9.9', port: 41_641 } as const;
  const symmetric = { ...HOME, mapping: 'address-and-port-dependent' } as const;
  t.match(conclusions(symmetric).join(), /port of its own in the router would/);
  t.match(conclusions(symmetric, [], at), [/passes 9\.9\.9\.9:41641 on to this box/]);
  t.notMatch(conclusions(symmetric, [], at).join(), /port of its own in the router would/);
  t.same(conclusions(NOTHING_CHECKED), []);
  t.end();
});

t.test('the other box is told of by what it said of itself', async t => {
  const nat = {
    mapping: 'endpoint-independent',
    filtering: 'address-and-port-dependent',
    ports: 'preserved',
  };
  const codes = (changes: object, can: readonly 'predict'[] = []): string[] =>
    otherSide({ nat: { ...nat, ...changes }, can, hasIpv6: false }).map(({ code }) => code);
  t.same(codes({}), ['there.steady', 'there.no-ipv6']);
  t.same(codes({ mapping: 'none', filtering: 'endpoint-independent' }), ['there.public', 'there.no-ipv6']);
  t.same(codes({ mapping: 'blocked' }), ['there.blocked', 'there.no-predict', 'there.no-ipv6']);
  const random = { mapping: 'address-and-port-dependent', ports: 'random' };
  t.same(codes(random), ['there.random', 'there.no-predict', 'there.no-ipv6']);
  t.same(codes(random, ['predict']), ['there.random', 'there.no-ipv6']);
});

t.test('V4: a registration tells private from public addresses, and whether strangers get in', t => {
  const rules = compileRules(ADDRESS_RULES);
  if (!rules.ok) throw new TypeError(rules.code);
  const candidate = (kind: Candidate['kind'], address: string): Candidate => ({
    kind,
    transport: 'udp',
    endpoint: { family: 4, address, port: 4444 },
    foundBy: 'test',
  });
  const candidates = [candidate('host', '192.168.0.2'), candidate('reflexive', '22.33.44.55')];
  const of = (nat: NatReport) =>
    registrationOf({ candidates, nat, cpuLoad: 0.25, tcpPorts: [], scopes: rules.value });
  t.match(of(HOME), {
    privateAddresses: [{ address: '192.168.0.2' }],
    publicAddresses: [{ address: '22.33.44.55' }],
    cpuLoad: 0.25,
    reachable: 'no',
  });
  t.equal(of(NOTHING_CHECKED).reachable, 'not-checked');
  t.equal(of({ ...HOME, filtering: 'endpoint-independent' }).reachable, 'yes');
  t.equal(of({ ...HOME, mapping: 'address-dependent', filtering: 'endpoint-independent' }).reachable, 'no');
  t.end();
});
