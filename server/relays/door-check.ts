// One look at a node's TCP door: connect, and have it prove the node's control key by the handshake of streams. It carries
// nothing, and ends at once.
import { connect } from 'node:net';
import type { Clock } from '../../base/clock.ts';
import type { Endpoint } from '../../protocol/address.ts';
import { startNoise } from '../../protocol/noise/handshake-state.ts';
import type { DhKeyPair, Primitives } from '../../protocol/primitives.ts';
import { openStream, STREAM_VERSION, StreamMessages } from '../../protocol/stream/handshake.ts';

/** `other`: something else answers there. */
export type DoorAnswer = 'answers' | 'refused' | 'silent' | 'other';

export interface DoorCheck {
  readonly primitives: Primitives;
  readonly clock: Clock;
  /** The server's own channel key. */
  readonly localStatic: DhKeyPair;
  readonly timeoutMs: number;
}

/** `controlKey`: the node's, 32 bytes. Never rejects. */
export function checkDoor(check: DoorCheck, place: Endpoint, controlKey: Uint8Array): Promise<DoorAnswer> {
  const { primitives, clock, localStatic, timeoutMs } = check;
  return new Promise(resolve => {
    const opening = openStream({ startNoise, primitives, localStatic }, controlKey, {
      v: STREAM_VERSION,
      forwards: false,
    });
    const messages = new StreamMessages(false);
    const socket = connect({ host: place.address, port: place.port, family: place.family });
    let isProved = false;
    const end = (answer: DoorAnswer): void => {
      timer.cancel();
      socket.destroy();
      resolve(answer);
    };
    const timer = clock.after(timeoutMs, () => end('silent'));
    socket.on('connect', () => socket.write(opening.first));
    socket.on('error', error => end('code' in error && error.code === 'ECONNREFUSED' ? 'refused' : 'silent'));
    socket.on('close', () => end(isProved ? 'answers' : 'other'));
    socket.on('data', bytes => {
      messages.add(bytes);
      const next = messages.next();
      if (next.ok && next.value === null) return;
      const finished = next.ok ? opening.finish(next.value!) : next;
      if (!finished.ok) {
        end('other');
        return;
      }
      isProved = true;
      // So that the node sees a whole beginning and an orderly end.
      socket.end(finished.value.third, () => end('answers'));
    });
  });
}
