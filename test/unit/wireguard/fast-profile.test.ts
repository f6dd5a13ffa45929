import t, { type Test } from 'tap';
import type { AeadName } from '../../../core/dataplane/aead.ts';
import { internetChecksum, pseudoHeader } from '../../../protocol/ip/header.ts';
import { ipv4, receive, World, type Node, type NodeOptions, type Wire } from './world.ts';

const BOTH: readonly AeadName[] = ['chacha20-poly1305', 'aes-256-gcm'];
const CHACHA: readonly AeadName[] = ['chacha20-poly1305'];

/** Two Ginnel nodes after a few packets each way. */
function acquainted(
  first: Partial<NodeOptions> = {},
  second: Partial<NodeOptions> = {},
): { world: World; a: Node; b: Node; wire: Wire } {
  const world = new World();
  const a = world.node({ address: '10.77.0.1', isGinnel: true, fastCiphers: BOTH, ...first });
  const b = world.node({ address: '10.77.0.2', isGinnel: true, fastCiphers: BOTH, ...second });
  const wire = world.joined(a, b);
  for (let turn = 0; turn < 3; turn++) talk(world, a, b);
  return { world, a, b, wire };
}

function talk(world: World, a: Node, b: Node): void {
  a.say(b.address, 'there');
  world.pump();
  b.say(a.address, 'back');
  world.pump();
}

const statusOf = (a: Node, b: Node) => a.engine.status(b.keys.id);

function checkFast(t: Test, a: Node, b: Node, cipher: AeadName): void {
  t.match(statusOf(a, b), { isFast: true, cipher });
  t.match(statusOf(b, a), { isFast: true, cipher });
}

t.test(
  'two Ginnel nodes agree on the fast profile with the first packets, and nothing is lost on the way',
  t => {
    const { world, a, b } = acquainted();
    checkFast(t, a, b, 'aes-256-gcm');
    const before = b.count('in.fast');
    talk(world, a, b);
    t.equal(b.count('in.fast') - before, 1);
    t.same(b.texts, ['there', 'there', 'there', 'there']);
    t.same(a.texts, ['back', 'back', 'back', 'back']);
    t.end();
  },
);

t.test('AES only where both ends have it fast', t => {
  const { a, b } = acquainted({}, { fastCiphers: CHACHA });
  checkFast(t, a, b, 'chacha20-poly1305');
  t.end();
});

t.test('a stock peer, and one with the profile off, get stock messages', t => {
  for (const other of [{ isGinnel: false }, { fastCiphers: [] }]) {
    const { a, b } = acquainted({}, other);
    t.match(statusOf(a, b), { isFast: false, cipher: 'chacha20-poly1305' });
    t.equal(a.count('out.fast') + b.count('out.fast'), 0);
    t.same(b.texts, ['there', 'there', 'there']);
  }
  t.end();
});

t.test('offers that are lost are made again with later packets, and data flows meanwhile', t => {
  const world = new World();
  const a = world.node({ address: '10.77.0.1', isGinnel: true, fastCiphers: BOTH });
  const b = world.node({ address: '10.77.0.2', isGinnel: true, fastCiphers: BOTH });
  const wire = world.joined(a, b);
  a.say(b.address, 'first');
  world.pump();
  for (let second = 0; second < 8; second++) {
    for (const [from, to, link] of [
      [a, b, wire.there],
      [b, a, wire.back],
    ] as const) {
      from.say(to.address, `packet ${second}`);
      // The first three rounds lose every word: what is behind the packet itself.
      if (second < 3) link.queue.splice(1);
      world.pump();
    }
    world.pass(1_000);
  }
  checkFast(t, a, b, 'aes-256-gcm');
  t.same(b.texts, ['first', ...Array.from({ length: 8 }, (_, second) => `packet ${second}`)]);
  t.end();
});

t.test('offers end where the other never answers', t => {
  const { world, a, b } = acquainted({}, { isGinnel: false });
  for (let second = 0; second < 60; second++) {
    b.say(a.address);
    world.pass(1_000);
  }
  t.same([a.count('out.words'), b.count('out.words')], [0, 8], 'b takes a for a Ginnel node, not a b');
  t.end();
});

t.test('a renewed session agrees anew, with other keys and indices, and loses nothing', t => {
  const { world, a, b } = acquainted();
  const sent: string[] = [];
  for (let second = 0; second < 200; second++) {
    sent.push(`a${second}`);
    a.say(b.address, `a${second}`);
    b.say(a.address);
    world.pass(1_000);
  }
  checkFast(t, a, b, 'aes-256-gcm');
  t.same(b.texts.slice(3), sent);
  t.end();
});

t.test('a replayed, a forged and a stray message of the profile cost themselves only', t => {
  const { world, a, b, wire } = acquainted();
  a.say(b.address, 'once');
  const [datagram] = wire.there.queue.map(each => each.slice());
  world.pump();
  receive(b, wire.back, datagram!);
  t.equal(b.count('in.replay'), 1);
  const forged = datagram!.slice();
  forged[20]! ^= 1;
  receive(b, wire.back, forged);
  t.equal(b.count('in.tag'), 1);
  const stray = datagram!.slice();
  stray[5]! ^= 0xff;
  receive(b, wire.back, stray);
  t.equal(b.count('in.unknown-index'), 1);
  talk(world, a, b);
  t.same(b.texts.slice(-2), ['once', 'there']);
  t.end();
});

/** A TCP segment without any checksum, as a card with offloads hands it over. */
function openSegment(source: string, destination: string): Uint8Array {
  const packet = ipv4(source, destination, 'x'.repeat(20 + 100));
  packet[9] = 6;
  packet[20 + 12] = 0x50;
  packet[20 + 13] = 0x10;
  return packet;
}

t.test('a checksum that was left open is filled in for a card that wants it whole', t => {
  for (const isGinnel of [true, false]) {
    const { world, a, b } = acquainted({ isGinnel }, { isGinnel });
    const packet = openSegment(a.address, b.address);
    const room = new Uint8Array(packet.length + 128);
    room.set(packet, 64);
    a.engine.outbound(room, 64, packet.length, { segment: 0, checksumStart: 20, checksumOffset: 16 });
    a.engine.flush();
    world.pump();
    const got = b.delivered.at(-1)!;
    const [source, destination, rest] = [got.subarray(12, 16), got.subarray(16, 20), got.subarray(20)];
    if (isGinnel)
      t.equal(
        internetChecksum(pseudoHeader(source, destination, 6, rest.length), rest),
        0,
        'by the other end',
      );
    else
      t.not(
        new DataView(rest.buffer, rest.byteOffset).getUint16(16),
        0,
        'by this end, from what stood there',
      );
  }
  t.end();
});
