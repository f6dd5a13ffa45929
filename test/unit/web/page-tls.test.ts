// The page over TLS: the certificate that a box makes for itself, plain HTTP that leads there and to nothing else, and the same
// limits as before while hands are shaken. Each guard was seen to be missed with it taken out.
import { execFile } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect } from 'node:tls';
import t from 'tap';
import { ManualClock, systemClock } from '../../../base/clock.ts';
import { Counters } from '../../../base/counters.ts';
import { silentLog } from '../../../base/log.ts';
import { seededRandom } from '../../../base/random.ts';
import type { ScopedStore } from '../../../base/store.ts';
import { PageCertificates, type PageCertificate } from '../../../bin/daemon/page-certificate.ts';
import { Page } from '../../../bin/daemon/page.ts';
import { openDaemonSettings } from '../../../bin/settings.ts';
import { freePort } from '../../support/control-node.ts';
import { FakeDaemon, FakeNode, FakeServer } from '../../support/fake-admins.ts';
import { fakeBackup } from '../../support/fake-backup.ts';
import { fakePeers } from '../../support/fake-peers.ts';
import { memoryStore } from '../../support/memory-store.ts';
import { hasOpenssl } from '../../support/openssl.ts';
import { exchange, pageBench, PASSWORD } from '../../support/page-bench.ts';

t.setTimeout(300_000);

const DAY = 86_400_000;
const IN_2026 = Date.UTC(2026, 10, 1);
const HOSTS = ['localhost', 'attic', 'attic.lan', '127.0.0.1', '::1', '192.168.1.2'];
const QUICK = { headersTimeout: 300, bodyWindow: 300, connectionsCheckingInterval: 50 };

const made = async (store: ScopedStore, clock: ManualClock, hosts = HOSTS): Promise<PageCertificate> =>
  (await PageCertificates.open({ store, clock, random: seededRandom(3) })).for(hosts);

const aCertificate = (): Promise<PageCertificate> => made(memoryStore(), new ManualClock(Date.now()));

t.test('its certificate is for its names and addresses, for servers alone, and issues nothing', async t => {
  const { pem, fingerprint, until } = await made(memoryStore(), new ManualClock(IN_2026));
  const read = new X509Certificate(pem);
  for (const name of ['localhost', 'attic', 'attic.lan']) t.ok(read.checkHost(name), name);
  for (const ip of ['127.0.0.1', '::1', '192.168.1.2']) t.ok(read.checkIP(ip), ip);
  t.notOk(read.checkHost('cellar') ?? read.checkIP('192.168.1.3'));
  t.ok(read.verify(read.publicKey));
  t.notOk(read.ca);
  t.same(read.keyUsage, ['1.3.6.1.5.5.7.3.1']);
  t.equal(read.publicKey.asymmetricKeyDetails?.namedCurve, 'prime256v1');
  t.equal(fingerprint, read.fingerprint256);
  t.equal(until, IN_2026 + 800 * DAY);
  t.ok(Date.parse(read.validFrom) < IN_2026);
});

t.test('it stays over restarts, and is made again for a new name or address, and near its end', async t => {
  const [store, clock] = [memoryStore(), new ManualClock(IN_2026)];
  const first = await made(store, clock);
  t.equal((await made(store, clock)).pem, first.pem, 'a restart');
  t.equal((await made(store, clock, HOSTS.slice(0, 4))).pem, first.pem, 'an address less');
  const named = await made(store, clock, [...HOSTS, 'home.example']);
  t.ok(new X509Certificate(named.pem).checkHost('home.example'));
  const moved = await made(store, clock, [...HOSTS.slice(0, 5), '192.168.7.7']);
  const read = new X509Certificate(moved.pem);
  t.ok(read.checkIP('192.168.7.7') && read.checkIP('192.168.1.2'), 'and back again without another');
  t.equal((await made(store, clock)).pem, moved.pem);
  clock.advance(769 * DAY);
  t.equal((await made(store, clock)).pem, moved.pem);
  clock.advance(2 * DAY);
  const next = await made(store, clock);
  t.not(next.fingerprint, moved.fingerprint, 'its end is near');
  t.equal(next.key, first.key, 'the key stays');
});

t.test('a clock that has not been set makes none that is over once it is', async t => {
  const [store, clock] = [memoryStore(), new ManualClock(0)];
  const first = await made(store, clock);
  clock.setWall(Date.UTC(2025, 5, 1));
  t.equal((await made(store, clock)).pem, first.pem);
  clock.setWall(IN_2026);
  const second = await made(store, clock);
  clock.setWall(0);
  t.equal((await made(store, clock)).pem, second.pem, 'back in 1970 it is not made again');
});

