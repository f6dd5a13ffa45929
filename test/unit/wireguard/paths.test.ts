import t from 'tap';
import { established, receive, World, WireLink } from './world.ts';

t.test('roaming: an authenticated message by a new link is told, and the path follows without a loss', t => {
  const world = new World();
  const { a, b } = established(world);
  const other = world.wire(a, b, 'other', 2000);
  a.engine.setPath(b.keys.id, other.there);
  a.say(b.address, 'from afar');
  world.pump();
  t.equal(b.heard.at(-1)?.link, other.back);
  b.engine.setPath(a.keys.id, other.back);
  b.say(a.address, 'welcome');
  t.equal(other.back.queue.length, 1);
  world.pump();
  t.same([a.texts, b.texts], [['welcome'], ['first', 'from afar']]);
  t.equal(a.count('handshake.initiations-sent'), 1, 'the session is the same');
  t.end();
});

t.test('a handshake under way is tried again at once on a new path', t => {
  const world = new World();
  const a = world.node({ address: '10.77.0.1' });
  const b = world.node({ address: '10.77.0.2' });
  const dead = world.joined(a, b);
  a.say(b.address, 'held');
  dead.there.queue.length = 0;
  world.clock.advance(1000);
  const other = world.wire(a, b, 'other', 2000);
  a.engine.setPath(b.keys.id, other.there);
  world.pump();
  t.same(b.texts, ['held']);
  t.end();
});

t.test('without a path packets are held, a bounded few, and a path is asked for once a second', t => {
  const world = new World();
  const a = world.node({ address: '10.77.0.1' });
  const b = world.node({ address: '10.77.0.2' });
  const { there, back } = world.wire(a, b);
  a.engine.setPeer(b.config());
  b.engine.setPeer(a.config());
  for (let n = 0; n < 100; n++) a.say(b.address, `n${n}`);
  t.same(a.pathsWanted, [b.keys.id]);
  world.clock.advance(1000);
  a.say(b.address, 'last');
  t.equal(a.pathsWanted.length, 2);
  t.equal(a.count('out.held-dropped'), 101 - 64);
  b.engine.setPath(a.keys.id, back);
  a.engine.setPath(b.keys.id, there);
  world.pump();
  t.equal(b.texts.length, 64);
  t.same([b.texts[0], b.texts.at(-1)], ['n37', 'last'], 'the newest, in order');
  t.end();
});

t.test('a session whose path is taken away holds packets until the next', t => {
  const world = new World();
  const { a, b, wire } = established(world);
  a.engine.setPath(b.keys.id, null);
  a.say(b.address, 'wait');
  t.equal(wire.there.queue.length, 0);
  t.equal(a.pathsWanted.length, 1);
  a.engine.setPath(b.keys.id, wire.there);
  world.pump();
  t.same(b.texts, ['first', 'wait']);
  t.end();
});

t.test('a busy link costs packets, a closed one the path: both are counted', t => {
  const world = new World();
  const { a, b, wire } = established(world);
  wire.there.answer = 'busy';
  a.say(b.address, 'lost');
  t.equal(a.count('out.busy'), 1);
  wire.there.answer = 'closed';
  a.say(b.address, 'lost too');
  t.equal(a.count('out.closed'), 1);
  t.same(a.pathsWanted, [b.keys.id]);
  a.say(b.address, 'held');
  wire.there.answer = 'sent';
  a.engine.setPath(b.keys.id, wire.there);
  world.pump();
  t.same(b.texts, ['first', 'held']);
  t.end();
});

t.test('equal-sized datagrams of a turn leave as one batch; a shorter one ends it', t => {
  const world = new World();
  const { a, b, wire } = established(world);
  wire.there.batches.length = 0;
  const long = 'x'.repeat(1000);
  for (let n = 0; n < 10; n++) a.layUp(b.address, long);
  a.layUp(b.address, 'short');
  for (let n = 0; n < 5; n++) a.layUp(b.address, long);
  t.same(wire.there.batches, [11], 'only the full one left before the turn ended');
  a.engine.flush();
  t.same(wire.there.batches, [11, 5]);
  a.layUp(b.address, 'short');
  a.layUp(b.address, long);
  a.engine.flush();
  t.same(wire.there.batches, [11, 5, 1, 1], 'and a longer one begins another');
  world.pump();
  t.equal(b.texts.length, 19);
  t.end();
});

t.test('a batch has at most 64 segments and 65,000 bytes', t => {
  const world = new World();
  const { a, b, wire } = established(world);
  wire.there.batches.length = 0;
  for (let n = 0; n < 130; n++) a.layUp(b.address, 'small');
  a.engine.flush();
  t.same(wire.there.batches, [64, 64, 2]);
  wire.there.batches.length = 0;
  for (let n = 0; n < 60; n++) a.layUp(b.address, 'x'.repeat(1400));
  a.engine.flush();
  t.ok(Math.max(...wire.there.batches) * 1452 <= 65_000);
  world.pump();
  t.equal(b.texts.length, 191);
  t.end();
});

t.test('a batch of many is opened whole, and heard once', t => {
  const world = new World();
  const { a, b, wire } = established(world);
  for (let n = 0; n < 8; n++) a.layUp(b.address, `n${n}`);
  a.engine.flush();
  const datagrams = wire.there.queue.splice(0);
  const bytes = new Uint8Array(Buffer.concat([new Uint8Array(7), ...datagrams]));
  const heard = b.heard.length;
  b.engine.inbound(wire.back, { bytes, offset: 7, length: bytes.length - 7, segment: datagrams[0]!.length });
  b.engine.flush();
  t.equal(b.texts.length, 9);
  t.equal(b.heard.length, heard + 1);
  t.end();
});

