// What a visitor may take of the box: time, headers, bodies, connections. Over real sockets.
import { connect, type Socket } from 'node:net';
import { connect as connectByTls } from 'node:tls';
import t from 'tap';
import { ManualClock } from '../../../base/clock.ts';
import { seededRandom } from '../../../base/random.ts';
import { PageCertificates } from '../../../bin/daemon/page-certificate.ts';
import { PAGE_LIMITS } from '../../../bin/daemon/page-server.ts';
import { memoryStore } from '../../support/memory-store.ts';
import { exchange, pageBench, PASSWORD, type PageBench } from '../../support/page-bench.ts';

t.setTimeout(300_000);

const QUICK = { headersTimeout: 300, bodyWindow: 600, connectionsCheckingInterval: 50 };

t.test('the limits are those that were decided', t => {
  t.match(PAGE_LIMITS, {
    headersTimeout: 10_000,
    bodyWindow: 30_000,
    bodyFloor: 16_384,
    mostOfOne: 24,
    maxHeaderSize: 8192,
    mostConnections: 64,
  });
  t.end();
});

t.test('slow headers: whoever sends them a byte at a time is cut off', async t => {
  const { connected, host } = await pageBench(t, { limits: QUICK });
  const socket = await connected();
  const drip = setInterval(() => socket.writable && socket.write('X'), 50);
  const text = await exchange(socket, `GET / HTTP/1.1\r\nHost: ${host}\r\nX-Slow: `);
  clearInterval(drip);
  t.match(text, /^(HTTP\/1\.1 408|$)/);
});

t.test('so is whoever says nothing at all, and whoever sends a body for ever', async t => {
  const { connected, host, signedIn } = await pageBench(t, { limits: QUICK });
  t.match(await exchange(await connected(), ''), /^(HTTP\/1\.1 408|$)/);
  const cookie = await signedIn();
  const socket = await connected();
  const drip = setInterval(() => socket.writable && socket.write(' '), 50);
  const head = `POST /v1/node/up HTTP/1.1\r\nHost: ${host}\r\nOrigin: http://${host}\r\nCookie: ${cookie}\r\n`;
  const text = await exchange(
    socket,
    `${head}Content-Type: application/json\r\nContent-Length: 9999\r\n\r\n{`,
  );
  clearInterval(drip);
  t.match(text, /^(HTTP\/1\.1 408|$)/);
});

t.test(
  'a body that keeps coming may take long, over TLS too; one that comes too slowly is cut off',
  async t => {
    const clock = new ManualClock(Date.now());
    const certificates = await PageCertificates.open({
      store: memoryStore(),
      clock,
      random: seededRandom(3),
    });
    const tls = await certificates.for(['127.0.0.1']);
    const limits = { bodyWindow: 1_000, bodyFloor: 4 * 1024 };
    for (const byTls of [false, true]) {
      const bench = await pageBench(t, { limits, tls: byTls ? tls : null });
      const asked = { body: { password: PASSWORD }, byTls };
      const { cookie } = await bench.ask('POST', '/v1/page/owner', asked);
      const restore = (bytes: number): Promise<string> => slowRestore(bench, { byTls, cookie, bytes });
      t.match(await restore(4_000), /^HTTP\/1\.1 4(00|22) /, 'three windows long, and answered');
      t.match(await restore(10), /^(HTTP\/1\.1 408|$)/, 'a twentieth of the pace');
    }
  },
);

/** So many bytes every 50 ms, sixty times. */
async function slowRestore(
  { host, port }: PageBench,
  { byTls, cookie, bytes }: { readonly byTls: boolean; readonly cookie: string; readonly bytes: number },
): Promise<string> {
  const socket = byTls
    ? connectByTls({ host: '127.0.0.1', port, rejectUnauthorized: false })
    : connect({ host: '127.0.0.1', port });
  await new Promise(resolve => socket.once(byTls ? 'secureConnect' : 'connect', resolve));
  const origin = `http${byTls ? 's' : ''}://${host}`;
  const body = `{"file":"${'x'.repeat(bytes * 60)}","passphrase":"whatever it was"}`;
  const head = `POST /v1/restore HTTP/1.1\r\nHost: ${host}\r\nOrigin: ${origin}\r\nCookie: ${cookie}\r\nConnection: close\r\n`;
  let at = 0;
  const drip = setInterval(() => {
    if (socket.writable && at < body.length) socket.write(body.slice(at, (at += bytes)));
  }, 50);
  const type = 'Content-Type: application/json';
  const text = await exchange(socket, `${head}${type}\r\nContent-Length: ${body.length}\r\n\r\n`);
  clearInterval(drip);
  return text;
}

t.test('events go on far longer than a request may take', async t => {
  const { connected, host, signedIn } = await pageBench(t, { limits: { ...QUICK, keepAliveTimeout: 100 } });
  const cookie = await signedIn();
  const socket = await connected();
  let isClosed = false;
  socket.once('close', () => (isClosed = true));
  socket.write(`GET /v1/page/live HTTP/1.1\r\nHost: ${host}\r\nCookie: ${cookie}\r\n\r\n`);
  await new Promise(resolve => setTimeout(resolve, 1500));
  t.notOk(isClosed);
});

