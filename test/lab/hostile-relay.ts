// A relay's evil twin: stands in front of its TCP door and passes everything on, until it is told a mischief to do to the
// frames that carry data.
//   node hostile-relay.js LISTEN-PORT DOOR-PORT    (a line `ready`; then takes a mischief a line from standard input, and
//                                                   after each says JSON: { did }, the frames that the last one touched)
import { connect, createServer } from 'node:net';
import type { Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { FRAME_HEAD, FRAME_KINDS, MAX_FRAME_PAYLOAD } from '../../protocol/stream/frame.ts';
import { STREAM_FIRST_BYTE } from '../../protocol/stream/handshake.ts';

/** `drops`: all data; `picks`: only WireGuard's data messages, so that probes of the path are answered as if all were well. */
export const MISCHIEFS = [
  'alters',
  'drops',
  'picks',
  'delays',
  'replays',
  're-orders',
  'invents',
  'redirects',
  'garbles',
] as const;
export type Mischief = (typeof MISCHIEFS)[number];

const DELAY_MS = 2500;
const WIREGUARD_DATA = 4;
const LENGTH_BYTES = 2;
const MAGIC_BYTES = 4;
const KEPT = 50;

let mischief: Mischief | 'none' = 'none';
let did = 0;

/** What comes from one end, cut into handshake messages and frames. */
class Pieces {
  #kept: Buffer = Buffer.alloc(0);
  /** Of the handshake, still to come. */
  #messages: number;
  #isStream: boolean | null;

  constructor(messages: number, isStream: boolean | null) {
    this.#messages = messages;
    this.#isStream = isStream;
  }

  /** `isFrame`: a whole one; else bytes to pass on as they are. */
  *take(bytes: Buffer): Generator<{ readonly bytes: Buffer; readonly isFrame: boolean }> {
    this.#kept = Buffer.concat([this.#kept, bytes]);
    if (this.#isStream === null && this.#kept.length >= MAGIC_BYTES) {
      this.#isStream = this.#kept[0] === STREAM_FIRST_BYTE;
      if (this.#isStream) yield { bytes: this.#cut(MAGIC_BYTES), isFrame: false };
    }
    if (this.#isStream === false) {
      yield { bytes: this.#cut(this.#kept.length), isFrame: false };
      return;
    }
    while (this.#isStream === true) {
      const isFrame = this.#messages === 0;
      const length = isFrame ? frameLength(this.#kept) : messageLength(this.#kept);
      if (length === null || this.#kept.length < length) return;
      if (!isFrame) this.#messages--;
      yield { bytes: this.#cut(length), isFrame };
    }
  }

  #cut(length: number): Buffer {
    const bytes = Buffer.from(this.#kept.subarray(0, length));
    this.#kept = this.#kept.subarray(length);
    return bytes;
  }
}

const frameLength = (bytes: Buffer): number | null =>
  bytes.length < FRAME_HEAD ? null : FRAME_HEAD + Math.min(bytes.readUInt32BE(4), MAX_FRAME_PAYLOAD);

const messageLength = (bytes: Buffer): number | null =>
  bytes.length < LENGTH_BYTES ? null : LENGTH_BYTES + bytes.readUInt16BE(0);

/** One direction of one connection. It numbers frames anew, as a relay does, so what it adds is not told by its number. */
class Direction {
  readonly #to: Socket;
  readonly #past: Buffer[] = [];
  #number = 0;
  #held: Buffer | null = null;

  constructor(to: Socket) {
    this.#to = to;
  }

  pass(bytes: Buffer, isFrame: boolean): void {
    if (!isFrame) this.#write(bytes);
    else if (bytes[0] !== FRAME_KINDS.data || mischief === 'none') this.#frame(bytes);
    else {
      did++;
      this.#does[mischief](bytes);
    }
  }

  readonly #does: Readonly<Record<Mischief, (frame: Buffer) => void>> = {
    alters: frame => {
      frame[FRAME_HEAD + random(frame.length - FRAME_HEAD)]! ^= 1 + random(255);
      this.#frame(frame);
    },
    drops: () => undefined,
    picks: frame => {
      if (frame[FRAME_HEAD] !== WIREGUARD_DATA) this.#frame(frame);
    },
    delays: frame => void setTimeout(() => this.#frame(frame), DELAY_MS),
    /** Each one again with its very number and with the next, and one of those before. */
    replays: frame => {
      this.#frame(frame);
      this.#write(Buffer.from(frame));
      this.#frame(Buffer.from(frame));
      const old = this.#past[random(this.#past.length)];
      if (old !== undefined) this.#frame(Buffer.from(old));
      this.#past.push(Buffer.from(frame));
      if (this.#past.length > KEPT) this.#past.shift();
    },
    /** Each second one overtakes the one before it. */
    're-orders': frame => {
      const held = this.#held;
      this.#held = held === null ? frame : null;
      if (held === null) return;
      this.#frame(frame);
      this.#frame(held);
    },
    /** As from the same sender: a message of that session, filled with chance; and one from somebody who is not there. */
    invents: frame => {
      this.#frame(frame);
      const made = Buffer.from(frame);
      for (let at = FRAME_HEAD + 8; at < made.length; at++) made[at] = random(256);
      this.#frame(made);
      const stranger = Buffer.from(made);
      stranger.writeUInt32BE(random(2 ** 32), 24);
      this.#frame(stranger);
    },
    /** To its own sender. */
    redirects: frame => {
      frame.copyWithin(28, 12, 28);
      this.#frame(frame);
    },
    garbles: frame => {
      this.#write(frame.fill(0xff, 0, FRAME_HEAD));
    },
  };

  #frame(bytes: Buffer): void {
    bytes.writeUInt32BE(++this.#number, 8);
    this.#write(bytes);
  }

  #write(bytes: Buffer): void {
    if (!this.#to.destroyed) this.#to.write(bytes);
  }
}

function serve(listenPort: number, doorPort: number): void {
  const listener = createServer({ noDelay: true }, near => {
    const far = connect({ port: doorPort, host: '127.0.0.1', noDelay: true });
    couple(near, far, new Pieces(2, null));
    // The door answers a stream's beginning with one message; what it answers to anything else is passed as it comes.
    couple(far, near, new Pieces(1, true));
  });
  listener.listen(listenPort, '0.0.0.0', () => process.stdout.write('ready\n'));
}

function couple(from: Socket, to: Socket, pieces: Pieces): void {
  const direction = new Direction(to);
  from.on('data', (bytes: Buffer) => {
    for (const piece of pieces.take(bytes)) direction.pass(piece.bytes, piece.isFrame);
  });
  from.on('error', () => undefined);
  from.on('close', () => to.destroy());
}

const random = (below: number): number => Math.floor(Math.random() * below);

if (process.argv[1]?.endsWith('hostile-relay.js') === true) {
  const [listenPort = '', doorPort = ''] = process.argv.slice(2);
  createInterface({ input: process.stdin }).on('line', line => {
    process.stdout.write(`${JSON.stringify({ did })}\n`);
    mischief = line as Mischief | 'none';
    did = 0;
  });
  serve(Number(listenPort), Number(doorPort));
}
