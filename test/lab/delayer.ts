// The process behind delay.ts: reads packets from a TUN card, holds each for its time, writes it back.
//   node delayer.js DEVICE '{"delayMs":20,"jitterMs":0,"lossRate":0}'
import { CARD_ROOM, openCard } from './card.ts';
import type { Trouble } from './delay.ts';
import { PacketQueue } from './packet-queue.ts';

const MEMORY_BYTES = 32 << 20;
const SHORTEST_WAIT_MS = 1;

const [device = '', options = ''] = process.argv.slice(2);
const trouble = JSON.parse(options) as Trouble;
const memory = new Uint8Array(MEMORY_BYTES);
const queue = new PacketQueue(memory, (CARD_ROOM + 7) & ~7);
// A super-packet would be lost whole: with loss, packets come one by one.
const card = openCard(device, memory, trouble.lossRate === 0);
let lastDue = 0;
let timer: NodeJS.Timeout | null = null;

card.onPacket = (offset, length) => {
  if (trouble.lossRate > 0 && Math.random() < trouble.lossRate) return;
  const due = performance.now() + trouble.delayMs + Math.random() * trouble.jitterMs;
  // Homes seldom see packets overtake each other, so a late one holds back those behind it.
  lastDue = Math.max(lastDue, due);
  queue.push(offset, length, lastDue);
  timer ??= setTimeout(release, trouble.delayMs);
};

process.stdout.write('ready\n');

function release(): void {
  const now = performance.now();
  while (queue.due() <= now) queue.shift((offset, length) => card.write(offset, length));
  timer =
    queue.due() === Infinity ? null : setTimeout(release, Math.max(SHORTEST_WAIT_MS, queue.due() - now));
}
