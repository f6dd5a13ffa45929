// Both ends open connections to each other at once (P7): what an end does with what stands, what is refused, and what is not
// who it should be. Real sockets on loopback, where the other end listens; through NATs it is test/lab/tcp-punch.test.ts.
import { createServer, type AddressInfo, type Socket } from 'node:net';
import t, { type Test } from 'tap';
import { systemClock } from '../../../base/clock.ts';
import { Counters } from '../../../base/counters.ts';
import { silentLog } from '../../../base/log.ts';
import type { PunchShot } from '../../../core/contract/punch.ts';
import type { PunchAsk } from '../../../core/streams/punching.ts';
import { Streams } from '../../../core/streams/streams.ts';
import type { Endpoint } from '../../../protocol/address.ts';
import type { SignedNode } from '../../../protocol/location/messages.ts';
import { primitives } from '../../../system/crypto.ts';
import { openDoors } from '../../../system/doors-linux.ts';
import { lendReads } from '../../../system/tcp-reading.ts';
import { freePort } from '../../support/tcp-ports.ts';
import { makeIdentity, nodeOf, serverControl } from '../control/made-up.ts';

const never = new AbortController().signal;
const doors = openDoors();
// The node's timers keep no process alive.
const alive = setInterval(() => undefined, 1_000);
t.teardown(() => clearInterval(alive));

interface Box {
  readonly streams: Streams;
  readonly node: SignedNode;
  readonly counters: Counters;
  /** What `open` connects with. */
  socket: Socket | null;
}

async function box(t: Test, name: string, doubt: string | null = null): Promise<Box> {
  const identity = await makeIdentity();
  const node = nodeOf(identity, name, '10.77.0.2');
  const counters = new Counters();
  const streams = new Streams({
    ...{ clock: systemClock, counters, log: silentLog, primitives, lendReads },
    ...{ node: identity.id, control: identity.control, serverKey: serverControl.publicKey },
    self: () => node,
    doubt: () => doubt,
    connect: () => Promise.resolve(made.socket!),
    heardOf: () => undefined,
  });
  const made: Box = { streams, node, counters, socket: null };
  streams.setAddress(node.record.ip6);
  t.teardown(() => streams.close());
  return made;
}

async function listen(t: Test, connected: (socket: Socket) => void, port = 0): Promise<Endpoint> {
  const sockets = new Set<Socket>();
  const server = createServer(socket => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    connected(socket);
  });
  await new Promise<void>(resolve => server.listen(port, '127.0.0.1', resolve));
  t.teardown(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return place((server.address() as AddressInfo).port);
}

const place = (port: number): Endpoint => ({ family: 4, address: '127.0.0.1', port });
const shot = (to: Endpoint, atMs = 0, ttl: PunchShot['ttl'] = 'full'): PunchShot => ({
  ...{ from: 'measured', to, atMs, ttl },
});

interface Made extends PunchAsk {
  readonly told: { closed: number };
}

function ask(
  node: SignedNode,
  shots: readonly PunchShot[],
  more: Partial<PunchAsk> & { endsMs?: number } = {},
): Made {
  const source = doors.openTcpSource!({ family: 4 });
  const told = { closed: 0 };
  const close = (): void => {
    told.closed++;
    source.close();
  };
  const { endsMs = 400, ...rest } = more;
  return {
    ...{ node, told, role: 'offerer', port: { source, close }, volley: { shots, endsMs } },
    mayShoot: () => true,
    ...rest,
  };
}

t.test('P7: the offerer begins on what stands, and the stream is an ordinary one', async t => {
  const [one, other] = [await box(t, 'one'), await box(t, 'other')];
  const at = await listen(t, socket => other.streams.accept(socket));
  const asked = ask(other.node, [shot(at)]);
  const { localPort } = asked.port.source;
  const stream = await one.streams.punch(asked, never);
  t.equal(stream.node, other.node.record.id);
  t.ok(stream.isOurs);
  t.same(stream.remote, at);
  t.equal([...one.streams.all][0]?.local?.port, localPort, 'from the port that was measured');
  const { id, name, ip6 } = other.node.record;
  t.match(stream.link({ node: id, name, ip6 }), { transport: 'tcp', traits: { relayed: false } });
  t.ok(asked.told.closed > 0, 'the port is closed');
  t.equal(stream.isClosed, false);
});

