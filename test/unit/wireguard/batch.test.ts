// One batch as the kernel puts it together (UDP_GRO), with bad datagrams in it: each costs itself only.
import t, { type Test } from 'tap';
import { internetChecksum, pseudoHeader } from '../../../protocol/ip/header.ts';
import { established, ipv4, World, type Node, type NodeOptions, type Wire } from './world.ts';

const COUNT = 16;
const PAYLOAD = 100;
const TCP = 6;
const HEADERS = 40;

/** Stock messages, the fast profile, and each with packets put together for the card. */
const KINDS: readonly Partial<NodeOptions>[] = [false, true].flatMap(isGinnel =>
  [false, true].map(superPackets => ({ isGinnel, superPackets })),
);
const nameOf = ({ isGinnel, superPackets }: Partial<NodeOptions>): string =>
  `${isGinnel === true ? 'the fast profile' : 'stock'}${superPackets === true ? ', super-packets' : ''}`;

interface Sealed {
  readonly b: Node;
  readonly wire: Wire;
  readonly datagrams: Uint8Array[];
}

/** So many segments of one TCP stream, each sealed to a datagram of one size. */
function sealed(kind: Partial<NodeOptions>): Sealed {
  const world = new World();
  const { a, b, wire } = established(world, kind, kind);
  for (let turn = 0; turn < 3; turn++) {
    b.say(a.address, 'back');
    world.pump();
    a.say(b.address, 'there');
    world.pump();
  }
  b.delivered.length = 0;
  for (let number = 0; number < COUNT; number++) {
    const packet = segmentOf(a.address, b.address, number);
    const room = new Uint8Array(packet.length + 128);
    room.set(packet, 64);
    a.engine.outbound(room, 64, packet.length, { segment: 0, checksumStart: 20, checksumOffset: 16 });
  }
  a.engine.flush();
  return { b, wire, datagrams: wire.there.queue.splice(0) };
}

function segmentOf(source: string, destination: string, number: number): Uint8Array {
  const packet = ipv4(source, destination, '\0'.repeat(20) + textOf(number));
  packet[9] = TCP;
  new DataView(packet.buffer).setUint32(20 + 4, number * PAYLOAD);
  packet.set([0x50, 0x10], 20 + 12);
  // As a card hands it over: the sum of the pseudo-header is there, the rest is left open.
  const pseudo = pseudoHeader(packet.subarray(12, 16), packet.subarray(16, 20), TCP, packet.length - 20);
  new DataView(packet.buffer).setUint16(20 + 16, ~internetChecksum(pseudo) & 0xffff);
  return packet;
}

const textOf = (number: number): string => `${number}`.padStart(PAYLOAD, '.');

/** The numbers of what reached the card, in that order, taken apart again where it was put together. */
const numbersOf = ({ delivered }: Node): number[] =>
  delivered.flatMap(packet => {
    const text = Buffer.from(packet.subarray(HEADERS)).toString();
    return Array.from({ length: text.length / PAYLOAD }, (_, index) =>
      Number(text.slice(index * PAYLOAD, (index + 1) * PAYLOAD).replaceAll('.', '')),
    );
  });

function hand({ b, wire }: Sealed, datagrams: readonly Uint8Array[]): void {
  const segment = datagrams[0]!.length;
  const bytes = Buffer.concat(datagrams);
  b.engine.inbound(wire.back, { bytes, offset: 0, length: bytes.length, segment });
  b.engine.flush();
}

const upTo = (count: number): number[] => Array.from({ length: count }, (_, number) => number);

for (const kind of KINDS) {
  const check = (what: string, act: (t: Test, sealed: Sealed) => void): void =>
    void t.test(`${nameOf(kind)}: ${what}`, t => {
      act(t, sealed(kind));
      t.end();
    });

  check('a whole batch arrives, in order', (t, all) => {
    t.equal(all.datagrams.length, COUNT);
    hand(all, all.datagrams);
    t.same(numbersOf(all.b), upTo(COUNT));
    t.equal(
      all.b.delivered.length === 1,
      kind.superPackets === true,
      'put together for the card where it takes that',
    );
  });

  check('a forged one, wherever it stands, costs itself only', (t, all) => {
    for (const place of [0, 7, COUNT - 1]) {
      const again = place === 0 ? all : sealed(kind);
      again.datagrams[place]![30]! ^= 1;
      hand(again, again.datagrams);
      t.same(
        numbersOf(again.b),
        upTo(COUNT).filter(number => number !== place),
      );
      t.equal(again.b.count('in.tag'), 1);
    }
  });

  check('one that is no message of ours costs itself only', (t, all) => {
    all.datagrams[3]!.fill(0xee);
    all.datagrams[9]!.fill(0xff, 4, 8);
    hand(all, all.datagrams);
    t.same(
      numbersOf(all.b),
      upTo(COUNT).filter(number => number !== 3 && number !== 9),
    );
    t.same([all.b.count('in.not-mine'), all.b.count('in.unknown-index')], [1, 1]);
  });

  check('a replay within the batch, and one of a batch before', (t, all) => {
    const first = all.datagrams.splice(0, 4);
    hand(all, first);
    hand(all, [...all.datagrams.slice(0, 5), all.datagrams[2]!, first[1]!, ...all.datagrams.slice(5)]);
    t.same(numbersOf(all.b), upTo(COUNT));
    t.equal(all.b.count('in.replay'), 2);
  });

  check('swapped ones arrive all the same', (t, all) => {
    const order = upTo(COUNT).reverse();
    [order[2], order[9]] = [order[9]!, order[2]!];
    hand(
      all,
      order.map(number => all.datagrams[number]!),
    );
    t.same(numbersOf(all.b), order);
    t.equal(all.b.count('in.replay') + all.b.count('in.tag'), 0);
  });
}
