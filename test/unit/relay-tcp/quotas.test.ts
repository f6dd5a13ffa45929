// Who gets how much: shares as data, and nodes that send as fast as they may.
import t, { type Test } from 'tap';
import { fairRates, waterLevel } from '../../../plugins/relay-tcp/fair.ts';
import type { MemoryNode } from '../../support/memory-streams.ts';
import { batchOf, started, type Stage } from './stage.ts';

t.test('max-min: whoever wants less than an equal part gets it, the others share what is left', t => {
  t.equal(waterLevel([10, 30, 1000], 100), 60);
  t.equal(waterLevel([Infinity, Infinity, 10, 10], 100), 40);
  t.equal(waterLevel([50, 50], 100), Infinity);
  t.equal(waterLevel([], 100), Infinity);
  t.equal(waterLevel([Infinity], 0), 0);
  t.equal(waterLevel([5, Infinity], Infinity), Infinity);
  t.end();
});

t.test('max-min: never more in all than there is, and nobody poorer has reason to envy', t => {
  let seed = 7;
  const random = (below: number): number => (seed = (seed * 48271) % 2147483647) % below;
  for (let round = 0; round < 500; round++) {
    const demands = Array.from({ length: 1 + random(12) }, () => (random(5) === 0 ? Infinity : random(200)));
    const cap = random(3) === 0 ? Infinity : 1 + random(100);
    const { rates } = fairRates(demands, 300, cap);
    const given = demands.map((demand, at) => Math.min(demand, rates[at]!));
    const sum = given.reduce((all, one) => all + one, 0);
    t.ok(sum <= 300.001, `${sum} of 300`);
    const most = Math.max(...given);
    for (const [at, demand] of demands.entries())
      if (given[at]! < Math.min(demand, cap)) t.ok(given[at]! >= most - 0.001, 'who is short has the most');
  }
  t.end();
});

interface Sender {
  readonly node: MemoryNode;
  /** kB/s that it wants to send; Infinity: whatever its connection takes. */
  readonly wants: number;
}

/** Bytes per second that each got through, over ten seconds after two for finding out. */
async function measured(s: Stage, senders: readonly Sender[], to: MemoryNode): Promise<number[]> {
  const owed = senders.map(() => 0);
  const run = async (ms: number): Promise<void> => {
    for (let at = 0; at < ms; at += 10) {
      for (const [index, { node, wants }] of senders.entries()) {
        owed[index] = Math.min(200_000, owed[index]! + (wants === Infinity ? 200_000 : wants * 10));
        const link = node.find(s.box.address)!.link(to.peer);
        while (owed[index] >= 1_000 && link.send(batchOf(new Uint8Array(1_000))) === 'sent')
          owed[index] -= 1_000;
      }
      await s.pass(10);
    }
  };
  await run(2_000);
  to.received.length = 0;
  await run(10_000);
  return senders.map(
    ({ node }) =>
      to.received
        .filter(({ source }) => source === node.address)
        .reduce((sum, { payload }) => sum + payload.length + 44, 0) / 10,
  );
}

/** Connections as fast as 10 MB/s, so that a sender is held back by the relay alone. */
async function withSenders(settings: object, wants: readonly number[]) {
  const s = await started({ settings });
  s.network.line = { bytesPerSecond: 10e6, delayMs: 1, capacity: 128 * 1024 };
  const to = s.network.node('to');
  to.connect(s.box);
  const senders = wants.map((one, at) => ({ node: s.network.node(`sender-${at}`), wants: one }));
  for (const { node } of senders) node.connect(s.box);
  await s.pass(20);
  return { s, senders, to };
}

const within = (t: Test, got: number, expected: number, part: number, words: string): void => {
  t.ok(Math.abs(got - expected) <= expected * part, `${words}: ${Math.round(got / 1000)} kB/s`);
};

t.test('a node over its share is slowed, others are not: 8 Mbit/s among three', async t => {
  const { s, senders, to } = await withSenders({ bandwidth: 8 }, [Infinity, 100, 300]);
  const [greedy, small, middle] = await measured(s, senders, to);
  within(t, small!, 104_400, 0.03, 'who wants 100 kB/s gets them');
  within(t, middle!, 313_200, 0.03, 'who wants 300 kB/s gets them');
  within(t, greedy!, 1_000_000 - 417_600, 0.05, 'who wants all gets the rest');
  t.equal(s.count('dropped.quota'), 0, 'nothing is dropped: its own connection slows it');
  t.ok(s.count('slowed') > 0);
});

t.test('two that want all get half each, and all of it is used', async t => {
  const { s, senders, to } = await withSenders({ bandwidth: 8 }, [Infinity, Infinity]);
  const [one, other] = await measured(s, senders, to);
  within(t, one!, 500_000, 0.03, 'one');
  within(t, other!, 500_000, 0.03, 'the other');
});

