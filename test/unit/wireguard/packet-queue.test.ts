// Packets that wait: bounded one by one, and all queues together.
import t from 'tap';
import { Counters } from '../../../base/counters.ts';
import { PACKET_ROOM, PacketQueue } from '../../../core/dataplane/packet-queue.ts';

const BOUNDS = { packets: 3, bytes: 10_000 };
const released = (queue: PacketQueue): number[] => {
  const firsts: number[] = [];
  queue.release((bytes, offset) => firsts.push(bytes[offset]!));
  return firsts;
};

t.test('the oldest goes first, and each that went is counted', t => {
  const dropped = new Counters().counter('dropped');
  const queue = new PacketQueue(BOUNDS, dropped);
  for (let index = 0; index < 5; index++) queue.hold(Uint8Array.of(index), 0, 1);
  t.same([queue.size, dropped.value], [3, 2]);
  t.same(released(queue), [2, 3, 4]);
  queue.hold(new Uint8Array(20_000), 0, 20_000);
  t.same([queue.size, dropped.value], [0, 3], 'longer than all that may wait');
  queue.hold(Uint8Array.of(7), 0, 1);
  queue.drop();
  t.same([released(queue), dropped.value], [[], 4]);
  t.end();
});

t.test('what several queues hold together is bounded too, and room that is given back is used again', t => {
  const dropped = new Counters().counter('dropped');
  const size = 1000 + 2 * PACKET_ROOM;
  const room = { bytesLeft: 4 * size };
  const queues = Array.from({ length: 3 }, () => new PacketQueue(BOUNDS, dropped, room));
  for (const queue of queues)
    for (let index = 0; index < 2; index++) queue.hold(new Uint8Array(1000), 0, 1000);
  t.same([queues.map(queue => queue.size), dropped.value, room.bytesLeft], [[2, 2, 0], 2, 0]);
  queues[0]!.drop();
  queues[1]!.release(() => undefined);
  t.equal(room.bytesLeft, 4 * size);
  queues[2]!.hold(new Uint8Array(1000), 0, 1000);
  t.equal(queues[2]!.size, 1);
  t.end();
});