t.test('headers of more than 8 KiB are refused, and so are bodies of more than 64 KiB', async t => {
  const { ask, connected, host, signedIn } = await pageBench(t);
  const large = `GET / HTTP/1.1\r\nHost: ${host}\r\nX-Large: ${'x'.repeat(9000)}\r\n\r\n`;
  t.match(await exchange(await connected(), large), /^HTTP\/1\.1 431/);
  const many = Array.from({ length: 700 }, (_, n) => `X${n}: some value`).join('\r\n');
  t.match(
    await exchange(await connected(), `GET / HTTP/1.1\r\nHost: ${host}\r\n${many}\r\n\r\n`),
    /^HTTP\/1\.1 431/,
  );
  const body = { password: 'x'.repeat(70_000) };
  for (const path of ['/v1/page/sign-in', '/v1/page/owner'])
    t.match(await ask('POST', path, { body }), { status: 413, json: { code: 'API_BODY_TOO_LARGE' } }, path);
  const cookie = await signedIn();
  t.match(await ask('POST', '/v1/node/up', { cookie, body: { invite: 'x'.repeat(70_000) } }), {
    status: 413,
  });
  // What may be larger, a restored back-up, takes a session.
  t.match(await ask('POST', '/v1/restore', { body: { file: 'x'.repeat(100_000) } }).catch(() => null), {
    status: 401,
  });
});

t.test(
  'two requests in one: what is smuggled behind a length that lies is not taken for a request',
  async t => {
    const { connected, host } = await pageBench(t);
    const smuggled = `GET /v1/page/session HTTP/1.1\r\nHost: ${host}\r\n\r\n`;
    const head = `POST /v1/page/sign-in HTTP/1.1\r\nHost: ${host}\r\nOrigin: http://${host}\r\n`;
    const both = `${head}Content-Type: application/json\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`;
    t.match(await exchange(await connected(), both + smuggled), /^HTTP\/1\.1 400(?![^]*HTTP\/1\.1 200)/);
  },
);

t.test('more than 64 connections at once are not taken; when some go, others come', async t => {
  const { connected, ask } = await pageBench(t);
  const sockets: Socket[] = [];
  for (let n = 0; n < 64; n++) sockets.push(await connected(`127.0.0.${n + 1}`));
  await new Promise(resolve => setTimeout(resolve, 50));
  t.match(await exchange(await connected(), 'GET / HTTP/1.1\r\n\r\n'), /^$/, 'the 65th is closed unheard');
  for (const socket of sockets.slice(0, 8)) socket.destroy();
  await new Promise(resolve => setTimeout(resolve, 50));
  t.equal((await ask('GET', '/v1/page/session')).status, 200);
});

t.test(
  'one address holds 24 at most, and is told; others still get in, and proxies of this machine',
  async t => {
    const { connected, ask, host } = await pageBench(t);
    const sockets: Socket[] = [];
    for (let n = 0; n < 24; n++) sockets.push(await connected('127.0.0.9'));
    await new Promise(resolve => setTimeout(resolve, 50));
    const asked = `GET /v1/page/session HTTP/1.1\r\nHost: ${host}\r\n\r\n`;
    const told = await exchange(await connected('127.0.0.9'), asked);
    t.match(told, /^HTTP\/1\.1 503 [^]*"code":"PAGE_BUSY"[^]*24/);
    t.equal((await ask('GET', '/v1/page/session', { from: '127.0.0.8' })).status, 200);
    for (let n = 0; n < 30; n++) sockets.push(await connected('127.0.0.1'));
    t.equal((await ask('GET', '/v1/page/session')).status, 200, 'many stand behind this machine itself');
    const silent = await Promise.all(Array.from({ length: 40 }, () => connected('127.0.0.9')));
    await Promise.all(silent.map(socket => exchange(socket, '')));
    t.pass('those who are turned away and say nothing are gone in a moment');
    for (const socket of sockets) socket.destroy();
    await new Promise(resolve => setTimeout(resolve, 50));
    t.equal((await ask('GET', '/v1/page/session', { from: '127.0.0.9' })).status, 200);
  },
);

t.test('a body that is cut off, or no JSON, is an answer and no crash', async t => {
  const { ask, connected, host } = await pageBench(t);
  const socket = await connected();
  const head = `POST /v1/page/sign-in HTTP/1.1\r\nHost: ${host}\r\nOrigin: http://${host}\r\n`;
  socket.write(`${head}Content-Type: application/json\r\nContent-Length: 99\r\n\r\n{"pass`);
  await new Promise(resolve => setTimeout(resolve, 20));
  socket.destroy();
  for (const body of [
    '{',
    '[]',
    '"x"',
    'null',
    '{"password":1}',
    '{"password":"x","more":1}',
    '{"__proto__":{"a":1}}',
  ])
    t.match(
      await ask('POST', '/v1/page/sign-in', { body }),
      { status: 400, json: { code: 'API_BODY' } },
      body,
    );
  t.equal((await ask('POST', '/v1/page/owner', { body: { password: PASSWORD } })).status, 200);
});
