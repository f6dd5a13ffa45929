// The relay's side: what is forwarded, where to, and what is not.
import t from 'tap';
import type { MemoryNode } from '../../support/memory-streams.ts';
import { batchOf, frameOf, stageAt, started, type Stage } from './stage.ts';

const text = (node: MemoryNode): string[] =>
  node.received.map(({ payload }) => Buffer.from(payload).toString());
const say = (words: string) => batchOf(Buffer.from(words));
/** By the node's connection to the relay, as `link` would. */
const send = (from: MemoryNode, relay: MemoryNode, to: MemoryNode, words: string): string =>
  from.find(relay.address)!.link(to.peer).send(say(words));

/** Two nodes that keep a connection to the box. */
async function pair(stage?: Stage): Promise<Stage & { a: MemoryNode; b: MemoryNode }> {
  const s = stage ?? (await started());
  const [a, b] = [s.network.node('a'), s.network.node('b')];
  a.connect(s.box);
  b.connect(s.box);
  return { ...s, a, b };
}

t.test(
  'V11: a frame for another node goes out on that node’s connection, one for the relay is handed up',
  async t => {
    const s = await pair();
    t.equal(send(s.a, s.box, s.b, 'one'), 'sent');
    t.equal(send(s.b, s.box, s.a, 'two'), 'sent');
    t.equal(send(s.a, s.box, s.box, 'three'), 'sent');
    await s.pass(50);
    t.same([text(s.a), text(s.b), text(s.box)], [['two'], ['one'], ['three']]);
    t.equal(s.b.received[0]?.source, s.a.address, 'its source is still the first sender');
    t.equal(s.b.received[0]?.hops, 3, 'one hop less');
    t.equal(s.count('forwarded.frames'), 2);
    t.equal(s.count('forwarded.bytes'), 2 * 44 + 6);
    t.same([...s.a.breaches, ...s.b.breaches], [], 'numbers grow on each connection');
    t.same(s.words.asked, [], 'the server is not asked');
  },
);

t.test('V11: many frames, in order, whoever sends them', async t => {
  const s = await pair();
  const sent = Array.from({ length: 200 }, (_, at) => `${at}`);
  for (const words of sent) {
    send(s.a, s.box, s.b, words);
    send(s.b, s.box, s.a, words);
    await s.pass(10);
  }
  t.same(text(s.b), sent);
  t.same(text(s.a), sent);
  t.same(s.a.breaches, []);
});

t.test('V11: what is not connected here is reached through a relay that it keeps: two hops', async t => {
  const s = await started();
  const [a, far, second] = [s.network.node('a'), s.network.node('far'), s.network.node('second')];
  const other = stageAt(s.clock, second);
  await other.plugin.start(new AbortController().signal);
  for (const relay of [s.box, second]) relay.isRelay = true;
  a.connect(s.box);
  far.connect(second);
  s.words.routes.set(far.node, { tcp: [], relays: [s.box.place, second.place] });
  other.words.routes.set(a.node, { tcp: [], relays: [s.box.place] });
  for (const words of ['one', 'two', 'three']) t.equal(send(a, s.box, far, words), 'sent');
  await s.pass(100);
  t.same(text(far), ['one', 'two', 'three'], 'what waited for the answer comes in order');
  t.equal(far.received[0]?.hops, 2);
  t.same(s.words.asked, [far.peer.ip6], 'one question');
  send(far, second, a, 'back');
  await s.pass(100);
  t.same(text(a), ['back'], 'and the other way, over the connection that stands');
  t.equal(second.opened, 0);
  t.equal(s.box.opened, 1);
  t.same([...far.breaches, ...second.breaches, ...s.box.breaches], []);
  send(a, s.box, far, 'four');
  await s.pass(50);
  t.equal(s.words.asked.length, 1, 'the answer is remembered');
  await s.pass(11_000);
  send(a, s.box, far, 'five');
  await s.pass(50);
  t.equal(s.words.asked.length, 2, 'for ten seconds');
  t.same(text(far).slice(-2), ['four', 'five'], 'nobody waits for the new one');
  second.crash();
  send(a, s.box, far, 'lost');
  await s.pass(5_000);
  t.same(a.unreachable, [far.address], 'a relay that is gone: the sender is told');
});

