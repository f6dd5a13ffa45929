// The server on TCP ports that it shares with the other roles of its box, and on a second one for the web-only.
import { connect } from 'node:net';
import t from 'tap';
import type { ServerSummary } from '../../../server/admin.ts';
import { join, readInvite, TestConnection } from '../../support/location-client.ts';
import { LOOPBACK, startServer } from '../../support/location-server.ts';
import { freePort, testTcp } from '../../support/tcp-ports.ts';
import type { TcpPorts } from '../../../system/tcp-ports.ts';

const STREAM = 0x8f;

/** Somebody else on the box, who answers what begins with their byte. */
const claimStreams = (tcp: TcpPorts, port: number, address = '127.0.0.1'): ReturnType<TcpPorts['claim']> =>
  tcp.claim({
    ...{ port, address, name: 'streams', setting: 'tcp-port' },
    wants: first => first === STREAM,
    take: socket => void socket.end('stream'),
  });

function answerTo(port: number, bytes: Uint8Array | string): Promise<string> {
  return new Promise(resolve => {
    let heard = '';
    const socket = connect(port, '127.0.0.1', () => socket.write(bytes));
    socket.on('data', data => (heard += data.toString()));
    socket.on('error', () => (heard = 'refused'));
    socket.on('close', () => resolve(heard));
  });
}

const stream = (port: number): Promise<string> => answerTo(port, Uint8Array.of(STREAM));
const web = (port: number): Promise<string> => answerTo(port, 'GET / HTTP/1.1\r\nHost: x\r\n\r\n');

t.test('the server comes and goes on a port of others, who stay as they are', async t => {
  const tcp = testTcp();
  const before = await claimStreams(tcp, 0);
  const { port } = before;
  t.teardown(() => before.close());
  t.equal(await web(port), '', 'nobody is there for HTTP');
  const { server, invite } = await startServer(t, { port }, { tcp });
  const { connection } = await join(await invite(), port);
  t.equal(await stream(port), 'stream');
  t.match(await web(port), /^HTTP\/1\.1 404 /);
  await server.down();
  await connection.closed;
  t.same([await web(port), await stream(port)], ['', 'stream']);
  await server.up({});
  t.match(await web(port), /^HTTP\/1\.1 404 /);
  await join(await invite(), port);
});

t.test('others come and go on the port of the server, whose boxes stay', async t => {
  const tcp = testTcp();
  const { server, port, invite } = await startServer(t, {}, { tcp });
  const { connection } = await join(await invite(), port);
  t.equal(await stream(port), '', 'nobody is there for streams');
  const streams = await claimStreams(tcp, port, '');
  t.equal(await stream(port), 'stream');
  await streams.close();
  t.equal(await stream(port), '');
  t.equal(server.summary().nodes.filter(({ online }) => online).length, 1);
  connection.close();
  await server.down();
  t.equal(await web(port), 'refused', 'the port is closed after the last');
});

t.test('a port that another program has: said in words, with the option that chooses another', async t => {
  const tcp = testTcp();
  const other = await claimStreams(testTcp(), 0);
  t.teardown(() => other.close());
  const taken = { code: 'SERVER_PORT_TAKEN', message: /in use\. .*ginnel server --port\./ };
  await t.rejects(startServer(t, { port: other.port }, { tcp }), taken);
  await t.rejects(startServer(t, { webPort: other.port }, { tcp }), {
    code: 'SERVER_PORT_TAKEN',
    message: /ginnel server --web-port\./,
  });
  const { port } = await startServer(t, {}, { tcp });
  t.match(await web(port), /^HTTP/, 'what failed kept nothing');
});

t.test('web-port: boxes are told of it after the main port, and log in there', async t => {
  const webPort = await freePort();
  const { server, port, invite } = await startServer(t, { webPort });
  const places = [`127.0.0.1:${port}`, `127.0.0.1:${webPort}`];
  const { webPort: shown, addresses }: ServerSummary = server.summary();
  t.same({ shown, addresses }, { shown: webPort, addresses: places });
  const text = await invite();
  t.same(readInvite(text).addresses, places, 'invites name both');
  const { welcome, connection } = await join(text, webPort);
  t.same(welcome.addresses, places, 'so do welcomes');
  t.same(welcome.places?.addresses, places, 'and what is signed');
  t.equal(server.summary().nodes[0]?.online, true);
  await server.changeSettings({ set: { 'web-port': null } });
  t.match(await web(webPort), /^HTTP/, 'until the next start');
  connection.close();
  await server.down();
  await server.up({ ...LOOPBACK, port });
  t.equal(await web(webPort), 'refused');
  t.same(server.summary().addresses, places.slice(0, 1));
  const again = await TestConnection.open({ invite: readInvite(text), port, identity: connection.identity });
  t.equal((await again.login()).type, 'welcome');
});

t.test('web-port must be another one than port', async t => {
  const { server, port } = await startServer(t);
  await t.rejects(server.changeSettings({ set: { 'web-port': 7443, port: 7443 } }), {
    code: 'SETTING_INVALID',
    message: /web-port .* other than port/,
  });
  t.ok(port > 0);
});
