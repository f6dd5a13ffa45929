// The TCP ports of a box, shared by first byte: real sockets on loopback, time by hand.
import { connect, createServer, type Server, type Socket } from 'node:net';
import t, { type Test } from 'tap';
import { ManualClock } from '../../base/clock.ts';
import { Counters } from '../../base/counters.ts';
import type { ClaimedPort, TcpClaim } from '../../system/doors.ts';
import { TcpPorts } from '../../system/tcp-ports.ts';
import type { TcpLimits } from '../../system/tcp-silent.ts';

const WEB = 0x47;
const STREAM = 0x8f;

/** A box's ports; each claim says its name to whoever it takes, then what it hears. */
class Bench {
  readonly clock = new ManualClock();
  readonly counters = new Counters();
  readonly ports: TcpPorts;
  readonly #test: Test;

  constructor(test: Test, limits: Partial<TcpLimits> = {}) {
    this.#test = test;
    this.ports = new TcpPorts({ clock: this.clock, counters: this.counters, limits });
  }

  async claim(name: string, first: number, port: number, address = '127.0.0.1'): Promise<ClaimedPort> {
    const claimed = await this.ports.claim({ ...echo(name, first), port, address });
    this.#test.teardown(() => claimed.close());
    return claimed;
  }

  /** A connection that sends these bytes, if any. */
  async open(port: number, bytes: readonly number[] = [], to = '127.0.0.1'): Promise<Caller> {
    const caller = new Caller(connect({ port, host: to }));
    this.#test.teardown(() => caller.socket.destroy());
    await caller.connected;
    if (bytes.length > 0) caller.socket.write(Uint8Array.from(bytes));
    return caller;
  }

  /** Who answers there; `refused` where nobody listens, `closed` where nobody wants it. */
  async who(port: number, first: number, to = '127.0.0.1'): Promise<string> {
    const caller = await this.open(port, [first, 1, 2], to).catch(() => null);
    if (caller === null) return 'refused';
    const heard = await caller.hears(1);
    caller.socket.destroy();
    return heard === '' ? 'closed' : heard.split(':')[0]!;
  }

  count(name: string): number {
    return this.counters.snapshot()[name] ?? 0;
  }
}

class Caller {
  readonly socket: Socket;
  readonly connected: Promise<void>;
  readonly closed: Promise<void>;
  #heard = '';

