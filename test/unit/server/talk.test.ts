// What nodes say through the server: registration, look-up, signals, presence; and what is refused on the way.
import { connect } from 'node:net';
import t from 'tap';
import { WebSocket } from 'ws';
import { Counters } from '../../../base/counters.ts';
import { CHANNEL_CLOSE } from '../../../protocol/location/channel.ts';
import type { Registration } from '../../../protocol/location/messages.ts';
import {
  expectWelcome,
  join,
  makeIdentity,
  readInvite,
  TestConnection,
} from '../../support/location-client.ts';
import { startServer } from '../../support/location-server.ts';
import type { TestServer } from '../../support/location-server.ts';
import { testTcp } from '../../support/tcp-ports.ts';

const registration: Registration = {
  privateAddresses: [{ family: 4, address: '192.168.1.3', port: 41641 }],
  publicAddresses: [{ family: 4, address: '198.51.100.7', port: 4444 }],
  tcpPorts: [],
  candidates: [
    { kind: 'host', transport: 'udp', endpoint: { family: 4, address: '192.168.1.3', port: 41641 } },
  ],
  bandwidth: 5e7,
  cpuLoad: 0.25,
  reachable: 'no',
  relay: null,
  region: '',
  relays: [],
};

async function pair(from: TestServer): Promise<Awaited<ReturnType<typeof join>>[]> {
  return [await join(await from.invite(), from.port), await join(await from.invite(), from.port)];
}

t.test(
  'V4, V7, V10: what a node registered is found by virtual IP, number, name and WireGuard key',
  async t => {
    const started = await startServer(t);
    const [a, b] = await pair(started);
    t.match(await a!.connection.ask({ type: 'register', registration }), { type: 'done' });
    const { ip4, ip6, id } = a!.welcome.assignment;
    const { wireguardKey } = a!.connection.identity;
    for (const by of [
      { address: ip4 },
      { address: ip6 },
      { node: id },
      { name: a!.connection.identity.name.toUpperCase() },
      { wireguardKey },
    ]) {
      const route = await b!.connection.ask({ type: 'lookup', ...by });
      t.match(route, {
        type: 'route',
        online: true,
        registration,
        node: { record: { id, ip4 }, assignment: { ip6 } },
      });
    }
    for (const by of [
      { address: '10.77.9.9' },
      { address: 'fd00::9' },
      { node: makeIdentity().id },
      { wireguardKey: makeIdentity().wireguardKey },
    ]) {
      t.match(await b!.connection.ask({ type: 'lookup', ...by }), { type: 'failure', code: 'NODE_UNKNOWN' });
    }
  },
);

t.test('a node that has not published is not found, and cannot signal', async t => {
  const { port, invite } = await startServer(t);
  const a = await join(await invite(), port);
  const read = readInvite(await invite());
  const silent = await TestConnection.open({ invite: read, port, identity: makeIdentity() });
  const welcome = expectWelcome(await silent.login({ token: read.token }));
  t.match(await a.connection.ask({ type: 'lookup', address: welcome.assignment.ip4 }), {
    code: 'NODE_UNKNOWN',
  });
  t.match(await silent.ask({ type: 'signal', to: a.connection.identity.id, sealed: 'AAAA' }), {
    code: 'RECORD_WRONG',
  });
});

t.test('V14: signals are passed on with their sender, and limited in number and size', async t => {
  const started = await startServer(t, {}, { limits: { signalBurst: 10, signalsPerSecond: 0.01 } });
  const [a, b] = await pair(started);
  const to = b!.connection.identity.id;
  t.match(await a!.connection.ask({ type: 'signal', to, sealed: 'c2VhbGVk' }), { type: 'done' });
  const heard = await b!.connection.next('signal');
  t.match(heard, {
    from: a!.connection.identity.id,
    sealed: 'c2VhbGVk',
    node: { record: { id: a!.connection.identity.id } },
  });
  t.match(await a!.connection.ask({ type: 'signal', to: makeIdentity().id, sealed: 'AAAA' }), {
    code: 'NODE_UNKNOWN',
  });
  t.match(
    await a!.connection.ask({ type: 'signal', to, sealed: 'A'.repeat(21_846) }),
    { type: 'done' },
    '16 KiB',
  );
  t.match(await a!.connection.ask({ type: 'signal', to, sealed: 'A'.repeat(21_847) }), {
    code: 'MESSAGE_INVALID',
  });
  const answers = [];
  for (let index = 0; index < 10; index++)
    answers.push(await a!.connection.ask({ type: 'signal', to, sealed: 'AAAA' }));
  t.match(answers.at(-1), { code: 'RATE_LIMITED' });
  b!.connection.close();
  await b!.connection.closed;
  await a!.connection.next('changed');
});