t.test('V11: a destination with a TCP door of its own is connected to', async t => {
  const s = await started();
  const [a, open] = [s.network.node('a'), s.network.node('open')];
  a.connect(s.box);
  s.words.routes.set(open.node, { tcp: [open.endpoint], relays: [] });
  send(a, s.box, open, 'hello');
  await s.pass(100);
  t.same(text(open), ['hello']);
  for (let at = 0; at < 20; at++) {
    send(a, s.box, open, 'more');
    await s.pass(10_000);
  }
  t.equal(s.box.opened, 1, 'kept while it is used');
  t.equal(text(open).length, 21);
  await s.pass(120_000);
  t.equal(open.find(s.box.address), null, 'closed when it has been idle for 90 s');
});

t.test('V11: a node that connects while it is looked for gets what waited for it', async t => {
  const s = await pair();
  const late = s.network.node('late');
  s.words.answerAfterMs = 1_000;
  send(s.a, s.box, late, 'early');
  await s.pass(100);
  late.connect(s.box);
  await s.pass(50);
  t.same(text(late), ['early']);
  send(s.a, s.box, late, 'then');
  await s.pass(2_000);
  t.same(text(late), ['early', 'then']);
  t.same(s.a.unreachable, []);
});

t.test('V11: a destination that nobody knows is refused, and asked for once in two seconds', async t => {
  const s = await pair();
  const nobody = s.network.node('nobody');
  s.network.nodes.delete(nobody.node);
  for (let at = 0; at < 5; at++) {
    send(s.a, s.box, nobody, 'anyone?');
    await s.pass(100);
  }
  t.equal(s.words.asked.length, 1);
  t.equal(s.count('dropped.unknown'), 5);
  t.same(new Set(s.a.unreachable), new Set([nobody.address]));
  await s.pass(2_000);
  send(s.a, s.box, nobody, 'anyone?');
  await s.pass(100);
  t.equal(s.words.asked.length, 2);
});

t.test('V11: what waits for an answer is bounded, by frames and by bytes', async t => {
  const s = await pair();
  const far = s.network.node('far');
  s.words.answerAfterMs = 1_500;
  for (let at = 0; at < 100; at++) send(s.a, s.box, far, 'small');
  await s.pass(1_000);
  t.equal(s.count('dropped.held'), 36, '64 wait');
  const further = s.network.node('further');
  for (let at = 0; at < 4; at++)
    s.a
      .find(s.box.address)!
      .link(further.peer)
      .send(batchOf(new Uint8Array(50_000)));
  await s.pass(100);
  t.equal(s.count('dropped.held'), 38, '128 KiB wait');
});

t.test(
  'a frame whose hops are used up, or that is addressed to its sender, or leaves the network, goes nowhere',
  async t => {
    const s = await pair();
    const stream = s.a.find(s.box.address)!;
    const outside = new Uint8Array(16).fill(0xfd);
    stream.sendRaw(frameOf(s.a.bytes, s.b.bytes, 1));
    stream.sendRaw(frameOf(s.a.bytes, s.b.bytes, 0));
    stream.sendRaw(frameOf(s.a.bytes, s.a.bytes));
    stream.sendRaw(frameOf(s.a.bytes, outside));
    stream.sendRaw(frameOf(s.a.bytes, s.b.bytes, 2));
    await s.pass(100);
    t.equal(s.b.received.length, 1, 'with two hops left it arrives');
    t.equal(s.b.received[0]?.hops, 1);
    t.equal(s.count('dropped.hops'), 2);
    t.equal(s.count('dropped.to-itself'), 1);
    t.equal(s.count('dropped.outside'), 1);
    t.same(s.words.asked, [], 'nobody is asked for it');
  },
);

t.test('a frame never goes back to where it came from, nor round in circles', async t => {
  const s = await started();
  const [a, far, second] = [s.network.node('a'), s.network.node('far'), s.network.node('second')];
  const other = stageAt(s.clock, second);
  await other.plugin.start(new AbortController().signal);
  for (const relay of [s.box, second]) relay.isRelay = true;
  a.connect(s.box);
  // Each relay believes that the other one has it.
  s.words.routes.set(far.node, { tcp: [], relays: [second.place, s.box.place] });
  other.words.routes.set(far.node, { tcp: [], relays: [s.box.place, second.place] });
  send(a, s.box, far, 'lost');
  await s.pass(3_000);
  t.equal(s.count('forwarded.frames'), 1);
  t.equal(other.count('forwarded.frames'), 0);
  t.same(s.box.unreachable.length + a.unreachable.length, 0, 'a notice goes one hop');
  second.find(s.box.address)?.sendRaw(frameOf(far.bytes, second.bytes));
  await s.pass(100);
  t.equal(s.count('dropped.back'), 1, 'addressed to the node that brought it');
});

