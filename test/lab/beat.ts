// Numbered UDP datagrams at an even pace between two virtual addresses, each with bytes that follow from its number; the
// receiver says of every one when it came.
//   node beat.js send ADDRESS PORT PER_SECOND BYTES    (until SIGTERM; then a line of JSON: { sent })
//   node beat.js receive ADDRESS PORT                  (a line of JSON: { ready }; then one each: Beaten)
import { createSocket } from 'node:dgram';
import { now } from './flow.ts';

export interface Beaten {
  readonly number: number;
  readonly atMs: number;
  /** It is what was sent. */
  readonly whole: boolean;
}

const TICK_MS = 2;
/** A starved sender must not flood the card's queue when it wakes. */
const MOST_A_TICK = 40;

const [role = '', address = '', port = '', perSecond = '0', bytes = '0'] = process.argv.slice(2);

if (role === 'send') send();
else if (role === 'receive') receive();

function send(): void {
  const socket = createSocket('udp4');
  socket.on('error', () => undefined);
  const begun = now();
  let sent = 0;
  const timer = setInterval(() => {
    // By the clock, not by the tick: a late tick makes up for what it missed, a little at a time.
    const due = Math.floor(((now() - begun) * Number(perSecond)) / 1000);
    for (const end = Math.min(due, sent + MOST_A_TICK); sent < end; sent++)
      socket.send(contentOf(sent, Number(bytes)), Number(port), address, () => undefined);
  }, TICK_MS);
  process.once('SIGTERM', () => {
    clearInterval(timer);
    process.stdout.write(`${JSON.stringify({ sent })}\n`, () => process.exit(0));
  });
}

function receive(): void {
  const socket = createSocket({ type: 'udp4', recvBufferSize: 4 * 1024 * 1024 });
  socket.on('message', message => {
    const number = message.length < 4 ? -1 : message.readUInt32BE();
    const whole = number >= 0 && message.equals(contentOf(number, message.length));
    say({ number, atMs: now(), whole });
  });
  socket.bind(Number(port), address, () => say({ ready: true }));
}

/** The number, then bytes of a generator that it seeds (xorshift32). */
function contentOf(number: number, length: number): Buffer {
  const content = Buffer.alloc(length);
  content.writeUInt32BE(number);
  let state = (number + 0x9e3779b9) | 0 || 1;
  for (let at = 4; at < length; at++) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    content[at] = state & 0xff;
  }
  return content;
}

function say(line: Beaten | { readonly ready: true }): void {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}
