// The process behind `Witness`: a new TCP connection every so often, from a new port each; a line of JSON for each.
//   node newcomer.js ADDRESS:PORT EVERY_MS
import { connect } from 'node:net';

const PATIENCE_MS = 1000;

const [to = '', everyMs = ''] = process.argv.slice(2);
const [host = '', port = ''] = to.split(':');

setInterval(() => {
  const [at, before] = [Date.now(), performance.now()];
  const socket = connect({ host, port: Number(port) });
  const tell = (worked: boolean): void => {
    if (socket.destroyed) return;
    // By a reset, so that its router forgets it soon.
    socket.resetAndDestroy();
    process.stdout.write(`${JSON.stringify({ at, ms: Math.round(performance.now() - before), worked })}\n`);
  };
  socket.setTimeout(PATIENCE_MS, () => tell(false));
  socket.once('connect', () => tell(true));
  socket.once('error', () => tell(false));
}, Number(everyMs));
