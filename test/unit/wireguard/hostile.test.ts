import t from 'tap';
import { established, ipv4, receive, World, WireLink } from './world.ts';

t.test('a data message counts once: replayed it is refused, and moves no path', t => {
  const world = new World();
  const { a, b, wire } = established(world);
  a.say(b.address, 'once');
  const datagram = wire.there.queue.splice(0)[0]!;
  receive(b, wire.back, datagram.slice());
  const heard = b.heard.length;
  const elsewhere = new WireLink('elsewhere', null);
  receive(b, elsewhere, datagram.slice());
  t.same(b.texts, ['first', 'once']);
  t.equal(b.count('in.replay'), 1);
  t.equal(b.heard.length, heard);
  t.end();
});

t.test('reordered messages all arrive, whatever their order', t => {
  const world = new World();
  const { a, b, wire } = established(world);
  const texts = Array.from({ length: 200 }, (_, n) => `n${n}`);
  for (const text of texts) a.say(b.address, text);
  for (const datagram of wire.there.queue.splice(0).reverse()) receive(b, wire.back, datagram);
  t.same(b.texts.slice(1), texts.toReversed());
  t.equal(b.count('in.replay'), 0);
  t.end();
});

t.test('a changed message is refused, counted, and moves no path', t => {
  const world = new World();
  const { a, b, wire } = established(world);
  a.say(b.address, 'true');
  const datagram = wire.there.queue.splice(0)[0]!;
  const heard = b.heard.length;
  for (const at of [8, 16, datagram.length - 1]) {
    const forged = datagram.slice();
    forged[at]! ^= 1;
    receive(b, wire.back, forged);
  }
  t.equal(b.count('in.tag'), 3);
  t.equal(b.heard.length, heard);
  receive(b, wire.back, datagram);
  t.same(b.texts, ['first', 'true'], 'the true one still gets in');
  t.end();
});

t.test('a replayed initiation is refused by its timestamp', t => {
  const world = new World();
  const a = world.node({ address: '10.77.0.1' });
  const b = world.node({ address: '10.77.0.2' });
  const { there, back } = world.joined(a, b);
  a.engine.wake(b.keys.id);
  const initiation = there.queue[0]!.slice();
  world.pump();
  world.pass(1000);
  receive(b, back, initiation);
  t.equal(b.count('handshake.timestamp'), 1);
  t.equal(b.count('handshake.responses-sent'), 1);
  t.end();
});

t.test('two initiations of a peer within 20 ms: the second is refused', t => {
  const world = new World();
  const a = world.node({ address: '10.77.0.1', timings: { rekeyTimeoutMs: 10, rekeyJitterMs: 0 } });
  const b = world.node({ address: '10.77.0.2' });
  const { there, back } = world.joined(a, b);
  a.engine.wake(b.keys.id);
  world.clock.advance(10);
  const initiations = there.queue.splice(0);
  t.equal(initiations.length, 2);
  for (const initiation of initiations) receive(b, back, initiation);
  t.equal(b.count('handshake.too-soon'), 1);
  t.end();
});

t.test('a forged response does not end the handshake', t => {
  const world = new World();
  const a = world.node({ address: '10.77.0.1' });
  const b = world.node({ address: '10.77.0.2' });
  const { there, back } = world.joined(a, b);
  a.say(b.address, 'held');
  receive(b, back, there.queue.splice(0)[0]!);
  const response = back.queue.splice(0)[0]!;
  const forged = response.slice();
  forged[20]! ^= 1;
  receive(a, there, forged);
  t.equal(a.count('handshake.mac1'), 1);
  receive(a, there, response);
  world.pump();
  t.same(b.texts, ['held']);
  t.end();
});

t.test('a packet from an address that the peer may not use is dropped', t => {
  const world = new World();
  const { a, b } = established(world);
  a.say(b.address, 'spoofed', '10.77.0.9');
  world.pump();
  t.same(b.texts, ['first']);
  t.equal(b.count('in.source'), 1);
  t.end();
});

t.test('what is inside a message is trimmed to its IP length, and refused where it claims more', t => {
  const world = new World();
  const { a, b } = established(world);
  a.say(b.address, 'seventeen letters');
  world.pump();
  t.equal(b.texts[1], 'seventeen letters', 'the padding is gone');
  // The sender checks too, so the lie is told to a peer whose own packets it passes on.
  const packet = ipv4(a.address, b.address, 'x');
  packet[3] = 200;
  a.engine.outbound(packet, 0, packet.length);
  t.equal(a.count('out.malformed'), 1);
  t.end();
});

t.test('messages of a wrong length, and foreign ones, are told apart', t => {
  const world = new World();
  const { a, wire } = established(world);
  const initiation = new Uint8Array(140);
  initiation[0] = 1;
  receive(a, wire.there, initiation);
  t.equal(a.count('in.malformed'), 1);
  const stun = Uint8Array.of(0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42, ...new Array<number>(12).fill(7));
  receive(a, wire.there, stun);
  receive(a, wire.there, new Uint8Array(0));
  t.same(a.foreign, [stun]);
  t.end();
});

t.test('under load a cookie is asked for, and who shows it gets in', t => {
  const world = new World();
  const a = world.node({ address: '10.77.0.1' });
  const b = world.node({ address: '10.77.0.2', timings: { handshakesPerSecond: 0.001 } });
  world.joined(a, b);
  a.say(b.address, 'held');
  world.pump();
  t.equal(b.count('handshake.cookies-sent'), 1);
  t.equal(a.count('handshake.cookies-received'), 1);
  t.same(b.texts, []);
  world.pass(5_400);
  t.same(b.texts, ['held']);
  t.end();
});

