// Ginnel's STUN over TCP alone, on the ports named: node tcp-punch-server.js 7443 7444
import { createServer } from 'node:net';
import { systemClock } from '../../base/clock.ts';
import { Counters } from '../../base/counters.ts';
import { tcpEndpoint } from '../../protocol/ip/endpoint.ts';
import { DEFAULT_LIMITS } from '../../server/limits.ts';
import { serveStunTcp } from '../../server/stun-tcp.ts';
import { TokenBuckets } from '../../server/token-bucket.ts';

const { stunPerSecond, stunBurst } = DEFAULT_LIMITS;
const options = {
  buckets: new TokenBuckets(systemClock, stunPerSecond, stunBurst),
  counters: new Counters(),
};
for (const port of process.argv.slice(2))
  createServer(socket => {
    socket.on('error', () => undefined);
    const remote = tcpEndpoint(socket.remoteAddress, socket.remotePort);
    const local = tcpEndpoint(socket.localAddress, socket.localPort);
    if (remote !== null && local !== null) serveStunTcp(socket, remote, local, options);
  }).listen(Number(port), '0.0.0.0');