t.test('packets to several peers in one turn go to each in order', t => {
  const world = new World();
  const a = world.node({ address: '10.77.0.1' });
  const others = Array.from({ length: 7 }, (_, n) => world.node({ address: `10.77.1.${n}` }));
  for (const b of others) world.joined(a, b, b.address);
  for (const b of others) a.say(b.address, 'first');
  world.pump();
  for (let n = 0; n < 20; n++) for (const b of others) a.layUp(b.address, `n${n}`);
  a.engine.flush();
  world.pump();
  const expected = ['first', ...Array.from({ length: 20 }, (_, n) => `n${n}`)];
  for (const b of others) t.same(b.texts, expected);
  t.end();
});

t.test('padding stops at the MTU', t => {
  const world = new World();
  const { a, b, wire } = established(world);
  a.say(b.address, 'x'.repeat(1395));
  t.equal(wire.there.queue[0]!.length, 1420 + 32, 'padded from 1415 to the card’s MTU, not to 1424');
  world.pump();
  t.equal(b.texts[1]?.length, 1395);
  t.end();
});

t.test(
  'V10: the route to an unknown overlay address is asked for once, and the packet held until it is told',
  t => {
    const world = new World();
    const a = world.node({ address: '10.77.0.1' });
    const b = world.node({ address: '10.77.0.2' });
    a.say(b.address, 'one');
    a.say(b.address, 'two');
    t.same(a.routesWanted, ['10.77.0.2']);
    world.joined(a, b);
    world.pump();
    t.same(b.texts, ['one', 'two']);
    t.end();
  },
);

t.test('V10: what is held for a route is bounded in number and time', t => {
  const world = new World();
  const a = world.node({ address: '10.77.0.1' });
  for (let n = 0; n < 40; n++) a.say(`10.77.9.${n}`, 'x');
  t.equal(a.routesWanted.length, 32);
  t.equal(a.count('out.route-unknown'), 8);
  for (let n = 0; n < 6; n++) a.say('10.77.9.0', 'y');
  t.equal(a.count('out.route-unknown'), 8 + 3, 'four a destination');
  a.engine.routeUnknown('10.77.9.0');
  t.equal(a.count('out.route-unknown'), 8 + 3 + 4);
  world.clock.advance(5000);
  t.equal(a.count('out.route-unknown'), 8 + 3 + 4 + 31);
  a.say('10.77.9.1', 'again');
  t.equal(a.routesWanted.length, 33);
  t.end();
});

t.test('V2: a packet to an address outside the overlay is dropped and counted', t => {
  const world = new World();
  const a = world.node({ address: '10.77.0.1' });
  a.say('8.8.8.8', 'x');
  t.equal(a.count('out.no-route'), 1);
  a.engine.setOverlay(['8.8.8.0/24']);
  a.say('8.8.8.8', 'x');
  t.same(a.routesWanted, ['8.8.8.8']);
  t.end();
});

t.test('an allowed network goes to the peer that shares it, the longest prefix first', t => {
  const world = new World();
  const { a, b } = established(world);
  const c = world.node({ address: '10.77.0.3' });
  world.joined(a, c, 'to c');
  a.engine.setPeer(b.config([`${b.address}/32`, '192.168.0.0/16']));
  a.engine.setPeer(c.config([`${c.address}/32`, '192.168.7.0/24']));
  a.say('192.168.1.1', 'to b');
  a.say('192.168.7.1', 'to c');
  world.pump();
  t.same([b.texts.at(-1), c.texts], ['to b', ['to c']]);
  a.engine.removePeer(c.keys.id);
  a.say('192.168.7.1', 'now b');
  world.pump();
  t.equal(b.texts.at(-1), 'now b');
  t.end();
});

t.test('V1: IPv6 goes as IPv4 does', t => {
  const world = new World();
  const { a, b } = established(world);
  a.engine.setPeer(b.config([`${b.address}/32`, 'fd77::2/128']));
  b.engine.setPeer(a.config([`${a.address}/32`, 'fd77::1/128']));
  const packet = new Uint8Array(64 + 44 + 64);
  packet.set([0x60, 0, 0, 0, 0, 4, 59, 64, 0xfd, 0x77], 64);
  packet[64 + 23] = 1;
  packet.set([0xfd, 0x77], 64 + 24);
  packet[64 + 39] = 2;
  packet.set([1, 2, 3, 4], 64 + 40);
  const said = packet.slice(64, 64 + 44);
  a.engine.outbound(packet, 64, 44);
  a.engine.flush();
  world.pump();
  t.same(b.delivered[1], said);
  t.end();
});

t.test('a link that nobody chose is no path: the answer to a handshake goes back where it came from', t => {
  const world = new World();
  const a = world.node({ address: '10.77.0.1' });
  const b = world.node({ address: '10.77.0.2' });
  const wire = world.wire(a, b);
  a.engine.setPeer(b.config());
  b.engine.setPeer(a.config());
  a.engine.setPath(b.keys.id, wire.there);
  a.say(b.address, 'in');
  world.pump();
  t.same(b.texts, ['in']);
  b.say(a.address, 'out');
  t.same(b.pathsWanted, [a.keys.id]);
  t.equal(wire.back.queue.length, 0);
  receive(b, new WireLink('x', null), new Uint8Array(0));
  t.end();
});
