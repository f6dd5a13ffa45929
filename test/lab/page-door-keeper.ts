// Runs in a box's network: what comes to the port that was handed in goes to the port named, on this network's loopback.
import { connect, createServer } from 'node:net';

const HANDED_IN = 3;
const port = Number(process.argv[2]);

createServer({ allowHalfOpen: true }, from => {
  const to = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  from.pipe(to).pipe(from);
  from.on('error', () => to.destroy());
  to.on('error', () => from.destroy());
}).listen({ fd: HANDED_IN });
