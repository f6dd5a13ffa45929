// Much data between two virtual addresses, checked at its end. Each end prints lines of JSON.
//   node bulk.js tcp-send ADDRESS PORT BYTES SEED          { bytes, sha256 }
//   node bulk.js tcp-receive ADDRESS PORT                  { ready }, then { bytes, sha256 }
//   node bulk.js udp-send ADDRESS PORT BYTES SEED LARGEST  { sent, bytes }; reads how far the other end has come
//   node bulk.js udp-receive ADDRESS PORT SEED LARGEST     { ready }, then { last } as they come; at a line in: { received, … }
import { createHash } from 'node:crypto';
import { connect, createServer } from 'node:net';
import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setTimeout as pause } from 'node:timers/promises';
import { seededRandom } from '../../base/random.ts';
import { DatagramPlan, GROUP } from './datagram-plan.ts';
import { openReceiver, openSender } from './datagram-socket.ts';

/** What may be on the way: less than any queue there holds. */
const WINDOW = 1024;
/** Lost ones at the window's end must not stop the sender for good. */
const STALLED_MS = 500;
const TOLD_EVERY_MS = 5;
const CHUNK_BYTES = 1 << 18;

const [role = '', address = '', portText = '', ...rest] = process.argv.slice(2);
const port = Number(portText);
const numbers = rest.map(Number);
const tell = (line: object): void => void process.stdout.write(`${JSON.stringify(line)}\n`);

if (role === 'tcp-send') await sendStream(numbers[0] ?? 0, numbers[1] ?? 1);
else if (role === 'tcp-receive') receiveStream();
else if (role === 'udp-send') await sendDatagrams(numbers[0] ?? 0, numbers[1] ?? 1, numbers[2] ?? 1000);
else if (role === 'udp-receive') receiveDatagrams(numbers[0] ?? 1, numbers[1] ?? 1000);
else throw new TypeError(`no role ${role}`);

async function sendStream(bytes: number, seed: number): Promise<void> {
  const hash = createHash('sha256');
  await pipeline(Readable.from(chunks(bytes, seed, chunk => hash.update(chunk))), connect(port, address));
  tell({ bytes, sha256: hash.digest('hex') });
}

/** Random bytes of a seed, with a number at the start of each chunk so that none is like another. */
function* chunks(bytes: number, seed: number, seen: (chunk: Buffer) => void): Generator<Buffer> {
  const pool = Buffer.from(seededRandom(seed).bytes(CHUNK_BYTES));
  for (let left = bytes, number = 0; left > 0; left -= CHUNK_BYTES, number++) {
    const chunk = Buffer.from(pool.subarray(0, Math.min(left, CHUNK_BYTES)));
    if (chunk.length >= 4) chunk.writeUInt32BE(number);
    seen(chunk);
    yield chunk;
  }
}

function receiveStream(): void {
  const hash = createHash('sha256');
  let bytes = 0;
  const listener = createServer(socket => {
    listener.close();
    socket.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      hash.update(chunk);
    });
    socket.once('close', () => tell({ bytes, sha256: hash.digest('hex') }));
  });
  listener.listen(port, address, () => tell({ ready: true }));
}

async function sendDatagrams(bytes: number, seed: number, largest: number): Promise<void> {
  const plan = new DatagramPlan(seed, largest);
  const sender = openSender(address, port);
  const buffer = Buffer.alloc(GROUP * largest);
  let [last, heardAt, sent, sentBytes] = [-1, performance.now(), 0, 0];
  createInterface({ input: process.stdin }).on('line', line => {
    last = Math.max(last, Number(line));
    heardAt = performance.now();
  });
  for (let group = 0; sentBytes < bytes; group++) {
    while (sent - last > WINDOW && performance.now() - heardAt < STALLED_MS) await pause(1);
    if (sent - last > WINDOW) last = sent;
    let length = 0;
    for (let end = sent + GROUP; sent < end; sent++) {
      const size = plan.write(sent, buffer, length);
      if (plan.isRun(group)) length += size;
      else sender.send(buffer, size, 0);
      sentBytes += size;
    }
    if (length > 0) sender.send(buffer, length, plan.sizeOf(group * GROUP));
    // What the other end says is heard between groups only.
    if (group % 4 === 0) await pause(0);
  }
  tell({ sent, bytes: sentBytes });
  process.exit(0);
}

function receiveDatagrams(seed: number, largest: number): void {
  const plan = new DatagramPlan(seed, largest);
  const came = new Uint8Array(1 << 28);
  let [received, twice, wrong, last, told] = [0, 0, 0, -1, -1];
  openReceiver(address, port, (bytes, length) => {
    const number = plan.numberOf(bytes, length);
    if (number < 0) wrong++;
    else if (came[number] === 1) twice++;
    else {
      came[number] = 1;
      received++;
      last = Math.max(last, number);
    }
  });
  setInterval(() => {
    if (last !== told) tell({ last: (told = last) });
  }, TOLD_EVERY_MS);
  createInterface({ input: process.stdin }).on('line', () => tell({ received, twice, wrong }));
  tell({ ready: true });
}
