// What koffi's UDP door does beyond the contract (test/contract/udp-door.ts): batches, and sources chosen datagram by datagram.
import { spawnSync } from 'node:child_process';
import t, { type Test } from 'tap';
import { Counters } from '../../base/counters.ts';
import { createArena } from '../../system/arena.ts';
import type { Arena, UdpDoor, UdpOptions, UdpRemote } from '../../system/doors.ts';
import { openLibc } from '../../system/libc.ts';
import { createReadiness } from '../../system/poll.ts';
import type { UdpOffloads } from '../../system/doors.ts';
import { createUdpOpener } from '../../system/udp.ts';
import { batchOf, collect, place, textOf, until } from '../contract/udp-door.ts';

class Bench {
  readonly counters = new Counters();
  readonly arena: Arena;
  readonly #opener;
  readonly #open: UdpDoor[] = [];

  constructor(test: Test, offloads?: UdpOffloads) {
    const libc = openLibc();
    this.arena = createArena(libc);
    const readiness = createReadiness(libc.koffi);
    this.#opener = createUdpOpener(libc, this.arena, readiness, this.counters, offloads);
    test.teardown(() => this.#open.forEach(door => door.close()));
  }

  open(options: Partial<UdpOptions> = {}): UdpDoor {
    const door = this.#opener.open({ family: 4, port: 0, address: '127.0.0.1', ...options });
    this.#open.push(door);
    return door;
  }

  count(name: string): number {
    return this.counters.snapshot()[`udp.${name}`] ?? 0;
  }
}

t.test('datagrams laid up leave with flush, in order, cut at the segment size', async t => {
  const bench = new Bench(t);
  const [a, b] = [bench.open(), bench.open()];
  const heard = collect(b);
  let turns = 0;
  b.onTurnEnded = () => turns++;
  t.equal(a.send(a.remote(place(b)), batchOf('aaaabbbbcc', 4)), 'sent');
  await new Promise(resolve => setImmediate(resolve));
  t.equal(heard.length, 0, 'nothing leaves before the flush');
  a.flush();
  await until('three datagrams', () => heard.length === 3 && turns > 0);
  t.strictSame(
    heard.map(({ text }) => text),
    ['aaaa', 'bbbb', 'cc'],
  );
});

t.test('a batch is cut and put together by the kernel, and arrives as it was', async t => {
  const bench = new Bench(t);
  const [a, b] = [bench.open(), bench.open()];
  const batches: string[] = [];
  b.onBatch = (_, batch) => batches.push(`${textOf(batch)} by ${batch.segment}`);
  a.send(a.remote(place(b)), batchOf('aaaabbbbcc', 4));
  a.send(a.remote(place(b)), batchOf('alone'));
  a.flush();
  await until('both', () => batches.length === 2);
  t.strictSame(batches, ['aaaabbbbcc by 4', 'alone by 5']);
  t.strictSame([bench.count('sent'), bench.count('received'), bench.count('cut-by-kernel')], [4, 4, 1]);
  t.equal(bench.count('put-together-by-kernel'), 1);
});

t.test("each of the kernel's abilities may be missing at either end", async t => {
  for (const [cut, coalesce] of [
    [false, true],
    [true, false],
    [false, false],
  ] as const) {
    const bench = new Bench(t, { cut, coalesce });
    const [a, b] = [bench.open(), bench.open()];
    const heard = collect(b);
    a.send(a.remote(place(b)), batchOf('aaaabbbbcc', 4));
    a.flush();
    await until('three', () => heard.length === 3);
    t.strictSame(
      heard.map(({ text }) => text),
      ['aaaa', 'bbbb', 'cc'],
      `cut ${cut}, coalesce ${coalesce}`,
    );
  }
});

t.test('more than the kernel cuts at once goes in several messages', async t => {
  const bench = new Bench(t);
  const [a, b] = [bench.open(), bench.open()];
  const heard = collect(b);
  const text = 'x'.repeat(200 * 10);
  t.equal(a.send(a.remote(place(b)), batchOf(text, 10)), 'sent');
  a.flush();
  await until('two hundred', () => heard.length === 200);
  t.equal(bench.count('sent'), 200);
});

t.test('a thousand datagrams arrive whole, in bounded turns', async t => {
  const bench = new Bench(t);
  const [a, b] = [bench.open(), bench.open()];
  const remote = a.remote(place(b));
  const lengths: number[] = [];
  const turns: number[] = [];
  let inTurn = 0;
  b.onBatch = (_, batch) => {
    inTurn++;
    lengths.push(batch.length);
  };
  b.onTurnEnded = () => {
    turns.push(inTurn);
    inTurn = 0;
  };
  const source = bench.arena.allocate(1400);
  for (let index = 1; index <= 1000; index++) {
    t.equal(
      a.send(remote, { bytes: bench.arena.memory, offset: source, length: index, segment: index }),
      'sent',
    );
  }
  a.flush();
  await until('a thousand', () => lengths.length === 1000 && inTurn === 0);
  t.strictSame(
    lengths,
    Array.from({ length: 1000 }, (_, index) => index + 1),
  );
  t.ok(Math.max(...turns) <= 128, 'a turn takes at most 128');
  t.equal(bench.count('sent'), 1000);
  t.equal(bench.count('received'), 1000);
});

t.test('an answer leaves from the address that the question came to', async t => {
  const bench = new Bench(t);
  const [box, peer] = [bench.open({ address: '0.0.0.0' }), bench.open({ address: '127.0.0.1' })];
  const answers = collect(peer);
  box.onBatch = (remote, batch) => {
    box.send(remote, batch);
    box.flush();
  };
  for (const address of ['127.0.0.5', '127.0.0.9']) {
    peer.send(peer.remote(place(box, address)), batchOf(address));
    peer.flush();
  }
  await until('two answers', () => answers.length === 2);
  for (const { remote, text } of answers) t.equal(remote.endpoint.address, text);
});

t.test('a source address that is gone is given up, and the datagram still leaves', async t => {
  const bench = new Bench(t);
  const [box, peer] = [bench.open({ address: '0.0.0.0' }), bench.open({ address: '127.0.0.1' })];
  const heard = collect(peer);
  const toPeer = box.remote(place(peer)) as UdpRemote & { setLocal(...words: number[]): void };
  toPeer.setLocal(0x01_02_00_c0, 0, 0, 0); // 192.0.2.1, which no card here has
  t.equal(toPeer.localAddress, '192.0.2.1');
  box.send(toPeer, batchOf('still here'));
  box.flush();
  await until('the datagram', () => heard.length === 1);
  t.equal(toPeer.localAddress, null);
  t.equal(bench.count('source-gone'), 1);
});

t.test('a promise settled in a turn goes on in that turn of the loop', async t => {
  const bench = new Bench(t);
  const [a, b] = [bench.open(), bench.open()];
  let wentOn = false;
  const arrived = new Promise<void>(resolve => {
    b.onBatch = () => resolve();
  }).then(() => (wentOn = true));
  a.send(a.remote(place(b)), batchOf('x'));
  a.flush();
  await arrived;
  t.ok(wentOn);
});

t.test('leaving by process.exit with open doors is clean, from a worker too', t => {
  const doors = new URL('../../system/doors-linux.js', import.meta.url).href;
  const leave = `import('${doors}').then(({ openDoors }) => {
    openDoors().openUdp({ family: 4, port: 0, address: '127.0.0.1' });
    setTimeout(() => process.exit(7), 5);
  });`;
  const inWorker = `const { Worker } = require('node:worker_threads');
    new Worker(${JSON.stringify(leave)}, { eval: true }).on('exit', code => process.exit(code));`;
  for (const script of [leave, inWorker]) {
    const left = spawnSync(process.execPath, ['-e', script], { timeout: 10_000, env: {} });
    t.match(left, { status: 7, signal: null });
  }
  t.end();
});
