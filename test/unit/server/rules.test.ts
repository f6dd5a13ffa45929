// V5: what counts as private and public, set for one network: judged by the server, told to the nodes, kept.
import t from 'tap';
import { rulesWith } from '../../../protocol/ip/classify.ts';
import type { AddressScope } from '../../../protocol/ip/classify.ts';
import type { Endpoint } from '../../../protocol/address.ts';
import type { Registration } from '../../../protocol/location/messages.ts';
import { NOTHING_CHECKED } from '../../../core/contract/nat-report.ts';
import { registrationOf } from '../../../core/node/registration.ts';
import { expectWelcome, join, readInvite, TestConnection } from '../../support/location-client.ts';
import { startServer } from '../../support/location-server.ts';

const at = (address: string): Endpoint => ({ family: address.includes(':') ? 6 : 4, address, port: 4444 });
const addresses = (endpoints: readonly Endpoint[]): string[] => endpoints.map(({ address }) => address);

t.test('V5: rules are told in the welcome and on change, kept over a restart, and taken back', async t => {
  const { server, port, invite } = await startServer(t);
  const text = await invite();
  const { connection, welcome } = await join(text, port);
  t.same(welcome.rules, []);
  const shown = await server.members.setRule({ prefix: '198.18.0.0/15', scope: 'public' });
  t.match(shown.own, [{ prefix: '198.18.0.0/15', scope: 'public' }]);
  t.notOk(shown.defaults.some(({ prefix }) => prefix === '198.18.0.0/15'));
  t.match(await connection.next('rules'), { rules: shown.own });
  await server.members.setRule({ prefix: '198.18.0.0/15', scope: 'shared' });
  t.equal(server.members.rules().own.length, 1, 'set again it is another, not a second one');
  await server.down();
  const again = await server.up({});
  const { identity } = connection;
  const next = await TestConnection.open({ invite: readInvite(text), port: again.port, identity });
  t.same(expectWelcome(await next.login()).rules, [{ prefix: '198.18.0.0/15', scope: 'shared' }]);
  await server.members.unsetRule('198.18.0.0/15');
  t.same(server.members.rules().own, []);
  await t.rejects(server.members.unsetRule('198.18.0.0/15'), { code: 'RULE_UNKNOWN' });
});

t.test('V5: a bad rule is refused with what is wrong with it', async t => {
  const { server } = await startServer(t);
  const set = (prefix: string, scope: string): Promise<unknown> =>
    server.members.setRule({ prefix, scope: scope as AddressScope });
  await t.rejects(set('198.18.0.1/15', 'public'), { code: 'RULE_INVALID', message: /bits set behind/ });
  for (const prefix of ['198.18.0.0', '198.18/15', '198.18.0.0/33', 'FD00::/8', '', 'x'.repeat(200)])
    await t.rejects(set(prefix, 'public'), { code: 'RULE_INVALID', message: /is written like/ }, prefix);
  await t.rejects(set('198.18.0.0/15', 'secret'), {
    code: 'RULE_INVALID',
    message: /public, private, shared/,
  });
  for (let n = 0; n < 64; n++) await set(`10.${n}.0.0/16`, 'public');
  await t.rejects(set('10.64.0.0/16', 'public'), { code: 'RULES_TOO_MANY' });
  t.ok(await set('10.63.0.0/16', 'private'), 'one that is there can still be changed');
});

t.test('V4, V5: the server judges by its own rules what a node registered', async t => {
  const { server, port, invite } = await startServer(t);
  const [one, other] = [await join(await invite(), port), await join(await invite(), port)];
  await server.members.setRule({ prefix: '198.18.0.0/15', scope: 'public' });
  await server.members.setRule({ prefix: '203.0.113.0/24', scope: 'private' });
  const registration: Registration = {
    privateAddresses: [at('192.168.1.2'), at('198.18.0.9'), at('fd00::1')],
    publicAddresses: [at('203.0.113.7'), at('192.0.2.1')],
    ...{ tcpPorts: [], candidates: [], bandwidth: null, cpuLoad: null, reachable: 'yes' },
    ...{ relay: null, region: '', relays: [] },
  };
  t.match(await one.connection.ask({ type: 'register', registration }), { type: 'done' });
  const route = await other.connection.ask({ type: 'lookup', node: one.connection.identity.id });
  if (route.type !== 'route' || route.registration === null) throw new Error('no route');
  t.same(addresses(route.registration.privateAddresses), ['192.168.1.2', 'fd00::1', '203.0.113.7']);
  t.same(addresses(route.registration.publicAddresses), ['198.18.0.9', '192.0.2.1']);
  const shown = server.members.nodes().nodes.find(({ id }) => id === one.connection.identity.id);
  t.match(shown?.registered, [
    { endpoint: '192.168.1.2:4444', scope: 'private' },
    { endpoint: '[fd00::1]:4444', scope: 'private' },
    { endpoint: '203.0.113.7:4444', scope: 'private' },
    { endpoint: '198.18.0.9:4444', scope: 'public' },
    { endpoint: '192.0.2.1:4444', scope: 'public' },
  ]);
});

t.test('V5: a node sorts what it registers by the rules of its network', t => {
  const candidates = ['192.168.1.2', '198.18.0.9'].map(address => ({
    ...({ kind: 'host', transport: 'udp', endpoint: at(address) } as const),
    foundBy: 'core',
  }));
  const sorted = (rules: Parameters<typeof rulesWith>[0]): Registration => {
    const scopes = rulesWith(rules);
    if (!scopes.ok) throw new Error(scopes.code);
    return registrationOf({
      candidates,
      nat: NOTHING_CHECKED,
      cpuLoad: 0,
      tcpPorts: [],
      scopes: scopes.value,
    });
  };
  t.same(addresses(sorted([]).privateAddresses), ['192.168.1.2', '198.18.0.9']);
  t.same(addresses(sorted([{ prefix: '198.18.0.0/15', scope: 'public' }]).publicAddresses), ['198.18.0.9']);
  t.same(addresses(sorted([{ prefix: '192.168.1.2/32', scope: 'public' }]).publicAddresses), ['192.168.1.2']);
  t.end();
});
