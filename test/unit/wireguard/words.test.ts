import t from 'tap';
import { MAX_WORD_BYTES } from '../../../core/dataplane/word.ts';
import { established, World } from './world.ts';

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);

t.test('a word goes to the other node itself and not to its card', t => {
  const world = new World();
  const { a, b } = established(world);
  t.equal(a.engine.tell(b.keys.id, bytesOf('hear me')), true);
  world.pump();
  t.same(b.told, [{ peer: a.keys.id, body: bytesOf('hear me') }]);
  t.same(b.texts, ['first'], 'nothing but the first packet was delivered');
  t.same([a.count('out.words'), b.count('in.words'), b.count('in.not-ip')], [1, 1, 0]);
  t.end();
});

t.test('the longest word arrives whole, and one that is longer is misuse', t => {
  const world = new World();
  const { a, b } = established(world);
  const longest = new Uint8Array(MAX_WORD_BYTES).fill(7);
  a.engine.tell(b.keys.id, longest);
  world.pump();
  t.same(b.told[0]?.body, longest);
  t.throws(() => a.engine.tell(b.keys.id, new Uint8Array(MAX_WORD_BYTES + 1)), TypeError);
  t.throws(() => a.engine.tell(b.keys.id, new Uint8Array()), TypeError);
  t.end();
});

t.test('no session and no path is made for the sake of a word', t => {
  const world = new World();
  const a = world.node({ address: '10.77.0.1' });
  const b = world.node({ address: '10.77.0.2' });
  const wire = world.joined(a, b);
  t.equal(a.engine.tell(b.keys.id, bytesOf('too early')), false);
  t.same(wire.there.queue, []);
  t.equal(a.engine.tell('nobody', bytesOf('x')), false);
  t.end();
});

t.test('a replayed word is told once', t => {
  const world = new World();
  const { a, b, wire } = established(world);
  a.engine.tell(b.keys.id, bytesOf('once'));
  const copies = wire.there.queue.map(datagram => datagram.slice());
  world.pump();
  wire.there.queue.push(...copies);
  world.pump();
  t.equal(b.told.length, 1);
  t.equal(b.count('in.replay'), 1);
  t.end();
});
