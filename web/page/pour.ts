// As many bytes as a connection takes, out of one block that is filled once: a speed test needs no more memory than that.
import { randomFillSync } from 'node:crypto';
import type { Socket } from 'node:net';

const BLOCK_BYTES = 64 * 1024;
let block: Buffer | null = null;

export interface Pouring {
  /** Asked before each block. */
  readonly mayGoOn: () => boolean;
  readonly most: number;
}

/** Resolves when it may not go on, all is poured, or the connection is gone. */
export async function pour(socket: Socket, { mayGoOn, most }: Pouring): Promise<void> {
  const bytes = (block ??= randomFillSync(Buffer.allocUnsafe(BLOCK_BYTES)));
  for (let poured = 0; poured < most && mayGoOn() && !socket.destroyed; poured += bytes.length) {
    const last = most - poured;
    const isTaken = socket.write(last < bytes.length ? bytes.subarray(0, last) : bytes);
    if (!isTaken) await drained(socket);
  }
}

function drained(socket: Socket): Promise<void> {
  return new Promise(resolve => {
    const done = (): void => {
      socket.off('drain', done);
      socket.off('close', done);
      resolve();
    };
    socket.once('drain', done);
    socket.once('close', done);
  });
}
