// Behind a real nginx that does TLS on port 443: a box logs in through it, finds a STUN server beside it, and each client
// counts for itself.
import { connect } from 'node:net';
import { connect as connectTls } from 'node:tls';
import t, { type Test } from 'tap';
import { LOCATION_PATH } from '../../protocol/location/channel.ts';
import { startServer } from '../support/location-server.ts';
import { openNode, until } from '../unit/node/bench.ts';
import { startNginx } from './nginx.ts';
import { enterLab, LAB_FOLDER } from './wrapper.ts';

enterLab(import.meta.url, { tools: { nginx: 'nginx-light', openssl: 'openssl' } });

/** The proxy's own address: no STUN there. */
const PROXY = '127.0.0.9';

const listens = (): Promise<boolean> =>
  new Promise(resolve => {
    const socket = connect(443, PROXY, () => {
      socket.destroy();
      resolve(true);
    });
    socket.on('error', () => resolve(false));
  });

/** The status that an upgrade from that address gets; the connection stays open. */
function upgrade(t: Test, from: string, more = ''): Promise<string> {
  return new Promise((resolve, reject) => {
    const line = connect({ host: PROXY, port: 443, localAddress: from });
    const socket = connectTls({ socket: line, rejectUnauthorized: false });
    t.teardown(() => socket.destroy());
    socket.on('error', reject);
    socket.once('data', (answer: Buffer) => resolve(answer.toString('latin1').slice(9, 12)));
    const headers = ['Host: home.example.net', 'Upgrade: websocket', 'Connection: Upgrade'];
    const key = ['Sec-WebSocket-Version: 13', 'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA=='];
    socket.write(`${[`GET ${LOCATION_PATH} HTTP/1.1`, ...headers, ...key].join('\r\n')}\r\n${more}\r\n`);
  });
}

t.test('a location server behind nginx on port 443', { timeout: 60_000 }, async t => {
  const { server, port, invite, counters } = await startServer(
    t,
    { advertise: [`${PROXY}:443`] },
    { limits: { connectionsPerAddress: 2 } },
  );
  const nginx = startNginx({
    folder: `${LAB_FOLDER}/nginx`,
    listen: `${PROXY}:443`,
    upstream: `127.0.0.1:${port}`,
  });
  t.teardown(() => nginx.kill());
  let isUp = false;
  await until(() => {
    void listens().then(listening => (isUp ||= listening));
    return isUp;
  }, 'nginx listens');
  await server.changeSettings({ set: { 'trusted-proxy': ['127.0.0.1'] } });

  await t.test('a node logs in through it, and measures where STUN answers', async t => {
    const bench = await openNode(t);
    const status = await bench.node.up({ invite: await invite(), name: 'attic' });
    t.match(status.server, { state: 'connected', address: `${PROXY}:443` });
    t.equal(counters.snapshot()['http.proxied'], 1);
    await until(
      () => (counters.snapshot()['stun.keep-alive'] ?? 0) > 0,
      'the keep-alive found a STUN server',
    );
    t.match(server.summary().seenFromOutside, [`${PROXY}:443`]);
    await bench.node.down();
  });

  await t.test('each client counts for itself, whatever it says of itself', async t => {
    t.equal(await upgrade(t, '127.0.0.21'), '101');
    t.equal(await upgrade(t, '127.0.0.21'), '101');
    t.equal(await upgrade(t, '127.0.0.21'), '503', 'this one has its two');
    t.equal(await upgrade(t, '127.0.0.21', 'X-Forwarded-For: 127.0.0.22\r\n'), '503');
    t.equal(await upgrade(t, '127.0.0.22'), '101', 'another one has its own');
  });

  await t.test('where the proxy is not trusted, all are one', async t => {
    await server.changeSettings({ unset: ['trusted-proxy'] });
    const tries = [];
    for (const last of [31, 32, 33]) tries.push(await upgrade(t, `127.0.0.${last}`));
    t.same(tries, ['101', '101', '502']);
  });
});
