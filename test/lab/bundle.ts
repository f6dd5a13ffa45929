// Sends bundles of equal-sized datagrams by one call each, which the kernel cuts where it must and leaves whole where it can.
//   node bundle.js ADDRESS PORT    (a line of JSON in: { segment, bytes }, in base64; a line out for each)
import { createInterface } from 'node:readline';
import { openSender } from './datagram-socket.ts';

const [address = '', port = ''] = process.argv.slice(2);
const sender = openSender(address, Number(port));

createInterface({ input: process.stdin }).on('line', line => {
  const { segment, bytes } = JSON.parse(line) as { segment: number; bytes: string };
  const bundle = Buffer.from(bytes, 'base64');
  sender.send(bundle, bundle.length, segment);
  process.stdout.write('sent\n');
});