t.test('under load a cookie of one source is worth nothing from another', t => {
  const world = new World();
  const a = world.node({ address: '10.77.0.1' });
  const b = world.node({ address: '10.77.0.2', timings: { handshakesPerSecond: 0.001 } });
  const { there, back } = world.joined(a, b);
  a.engine.wake(b.keys.id);
  world.pump();
  world.clock.advance(5_400);
  const initiation = there.queue.splice(0)[0]!;
  const other = new WireLink('other', { family: 4, address: '192.0.2.66', port: 1 });
  receive(b, other, initiation.slice());
  t.equal(b.count('handshake.cookies-sent'), 2);
  t.equal(b.count('handshake.initiations-received'), 0);
  receive(b, back, initiation);
  t.equal(b.count('handshake.initiations-received'), 1);
  t.end();
});

t.test('under load one source gets no more than its share', t => {
  const world = new World();
  const b = world.node({ address: '10.77.0.2', timings: { handshakesPerSecond: 0.001 } });
  const many = Array.from({ length: 12 }, (_, n) => world.node({ address: `10.77.1.${n}` }));
  const wires = many.map(a => world.joined(a, b));
  for (const a of many) a.engine.wake(b.keys.id);
  world.pump();
  t.equal(b.count('handshake.cookies-sent'), 12);
  world.clock.advance(5_400);
  for (const { there, back } of wires) for (const message of there.queue.splice(0)) receive(b, back, message);
  t.equal(b.count('handshake.initiations-received'), 5);
  t.equal(b.count('handshake.limited'), 7);
  t.end();
});

t.test('under load all addresses of one IPv6 home share one share', t => {
  const world = new World();
  const b = world.node({ address: '10.77.0.2', timings: { handshakesPerSecond: 0.001 } });
  const homes = Array.from({ length: 12 }, (_, n) => {
    const a = world.node({ address: `10.77.1.${n}` });
    const { there } = world.joined(a, b);
    const remote = { family: 6, address: `2001:db8:1:2::${n + 1}`, port: 51_820 } as const;
    return { a, there, back: new WireLink(`udp [${remote.address}]`, remote) };
  });
  for (const { a, there, back } of homes) {
    a.engine.wake(b.keys.id);
    receive(b, back, there.queue.splice(0)[0]!);
    receive(a, there, back.queue.splice(0)[0]!);
  }
  t.equal(b.count('handshake.cookies-sent'), 12);
  world.clock.advance(5_400);
  for (const { there, back } of homes) receive(b, back, there.queue.splice(0)[0]!);
  t.equal(b.count('handshake.initiations-received'), 5);
  t.equal(b.count('handshake.limited'), 7);
  t.end();
});

t.test('an unknown peer is told of, can be added, and its initiation handed in once more', t => {
  const world = new World();
  const a = world.node({ address: '10.77.0.1' });
  const b = world.node({ address: '10.77.0.2' });
  const { there, back } = world.wire(a, b);
  a.engine.setPeer(b.config());
  a.engine.setPath(b.keys.id, there);
  a.say(b.address, 'may I?');
  world.pump();
  const stranger = b.strangers[0]!;
  t.same(stranger.publicKey, a.keys.publicKey);
  t.equal(stranger.link, back);
  b.engine.setPeer(a.config());
  receive(b, stranger.link, stranger.initiation);
  world.pump();
  t.same(b.texts, ['may I?']);
  t.end();
});

t.test('at most ten unknown peers a second are told of', t => {
  const world = new World();
  const b = world.node({ address: '10.77.0.2' });
  for (let n = 0; n < 15; n++) {
    const a = world.node({ address: '10.77.0.1' });
    const { there } = world.wire(a, b);
    a.engine.setPeer(b.config());
    a.engine.setPath(b.keys.id, there);
    a.engine.wake(b.keys.id);
  }
  world.pump();
  t.equal(b.strangers.length, 10);
  t.equal(b.count('handshake.unknown-peer'), 15);
  t.end();
});

t.test('a clock that fell back to 1970 does not lock us out, thanks to the floor', t => {
  const secret = new Uint8Array(32).fill(3);
  const floor = { value: 0 };
  const world = new World();
  const b = world.node({ address: '10.77.0.2' });
  const before = world.node({ address: '10.77.0.1', secret, floor });
  world.joined(before, b);
  before.say(b.address, 'before');
  world.pump();
  before.engine.close();
  world.clock.setWall(86_400_000);
  for (const [text, used] of [
    ['forgotten', { value: 0 }],
    ['after', floor],
  ] as const) {
    world.pass(30_000, 1000);
    const rebooted = world.node({ address: '10.77.0.1', secret, floor: used });
    world.joined(rebooted, b, text);
    rebooted.say(b.address, text);
    world.pump();
    rebooted.engine.close();
  }
  t.same(b.texts, ['before', 'after']);
  t.ok(b.count('handshake.timestamp') >= 1, 'without the floor it is refused');
  t.end();
});

t.test('the floor is written rarely, and ahead of what is used', t => {
  const world = new World();
  const floor = { value: 0 };
  const { a, b } = established(world, { floor });
  for (let minute = 0; minute < 30; minute++) {
    a.say(b.address, 'on');
    world.pass(60_000, 5000);
    t.ok(floor.value > world.clock.wallMs() - 200_000);
  }
  t.ok(a.floorSaved.length <= 4, `${a.floorSaved.length} writes in half an hour`);
  t.end();
});
