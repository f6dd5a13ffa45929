// Numbered UDP datagrams at an even pace between two virtual addresses, and which of them came.
//   node numbered.js send ADDRESS PORT PER_SECOND    (until SIGTERM; then a line of JSON: { sent })
//   node numbered.js receive ADDRESS PORT            (a line of JSON each half second: what came so far)
import { createSocket } from 'node:dgram';
import { now } from './flow.ts';

export interface Arrived {
  /** Different numbers that came. */
  readonly count: number;
  readonly twice: number;
  /** The highest number, -1: none yet. */
  readonly last: number;
  /** The first few gaps below the highest: from which number on how many have not come. */
  readonly gaps: readonly (readonly [from: number, count: number])[];
  /** Between two arrivals, at most, in ms. */
  readonly longestPauseMs: number;
}

const SIZE = 200;
const TICK_MS = 5;
/** A starved sender must not flood the card's queue when it wakes. */
const MOST_A_TICK = 40;
const TOLD_EVERY_MS = 500;
const GAPS_TOLD = 20;

const [role = '', address = '', port = '', perSecond = '0'] = process.argv.slice(2);

if (role === 'send') send();
else if (role === 'receive') receive();

function send(): void {
  const socket = createSocket('udp4');
  const bytes = Buffer.alloc(SIZE);
  const begun = now();
  let sent = 0;
  const timer = setInterval(() => {
    // By the clock, not by the tick: a late tick makes up for what it missed, a little at a time.
    const due = Math.floor(((now() - begun) * Number(perSecond)) / 1000);
    for (const end = Math.min(due, sent + MOST_A_TICK); sent < end; sent++) {
      bytes.writeUInt32BE(sent);
      socket.send(Buffer.from(bytes), Number(port), address);
    }
  }, TICK_MS);
  process.once('SIGTERM', () => {
    clearInterval(timer);
    process.stdout.write(`${JSON.stringify({ sent })}\n`);
    socket.close();
  });
}

function receive(): void {
  const socket = createSocket({ type: 'udp4', recvBufferSize: 4 * 1024 * 1024 });
  const came: boolean[] = [];
  let [count, twice, lastAt, longestPauseMs] = [0, 0, 0, 0];
  socket.on('message', message => {
    const at = now();
    if (lastAt > 0) longestPauseMs = Math.max(longestPauseMs, at - lastAt);
    lastAt = at;
    const number = message.readUInt32BE();
    if (came[number] === true) twice++;
    else count++;
    came[number] = true;
  });
  const gaps = (): [number, number][] => {
    const found: [number, number][] = [];
    for (let number = 0; number < came.length && found.length < GAPS_TOLD; number++) {
      if (came[number] === true) continue;
      const from = number;
      while (number < came.length && came[number] !== true) number++;
      found.push([from, number - from]);
    }
    return found;
  };
  const tell = (): void => {
    const arrived: Arrived = { count, twice, last: came.length - 1, gaps: gaps(), longestPauseMs };
    process.stdout.write(`${JSON.stringify(arrived)}\n`);
  };
  socket.bind(Number(port), address, () => {
    tell();
    setInterval(tell, TOLD_EVERY_MS);
  });
}
