// What no peer would send: random bytes, and true messages with random damage. Nothing throws, all is counted.
import t from 'tap';
import { seededRandom } from '../../../base/random.ts';
import { decodeMessage } from '../../../protocol/wireguard/messages.ts';
import { established, receive, World } from './world.ts';

const ROUNDS = 3000;

t.test('random datagrams throw nothing and change nothing', t => {
  const world = new World();
  const { a, b, wire } = established(world);
  const random = seededRandom(11);
  for (let round = 0; round < ROUNDS; round++) {
    const datagram = random.bytes(random.below(200));
    if (random.below(2) === 0) datagram.set([1 + random.below(4), 0, 0, 0].slice(0, datagram.length));
    decodeMessage(datagram);
    receive(b, wire.back, datagram);
  }
  t.same(b.texts, ['first']);
  a.say(b.address, 'still here');
  world.pump();
  t.equal(b.texts.at(-1), 'still here');
  t.end();
});

t.test('damaged messages of all four kinds are refused and counted', t => {
  const world = new World();
  const a = world.node({ address: '10.77.0.1' });
  const b = world.node({ address: '10.77.0.2' });
  const { there, back } = world.joined(a, b);
  const random = seededRandom(12);
  a.say(b.address, 'hello');
  for (let step = 0; step < 3; step++) {
    const toB = step % 2 === 0;
    const [queue, node, link] = toB ? [there.queue, b, back] : [back.queue, a, there];
    const datagram = queue.splice(0)[0]!;
    for (let round = 0; round < 300; round++) {
      const damaged = datagram.slice(
        0,
        random.below(8) === 0 ? random.below(datagram.length) : datagram.length,
      );
      // Whatever lies behind mac1 is no one's business while there is no load.
      const upTo = datagram[0] === 4 ? damaged.length : Math.min(damaged.length, datagram.length - 16);
      if (upTo > 0) damaged[random.below(upTo)]! ^= 1 << random.below(8);
      receive(node, link, damaged);
    }
    t.same(b.texts, []);
    receive(node, link, datagram);
  }
  t.same(b.texts, ['hello'], 'the true ones still count');
  t.ok(b.count('handshake.mac1') > 200);
  t.ok(a.count('handshake.mac1') > 200);
  t.ok(b.count('in.tag') > 200);
  t.end();
});

t.test('what the kernel hands over is not trusted either', t => {
  const world = new World();
  const { a } = established(world);
  const random = seededRandom(13);
  for (let round = 0; round < ROUNDS; round++) {
    const length = random.below(100);
    const packet = random.bytes(length + 128);
    if (random.below(2) === 0) packet[64] = random.below(2) === 0 ? 0x45 : 0x60;
    a.engine.outbound(packet, 64, length);
  }
  a.engine.flush();
  t.ok(a.count('out.malformed') > 0);
  t.end();
});