t.test('V14: signals cannot carry data: their bytes are limited too', async t => {
  const started = await startServer(t);
  const [a, b] = await pair(started);
  let passed = 0;
  for (let index = 0; index < 30; index++) {
    const answer = await a!.connection.ask({
      type: 'signal',
      to: b!.connection.identity.id,
      sealed: 'A'.repeat(21_000),
    });
    passed += Number(answer.type === 'done');
  }
  t.ok(passed >= 5 && passed <= 8, `${passed} of 30 large signals passed`);
});

t.test(
  'a signal to a node that is away is told; who asked is told when it comes, goes and changes',
  async t => {
    const { port, invite } = await startServer(t);
    const a = await join(await invite(), port);
    const text = await invite();
    const identity = makeIdentity();
    const b = await join(text, port, identity);
    await a.connection.ask({ type: 'lookup', node: identity.id });
    b.connection.close();
    t.match(await a.connection.next('changed'), { online: false, node: { record: { id: identity.id } } });
    t.match(await a.connection.ask({ type: 'signal', to: identity.id, sealed: 'AAAA' }), {
      code: 'NODE_OFFLINE',
    });
    t.match(await a.connection.ask({ type: 'lookup', node: identity.id }), { type: 'route', online: false });
    const again = await TestConnection.open({ invite: readInvite(text), port, identity });
    const welcome = expectWelcome(await again.login());
    t.match(await a.connection.next('changed'), { online: true });
    await again.ask({ type: 'publish', record: again.record(welcome, { prefixes: ['192.168.9.0/24'] }) });
    t.match(await a.connection.next('changed'), {
      node: { record: { generation: 2, prefixes: ['192.168.9.0/24'] } },
    });
  },
);

t.test('a second log-in of a node replaces the first, without a word of leaving', async t => {
  const { port, invite } = await startServer(t);
  const a = await join(await invite(), port);
  const text = await invite();
  const identity = makeIdentity();
  const b = await join(text, port, identity);
  await a.connection.ask({ type: 'lookup', node: identity.id });
  const again = await TestConnection.open({ invite: readInvite(text), port, identity });
  expectWelcome(await again.login());
  t.equal(await b.connection.closed, CHANNEL_CLOSE.replaced);
  await a.connection.ask({ type: 'signal', to: identity.id, sealed: 'AAAA' });
  t.match(await again.next('signal'), { sealed: 'AAAA' });
  t.same(a.connection.waiting, []);
});

t.test('another version is told in words, then the connection ends', async t => {
  const { port, invite } = await startServer(t);
  const connection = await TestConnection.open({
    invite: readInvite(await invite()),
    port,
    identity: makeIdentity(),
    version: 2,
  });
  t.match(await connection.next('failure'), {
    re: 0,
    code: 'VERSION',
    message: /version 2, the server version 1/,
  });
  t.equal(await connection.closed, CHANNEL_CLOSE.refused);
});

t.test(
  'another server key, garbage, text, oversize, a replayed first message: refused, counted, and the server lives',
  async t => {
    const { port, invite, counters } = await startServer(t);
    const text = await invite();
    const good = await join(text, port);
    const other = { ...readInvite(text), serverKey: makeIdentity().control.publicKey };
    await t.rejects(TestConnection.open({ invite: other, port, identity: makeIdentity() }), {
      message: `closed with ${CHANNEL_CLOSE.handshake}`,
    });
    t.equal(await rawExchange(port, [Buffer.alloc(200, 7)]), CHANNEL_CLOSE.handshake);
    t.equal(await rawExchange(port, ['hello']), CHANNEL_CLOSE.broken);
    t.equal(await rawExchange(port, [Buffer.alloc(70_000)]), 1009);
    t.equal(
      await rawExchange(port, [good.connection.first, Buffer.alloc(100)]),
      CHANNEL_CLOSE.broken,
      'a replay cannot go on',
    );
    const garbled = await join(await invite(), port);
    garbled.connection.sendRaw(Buffer.alloc(50));
    t.equal(await garbled.connection.closed, CHANNEL_CLOSE.broken);
    t.match(await good.connection.ask({ type: 'ping' }), { type: 'done' });
    t.match(counters.snapshot(), {
      'session.channel.handshake': 2,
      'session.channel.tag': 2,
      'session.not-binary': 1,
    });
  },
);

t.test('messages that cannot be read: told by number while logged in, else the end', async t => {
  const { port, invite, counters } = await startServer(t);
  const { connection } = await join(await invite(), port);
  t.match(await connection.ask({ type: 'reboot' } as never), {
    code: 'MESSAGE_INVALID',
    message: /message\.type/,
  });
  t.match(await connection.ask({ type: 'lookup', address: 'x' }), { code: 'MESSAGE_INVALID' });
  t.match(await connection.ask({ type: 'ping' }), { type: 'done' });
  connection.sendText('{');
  t.match(await connection.next('failure'), { re: 0, code: 'MESSAGE_INVALID' });
  t.equal(await connection.closed, CHANNEL_CLOSE.refused);
  const early = await TestConnection.open({
    invite: readInvite(await invite()),
    port,
    identity: makeIdentity(),
  });
  early.sendText('{"type":"ping","id":1}');
  t.match(await early.next('failure'), { code: 'LOGIN_FIRST' });
  t.equal(counters.snapshot()['session.message.not-json'], 1);
});