t.test('a limit for each node holds without one in all', async t => {
  const { s, senders, to } = await withSenders({ 'node-bandwidth': 4 }, [Infinity, 200]);
  const [one, other] = await measured(s, senders, to);
  within(t, one!, 500_000, 0.03, 'one');
  within(t, other!, 208_800, 0.03, 'the other');
});

t.test('a newcomer has its share within half a second', async t => {
  const { s, senders, to } = await withSenders({ bandwidth: 8 }, [Infinity, 0]);
  await measured(s, senders, to);
  to.received.length = 0;
  const late = senders[1]!.node;
  for (let at = 0; at < 1_000; at += 10) {
    for (const { node } of senders)
      while (
        node
          .find(s.box.address)!
          .link(to.peer)
          .send(batchOf(new Uint8Array(1_000))) === 'sent'
      );
    if (at === 500) to.received.length = 0;
    await s.pass(10);
  }
  const bytes = to.received.filter(({ source }) => source === late.address).length * 1_044;
  within(t, bytes * 2, 500_000, 0.3, 'in the second half second');
});

t.test('without limits nobody is slowed, and a limit that is lifted holds nobody any more', async t => {
  const { s, senders, to } = await withSenders({ bandwidth: 0.8 }, [Infinity]);
  const [held] = await measured(s, senders, to);
  within(t, held!, 100_000, 0.05, 'held');
  await s.plugin.reconfigure?.({ serve: true, bandwidth: 0 });
  const [free] = await measured(s, senders, to);
  t.ok(free! > 5e6, `${Math.round(free! / 1000)} kB/s`);
  await s.plugin.reconfigure?.({ serve: true, bandwidth: 8 });
  const [again] = await measured(s, senders, to);
  within(t, again!, 1_000_000, 0.05, 'held again');
});

t.test('a node that is slowed is read from again when forwarding ends', async t => {
  const { s, senders, to } = await withSenders({ bandwidth: 0.01 }, [Infinity]);
  const { node } = senders[0]!;
  for (let at = 0; at < 10; at++)
    node
      .find(s.box.address)!
      .link(to.peer)
      .send(batchOf(new Uint8Array(10_000)));
  await s.pass(100);
  t.equal(s.box.find(node.address)!.isPaused, true);
  await s.plugin.reconfigure?.({ serve: false });
  t.equal(s.box.find(node.address)!.isPaused, false);
});

t.test(
  'frames that come through another relay are held to their own share, too, and slow nobody else behind it',
  async t => {
    const { s, senders, to } = await withSenders({ 'node-bandwidth': 0.8 }, [0]);
    const relay = senders[0]!.node;
    relay.isRelay = true;
    s.box.isRelay = true;
    const [loud, quiet] = [s.network.node('loud'), s.network.node('quiet')];
    const stream = relay.find(s.box.address)!;
    const { frameOf } = await import('./stage.ts');
    for (let at = 0; at < 10_000; at += 10) {
      for (let more = 0; more < 10; more++)
        stream.sendRaw(frameOf(loud.bytes, to.bytes, 3, new Uint8Array(1_000)));
      if (at % 100 === 0) stream.sendRaw(frameOf(quiet.bytes, to.bytes, 3, new Uint8Array(1_000)));
      await s.pass(10);
    }
    const bytesOf = ({ address }: MemoryNode): number =>
      to.received.filter(({ source }) => source === address).length * 1_044;
    within(t, bytesOf(loud) / 10, 108_000, 0.1, 'the loud one');
    within(t, bytesOf(quiet) / 10, 10_440, 0.03, 'the quiet one');
    t.equal(s.box.find(relay.address)!.isPaused, false);
  },
);

t.test('nobody is left unread for longer than three seconds, however little it may send', async t => {
  const { s, senders, to } = await withSenders({ bandwidth: 0.01 }, [Infinity]);
  const { node } = senders[0]!;
  const stream = s.box.find(node.address)!;
  const readAt = [0];
  const resume = stream.resume.bind(stream);
  stream.resume = () => {
    readAt.push(s.clock.monotonicMs());
    resume();
  };
  for (let at = 0; at < 30_000; at += 10) {
    while (
      node
        .find(s.box.address)!
        .link(to.peer)
        .send(batchOf(new Uint8Array(10_000))) === 'sent'
    );
    await s.pass(10);
  }
  const waits = readAt.slice(1).map((at, before) => at - readAt[before]!);
  t.ok(readAt.length >= 9 && Math.max(...waits) <= 3_100, `${Math.round(Math.max(...waits))} ms`);
  const bytes = to.received.reduce((sum, { payload }) => sum + payload.length, 0);
  t.ok(
    bytes <= 82_000 + 10_000 + 40_000,
    `${bytes} bytes in 30 s at 1,250 a second, and what was read before`,
  );
});
