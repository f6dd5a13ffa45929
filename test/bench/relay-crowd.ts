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
import { readInvite } from '../support/location-client.ts';
import { joinAll, joinFrom } from './joining.ts';

const never = new AbortController().signal;

const [host = '', port = '', relayId = '', count = '', ...sources] = process.argv.slice(2);
const invite = readInvite((await text(process.stdin)).trim());

await joinAll(Number(count), sources, stayAt);
process.stdout.write(`${count} nodes are connected to the relay\n`);

async function stayAt(from: string): Promise<void> {
  const { connection, node } = await joinFrom(invite, host, Number(port), from);
  const route = await connection.ask({ type: 'lookup', node: relayId });
  if (route.type !== 'route' || route.tcp[0] === undefined) throw new Error('no way to the relay');
  connection.close();
  const [place] = route.tcp;
  const socket = connect({ host: place.address, port: place.port, localAddress: from });
  socket.on('error', error => {
    throw error;
  });
  await new Promise<void>(resolve => socket.once('connect', resolve));
  const keys = { startNoise, primitives, localStatic: connection.identity.control };
  const hello = { v: 1, forwards: false, node };
  await beginAs({ keys, clock: systemClock, hello }, socket, route.node, never);
  stay(socket, node.record.ip6);
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