t.test('a log-in that does not come ends in time', async t => {
  const { port, invite } = await startServer(t, {}, { limits: { loginTimeoutMs: 200 } });
  const connection = await TestConnection.open({
    invite: readInvite(await invite()),
    port,
    identity: makeIdentity(),
  });
  t.match(await connection.next('failure'), { code: 'LOGIN_SLOW' });
});

t.test('a connection that says nothing ends in time', async t => {
  const counters = new Counters();
  const { port } = await startServer(t, {}, { tcp: testTcp(counters, { silentMs: 200 }) });
  const socket = connect(port, '127.0.0.1');
  await new Promise(resolve => socket.once('close', resolve));
  t.equal(counters.snapshot()['system.tcp.silent'], 1);
});

t.test('half a request, however slowly it comes, holds no place for ever', async t => {
  const { port, counters } = await startServer(t, {}, { limits: { loginTimeoutMs: 200 } });
  const socket = connect(port, '127.0.0.1', () => socket.write('GET /ginnel HTTP/1.1\r\nX: '));
  socket.on('error', () => undefined);
  const drip = setInterval(() => socket.write('x'), 20);
  t.teardown(() => clearInterval(drip));
  await new Promise(resolve => socket.once('close', resolve));
  t.equal(counters.snapshot()['tcp.silent'], 1);
});

t.test('a node that falls silent is gone', async t => {
  const { port, invite, server } = await startServer(t, {}, { limits: { idleMs: 150 } });
  const { connection } = await join(await invite(), port);
  await connection.closed;
  t.equal(server.summary().nodes[0]?.online, false);
});

t.test('so many connections from one address, so many handshakes after a start', async t => {
  const { port, invite, counters } = await startServer(
    t,
    {},
    { limits: { connectionsPerAddress: 2, handshakeBurst: 3, handshakesPerSecond: 0.001 } },
  );
  const read = readInvite(await invite());
  const open = (): Promise<TestConnection> =>
    TestConnection.open({ invite: read, port, identity: makeIdentity() });
  const [one, two] = [await open(), await open()];
  await t.rejects(open());
  t.equal(counters.snapshot()['tcp.refused'], 1);
  one.terminate();
  await one.closed;
  two.terminate();
  await two.closed;
  await untilAnswered(open);
  await t.rejects(open(), { message: `closed with ${CHANNEL_CLOSE.busy}` });
  t.equal(counters.snapshot()['session.ramp'], 1);
});

t.test('other HTTP is answered shortly, and a stop says good-bye', async t => {
  const { port, invite, server } = await startServer(t);
  t.equal((await fetch(`http://127.0.0.1:${port}/`)).status, 404);
  t.equal((await fetch(`http://127.0.0.1:${port}/ginnel`)).status, 426);
  const { connection } = await join(await invite(), port);
  await server.down();
  t.equal(await connection.closed, CHANNEL_CLOSE.stopping);
  await t.rejects(fetch(`http://127.0.0.1:${port}/`));
});

t.test('under which name the server was reached is noted for the invite', async t => {
  const { port, invite, server } = await startServer(t, {
    advertise: ['home.example.net', '203.0.113.1', '2001:db8::1'],
  });
  const text = await invite();
  t.same(readInvite(text).addresses, [
    `home.example.net:${port}`,
    `203.0.113.1:${port}`,
    `[2001:db8::1]:${port}`,
  ]);
  const { welcome } = await join(text, port);
  t.same(welcome.addresses, readInvite(text).addresses);
  t.same(server.summary().seenFromOutside, [], 'its own address is no news');
});

/** Sends frames on a WebSocket as they are; the close code. */
function rawExchange(port: number, frames: (Buffer | Uint8Array | string)[]): Promise<number> {
  return new Promise(resolve => {
    const socket = new WebSocket(`ws://127.0.0.1:${port}/ginnel`);
    socket.on('open', () => {
      for (const frame of frames) socket.send(frame);
    });
    socket.on('error', () => undefined);
    socket.on('close', resolve);
  });
}

/** The server hears of a closed connection a moment later than its client. */
async function untilAnswered(open: () => Promise<TestConnection>): Promise<void> {
  for (let round = 0; round < 50; round++) {
    const opened = await open().then(
      () => true,
      (error: unknown) => !/^socket|ECONNRESET/.test(String(error instanceof Error ? error.message : error)),
    );
    if (opened) return;
  }
  throw new Error('never answered');
}
