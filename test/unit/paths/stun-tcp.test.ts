// STUN over TCP from one local port: Ginnel's own server answers, over real sockets on loopback.
import { createServer, type Socket } from 'node:net';
import t, { type Test } from 'tap';
import { ManualClock, systemClock, type Clock } from '../../../base/clock.ts';
import { Counters } from '../../../base/counters.ts';
import { systemRandom } from '../../../base/random.ts';
import type { StunOutcome } from '../../../core/contract/plugin.ts';
import { Budget } from '../../../core/paths/budget.ts';
import { StunOverTcp } from '../../../core/paths/stun-tcp.ts';
import type { Endpoint } from '../../../protocol/address.ts';
import { readXorMappedAddress } from '../../../protocol/stun/attributes.ts';
import { openDoors } from '../../../system/doors-linux.ts';
import { startServer } from '../../support/location-server.ts';
import { freePort } from '../../support/tcp-ports.ts';

const place = (port: number): Endpoint => ({ family: 4, address: '127.0.0.1', port });
const doors = openDoors();

function measuring(t: Test, clock: Clock = systemClock) {
  const counters = new Counters();
  const told = { closed: 0 };
  const source = doors.openTcpSource!({ family: 4 });
  const budget = new Budget(counters, clock.monotonicMs());
  const options = { clock, random: systemRandom, budget, counters };
  const stun = new StunOverTcp(source, options, () => told.closed++);
  t.teardown(() => stun.close());
  const ask = (port: number): Promise<StunOutcome> =>
    stun.transact({ to: place(port), attributes: [], timeoutMs: 2_000 });
  return { counters, stun, ask, told };
}

const mappedPort = (outcome: StunOutcome): number | undefined =>
  outcome.ok ? readXorMappedAddress(outcome.message)?.port : undefined;

async function listen(t: Test, connected: (socket: Socket) => void): Promise<number> {
  const sockets = new Set<Socket>();
  const server = createServer(socket => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    connected(socket);
  });
  const port = await freePort();
  await new Promise<void>(resolve => server.listen(port, '127.0.0.1', resolve));
  t.teardown(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return port;
}

t.test('P2, P7: two places of the server see one inner port, by connections that stay open', async t => {
  const secondPort = await freePort();
  const { port, counters } = await startServer(t, { secondPort });
  const { stun, ask } = measuring(t);
  const outcomes = await Promise.all([ask(port), ask(secondPort)]);
  t.same(outcomes.map(mappedPort), [stun.localPort, stun.localPort]);
  t.match(outcomes[1], { from: place(secondPort), local: { address: '127.0.0.1', port: stun.localPort } });
  t.equal(mappedPort(await ask(port)), stun.localPort, 'and again, by the same connection');
  t.equal(counters.snapshot()['stun-tcp.answered'], 3);
});

t.test('P7: the second port answers STUN and nothing else', async t => {
  const secondPort = await freePort();
  await startServer(t, { secondPort });
  const outcome = await fetch(`http://127.0.0.1:${secondPort}/`).catch(() => 'nothing');
  t.equal(outcome, 'nothing');
});

t.test('P7: a second port that another program has over TCP keeps no server from starting', async t => {
  const secondPort = await listen(t, () => undefined);
  const { port } = await startServer(t, { secondPort });
  const { stun, ask } = measuring(t);
  t.equal(mappedPort(await ask(port)), stun.localPort);
});

t.test('P7: who is not there, hangs up, talks nonsense or says nothing', async t => {
  const { counters, ask } = measuring(t);
  t.same(await ask(await freePort()), { ok: false, code: 'unreachable' });
  t.same(await ask(await listen(t, socket => void socket.destroy())), { ok: false, code: 'unreachable' });
  const nonsense = await listen(t, socket => void socket.write('HTTP/1.1 200 OK\r\n\r\n'));
  t.same(await ask(nonsense), { ok: false, code: 'unreachable' });
  t.equal(counters.snapshot()['stun.tcp-garbage'], 1);
  const clock = new ManualClock();
  const patient = measuring(t, clock);
  const waiting = patient.ask(await listen(t, () => undefined));
  clock.advance(2_000);
  t.same(await waiting, { ok: false, code: 'timeout' });
});

t.test('P7: whoever closes it, or gives up, hears so at once', async t => {
  const { stun, ask, told } = measuring(t);
  const port = await listen(t, () => undefined);
  const given = new AbortController();
  const first = stun.transact({ to: place(port), attributes: [] }, given.signal);
  const second = ask(port);
  given.abort();
  t.same(await first, { ok: false, code: 'aborted' });
  stun.close();
  stun.close();
  t.same(await second, { ok: false, code: 'aborted' });
  t.same(await ask(port), { ok: false, code: 'aborted' });
  t.equal(told.closed, 1);
});

t.test('P7: so many places and no more', async t => {
  const { ask } = measuring(t);
  const ports = await Promise.all(Array.from({ length: 17 }, () => listen(t, () => undefined)));
  const asked = ports.map(port => ask(port));
  t.same(await asked[16], { ok: false, code: 'budget' });
});
