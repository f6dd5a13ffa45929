// The speed test, both ends over real sockets: what it measures, whom it answers, and in which words it does not.
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import t, { type Test } from 'tap';
import { systemClock } from '../../../base/clock.ts';
import { Counters } from '../../../base/counters.ts';
import { silentLog } from '../../../base/log.ts';
import { SpeedDoor } from '../../../bin/daemon/speed-door.ts';
import { speedTest } from '../../../web/page/speed.ts';
import { helloOf } from '../../../web/page/speed-protocol.ts';
import type { SpeedEvent } from '../../../web/peers-admin.ts';
import { cellar, FakeNode } from '../../support/fake-admins.ts';

interface Bench {
  readonly door: SpeedDoor;
  readonly port: number;
  readonly counters: Counters;
  readonly measure: () => AsyncGenerator<SpeedEvent, void>;
}

const freePort = (): Promise<number> =>
  new Promise(resolve => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });

const clock = systemClock;
const measured = (port: number): AsyncGenerator<SpeedEvent, void> =>
  speedTest(
    { clock, address: '127.0.0.1', from: '127.0.0.1', peer: 'cellar', port, directionMs: 700 },
    new AbortController().signal,
  );

/** A door at this machine's own address, where `from` is the address of a box. */
async function bench(t: Test, from = '127.0.0.1'): Promise<Bench> {
  const port = await freePort();
  const counters = new Counters();
  const status = (): ReturnType<FakeNode['status']> => ({
    ...new FakeNode().status(),
    peers: [{ ...cellar, ip4: from }],
  });
  const door = new SpeedDoor({ clock, counters, log: silentLog, status, port });
  t.teardown(() => door.close());
  door.listenAt('127.0.0.1');
  await until(() => door.isOpen);
  return { door, port, counters, measure: () => measured(port) };
}

async function until(condition: () => boolean): Promise<void> {
  for (let turn = 0; turn < 2_000 && !condition(); turn++)
    await new Promise(resolve => setTimeout(resolve, 1));
}

async function all(events: AsyncIterable<SpeedEvent>): Promise<SpeedEvent[]> {
  const found: SpeedEvent[] = [];
  for await (const event of events) found.push(event);
  return found;
}

function says(port: number, bytes: string | Buffer): Promise<string> {
  const socket = connect(port, '127.0.0.1', () => socket.write(bytes));
  socket.on('error', () => undefined);
  return text(socket);
}

t.test('both directions are measured, by what arrived', async t => {
  const { measure, counters } = await bench(t);
  const events = await all(measure());
  const done = events.at(-1);
  t.match(done, { type: 'done' });
  if (done?.type !== 'done') return;
  t.ok(done.down > 1e6 && done.up > 1e6, JSON.stringify(done));
  const directions = events.flatMap(event => (event.type === 'sample' ? [event.direction] : []));
  t.same([...new Set(directions)], ['down', 'up']);
  await until(() => counters.counter('speed.bytes').value > 0);
  const carried = counters.counter('speed.bytes').value * 8;
  t.ok(carried >= (done.down + done.up) * 0.3, `${carried} bits were counted at the door`);
});

t.test('one test at a time; who hangs up makes room', async t => {
  const { measure, counters } = await bench(t);
  const first = measure();
  t.match(await first.next(), { value: { type: 'sample', direction: 'down' } });
  await t.rejects(all(measure()), { code: 'SPEED_BUSY', message: /another box just now/ });
  t.equal(counters.counter('speed.refused.busy').value, 1);
  await first.return();
  await until(() => counters.counter('speed.bytes').value > 0);
  t.match((await all(measure())).at(-1), { type: 'done' });
});

t.test('who is no box of the network, or speaks something else, hears so', async t => {
  const other = await bench(t, '10.77.0.9');
  t.match(await says(other.port, helloOf('down')), /boxes of one Ginnel network/);
  t.equal(other.counters.counter('speed.refused.stranger').value, 1);
  const own = await bench(t);
  t.match(await says(own.port, 'GET / HTTP/1.1\r\nHost: box\r\n\r\n'), /speed test alone/);
  t.equal(own.counters.counter('speed.refused.other').value, 1);
  await t.rejects(all(other.measure()), { code: 'SPEED_OTHER_VERSION' });
});

t.test('a box that does not take part is told of as that', async t => {
  await t.rejects(all(measured(await freePort())), { code: 'SPEED_NOT_OFFERED', message: /speed-test/ });
  const { door, measure } = await bench(t);
  door.listenAt('');
  await until(() => !door.isOpen);
  await t.rejects(all(measure()), { code: 'SPEED_NOT_OFFERED' });
});

t.test('an end that breaks off in the middle, and one that lies about what it got', async t => {
  const answering = (work: (socket: Socket) => void): Promise<Server> =>
    new Promise(resolve => {
      const server = createServer(socket => {
        socket.on('error', () => undefined);
        socket.once('data', () => work(socket));
      }).listen(0, '127.0.0.1', () => resolve(server));
      t.teardown(() => server.close());
    });
  const portOf = (server: Server): number => (server.address() as AddressInfo).port;
  const breaking = await answering(socket => {
    socket.write(Buffer.from('ginnel speed v1\ng'));
    setTimeout(() => socket.destroy(), 50);
  });
  await t.rejects(all(measured(portOf(breaking))), { code: 'SPEED_BROKEN' });
  const lying = await answering(socket => {
    socket.resume();
    socket.write(Buffer.concat([Buffer.from('ginnel speed v1\ng'), Buffer.alloc(64, 0x7f)]));
  });
  const events = await all(measured(portOf(lying)));
  t.ok(events.some(event => event.type === 'sample' && event.direction === 'up'));
  const rates = events.flatMap(event => (event.type === 'sample' ? [event.bitsPerSecond] : [event.up]));
  t.ok(Math.max(...rates) < 1e13, 'nobody got more than was sent', { rates });
});
