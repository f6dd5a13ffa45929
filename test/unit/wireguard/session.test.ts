import t from 'tap';
import { established, ipv4, receive, World } from './world.ts';

t.test('V10, V12: the first packet brings the session up and arrives', t => {
  const world = new World();
  const { a, b } = established(world);
  t.same(b.texts, ['first']);
  t.equal(a.engine.status(b.keys.id)?.established, true);
  t.equal(b.engine.status(a.keys.id)?.established, true);
  t.same([a.changes, b.changes], [['up'], ['up']]);
  b.say(a.address, 'back');
  world.pump();
  t.same(a.texts, ['back']);
  t.end();
});

t.test('a pre-shared key has to be the same at both ends', t => {
  const world = new World();
  const presharedKey = new Uint8Array(32).fill(9);
  const same = established(world, { presharedKey }, { presharedKey });
  t.same(same.b.texts, ['first']);
  const other = established(world, { presharedKey }, { presharedKey: new Uint8Array(32) });
  t.same(other.b.texts, []);
  t.equal(other.a.count('handshake.refused'), 1);
  t.end();
});

t.test('both ends may be initiator at the same moment, and both directions work at once', t => {
  const world = new World();
  const a = world.node({ address: '10.77.0.1' });
  const b = world.node({ address: '10.77.0.2' });
  world.joined(a, b);
  a.say(b.address, 'from a');
  b.say(a.address, 'from b');
  world.pump();
  t.same([a.texts, b.texts], [['from b'], ['from a']]);
  a.say(b.address, 'again a');
  b.say(a.address, 'again b');
  world.pump();
  t.same(
    [a.texts, b.texts],
    [
      ['from b', 'again b'],
      ['from a', 'again a'],
    ],
  );
  t.end();
});

t.test('the initiator renews the session after 120 s, without losing a packet', t => {
  const world = new World();
  const { a, b } = established(world);
  const sent = ['first'];
  for (let second = 0; second < 400; second++) {
    sent.push(`a${second}`);
    a.say(b.address, `a${second}`);
    world.pass(1000);
  }
  t.same(b.texts, sent);
  t.equal(a.count('handshake.initiations-sent'), 4, 'at 0, 120, 240 and 360 s');
  t.same(a.changes, ['up']);
  t.end();
});

t.test('a session is renewed after its messages are used up', t => {
  const world = new World();
  const { a, b } = established(world, { timings: { rekeyAfterMessages: 50 } });
  world.pass(6000);
  for (let n = 0; n < 60; n++) a.say(b.address, `n${n}`);
  world.pump();
  t.equal(a.count('handshake.initiations-sent'), 2);
  t.equal(b.texts.length, 61);
  t.end();
});

t.test('who hears data in the last seconds of a session renews it at once', t => {
  const world = new World();
  const { a, b } = established(world);
  world.pass(170_000, 1000);
  b.say(a.address, 'late');
  world.pump();
  t.same(a.texts, ['late']);
  t.equal(a.count('handshake.initiations-sent'), 2);
  t.end();
});

t.test('what was sealed before a renewal is still opened after it, in both directions', t => {
  const world = new World();
  const { a, b, wire } = established(world);
  world.pass(121_000, 1000);
  b.say(a.address, 'late from b');
  const fromB = wire.back.queue.splice(0)[0]!;
  a.say(b.address, 'late from a');
  const fromA = wire.there.queue.pop()!;
  world.pump();
  a.say(b.address, 'new from a');
  world.pump();
  b.say(a.address, 'new from b');
  world.pump();
  t.equal(a.count('handshake.responses-received'), 2);
  receive(b, wire.back, fromA);
  receive(a, wire.there, fromB);
  t.same(b.texts, ['first', 'new from a', 'late from a']);
  t.same(a.texts, ['new from b', 'late from b']);
  t.end();
});

t.test('a silent session ends after 180 s and its keys are wiped after 540 s', t => {
  const world = new World();
  const { a, b, wire } = established(world);
  world.pass(10_500);
  t.equal(a.count('in.keepalives') + b.count('in.keepalives'), 1, 'passive keepalive after 10 s');
  b.say(a.address, 'late');
  const late = wire.back.queue[0]!.slice();
  world.pass(171_000, 1000);
  t.equal(a.engine.status(b.keys.id)?.established, false);
  t.same(a.changes, ['up', 'down']);
  receive(a, wire.there, late);
  t.equal(a.count('in.expired'), 1, 'nothing is opened with keys too old');
  world.pass(370_000, 1000);
  receive(a, wire.there, late);
  t.equal(a.count('in.unknown-index'), 1, 'the keys are gone');
  t.end();
});

