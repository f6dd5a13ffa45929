// A WebSocket client that keeps a location server busy: it asks who has an address as often as the server answers one
// node. At the end (SIGTERM) it tells how many answers came, as a line of JSON.
//   node ws-client.js ADDRESS PORT SUBJECT    the invite comes on standard input
import { text } from 'node:stream/consumers';
import { expectWelcome, makeIdentity, readInvite, TestConnection } from '../support/location-client.ts';

/** The server's own bound: 20 questions a second of one node. */
const EVERY_MS = 50;

const [host = '', port = '', address = ''] = process.argv.slice(2);
const invite = readInvite((await text(process.stdin)).trim());
const identity = makeIdentity(`ws-client-${process.pid}`);
const connection = await TestConnection.open({ invite, host, port: Number(port), identity });
const welcome = expectWelcome(await connection.login({ token: invite.token }));
await connection.ask({ type: 'publish', record: connection.record(welcome) });
let answers = 0;
process.once('SIGTERM', () => {
  process.stdout.write(`${JSON.stringify({ answers })}\n`, () => process.exit(0));
});
process.stdout.write('ready\n');
for (;;) {
  const answer = await connection.ask({ type: 'lookup', address });
  if (answer.type === 'route') answers += 1;
  await new Promise(resolve => setTimeout(resolve, EVERY_MS));
}