t.test('P7: the answerer waits on all that stands, and keeps the one that proves itself', async t => {
  const [one, other] = [await box(t, 'one'), await box(t, 'other')];
  const silent = new Set<Socket>();
  const strangers = [
    await listen(t, socket => void silent.add(socket)),
    await listen(t, socket => void silent.add(socket)),
  ];
  const begun: { stream: Promise<unknown> | null } = { stream: null };
  const at = await listen(t, socket => {
    other.socket = socket;
    begun.stream = other.streams.open({ node: one.node, places: [place(1)] }, never);
  });
  const asked = ask(
    other.node,
    [...strangers, at].map(to => shot(to)),
    { role: 'answerer' },
  );
  const stream = await one.streams.punch(asked, never);
  t.same([stream.remote, stream.isOurs], [at, false]);
  await begun.stream;
  t.equal(silent.size, 2);
  for (const socket of silent)
    if (!socket.closed) await new Promise(resolve => socket.once('close', resolve));
  t.pass('the others are closed');
});

t.test('P7: an offerer turns to the next one where the first says nothing', async t => {
  const [one, other] = [await box(t, 'one'), await box(t, 'other')];
  const stranger = await listen(t, () => undefined);
  const at = await listen(t, socket => other.streams.accept(socket));
  const stream = await one.streams.punch(ask(other.node, [shot(stranger), shot(at, 100)]), never);
  t.same(stream.remote, at);
});

t.test('P7: a refused one is tried again at once, until their NAT is open', async t => {
  const [one, other] = [await box(t, 'one'), await box(t, 'other')];
  const port = await freePort();
  const punching = one.streams.punch(ask(other.node, [shot(place(port))], { endsMs: 5_000 }), never);
  while ((one.counters.snapshot()['punch.refused'] ?? 0) < 3)
    await new Promise(resolve => setTimeout(resolve, 5));
  await listen(t, socket => other.streams.accept(socket), port);
  t.equal((await punching).node, other.node.record.id);
  const { 'punch.sent': sent = 0, 'punch.refused': refused = 0 } = one.counters.snapshot();
  t.ok(sent >= 4 && sent === refused + 1, `each refusal is followed by one more: ${sent}, ${refused}`);
});

t.test(
  'P7: an opener that is refused is not repeated; nothing goes beyond the budget or the end',
  async t => {
    const [one, other] = [await box(t, 'one'), await box(t, 'other')];
    const port = await freePort();
    const opener = ask(other.node, [shot(place(port), 0, 'low')], { endsMs: 200 });
    await t.rejects(one.streams.punch(opener, never), { code: 'STREAM_UNREACHABLE', message: /refused/ });
    t.match(one.counters.snapshot(), { 'punch.sent': 1, 'punch.refused': 1 });
    const poor = ask(other.node, [shot(place(port))], { endsMs: 300, mayShoot: () => spent++ < 5 });
    let spent = 0;
    await t.rejects(one.streams.punch(poor, never), { code: 'STREAM_UNREACHABLE' });
    t.match(one.counters.snapshot(), { 'punch.sent': 6, 'punch.over-budget': 1 });
  },
);

t.test('P7: whoever answers and is another node, or is not let in, is no stream', async t => {
  const [one, other, third] = [await box(t, 'one'), await box(t, 'other'), await box(t, 'third')];
  const at = await listen(t, socket => third.streams.accept(socket));
  await t.rejects(one.streams.punch(ask(other.node, [shot(at)]), never), { code: 'STREAM_REFUSED' });
  const wrong = await listen(t, socket => {
    third.socket = socket;
    third.streams.open({ node: one.node, places: [place(1)] }, never).catch(() => undefined);
  });
  const answering = ask(other.node, [shot(wrong)], { role: 'answerer' });
  await t.rejects(one.streams.punch(answering, never), { code: 'STREAM_REFUSED', message: /another node/ });
  t.same([...one.streams.all], []);
  const wary = await box(t, 'wary', 'it was removed');
  const doubted = ask(other.node, [shot(at)]);
  await t.rejects(wary.streams.punch(doubted, never), { code: 'STREAM_REFUSED', message: /it was removed/ });
  t.equal(doubted.told.closed, 1);
});

t.test('P7: a try in vain, or given up, leaves an existing stream as it was', async t => {
  const [one, other] = [await box(t, 'one'), await box(t, 'other')];
  const at = await listen(t, socket => other.streams.accept(socket));
  const first = await one.streams.punch(ask(other.node, [shot(at)]), never);
  const vain = ask(other.node, [shot(place(await freePort()))], { endsMs: 100 });
  await t.rejects(one.streams.punch(vain, never), { code: 'STREAM_UNREACHABLE' });
  const given = new AbortController();
  const aborted = ask(other.node, [shot(place(await freePort()))], { endsMs: 5_000 });
  const punching = one.streams.punch(aborted, given.signal);
  given.abort(new Error('roamed'));
  await t.rejects(punching, { message: 'roamed' });
  t.ok(aborted.told.closed > 0);
  t.same([...one.streams.all], [first]);
  t.equal(first.isClosed, false);
  const second = await one.streams.punch(ask(other.node, [shot(at)]), never);
  t.not(second, first, 'one that works takes over');
  t.same([...one.streams.all], [second]);
});