  constructor(socket: Socket) {
    this.socket = socket;
    this.connected = new Promise((resolve, reject) => {
      socket.once('connect', resolve);
      socket.once('error', reject);
    });
    this.closed = new Promise(resolve => socket.once('close', () => resolve()));
    socket.on('error', () => undefined);
    socket.on('data', bytes => (this.#heard += bytes.toString('latin1')));
  }

  /** So many characters, or what there was until it was closed. */
  async hears(characters: number): Promise<string> {
    while (this.#heard.length < characters && !this.socket.closed) await turn();
    return this.#heard;
  }
}

const echo = (name: string, first: number): Omit<TcpClaim, 'port'> => ({
  ...{ name, setting: 'tcp-port' },
  wants: firstByte => firstByte === first,
  take(socket) {
    socket.write(`${name}:`);
    socket.on('data', bytes => socket.write(bytes));
  },
});

const turn = (): Promise<void> => new Promise(resolve => setImmediate(resolve));

async function listenAs(t: Test, address: string, port = 0): Promise<number> {
  const foreign: Server = createServer().listen(port, address);
  await new Promise(resolve => foreign.once('listening', resolve));
  t.teardown(() => foreign.close());
  const bound = foreign.address();
  return typeof bound === 'object' && bound !== null ? bound.port : 0;
}

t.test('the first byte says whose a connection is, and who takes it misses nothing of it', async t => {
  const bench = new Bench(t);
  const { port } = await bench.claim('web', WEB, 0);
  t.equal((await bench.claim('stream', STREAM, port)).port, port);
  const web = await bench.open(port, [WEB, 0x45, 0x54]);
  t.equal(await web.hears(7), 'web:GET');
  const stream = await bench.open(port, [STREAM]);
  t.equal(await stream.hears(8), 'stream:\x8f', 'a byte alone');
  stream.socket.write('more');
  t.equal(await stream.hears(12), 'stream:\x8fmore', 'and what follows later');
});

t.test('two share a port in whichever order they come and go', async t => {
  for (const [first, second] of [
    ['web', 'stream'],
    ['stream', 'web'],
  ] as const) {
    for (const leaver of [first, second]) {
      const bench = new Bench(t);
      const byte = { web: WEB, stream: STREAM };
      const one = await bench.claim(first, byte[first], 0);
      const { port } = one;
      const other = await bench.claim(second, byte[second], port);
      const way = `${first}, ${second}; ${leaver} leaves`;
      t.same([await bench.who(port, WEB), await bench.who(port, STREAM)], ['web', 'stream'], way);
      const kept = await bench.open(port, [byte[leaver]]);
      await kept.hears(leaver.length + 2);
      await (leaver === first ? one : other).close();
      const stays = leaver === first ? second : first;
      t.equal(await bench.who(port, byte[leaver]), 'closed', `${way}: nobody wants its own`);
      t.equal(await bench.who(port, byte[stays]), stays, `${way}: the other one is served`);
      kept.socket.write('still');
      t.match(await kept.hears(leaver.length + 7), /still$/, `${way}: what it had taken goes on`);
      await bench.claim(leaver, byte[leaver], port);
      t.equal(await bench.who(port, byte[leaver]), leaver, `${way}: it may come back`);
    }
  }
});

t.test('the port is free after the last one, silent connections are closed with it', async t => {
  const bench = new Bench(t);
  const one = await bench.claim('web', WEB, 0);
  const other = await bench.claim('stream', STREAM, one.port);
  const silent = await bench.open(one.port);
  await until(() => bench.ports.silent === 1);
  await one.close();
  await one.close();
  t.equal(await bench.who(one.port, STREAM), 'stream', 'closing twice takes nothing from the other');
  await other.close();
  await silent.closed;
  t.equal(await bench.who(one.port, WEB), 'refused');
  t.equal(await listenAs(t, '127.0.0.1', one.port), one.port, 'anybody may have it at once');
});

t.test('a claim of one address shares the listener for all, and gets what comes to its address', async t => {
  const bench = new Bench(t);
  const all = await bench.claim('stream', STREAM, 0, '');
  const { port } = all;
  await bench.claim('web', WEB, port, '127.0.0.2');
  t.same(await whoAt(bench, port, ['127.0.0.1', '127.0.0.2']), ['closed stream', 'web stream']);
  await all.close();
  t.same(await whoAt(bench, port, ['127.0.0.1', '127.0.0.2']), ['closed closed', 'web closed']);
});

t.test('a claim of all addresses shares the listeners that stand for single ones', async t => {
  const bench = new Bench(t);
  const one = await bench.claim('web', WEB, 0, '127.0.0.1');
  const { port } = one;
  await bench.claim('web', WEB, port, '127.0.0.2');
  const all = await bench.claim('stream', STREAM, port, '');
  const places = ['127.0.0.1', '127.0.0.2', '127.0.0.3'];
  t.same(await whoAt(bench, port, places), ['web stream', 'web stream', 'refused refused']);
  await bench.claim('web', WEB, port, '127.0.0.3');
  t.same(await whoAt(bench, port, places), ['web stream', 'web stream', 'web stream'], 'later ones too');
  await one.close();
  t.equal((await whoAt(bench, port, places))[0], 'closed stream', 'it stays for whom it serves still');
  await all.close();
  t.same(await whoAt(bench, port, places), ['refused refused', 'web closed', 'web closed']);
});

t.test('all addresses are those of IPv4 and of IPv6', async t => {
  const bench = new Bench(t);
  const { port } = await bench.claim('stream', STREAM, 0, '');
  t.same(await whoAt(bench, port, ['127.0.0.1', '::1']), ['closed stream', 'closed stream']);
  await bench.claim('web', WEB, port, '::1');
  t.same(await whoAt(bench, port, ['127.0.0.1', '::1']), ['closed stream', 'web stream']);
});

t.test('a port of another program is told apart from one that is not ours to have', async t => {
  const bench = new Bench(t);
  const port = await listenAs(t, '127.0.0.1');
  for (const address of ['127.0.0.1', '']) {
    await t.rejects(bench.claim('other boxes', STREAM, port, address), {
      code: 'TCP_PORT_TAKEN',
      retry: true,
      message: /TCP port \d+ cannot be opened for other boxes: it is taken\. .*ginnel set tcp-port/,
    });
  }
  await t.rejects(bench.claim('other boxes', STREAM, 0, '192.0.2.1'), { code: 'ADDRESS_UNAVAILABLE' });
  const any = await bench.claim('stream', STREAM, 0);
  t.not(any.port, port, 'another one is to be had at once');
  t.equal(await bench.who(any.port, STREAM), 'stream');
});

t.test('whose first byte nobody wants is closed, and counted', async t => {
  const bench = new Bench(t);
  const { port } = await bench.claim('stream', STREAM, 0);
  t.equal(await bench.who(port, 0xff), 'closed');
  t.equal(bench.count('unwanted'), 1);
});

t.test('who says nothing is closed after ten seconds, who speaks in time is not', async t => {
  const bench = new Bench(t);
  const { port } = await bench.claim('stream', STREAM, 0);
  const [silent, late] = [await bench.open(port), await bench.open(port)];
  await until(() => bench.ports.silent === 2);
  bench.clock.advance(9_900);
  late.socket.write(Uint8Array.of(STREAM));
  t.equal(await late.hears(8), 'stream:\x8f');
  t.equal(bench.count('silent'), 0);
  bench.clock.advance(100);
  await silent.closed;
  t.equal(bench.count('silent'), 1);
  bench.clock.advance(60_000);
  late.socket.write('on');
  t.equal(await late.hears(10), 'stream:\x8fon');
});

t.test('of too many silent ones the oldest go; those who speak are heard all the same', async t => {
  const bench = new Bench(t, { silent: 20 });
  const { port } = await bench.claim('stream', STREAM, 0);
  const callers: Caller[] = [];
  for (let at = 0; at < 25; at++) {
    callers.push(await bench.open(port));
    await until(
      () =>
        bench.ports.silent === Math.min(at + 1, 20) &&
        bench.count('too-many-silent') === Math.max(0, at - 19),
    );
  }
  await Promise.all(callers.slice(0, 5).map(({ closed }) => closed));
  t.equal(bench.count('too-many-silent'), 5);
  t.equal(bench.ports.silent, 20);
  t.equal(await bench.who(port, STREAM), 'stream');
});

t.test('of one address fewer may stay silent, another address is not touched', async t => {
  const bench = new Bench(t);
  const { port } = await bench.claim('stream', STREAM, 0);
  const other = new Caller(connect({ port, host: '127.0.0.1', localAddress: '127.0.0.9' }));
  t.teardown(() => other.socket.destroy());
  await other.connected;
  const callers: Caller[] = [];
  for (let at = 0; at < 40; at++) callers.push(await bench.open(port));
  await until(() => bench.ports.silent === 41);
  t.equal(bench.count('too-many-silent'), 0, 'for a second a row of honest ones may come to speak');
  bench.clock.advance(1_000);
  await Promise.all(callers.slice(0, 8).map(({ closed }) => closed));
  t.equal(bench.ports.silent, 33);
  t.equal(bench.count('too-many-silent'), 8);
  other.socket.write(Uint8Array.of(STREAM));
  t.equal(await other.hears(8), 'stream:\x8f');
  callers[8]!.socket.write(Uint8Array.of(STREAM));
  t.equal(await callers[8]!.hears(8), 'stream:\x8f', 'the newest 32 stay');
});

t.test('a connection that breaks harms nobody', async t => {
  const bench = new Bench(t);
  const { port } = await bench.claim('stream', STREAM, 0);
  for (let times = 0; times < 10; times++) (await bench.open(port)).socket.resetAndDestroy();
  const taken = await bench.open(port, [STREAM]);
  await taken.hears(8);
  taken.socket.resetAndDestroy();
  await until(() => bench.ports.silent === 0);
  t.equal(await bench.who(port, STREAM), 'stream');
});

t.test('a connection out: it stands, is refused, takes too long, or is called off', async t => {
  const bench = new Bench(t);
  const { port } = await bench.claim('stream', STREAM, 0);
  const to = { family: 4, address: '127.0.0.1', port } as const;
  const socket = await bench.ports.connect(to, { timeoutMs: 1000 });
  const caller = new Caller(socket);
  t.teardown(() => socket.destroy());
  socket.write(Uint8Array.of(STREAM));
  t.equal(await caller.hears(8), 'stream:\x8f');
  bench.clock.advance(5_000);
  t.notOk(socket.destroyed, 'the time to connect is over once it stands');
  const nobody = { ...to, address: '127.0.0.2' };
  await t.rejects(bench.ports.connect(nobody, { timeoutMs: 1000 }), {
    code: 'TCP_UNREACHABLE',
    message: /127\.0\.0\.2:\d+ cannot be reached by TCP\. ECONNREFUSED\./,
  });
  const slow = bench.ports.connect(to, { timeoutMs: 1000 });
  bench.clock.advance(1000);
  await t.rejects(slow, { code: 'TCP_UNREACHABLE', message: /did not answer within 1 s/ });
  const calledOff = new AbortController();
  const off = bench.ports.connect(to, { timeoutMs: 1000, signal: calledOff.signal });
  calledOff.abort();
  await t.rejects(off, { name: 'AbortError' });
  await t.rejects(bench.ports.connect(to, { timeoutMs: 1000, signal: calledOff.signal }), {
    name: 'AbortError',
  });
});

/** For each address who answers the web's first byte, and the streams'. */
async function whoAt(bench: Bench, port: number, addresses: readonly string[]): Promise<string[]> {
  const lines: string[] = [];
  for (const at of addresses)
    lines.push(`${await bench.who(port, WEB, at)} ${await bench.who(port, STREAM, at)}`);
  return lines;
}

async function until(isSo: () => boolean): Promise<void> {
  const end = performance.now() + 5_000;
  while (!isSo()) {
    if (performance.now() > end) throw new Error('not within 5 s');
    await turn();
  }
}
