// Finding the server among its addresses, over real sockets on loopback.
import { createServer } from 'node:http';
import { createServer as createTcpServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';
import t from 'tap';
import type { Test } from 'tap';
import { WebSocketServer } from 'ws';
import { ManualClock, systemClock } from '../../../base/clock.ts';
import { Counters } from '../../../base/counters.ts';
import type { GinnelError } from '../../../base/errors.ts';
import { acceptChannel, CHANNEL_CLOSE, LOCATION_PATH } from '../../../protocol/location/channel.ts';
import { startNoise } from '../../../protocol/noise/handshake-state.ts';
import { Dial } from '../../../core/control/dial.ts';
import type { ServerSocket } from '../../../core/control/server-socket.ts';
import { primitives } from '../../../system/crypto.ts';
import { makeIdentity, serverControl } from './made-up.ts';

const identity = await makeIdentity();

interface Heard {
  readonly port: number;
  readonly hosts: string[];
  readonly texts: string[];
  sendAll(text: string): void;
  sendRaw(bytes: Uint8Array): void;
  closeAll(code: number): void;
}

/** The server's end of the channel and nothing else. */
async function listen(test: Test, localStatic = serverControl): Promise<Heard> {
  const http = createServer();
  const sockets = new WebSocketServer({ server: http, path: LOCATION_PATH });
  const [hosts, texts]: string[][] = [[], []];
  const senders: ((text: string) => void)[] = [];
  sockets.on('connection', (socket, request) => {
    hosts!.push(request.headers.host ?? '');
    socket.once('message', first => {
      const accepted = acceptChannel(
        { startNoise, primitives, localStatic },
        new Uint8Array(first as Buffer),
      );
      if (!accepted.ok) {
        socket.close(CHANNEL_CLOSE.handshake);
        return;
      }
      const { answer, channel } = accepted.value;
      socket.send(answer);
      const send = (text: string): void => {
        const sealed = channel.seal(text);
        if (sealed.ok) socket.send(sealed.value);
      };
      senders.push(send);
      socket.on('message', data => {
        const text = channel.open(new Uint8Array(data as Buffer));
        texts!.push(text.ok ? text.value : text.code);
        send(`heard ${String(texts!.length)}`);
      });
    });
  });
  const port = await portOf(http, test);
  test.teardown(() => sockets.clients.forEach(socket => socket.terminate()));
  return {
    port,
    hosts: hosts!,
    texts: texts!,
    sendAll: text => senders.forEach(send => send(text)),
    sendRaw: bytes => sockets.clients.forEach(socket => socket.send(bytes)),
    closeAll: code => sockets.clients.forEach(socket => socket.close(code)),
  };
}

/** Listens on a port of loopback until the test is over. */
async function portOf(server: Server, test: Test): Promise<number> {
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  test.teardown(() => new Promise(resolve => server.close(resolve)));
  return (server.address() as AddressInfo).port;
}

/** A machine that takes connections and never says a word. */
async function silent(test: Test): Promise<number> {
  const held = new Set<Socket>();
  const port = await portOf(
    createTcpServer(socket => held.add(socket)),
    test,
  );
  test.teardown(() => held.forEach(socket => socket.destroy()));
  return port;
}

async function closedPort(): Promise<number> {
  const server = createTcpServer();
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise(resolve => server.close(resolve));
  return port;
}

function dial(test: Test, ...addresses: string[]): Promise<ServerSocket> {
  const keys = { primitives, localStatic: identity.control, serverKey: serverControl.publicKey };
  return new Promise((resolve, reject: (problem: GinnelError) => void) => {
    new Dial({ addresses, keys, clock: systemClock, counters: new Counters() }, outcome => {
      if ('problem' in outcome) {
        reject(outcome.problem);
        return;
      }
      test.teardown(() => outcome.socket.close());
      resolve(outcome.socket);
    });
  });
}

t.test('P1: the channel opens, carries words both ways, and tells when it is lost', async t => {
  const server = await listen(t);
  const socket = await dial(t, `127.0.0.1:${server.port}`);
  t.same(socket.server, { family: 4, address: '127.0.0.1', port: server.port });
  const heard: string[] = [];
  const lost = new Promise<string>(resolve => {
    socket.events = { heard: text => void heard.push(text), lost: resolve };
  });
  socket.send('one');
  await new Promise<void>(resolve => {
    socket.events = { ...socket.events, heard: text => resolve(void heard.push(text)) };
  });
  t.same(server.texts, ['one']);
  t.same(heard, ['heard 1']);
  server.closeAll(CHANNEL_CLOSE.stopping);
  t.equal(await lost, 'it was stopped');
});

t.test('a message that was tampered with ends the channel', async t => {
  const server = await listen(t);
  const socket = await dial(t, `127.0.0.1:${server.port}`);
  const lost = new Promise<string>(resolve => {
    socket.events = { heard: () => t.fail('it was believed'), lost: resolve };
  });
  server.sendRaw(new Uint8Array(40));
  t.match(await lost, /tampered/);
});

t.test('names are resolved, and the name is what a proxy is told', async t => {
  const server = await listen(t);
  const socket = await dial(t, `localhost:${server.port}`);
  t.equal(socket.server.address, '127.0.0.1');
  t.same(server.hosts, [`localhost:${server.port}`]);
});

t.test('a silent place, a closed one and another server do not hold up the true one', async t => {
  const [server, other] = [await listen(t), await listen(t, primitives.dhKeyPair())];
  const places = [await silent(t), await closedPort(), other.port, server.port];
  const before = performance.now();
  const socket = await dial(t, ...places.map(port => `127.0.0.1:${port}`));
  t.equal(socket.server.port, server.port);
  t.ok(performance.now() - before < 3_000);
});

t.test('a port that says nothing holds the next one up for a quarter of a second', async t => {
  const server = await listen(t);
  const clock = new ManualClock();
  const port = await silent(t);
  const addresses = [`127.0.0.1:${port}`, `127.0.0.1:${server.port}`];
  const keys = { primitives, localStatic: identity.control, serverKey: serverControl.publicKey };
  const counters = new Counters();
  const found = new Promise<ServerSocket>((resolve, reject: (problem: GinnelError) => void) => {
    new Dial({ addresses, keys, clock, counters }, outcome =>
      'problem' in outcome ? reject(outcome.problem) : resolve(outcome.socket),
    );
  });
  clock.advance(249);
  t.equal(counters.snapshot()['knocks'], 1);
  clock.advance(1);
  const socket = await found;
  t.equal(socket.server.port, server.port);
  socket.close();
});

t.test('another key: refused with a sentence that names the place', async t => {
  const other = await listen(t, primitives.dhKeyPair());
  await t.rejects(dial(t, `127.0.0.1:${other.port}`), {
    code: 'SERVER_KEY_WRONG',
    message: new RegExp(`127.0.0.1:${other.port}: another key`),
  });
  t.same(other.texts, []);
});

t.test('a wrong address: what was tried, and what came of each', async t => {
  const web = await portOf(
    createServer((_, answer) => void answer.writeHead(404).end()),
    t,
  );
  const closed = await closedPort();
  const places = [`127.0.0.1:${web}`, `127.0.0.1:${closed}`, 'no..name:7443', 'rubbish'];
  await t.rejects(dial(t, ...places), {
    code: 'SERVER_UNREACHABLE',
    message: new RegExp(`127.0.0.1:${web}: .*404`),
  });
  await t.rejects(dial(t, ...places), { message: new RegExp(`127.0.0.1:${closed}: nothing listens there`) });
  await t.rejects(dial(t, ...places), { message: /no..name:7443: name not found/ });
  await t.rejects(dial(t), { code: 'SERVER_UNREACHABLE', message: /no address is known/ });
});