t.test('a hostile node causes few questions to the server, and takes nobody else’s', async t => {
  const s = await pair();
  const known = s.network.node('known');
  s.words.routes.set(known.node, { tcp: [known.endpoint], relays: [] });
  const stream = s.a.find(s.box.address)!;
  for (let at = 0; at < 500; at++) {
    const made = s.a.bytes.slice();
    new DataView(made.buffer).setUint32(12, 0xaa00_0000 + at);
    stream.sendRaw(frameOf(s.a.bytes, made));
  }
  await s.pass(1_000);
  t.ok(s.words.asked.length <= 20, `${s.words.asked.length} questions`);
  t.ok(s.count('dropped.lookups') >= 480);
  send(s.b, s.box, known, 'mine');
  await s.pass(100);
  t.same(text(known), ['mine']);
});

t.test('a slow node holds nobody up: what it does not take is dropped', async t => {
  const s = await pair();
  const slow = s.network.node('slow');
  s.network.line = { bytesPerSecond: 10_000, delayMs: 1, capacity: 20_000 };
  slow.connect(s.box);
  for (let at = 0; at < 100; at++) {
    s.a
      .find(s.box.address)!
      .link(slow.peer)
      .send(batchOf(new Uint8Array(1_000)));
    send(s.a, s.box, s.b, 'fast');
    await s.pass(10);
  }
  t.equal(s.b.received.length, 100);
  t.ok(slow.received.length < 20);
  t.ok(s.count('dropped.busy') > 60);
});

t.test('serve=false: at once nothing of others is forwarded, and the server hears of it', async t => {
  const s = await pair();
  t.match(s.words.facts, { relay: { limit: null, spare: null, nodes: 0, mostNodes: 512 } });
  send(s.a, s.box, s.b, 'one');
  await s.pass(10);
  await s.plugin.reconfigure?.({ serve: false });
  send(s.a, s.box, s.b, 'two');
  await s.pass(50);
  t.same(text(s.b), ['one']);
  t.same(s.a.unreachable, [s.b.address], 'it is refused by the node itself');
  t.equal(s.words.facts.relay, null);
  t.match(s.plugin.report(), { state: 'ready', code: '', facts: { serving: false } });
  await s.plugin.reconfigure?.({ serve: true });
  send(s.a, s.box, s.b, 'three');
  await s.pass(50);
  t.same(text(s.b), ['one', 'three']);
  t.match(s.words.facts.relay, { nodes: 2 });
  await s.plugin.stop();
  t.equal(s.words.facts.relay, null, 'nor is one that is stopped a relay');
});

t.test('nodes beyond the limit are turned away, the newest first; direct peers take no place', async t => {
  const s = await started({ settings: { connections: 2 } });
  const peer = s.network.node('peer');
  const atBox = s.box.find.bind(s.box);
  peer.connect(s.box);
  atBox(peer.address)?.link(peer.peer);
  const nodes = ['a', 'b', 'c', 'd'].map(name => s.network.node(name));
  for (const node of nodes) {
    node.connect(s.box);
    await s.pass(100);
  }
  const [a, b, c, d] = nodes as [MemoryNode, MemoryNode, MemoryNode, MemoryNode];
  send(c, s.box, a, 'in');
  await s.pass(50);
  t.same(text(a), [], 'not forwarded');
  t.same(c.unreachable, [a.address]);
  t.equal(s.count('dropped.not-admitted'), 1);
  t.match(s.plugin.report().facts, { nodes: 2, mostNodes: 2 });
  await s.pass(11_000);
  t.same(
    [peer, a, b, c, d].map(node => node.find(s.box.address) !== null),
    [true, true, true, false, false],
  );
  t.equal(s.count('nodes.closed'), 2);
  a.crash();
  c.connect(s.box);
  send(c, s.box, b, 'in');
  await s.pass(50);
  t.same(text(b), ['in'], 'there is room again');
});

t.test('a node that connects anew while its old connection still stands goes on by the new one', async t => {
  const s = await pair();
  send(s.a, s.box, s.b, 'one');
  send(s.b, s.box, s.a, 'two');
  await s.pass(20);
  s.b.connect(s.box);
  s.a.connect(s.box);
  send(s.a, s.box, s.b, 'three');
  send(s.b, s.box, s.a, 'four');
  await s.pass(20);
  t.same(
    [text(s.a), text(s.b)],
    [
      ['two', 'four'],
      ['one', 'three'],
    ],
  );
  t.match(s.plugin.report().facts, { nodes: 2 });
  await s.pass(10_000);
  send(s.a, s.box, s.b, 'five');
  await s.pass(20);
  t.same(text(s.b), ['one', 'three', 'five']);
  t.same([...s.a.breaches, ...s.b.breaches, ...s.box.breaches], []);
});