t.test('who sends and hears nothing for 15 s shakes hands afresh', t => {
  const world = new World();
  const { a, b, wire } = established(world);
  world.pass(20_000);
  a.say(b.address, 'into the dark');
  wire.there.queue.length = 0;
  const before = a.count('handshake.initiations-sent');
  world.clock.advance(14_900);
  t.equal(a.count('handshake.initiations-sent'), before);
  world.clock.advance(500);
  t.equal(a.count('handshake.initiations-sent'), before + 1);
  t.end();
});

t.test('an unanswered initiation is repeated every 5 s and given up after 90 s', t => {
  const world = new World();
  const a = world.node({ address: '10.77.0.1' });
  const b = world.node({ address: '10.77.0.2' });
  const { there } = world.joined(a, b);
  a.say(b.address, 'anyone?');
  world.clock.advance(4_999);
  t.equal(there.queue.length, 1);
  world.clock.advance(400);
  t.equal(there.queue.length, 2);
  world.clock.advance(200_000);
  t.equal(there.queue.length, 19);
  t.equal(a.count('handshake.given-up'), 1);
  t.equal(a.count('out.held-dropped'), 1);
  there.queue.length = 0;
  a.say(b.address, 'once more');
  world.pump();
  t.same(b.texts, ['once more']);
  t.end();
});

t.test('a lost response, and a lost initiation, are made up for', t => {
  const world = new World();
  const a = world.node({ address: '10.77.0.1' });
  const b = world.node({ address: '10.77.0.2' });
  const { there, back } = world.joined(a, b);
  a.say(b.address, 'held');
  there.queue.length = 0;
  world.clock.advance(5_400);
  for (const datagram of there.queue.splice(0)) receive(b, back, datagram);
  t.equal(back.queue.length, 1, 'a response');
  back.queue.length = 0;
  world.pass(5_400);
  t.same(b.texts, ['held']);
  t.end();
});

t.test('a persistent keepalive keeps coming', t => {
  const world = new World();
  const a = world.node({ address: '10.77.0.1' });
  const b = world.node({ address: '10.77.0.2', keepaliveMs: 25_000 });
  world.joined(a, b);
  world.pass(101_000);
  t.ok(b.count('in.keepalives') >= 4, 'and brings the session up without any data');
  t.end();
});

t.test('wake brings the session up without a packet', t => {
  const world = new World();
  const a = world.node({ address: '10.77.0.1' });
  const b = world.node({ address: '10.77.0.2' });
  world.joined(a, b);
  a.engine.wake(b.keys.id);
  world.pump();
  t.equal(b.engine.status(a.keys.id)?.established, true);
  a.engine.wake(b.keys.id);
  t.equal(a.count('handshake.initiations-sent'), 1);
  t.end();
});

t.test('a removed peer is gone: keys, routes and timers', t => {
  const world = new World();
  const { a, b } = established(world);
  a.engine.removePeer(b.keys.id);
  t.same(a.changes, ['up', 'down']);
  t.equal(a.engine.status(b.keys.id), null);
  b.say(a.address, 'anyone?');
  a.say(b.address, 'to nobody');
  world.pump();
  t.equal(a.count('in.unknown-index'), 1);
  t.same(a.routesWanted, [b.address]);
  t.end();
});

t.test('a peer key of low order, or our own, is refused', t => {
  const world = new World();
  const a = world.node({ address: '10.77.0.1' });
  const zero = new Uint8Array(32);
  const low = { id: Buffer.from(zero).toString('base64'), publicKey: zero, allowedIps: [], keepaliveMs: 0 };
  t.equal(a.engine.setPeer(low), false);
  t.equal(a.engine.setPeer(a.config()), false);
  t.throws(() => a.engine.setPeer({ ...low, id: 'other' }), TypeError);
  t.throws(() => a.engine.setPeer({ ...low, allowedIps: ['10.0.0.0/33'] }), TypeError);
  t.end();
});

t.test('padding leaves what stands behind a packet as it was: the next one', t => {
  const world = new World();
  const { a, b } = established(world, { fastCiphers: [] }, { fastCiphers: [] });
  const packets = ['x', 'of another length', 'z'.repeat(16)].map(text => ipv4(a.address, b.address, text));
  let at = a.memory.length - 4096;
  for (const packet of packets) {
    a.memory.set(packet, at);
    at += packet.length;
  }
  at = a.memory.length - 4096;
  for (const packet of packets) {
    a.engine.outbound(a.memory, at, packet.length);
    at += packet.length;
  }
  a.engine.flush();
  world.pump();
  t.same(b.texts, ['first', 'x', 'of another length', 'z'.repeat(16)]);
  t.end();
});
