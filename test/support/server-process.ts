// A location server as a process of its own, to be killed: `node server-process.js STATE_DIR PORT INVITES`. Prints one line
// of JSON when it is up: the port and the invites.
import { systemClock } from '../../base/clock.ts';
import { Counters } from '../../base/counters.ts';
import { silentLog } from '../../base/log.ts';
import { createServer } from '../../server/server.ts';
import { primitives } from '../../system/crypto.ts';
import { testTcp } from './tcp-ports.ts';

const [stateDir = '', port = '0', invites = '0'] = process.argv.slice(2);
const limits = {
  connectionsPerAddress: 1000,
  handshakesPerSecond: 10_000,
  handshakeBurst: 10_000,
  handshakesPerSecondMost: 10_000,
};
const server = createServer({
  stateDir,
  primitives,
  clock: systemClock,
  counters: new Counters(),
  log: silentLog,
  limits,
  tcp: testTcp(),
});
const summary = await server.up({ port: Number(port), secondPort: null, listen: ['127.0.0.1'] });
const issued: string[] = [];
for (let index = 0; index < Number(invites); index++) issued.push((await server.invite({})).invite);
process.stdout.write(`${JSON.stringify({ port: summary.port, invites: issued })}\n`);
// Nobody that it was started by, nobody to serve: a killed test leaves nothing behind.
process.stdin.resume().on('end', () => process.exit(0));