t.test(
  'names that are none for a certificate are left out; what is kept and damaged is made anew',
  async t => {
    const [store, clock] = [memoryStore(), new ManualClock(IN_2026)];
    const odd = await made(store, clock, ['attic box', 'büro', '', `${'x'.repeat(64)}.lan`, 'attic']);
    t.equal(new X509Certificate(odd.pem).subjectAltName, 'DNS:attic');
    for (const kept of [
      null,
      7,
      { v: 1 },
      { v: 1, secret: 'AAAA', certificate: '', names: [], addresses: [] },
    ]) {
      await store.put('tls', kept);
      t.ok(new X509Certificate((await made(store, clock)).pem).checkHost('attic'));
    }
  },
);

t.test('plain HTTP leads to https at the same host, without a cookie, and to nothing else', async t => {
  const { ask, host, page, cookieName } = await pageBench(t, { tls: await aCertificate() });
  const { token } = await page.sessions.begin('127.0.0.1', '');
  for (const path of ['/', '/main-K3XQ7ZPD.js', '/v1/page/session', '/v1/health', '//elsewhere.example/'])
    for (const cookie of [undefined, `${cookieName}=${token}`]) {
      const { status, headers, text } = await ask('GET', path, cookie === undefined ? {} : { cookie });
      t.match({ status, location: headers.location }, { status: 308, location: `https://${host}${path}` });
      t.match(headers, { 'set-cookie': undefined, 'cache-control': 'no-store' });
      t.equal(text, '');
    }
  const refused = await ask('POST', '/v1/page/owner', { body: { password: PASSWORD } });
  t.match(refused, { status: 403, json: { code: 'PAGE_TLS' }, cookie: '' });
  t.notOk(page.owner.isSet);
  const rebound = await ask('GET', '/', { headers: { Host: 'evil.example' } });
  t.match(
    rebound,
    { status: 403, headers: { location: undefined } },
    'nobody is led to a name of somebody else',
  );
});

t.test('over TLS it is the page, guards and all, and its cookie is for this host and TLS alone', async t => {
  const { ask, host } = await pageBench(t, { tls: await aCertificate() });
  const byTls = true;
  t.match(await ask('GET', '/', { byTls }), { status: 200, text: /Ginnel/ });
  const asked = { byTls, body: { password: PASSWORD } };
  const plainOrigin = { ...asked, headers: { Origin: `http://${host}` } };
  t.match(await ask('POST', '/v1/page/owner', plainOrigin), {
    status: 403,
    json: { code: 'PAGE_CROSS_SITE' },
  });
  const { headers, cookie } = await ask('POST', '/v1/page/owner', asked);
  t.match(headers['set-cookie'], [
    /^__Host-ginnel-[a-z]{8}=[\w-]{43}; Path=\/; HttpOnly; SameSite=Strict; Max-Age=604800; Secure$/,
  ]);
  t.equal((await ask('GET', '/v1/health', { byTls, cookie })).status, 200);
  t.equal((await ask('GET', '/v1/health', { byTls })).status, 401);
  const evil = { byTls, headers: { Host: 'evil.example' } };
  t.match(await ask('GET', '/', evil), { status: 403, json: {} });
});

t.test('a token that went in plain, where anybody could read it, signs nobody in over TLS', async t => {
  const { ask, signedIn } = await pageBench(t, { tls: await aCertificate(), isTlsNeeded: () => false });
  const cookie = await signedIn();
  t.equal((await ask('GET', '/v1/health', { cookie })).status, 200, 'loopback, without TLS');
  t.equal((await ask('GET', '/v1/health', { byTls: true, cookie: `__Host-${cookie}` })).status, 401);
});

t.test('slow and broken handshakes end, and the page lives on', async t => {
  const { connected, ask } = await pageBench(t, { tls: await aCertificate(), limits: QUICK });
  t.equal(await exchange(await connected(), ''), '', 'who says nothing');
  t.equal(await exchange(await connected(), '\x16'), '', 'who begins a handshake');
  const socket = await connected();
  const drip = setInterval(() => socket.writable && socket.write('\x01'), 50);
  await exchange(socket, '\x16\x03\x01\x01\x00');
  clearInterval(drip);
  t.match(await exchange(await connected(), `\x16\x03\x01\x00\x05${'x'.repeat(500)}`), /^[^H]*$/, 'rubbish');
  const gone = await connected();
  gone.write('\x16\x03\x01');
  gone.resetAndDestroy();
  t.equal((await ask('GET', '/', { from: '127.0.0.2' })).status, 308);
});

