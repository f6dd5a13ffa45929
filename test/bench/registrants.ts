// Boxes that join a network by the real protocol and leave again at once; each is told as a line of JSON, signed by itself
// and by the server, as another node would learn it.
//   node registrants.js ADDRESS PORT COUNT FROM…    the invite, good for so many, comes on standard input
// FROM: several addresses of this place, since the server takes so many of one address only.
import { text } from 'node:stream/consumers';
import { readInvite } from '../support/location-client.ts';
import { joinAll, joinFrom } from './joining.ts';

const [host = '', port = '', count = '', ...sources] = process.argv.slice(2);
const invite = readInvite((await text(process.stdin)).trim());

await joinAll(Number(count), sources, async from => {
  const { connection, node } = await joinFrom(invite, host, Number(port), from);
  process.stdout.write(`${JSON.stringify(node)}\n`);
  connection.close();
});
