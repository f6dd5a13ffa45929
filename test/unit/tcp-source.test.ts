// Connections from one local port, opened by the kernel's own sockets and handed to Node's: real ones on loopback.
import { readdirSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import t, { type Test } from 'tap';
import { Counters } from '../../base/counters.ts';
import type { Endpoint } from '../../protocol/address.ts';
import { createArena } from '../../system/arena.ts';
import type { TcpSource } from '../../system/doors.ts';
import { openLibc } from '../../system/libc.ts';
import { createReadiness } from '../../system/poll.ts';
import { createTcpSourceOpener } from '../../system/tcp-source.ts';
import { freePort } from '../support/tcp-ports.ts';

const place = (port: number): Endpoint => ({ family: 4, address: '127.0.0.1', port });

class Bench {
  readonly counters = new Counters();
  readonly opened: { readonly socket: Socket; readonly to: Endpoint }[] = [];
  readonly failed: string[] = [];
  readonly #open;

  constructor() {
    const libc = openLibc();
    this.#open = createTcpSourceOpener(libc, createArena(libc), createReadiness(libc.koffi), this.counters);
  }

  source(): TcpSource {
    const source = this.#open({ family: 4 });
    source.onOpen = (socket, to) => void this.opened.push({ socket, to });
    source.onFailed = (_to, reason) => void this.failed.push(reason);
    return source;
  }
}

async function listen(t: Test, connected: (socket: Socket) => void): Promise<number> {
  const server: Server = createServer(connected).listen(0, '127.0.0.1');
  await new Promise(resolve => server.once('listening', resolve));
  t.teardown(() => server.close());
  const bound = server.address();
  return typeof bound === 'object' && bound !== null ? bound.port : 0;
}

async function until(what: string, holds: () => boolean): Promise<void> {
  const end = performance.now() + 5000;
  while (!holds()) {
    if (performance.now() > end) throw new Error(`waited in vain: ${what}`);
    await new Promise(resolve => setTimeout(resolve, 5));
  }
}

const descriptors = (): number => readdirSync('/proc/self/fd').length;

t.test('P7: many connections leave from one local port, and carry what any does', async t => {
  const bench = new Bench();
  const source = bench.source();
  t.teardown(() => source.close());
  const seen: (number | undefined)[] = [];
  const echo = (socket: Socket): void => {
    seen.push(socket.remotePort);
    socket.pipe(socket);
  };
  const ports = [await listen(t, echo), await listen(t, echo), await listen(t, echo)];
  for (const port of ports) t.equal(source.connect(place(port)), 'sent');
  await until('three connections', () => bench.opened.length === 3);
  t.same(seen, [source.localPort, source.localPort, source.localPort]);
  t.same(bench.opened.map(({ to }) => to.port).sort(), ports.sort());
  t.equal(source.waiting, 0);
  source.close();
  for (const { socket } of bench.opened) {
    const heard = new Promise(resolve => socket.once('data', bytes => resolve(String(bytes))));
    socket.write('hello');
    t.equal(await heard, 'hello', 'what was handed over outlives the port');
    socket.destroy();
  }
});

t.test('P7: a refused one is told, and can be tried again from the same port', async t => {
  const bench = new Bench();
  const source = bench.source();
  t.teardown(() => source.close());
  const port = await freePort();
  t.equal(source.connect(place(port)), 'sent');
  t.same(bench.failed, [], 'never before the call is over');
  await until('a refusal', () => bench.failed.length === 1);
  t.same(bench.failed, ['refused']);
  const server = createServer().listen(port, '127.0.0.1');
  t.teardown(() => server.close());
  await new Promise(resolve => server.once('listening', resolve));
  t.equal(source.connect(place(port)), 'sent');
  await until('a connection', () => bench.opened.length === 1);
  t.equal(bench.opened[0]?.socket.localPort, source.localPort);
  bench.opened[0]?.socket.destroy();
});

t.test('P7: whatever becomes of them, no descriptor is left', async t => {
  const bench = new Bench();
  const port = await listen(t, socket => void socket.destroy());
  const closed = await freePort();
  const round = async (): Promise<void> => {
    const source = bench.source();
    const before = bench.opened.length + bench.failed.length;
    source.connect(place(port));
    source.connect(place(closed));
    source.connect({ family: 4, address: '240.0.0.1', port: 1 });
    await until('both outcomes', () => bench.opened.length + bench.failed.length >= before + 2);
    source.connect(place(closed));
    source.close();
    source.close();
    t.equal(source.connect(place(port)), 'busy', 'it is over');
    for (const { socket } of bench.opened.splice(0)) socket.destroy();
  };
  await round();
  await until('the first to be gone', () => true);
  await new Promise(resolve => setTimeout(resolve, 50));
  const before = descriptors();
  for (let index = 0; index < 30; index++) await round();
  await until('all to be gone', () => descriptors() <= before);
  t.ok(descriptors() <= before);
});

t.test('P7: a place of the other family is a mistake', t => {
  const source = new Bench().source();
  t.throws(() => source.connect({ family: 6, address: '::1', port: 1 }), TypeError);
  source.close();
  t.end();
});
