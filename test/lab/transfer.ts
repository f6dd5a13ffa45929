// Moves a file over TCP between two places of a lab; each end prints the SHA-256 and the size of what it saw as JSON.
//   node transfer.js send ADDRESS PORT FILE
//   node transfer.js receive ADDRESS PORT FILE   (prints "ready" once it listens)
import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { connect, createServer } from 'node:net';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';

const [role = '', address = '', port = '', file = ''] = process.argv.slice(2);
const hash = createHash('sha256');
let bytes = 0;
const witness = new Transform({
  transform(chunk: Buffer, _, done) {
    hash.update(chunk);
    bytes += chunk.length;
    done(null, chunk);
  },
});

if (role === 'send') {
  await pipeline(createReadStream(file, { highWaterMark: 1 << 18 }), witness, connect(Number(port), address));
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