t.test('heads are as bounded as in plain', async t => {
  const limits = { ...QUICK, headersTimeout: 2_000 };
  const { ask, port, host } = await pageBench(t, { tls: await aCertificate(), limits });
  const byTls = true;
  const large = ask('GET', '/', { byTls, headers: { 'X-Large': 'x'.repeat(9000) } });
  t.equal(await large.then(({ status }) => status).catch(() => 431), 431, 'or the connection is closed');
  const socket = connect({ host: '127.0.0.1', port, rejectUnauthorized: false });
  await new Promise(resolve => socket.once('secureConnect', resolve));
  const drip = setInterval(() => socket.writable && socket.write('X'), 50);
  t.match(await exchange(socket, `GET / HTTP/1.1\r\nHost: ${host}\r\nX-Slow: `), /^(HTTP\/1\.1 408|$)/);
  clearInterval(drip);
});

t.test('connections count from the first byte on', async t => {
  // Nothing else ends the fifth.
  const limits = { mostConnections: 4, headersTimeout: 600_000 };
  const { connected, ask } = await pageBench(t, { tls: await aCertificate(), limits });
  const sockets = await Promise.all(['2', '3', '4', '5'].map(end => connected(`127.0.0.${end}`)));
  await new Promise(resolve => setTimeout(resolve, 50));
  t.equal(await exchange(await connected(), '\x16'), '', 'the fifth is closed');
  for (const socket of sockets) socket.destroy();
  await new Promise(resolve => setTimeout(resolve, 50));
  t.equal((await ask('GET', '/', { byTls: true })).status, 200);
});

t.test(
  'openssl takes it with that certificate, and for its own names alone',
  { skip: !hasOpenssl },
  async t => {
    const certificate = await aCertificate();
    const { port } = await pageBench(t, { tls: certificate });
    const folder = mkdtempSync(join(tmpdir(), 'ginnel-tls-'));
    t.teardown(() => rmSync(folder, { recursive: true, force: true }));
    writeFileSync(join(folder, 'page.pem'), certificate.pem);
    const tried = (...more: string[]): Promise<string> =>
      new Promise(resolve => {
        const args = [
          's_client',
          '-connect',
          `127.0.0.1:${port}`,
          '-CAfile',
          join(folder, 'page.pem'),
          ...more,
        ];
        execFile('openssl', args, { timeout: 10_000 }, (_error, out, err) => resolve(out + err)).stdin?.end();
      });
    for (const right of [
      ['-verify_ip', '127.0.0.1'],
      ['-verify_hostname', 'attic.lan'],
    ])
      t.match(await tried('-verify_return_error', ...right), /Verify return code: 0 \(ok\)/, right.join(' '));
    t.match(await tried('-verify_hostname', 'cellar'), /Verify return code: 62/);
  },
);

t.test('one that was made while the clock was ahead is made again once it is right', async t => {
  const [store, clock] = [memoryStore(), new ManualClock(Date.UTC(2099, 0, 1))];
  const early = await made(store, clock);
  clock.setWall(IN_2026);
  const right = await made(store, clock);
  t.ok(right.until < Date.UTC(2030, 0, 1));
  t.equal(right.key, early.key);
});

t.test('without a certificate nothing is served in plain instead', async t => {
  const kept = memoryStore();
  let isFull = true;
  const store: ScopedStore = {
    ...{ get: key => kept.get(key), delete: key => kept.delete(key), batch: all => kept.batch(all) },
    ...{ entries: prefix => kept.entries(prefix), scope: prefix => kept.scope(prefix) },
    put: (key, value) => (isFull ? Promise.reject(new Error('the disk is full')) : kept.put(key, value)),
  };
  const settings = await openDaemonSettings(memoryStore());
  await settings.changeSettings({ set: { 'page-tls': true } });
  const counters = new Counters();
  const around = { settings, counters, log: silentLog };
  const page = new Page({
    ...{ ...around, store, clock: systemClock, random: seededRandom(5) },
    environment: { GINNEL_PAGE: `127.0.0.1:${await freePort()}` },
    routes: {
      ...{ ...around, node: new FakeNode(), server: new FakeServer(), daemon: new FakeDaemon() },
      ...{ backup: fakeBackup, peers: fakePeers, version: '1.2.3', pid: 1 },
      checkState: () => Promise.resolve({ ok: true, parts: [], exports: [], todo: '' }),
    },
  });
  t.teardown(() => page.close());
  await page.look();
  t.match(await page.shown(), { addresses: [], problems: [/the disk is full/], certificate: null });
  isFull = false;
  await page.look();
  t.match(await page.shown(), { addresses: [String], problems: [], certificate: { fingerprint: String } });
});
