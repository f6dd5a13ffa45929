// A TCP stream that never ends, paced so that it leaves the lab its CPU; the receiver says when bytes came.
//   node stream.js send ADDRESS PORT
//   node stream.js receive ADDRESS PORT   (a line of JSON each time: { bytes, atMs })
import { connect, createServer } from 'node:net';
import { now } from './flow.ts';

const CHUNK_BYTES = 16_384;
const EVERY_MS = 20;

const [role = '', address = '', port = ''] = process.argv.slice(2);

if (role === 'send') {
  const socket = connect(Number(port), address);
  const chunk = Buffer.alloc(CHUNK_BYTES, 0x67);
  // What the path can't take now is not piled up.
  setInterval(() => socket.writableNeedDrain || socket.write(chunk), EVERY_MS);
} else {
  let bytes = 0;
  const listener = createServer(socket => {
    listener.close();
    socket.on('data', data => tell((bytes += data.length)));
  });
  listener.listen(Number(port), address, () => tell(0));
}

function tell(total: number): void {
  process.stdout.write(`${JSON.stringify({ bytes: total, atMs: now() })}\n`);
}
