// The answering end of a speed test: a small listener at this box's virtual address, for boxes of the network alone, one test
// at a time, with an end to time and bytes. The asking end is web/page/speed.ts.
import { createServer, type Server, type Socket } from 'node:net';
import type { Clock } from '../../base/clock.ts';
import type { Counters } from '../../base/counters.ts';
import type { Log } from '../../base/log.ts';
import type { NodeStatus } from '../../core/admin.ts';
import { pour } from '../../web/page/pour.ts';
import {
  answerOf,
  countOf,
  directionIn,
  DIRECTION_MS,
  HELLO_BYTES,
  MOST_BYTES,
  SPEED_PORT,
  TELL_EVERY_MS,
  type Direction,
} from '../../web/page/speed-protocol.ts';

const HELLO_MS = 3_000;
/** The asking end stops first; this is for one that does not. */
const GRACE_MS = 3_000;
const MOST_CONNECTIONS = 4;

const STRANGER = 'This port is for the boxes of one Ginnel network.\n';
const OTHER = "This port answers Ginnel's speed test alone.\n";

export interface SpeedDoorOptions {
  readonly clock: Clock;
  readonly counters: Counters;
  readonly log: Log;
  /** The boxes of the network, asked at each connection. */
  readonly status: () => NodeStatus;
  /** For tests. */
  readonly port?: number;
}

export class SpeedDoor {
  readonly #options: SpeedDoorOptions;
  #server: Server | null = null;
  /** Where it should listen; empty: nowhere. */
  #address = '';
  #sockets = new Set<Socket>();
  #isBusy = false;

  constructor(options: SpeedDoorOptions) {
    this.#options = options;
  }

  /** `address` empty: nobody is answered. A card that is not there yet is tried again with the next call. */
  listenAt(address: string): void {
    if (address === this.#address && this.#server !== null) return;
    this.#shut();
    this.#address = address;
    if (address !== '') this.#open(address);
  }

  get isOpen(): boolean {
    return this.#server?.listening === true;
  }

  close(): void {
    this.#address = '';
    this.#shut();
  }

  #open(address: string): void {
    const { port = SPEED_PORT, log, counters } = this.#options;
    const server = createServer({ noDelay: true }, socket => this.#meet(socket));
    server.maxConnections = MOST_CONNECTIONS;
    server.on('error', error => {
      counters.counter('speed.door-failed').value++;
      log.debug('speed tests are not answered yet', { address, port, problem: error.message });
      if (this.#server === server) this.#server = null;
      server.close();
    });
    server.on('drop', () => counters.counter('speed.refused.too-many').value++);
    server.listen(port, address);
    server.unref();
    this.#server = server;
  }

  #shut(): void {
    this.#server?.close();
    this.#server = null;
    for (const socket of this.#sockets) socket.destroy();
  }

  #meet(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on('close', () => this.#sockets.delete(socket));
    socket.on('error', () => undefined);
    if (!this.#isOfNetwork(socket.remoteAddress ?? '')) {
      this.#refuse(socket, 'stranger', STRANGER);
      return;
    }
    const late = this.#options.clock.after(HELLO_MS, () => this.#refuse(socket, 'silent', OTHER));
    socket.on('close', () => late.cancel());
    let heard = Buffer.alloc(0);
    const onData = (part: Buffer): void => {
      heard = Buffer.concat([heard, part]);
      if (heard.length < HELLO_BYTES) return;
      socket.off('data', onData);
      late.cancel();
      const direction = directionIn(heard.subarray(0, HELLO_BYTES));
      if (direction === null) this.#refuse(socket, 'other', OTHER);
      else this.#answer(socket, direction, heard.length - HELLO_BYTES);
    };
    socket.on('data', onData);
  }

  /** A route to the virtual address from outside would end here. */
  #isOfNetwork(address: string): boolean {
    const { peers } = this.#options.status();
    return peers.some(({ ip4, ip6 }) => ip4 === address || ip6 === address);
  }

  #refuse(socket: Socket, reason: string, words: string | Buffer): void {
    this.#options.counters.counter(`speed.refused.${reason}`).value++;
    // Whatever else comes is read and thrown away, so that the words are not lost to a reset.
    socket.resume();
    socket.end(words);
    const end = this.#options.clock.after(HELLO_MS, () => socket.destroy());
    socket.on('close', () => end.cancel());
  }

  #answer(socket: Socket, direction: Direction, already: number): void {
    const { clock, counters } = this.#options;
    if (this.#isBusy) {
      this.#refuse(socket, 'busy', answerOf('busy'));
      return;
    }
    this.#isBusy = true;
    counters.counter('speed.answered').value++;
    const end = clock.after(DIRECTION_MS + GRACE_MS, () => socket.destroy());
    socket.on('close', () => {
      end.cancel();
      this.#isBusy = false;
    });
    socket.write(answerOf('go'));
    if (direction === 'down') this.#give(socket);
    else this.#take(socket, already);
  }

  #give(socket: Socket): void {
    socket.resume();
    const end = this.#options.clock.monotonicMs() + DIRECTION_MS + GRACE_MS;
    const mayGoOn = (): boolean => this.#options.clock.monotonicMs() < end;
    void pour(socket, { mayGoOn, most: MOST_BYTES }).then(() => socket.end());
    socket.on('close', () => (this.#options.counters.counter('speed.bytes').value += socket.bytesWritten));
  }

  #take(socket: Socket, already: number): void {
    const { clock, counters } = this.#options;
    let got = already;
    const tell = (): void => {
      if (socket.writableLength === 0) socket.write(countOf(got));
      timer = clock.after(TELL_EVERY_MS, tell);
    };
    let timer = clock.after(TELL_EVERY_MS, tell);
    socket.on('data', part => {
      got += part.length;
      if (got >= MOST_BYTES) socket.end(countOf(got));
    });
    socket.on('end', () => socket.end(countOf(got)));
    socket.on('close', () => {
      timer.cancel();
      counters.counter('speed.bytes').value += got;
    });
  }
}
