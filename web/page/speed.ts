// The asking end of a speed test: five seconds of data from the other box, then five to it, over the virtual network. What
// answers there is bin/daemon/speed-door.ts.
import { connect, type Socket } from 'node:net';
import type { Clock } from '../../base/clock.ts';
import type { GinnelError } from '../../base/errors.ts';
import { apiErrors } from '../errors.ts';
import type { SpeedEvent } from '../peers-admin.ts';
import {
  ANSWER_BYTES,
  COUNT_BYTES,
  DIRECTION_MS,
  helloOf,
  mayBecome,
  MOST_BYTES,
  SPEED_PORT,
  wordIn,
  type Direction,
} from './speed-protocol.ts';
import { pour } from './pour.ts';

const CONNECT_MS = 10_000;
const SAMPLE_EVERY_MS = 500;
/** TCP finds its speed first. */
const WARM_UP_MS = 1_000;

export interface SpeedTestOptions {
  readonly clock: Clock;
  /** Its virtual address. */
  readonly address: string;
  /** This box's own virtual address. */
  readonly from: string;
  /** What it is called in errors. */
  readonly peer: string;
  /** For tests. */
  readonly port?: number;
  readonly directionMs?: number;
}

/** Both directions, one after the other. Errors: SPEED_UNREACHABLE, SPEED_NOT_OFFERED, SPEED_OTHER_VERSION, SPEED_BUSY, SPEED_BROKEN. */
export async function* speedTest(
  options: SpeedTestOptions,
  signal: AbortSignal,
): AsyncGenerator<SpeedEvent, void> {
  const beganAt = options.clock.monotonicMs();
  const speeds = { down: 0, up: 0 };
  for (const direction of ['down', 'up'] as const) {
    speeds[direction] = yield* measure(options, direction, { signal, beganAt });
    if (signal.aborted) return;
  }
  yield { type: 'done', ...speeds };
}

interface Frame {
  readonly signal: AbortSignal;
  readonly beganAt: number;
}

/** Bits per second. */
async function* measure(
  options: SpeedTestOptions,
  direction: Direction,
  { signal, beganAt }: Frame,
): AsyncGenerator<SpeedEvent, number> {
  const { clock, directionMs = DIRECTION_MS } = options;
  const line = await Line.open(options, direction, signal);
  try {
    const startedAt = clock.monotonicMs();
    const elapsed = (): number => clock.monotonicMs() - startedAt;
    if (direction === 'up') line.pour(() => elapsed() < directionMs);
    let last = { at: 0, bytes: 0 };
    let warm: Point | null = null;
    while (!signal.aborted && !line.isSated && elapsed() < directionMs) {
      await line.rest(SAMPLE_EVERY_MS);
      const now = { at: elapsed(), bytes: line.bytes };
      const bitsPerSecond = Math.round(rate(last, now));
      yield { type: 'sample', afterMs: Math.round(clock.monotonicMs() - beganAt), bitsPerSecond, direction };
      if (warm === null && now.at >= WARM_UP_MS) warm = now;
      last = now;
    }
    return Math.round(rate(warm === null || warm.at === last.at ? { at: 0, bytes: 0 } : warm, last));
  } finally {
    line.close();
  }
}

interface Point {
  readonly at: number;
  readonly bytes: number;
}

const rate = (from: Point, to: Point): number =>
  to.at <= from.at ? 0 : ((to.bytes - from.bytes) * 8 * 1000) / (to.at - from.at);

/** One direction's connection, once the other end said that it goes. */
class Line {
  readonly #socket: Socket;
  readonly #options: SpeedTestOptions;
  /** That arrived: here, or, upwards, there. */
  bytes = 0;
  #failure: GinnelError | null = null;
  #wake: () => void = () => undefined;

  private constructor(socket: Socket, options: SpeedTestOptions) {
    this.#socket = socket;
    this.#options = options;
  }

