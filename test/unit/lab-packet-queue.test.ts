// The ring behind the lab's delay: nothing lost, torn or swapped while it goes round.
import t from 'tap';
import { PacketQueue } from '../lab/packet-queue.ts';

const START = 64;

t.test('goes round many times with packets of every size, first in, first out', t => {
  const memory = new Uint8Array(START + 1000);
  const queue = new PacketQueue(memory, START);
  const waiting: { length: number; mark: number }[] = [];
  let wrong = 0;
  for (let step = 0; step < 5000; step += 1) {
    const length = 1 + ((step * 37) % 60);
    memory.fill(step & 0xff, 0, length);
    const dropped = queue.dropped;
    queue.push(0, length, step);
    if (queue.dropped === dropped) waiting.push({ length, mark: step & 0xff });
    if (step % 7 !== 0 || step % 3 === 0)
      queue.shift((offset, got) => {
        const first = waiting.shift();
        const bytes = memory.subarray(offset, offset + got);
        if (got !== first?.length || bytes.some(byte => byte !== first.mark)) wrong += 1;
      });
  }
  t.equal(wrong, 0);
  t.ok(queue.dropped > 0, 'it was full at times');
  t.end();
});

t.test('due: the time of the oldest, and never where there is none', t => {
  const memory = new Uint8Array(START + 1000);
  const queue = new PacketQueue(memory, START);
  t.equal(queue.due(), Infinity);
  queue.push(0, 10, 5);
  queue.push(0, 10, 9);
  t.equal(queue.due(), 5);
  queue.shift(() => undefined);
  t.equal(queue.due(), 9);
  queue.shift(() => undefined);
  t.equal(queue.due(), Infinity);
  t.end();
});
