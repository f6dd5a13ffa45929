// Nodes that join a network, connect to one relay and stay: many, in one process.
//   node relay-crowd.js ADDRESS PORT RELAY-ID COUNT FROM…   the invite, good for so many, comes on standard input
// Says one line when all are connected.
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { systemClock } from '../../base/clock.ts';
import { beginAs } from '../../core/streams/beginning.ts';
import { startNoise } from '../../protocol/noise/handshake-state.ts';
import { FRAME_HEAD, writeHead } from '../../protocol/stream/frame.ts';
import { addressOf } from '../../core/streams/node-stream.ts';
import { primitives } from '../../system/crypto.ts';
import { expectWelcome, makeIdentity, readInvite, TestConnection } from '../support/location-client.ts';

/** The server takes 50 handshakes a second of all when it has just started. */
const EVERY_MS = 22;
const never = new AbortController().signal;

const [host = '', port = '', relayId = '', count = '', ...sources] = process.argv.slice(2);
const invite = readInvite((await text(process.stdin)).trim());

const joining: Promise<void>[] = [];
for (let made = 0; made < Number(count); made += 1) {
  joining.push(join(sources[made % sources.length] ?? ''));
  await new Promise(resolve => setTimeout(resolve, EVERY_MS));
}
await Promise.all(joining);
process.stdout.write(`${count} nodes are connected to the relay\n`);

async function join(from: string): Promise<void> {
  const identity = makeIdentity();
  const connection = await TestConnection.open({ invite, host, port: Number(port), identity, from });
  const { assignment, ...welcome } = expectWelcome(await connection.login({ token: invite.token }));
  const record = connection.record({ ...welcome, assignment });
  const published = await connection.ask({ type: 'publish', record });
  if (published.type !== 'done') throw new Error(JSON.stringify(published));
  const route = await connection.ask({ type: 'lookup', node: relayId });
  if (route.type !== 'route' || route.tcp[0] === undefined) throw new Error('no way to the relay');
  connection.close();
  const [place] = route.tcp;
  const socket = connect({ host: place.address, port: place.port, localAddress: from });
  socket.on('error', error => {
    throw error;
  });
  await new Promise<void>(resolve => socket.once('connect', resolve));
  const keys = { startNoise, primitives, localStatic: identity.control };
  const hello = { v: 1, forwards: false, node: { record, assignment } };
  await beginAs({ keys, clock: systemClock, hello }, socket, route.node, never);
  stay(socket, record.ip6);
}

/** Whatever comes is a question whether it lives. */
function stay(socket: ReturnType<typeof connect>, ip6: string): void {
  const self = addressOf(ip6);
  let number = 0;
  socket.on('data', () => {
    const frame = new Uint8Array(FRAME_HEAD);
    number += 1;
    writeHead(frame, 0, { kind: 'pong', hops: 1, segment: 0, length: 0, number }, self, self);
    socket.write(frame);
  });
  socket.resume();
}