  static async open(options: SpeedTestOptions, direction: Direction, signal: AbortSignal): Promise<Line> {
    const { address, from, port = SPEED_PORT } = options;
    const socket = connect({ host: address, localAddress: from, port, noDelay: true, signal });
    const line = new Line(socket, options);
    try {
      const rest = await line.#begin(direction);
      line.#listen(direction, rest);
    } catch (error) {
      socket.destroy();
      throw error;
    }
    return line;
  }

  /** All that one direction may take has come. */
  get isSated(): boolean {
    return this.bytes >= MOST_BYTES;
  }

  pour(mayGoOn: () => boolean): void {
    void pour(this.#socket, { mayGoOn, most: MOST_BYTES }).catch(() => undefined);
  }

  /** Rejects as soon as the other end is gone: SPEED_BROKEN. */
  async rest(ms: number): Promise<void> {
    if (this.#failure === null)
      await new Promise<void>(resolve => {
        const timer = this.#options.clock.after(ms, resolve);
        this.#wake = () => {
          timer.cancel();
          resolve();
        };
      });
    if (this.#failure !== null && !this.isSated) throw this.#failure;
  }

  close(): void {
    this.#socket.destroy();
  }

  /** Says which direction, and waits for the word; resolves to what came behind it. */
  #begin(direction: Direction): Promise<Buffer> {
    const { clock, peer, port = SPEED_PORT } = this.#options;
    const socket = this.#socket;
    return new Promise((resolve, reject) => {
      let heard = Buffer.alloc(0);
      const late = clock.after(CONNECT_MS, () =>
        reject(apiErrors('SPEED_UNREACHABLE', { peer, port, problem: 'It was silent for ten seconds' })),
      );
      const settle = (work: () => void): void => {
        late.cancel();
        socket.removeAllListeners('data');
        socket.removeAllListeners('end');
        work();
      };
      socket.once('connect', () => void socket.write(helloOf(direction)));
      // For good: what fails later is told by rest().
      socket.on('error', error => {
        this.#fail(error.message);
        settle(() => reject(connectError(error, peer, port)));
      });
      socket.once('end', () => settle(() => reject(apiErrors('SPEED_OTHER_VERSION', { peer, port }))));
      socket.on('data', part => {
        heard = Buffer.concat([heard, part]);
        const word = wordIn(heard);
        if (word === null && heard.length < ANSWER_BYTES && mayBecome(heard)) return;
        settle(() => {
          if (word === 'go') resolve(heard.subarray(ANSWER_BYTES));
          else reject(apiErrors(word === 'busy' ? 'SPEED_BUSY' : 'SPEED_OTHER_VERSION', { peer, port }));
        });
      });
    });
  }

  #listen(direction: Direction, rest: Buffer): void {
    const heard = direction === 'down' ? (part: Buffer) => this.#take(part.length) : this.#counts();
    heard(rest);
    this.#socket.on('data', heard);
    this.#socket.on('close', () => this.#fail('The other box ended it'));
    this.#socket.resume();
  }

  #take(bytes: number): void {
    this.bytes += bytes;
  }

  /** Of what arrived there: numbers of eight bytes. */
  #counts(): (part: Buffer) => void {
    let left = Buffer.alloc(0);
    return part => {
      const all = Buffer.concat([left, part]);
      const whole = all.length - (all.length % COUNT_BYTES);
      if (whole > 0) {
        const told = Number(all.readBigUInt64BE(whole - COUNT_BYTES));
        // Nobody got more than was sent.
        this.bytes = Math.min(Math.max(this.bytes, told), this.#socket.bytesWritten);
      }
      left = all.subarray(whole);
    };
  }

  #fail(problem: string): void {
    this.#failure ??= apiErrors('SPEED_BROKEN', { peer: this.#options.peer, problem });
    this.#wake();
  }
}

function connectError(error: Error, peer: string, port: number): GinnelError {
  const code = 'code' in error ? error.code : '';
  if (code === 'ECONNREFUSED') return apiErrors('SPEED_NOT_OFFERED', { peer, port }, error);
  return apiErrors('SPEED_UNREACHABLE', { peer, port, problem: error.message }, error);
}
