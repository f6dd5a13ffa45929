// Boxes that join a network by the real protocol and leave again at once; each is told as a line of JSON, signed by itself
// and by the server, as another node would learn it.
//   node registrants.js ADDRESS PORT COUNT FROM…    the invite, good for so many, comes on standard input
// FROM: several addresses of this place, since the server takes so many of one address only.
import { text } from 'node:stream/consumers';
import type { SignedNode } from '../../protocol/location/messages.ts';
import { expectWelcome, makeIdentity, readInvite, TestConnection } from '../support/location-client.ts';

/** The server takes 50 handshakes a second of all when it has just started. */
const EVERY_MS = 22;

const [host = '', port = '', count = '', ...sources] = process.argv.slice(2);
const invite = readInvite((await text(process.stdin)).trim());

const joining: Promise<void>[] = [];
for (let made = 0; made < Number(count); made += 1) {
  joining.push(join(sources[made % sources.length] ?? ''));
  await new Promise(resolve => setTimeout(resolve, EVERY_MS));
}
await Promise.all(joining);

async function join(from: string): Promise<void> {
  const identity = makeIdentity();
  const connection = await TestConnection.open({ invite, host, port: Number(port), identity, from });
  const { assignment, ...welcome } = expectWelcome(await connection.login({ token: invite.token }));
  const record = connection.record({ ...welcome, assignment });
  const published = await connection.ask({ type: 'publish', record });
  if (published.type !== 'done') throw new Error(JSON.stringify(published));
  const node: SignedNode = { record, assignment };
  process.stdout.write(`${JSON.stringify(node)}\n`);
  connection.close();
}
