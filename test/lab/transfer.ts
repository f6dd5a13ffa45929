// Moves a file over TCP between two places of a lab; each end prints the SHA-256 and the size of what it saw as JSON.
//   node transfer.js send ADDRESS PORT FILE [BYTES-PER-SECOND]
//   node transfer.js receive ADDRESS PORT FILE   (prints "ready" once it listens)
import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { connect, createServer } from 'node:net';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';

const CHUNK_BYTES = 1 << 18;

const [role = '', address = '', port = '', file = '', perSecond = 'Infinity'] = process.argv.slice(2);
const hash = createHash('sha256');
let bytes = 0;
const begun = performance.now();
const witness = new Transform({
  transform(chunk: Buffer, _, done) {
    hash.update(chunk);
    bytes += chunk.length;
    const aheadMs = (bytes / Number(perSecond)) * 1000 - (performance.now() - begun);
    if (role !== 'send' || aheadMs < 1) done(null, chunk);
    else setTimeout(() => done(null, chunk), aheadMs);
  },
});

if (role === 'send') {
  const highWaterMark = Math.max(1, Math.min(CHUNK_BYTES, Number(perSecond) / 50));
  await pipeline(createReadStream(file, { highWaterMark }), witness, connect(Number(port), address));
  report();
} else {
  const listener = createServer(socket => {
    listener.close();
    void pipeline(socket, witness, createWriteStream(file)).then(report);
  });
  listener.listen(Number(port), address, () => process.stdout.write('ready\n'));
}

function report(): void {
  process.stdout.write(`${JSON.stringify({ bytes, sha256: hash.digest('hex') })}\n`);
}
