// STUN at the server, over real sockets on loopback: both ports, both addresses, TCP, the keep-alive, the limits.
import { createSocket } from 'node:dgram';
import type { Socket } from 'node:dgram';
import { connect } from 'node:net';
import t from 'tap';
import type { Test } from 'tap';
import { parseKeepAlive } from '../../../protocol/location/keep-alive.ts';
import {
  readErrorCode,
  readOtherAddress,
  readXorMappedAddress,
  writeChangeRequest,
  writePadding,
  writeUsername,
} from '../../../protocol/stun/attributes.ts';
import { BINDING, decodeStun, encodeStun } from '../../../protocol/stun/codec.ts';
import type { DecodedStun } from '../../../protocol/stun/codec.ts';
import type { StunAttribute } from '../../../protocol/stun/message.ts';
import { primitives } from '../../../system/crypto.ts';
import { join } from '../../support/location-client.ts';
import { startServer } from '../../support/location-server.ts';

interface Heard {
  readonly message: DecodedStun;
  readonly address: string;
  readonly port: number;
  readonly length: number;
}

const request = (attributes: readonly StunAttribute[] = [], key?: Uint8Array): Uint8Array =>
  encodeStun(
    { class: 'request', method: BINDING, transactionId: primitives.randomBytes(12), attributes },
    key === undefined ? {} : { primitives, integritySha256: key },
  );

async function client(t: Test): Promise<Socket> {
  const socket = createSocket('udp4');
  await new Promise<void>(resolve => socket.bind(0, '127.0.0.1', resolve));
  t.teardown(() => socket.close());
  return socket;
}

function exchange(socket: Socket, bytes: Uint8Array, port: number, address = '127.0.0.1'): Promise<Heard> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error('no answer')), 3000);
    socket.once('message', (reply, from) => {
      clearTimeout(timer);
      const message = decodeStun(reply);
      if (message.ok)
        resolve({ message: message.value, address: from.address, port: from.port, length: reply.length });
      else reject(new Error(message.code));
    });
    socket.send(bytes, port, address);
  });
}

async function freePort(): Promise<number> {
  const socket = createSocket('udp4');
  await new Promise<void>(resolve => socket.bind(0, '127.0.0.1', resolve));
  const { port } = socket.address();
  await new Promise<void>(resolve => socket.close(() => resolve()));
  return port;
}

t.test('P2: a testing packet gets its source back, in 32 bytes, from the port it was sent to', async t => {
  const secondPort = await freePort();
  const { port } = await startServer(t, { secondPort });
  const socket = await client(t);
  for (const target of [port, secondPort]) {
    const heard = await exchange(socket, request(), target);
    t.same(readXorMappedAddress(heard.message), {
      family: 4,
      address: '127.0.0.1',
      port: socket.address().port,
    });
    t.equal(heard.port, target);
    t.equal(heard.length, 32);
  }
  const changed = await exchange(
    socket,
    request([writeChangeRequest({ address: false, port: true }), writePadding(64)]),
    port,
  );
  t.equal(changed.port, secondPort);
  const refused = await exchange(
    socket,
    request([writeChangeRequest({ address: true, port: false }), writePadding(64)]),
    port,
  );
  t.equal(readErrorCode(refused.message)?.code, 420);
});

t.test('RFC 5780: with a second address its tests are whole', async t => {
  const secondPort = await freePort();
  const { port } = await startServer(t, { secondPort, listen: ['127.0.0.1', '127.0.0.2'] });
  const socket = await client(t);
  const plain = await exchange(socket, request([writePadding(64)]), port);
  t.same(readOtherAddress(plain.message), { family: 4, address: '127.0.0.2', port: secondPort });
  const ask = (address: boolean, change: boolean): Promise<Heard> =>
    exchange(socket, request([writeChangeRequest({ address, port: change }), writePadding(64)]), port);
  t.match(await ask(true, true), { address: '127.0.0.2', port: secondPort });
  t.match(await ask(true, false), { address: '127.0.0.2', port });
  t.match(await ask(false, true), { address: '127.0.0.1', port: secondPort });
  t.match(await exchange(socket, request(), port, '127.0.0.2'), { address: '127.0.0.2', port });
});

