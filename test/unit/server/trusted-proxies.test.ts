// Behind a reverse proxy: whom a connection is for is believed from trusted proxies alone.
import t from 'tap';
import { WebSocket } from 'ws';
import type { Test } from 'tap';
import { LOCATION_PATH } from '../../../protocol/location/channel.ts';
import { TrustedProxies } from '../../../server/trusted-proxies.ts';
import { expectWelcome, makeIdentity, readInvite, TestConnection } from '../../support/location-client.ts';
import { startServer } from '../../support/location-server.ts';

const PROXY = { family: 4, address: '10.0.0.1', port: 40_000 } as const;

t.test('the client is the last address that is no trusted proxy', t => {
  const proxies = new TrustedProxies(['10.0.0.0/24', '192.0.2.9', 'fd00::/8']);
  t.ok(proxies.trusts('10.0.0.200') && proxies.trusts('fd00::1') && !proxies.trusts('10.0.1.1'));
  const cases: readonly [what: string, headers: Record<string, string>, client: string][] = [
    ['one hop', { 'x-forwarded-for': '203.0.113.7' }, '203.0.113.7'],
    ['with its port', { 'x-forwarded-for': '203.0.113.7:4711' }, '203.0.113.7'],
    [
      'what the client wrote itself stands before',
      { 'x-forwarded-for': '1.1.1.1, 203.0.113.7' },
      '203.0.113.7',
    ],
    ['two proxies', { 'x-forwarded-for': '1.1.1.1,203.0.113.7, 192.0.2.9' }, '203.0.113.7'],
    ['IPv6', { 'x-forwarded-for': '2001:DB8::7' }, '2001:db8::7'],
    ['mapped IPv4', { 'x-forwarded-for': '::ffff:203.0.113.7' }, '203.0.113.7'],
    ['RFC 7239', { forwarded: 'for=1.1.1.1, for=203.0.113.7;proto=https;by=10.0.0.1' }, '203.0.113.7'],
    ['RFC 7239 with IPv6', { forwarded: 'proto=https;For="[2001:db8::7]:4711"' }, '2001:db8::7'],
    ['both agree', { 'x-forwarded-for': '203.0.113.7', forwarded: 'for=203.0.113.7' }, '203.0.113.7'],
    [
      'they do not: one is the client',
      { 'x-forwarded-for': '203.0.113.7', forwarded: 'for=9.9.9.9' },
      '10.0.0.1',
    ],
    ['none', {}, '10.0.0.1'],
    ['nobody but proxies', { 'x-forwarded-for': '10.0.0.5' }, '10.0.0.1'],
    ['an obfuscated name', { forwarded: 'for=_hidden' }, '10.0.0.1'],
    ['nonsense last', { 'x-forwarded-for': '203.0.113.7, x' }, '10.0.0.1'],
    ['empty', { 'x-forwarded-for': '' }, '10.0.0.1'],
  ];
  for (const [what, headers, client] of cases)
    t.equal(proxies.clientOf(PROXY, headers).address, client, what);
  t.equal(new TrustedProxies([]).trusts('127.0.0.1'), false);
  t.end();
});

/** Resolves to the status of the upgrade: 101, or the refusal. */
function knock(t: Test, port: number, forwardedFor: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const headers = { 'x-forwarded-for': forwardedFor };
    const socket = new WebSocket(`ws://127.0.0.1:${port}${LOCATION_PATH}`, { headers });
    t.teardown(() => socket.terminate());
    socket.on('open', () => resolve(101));
    socket.on('unexpected-response', (_request, answer) => resolve(answer.statusCode ?? 0));
    socket.on('error', reject);
  });
}

t.test(
  'connections through a trusted proxy count for whom it speaks; others may say what they like',
  async t => {
    const more = { limits: { connectionsPerAddress: 2 } };
    const { server, port, counters } = await startServer(t, {}, more);
    t.equal(await knock(t, port, '203.0.113.7'), 101);
    t.equal(await knock(t, port, '203.0.113.8'), 101);
    await t.rejects(knock(t, port, '203.0.113.9'), 'no proxy is trusted: all are of 127.0.0.1');
    await server.changeSettings({ set: { 'trusted-proxy': ['127.0.0.1'] } });
    t.equal(await knock(t, port, '203.0.113.7'), 101);
    t.equal(await knock(t, port, '203.0.113.7'), 101);
    t.equal(await knock(t, port, '203.0.113.7'), 503, 'this one has two');
    t.equal(await knock(t, port, '6.6.6.6, 203.0.113.7'), 503, 'whatever it claims before');
    t.equal(await knock(t, port, '203.0.113.8'), 101, 'another one has its own');
    t.equal(counters.snapshot()['http.refused'], 2);
  },
);

t.test('what is no address cannot be trusted', async t => {
  const { server } = await startServer(t);
  for (const wrong of ['proxy.example', '10.0.0.0/40', ''])
    await t.rejects(server.changeSettings({ set: { 'trusted-proxy': [wrong] } }), {
      code: 'SETTING_INVALID',
    });
});

t.test('who came by a proxy is told where STUN answers', async t => {
  const { server, port, invite } = await startServer(t, { advertise: ['203.0.113.1', 'home.example.net'] });
  await server.changeSettings({ set: { 'trusted-proxy': ['127.0.0.1'] } });
  const read = readInvite(await invite());
  const connection = await TestConnection.open({ invite: read, port, identity: makeIdentity() });
  const { stun } = expectWelcome(await connection.login({ token: read.token }));
  t.ok(stun.alternates.includes(`203.0.113.1:${port}`), 'the advertised address');
  t.ok(stun.alternates.includes(`127.0.0.1:${port}`), 'where it listens');
});