t.test('P2, P7: the same over TCP, on the same port, several on one connection and in pieces', async t => {
  const { port, counters } = await startServer(t);
  const socket = connect(port, '127.0.0.1');
  let held = Buffer.alloc(0);
  const answered = new Promise<void>(resolve => {
    socket.on('data', chunk => {
      held = Buffer.concat([held, chunk]);
      if (held.length >= 64) resolve();
    });
  });
  const [first, second] = [request(), request()];
  socket.write(first.subarray(0, 7));
  socket.write(Buffer.concat([first.subarray(7), second]));
  await answered;
  for (const at of [0, 32]) {
    const message = decodeStun(held, at, 32);
    t.ok(message.ok);
    if (message.ok) t.equal(readXorMappedAddress(message.value)?.port, socket.localPort);
  }
  const closed = new Promise(resolve => socket.once('close', resolve));
  socket.write(Buffer.alloc(100, 0xff));
  await closed;
  t.equal(counters.snapshot()['stun-tcp.answered'], 2);
  t.equal(counters.snapshot()['stun-tcp.stun.not-stun'], 1);
});

t.test('P1: a UDP keep-alive bound to the log-in tells the node where it was seen', async t => {
  const { port, invite, counters } = await startServer(t);
  const { connection, welcome } = await join(await invite(), port);
  const keepAlive = parseKeepAlive(welcome.keepAlive)!;
  const [socket, other] = [await client(t), await client(t)];
  const bytes = request([writeUsername(keepAlive.username)], keepAlive.key);
  await exchange(socket, bytes, port);
  const { endpoint } = await connection.next('seen');
  t.same(endpoint, { family: 4, address: '127.0.0.1', port: socket.address().port });
  await exchange(other, bytes, port);
  await exchange(other, request([writeUsername(keepAlive.username)], primitives.randomBytes(32)), port);
  await connection.ask({ type: 'ping' });
  t.same(connection.waiting, [], 'neither a repeated one nor one with a wrong key moves it');
  await exchange(other, request([writeUsername(keepAlive.username)], keepAlive.key), port);
  t.equal((await connection.next('seen')).endpoint.port, other.address().port);
  t.equal(counters.snapshot()['stun.keep-alive'], 3);
});

t.test('one source gets so many answers; garbage gets none', async t => {
  const { port, counters } = await startServer(t, {}, { limits: { stunBurst: 5, stunPerSecond: 0.001 } });
  const socket = await client(t);
  socket.send(Buffer.alloc(40, 0x77), port, '127.0.0.1');
  for (let index = 0; index < 4; index++) await exchange(socket, request(), port);
  await t.rejects(
    Promise.race([
      exchange(socket, request(), port),
      refusedWithin(() => counters.snapshot()['stun.rate-limited'] === 1),
    ]),
    { message: 'refused' },
  );
  t.match(counters.snapshot(), { 'stun.answered': 4, 'stun.not-stun': 1, 'stun.rate-limited': 1 });
});

async function refusedWithin(seen: () => boolean): Promise<never> {
  for (let round = 0; round < 300; round++) {
    if (seen()) throw new Error('refused');
    await new Promise(resolve => setTimeout(resolve, 10));
  }
  throw new Error('waited too long');
}

t.test('listening on all addresses answers on each of them', async t => {
  const { port } = await startServer(t, { listen: [] });
  const heard = await exchange(await client(t), request(), port);
  t.match(heard, { address: '127.0.0.1', port });
  const v6 = createSocket('udp6');
  t.teardown(() => v6.close());
  const reply = await exchange(v6, request(), port, '::1').catch((error: unknown) => error);
  if (reply instanceof Error) t.comment('no IPv6 loopback here');
  else t.match(reply, { address: '::1', port, length: 44 });
});
