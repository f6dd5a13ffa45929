// Opening a stream to a node of which several places are known: side by side, a little apart, the first that proves to be
// that node counts.
import type { Socket } from 'node:net';
import type { Clock } from '../../base/clock.ts';
import type { Endpoint } from '../../protocol/address.ts';
import { formatEndpoint } from '../../protocol/address.ts';
import type { TcpPlace } from '../../protocol/location/messages.ts';
import { beginAs, type BeginOptions, type Begun } from './beginning.ts';
import { streamErrors } from './errors.ts';

const APART_MS = 250;
const MAX_PLACES = 4;

export type Connect = (to: Endpoint, signal: AbortSignal) => Promise<Socket>;

export interface Dialled extends Begun {
  readonly socket: Socket;
}

/** Rejects with STREAM_UNREACHABLE or STREAM_REFUSED. */
export async function dial(
  options: BeginOptions & { readonly connect: Connect },
  { node, places }: TcpPlace,
  signal: AbortSignal,
): Promise<Dialled> {
  const tried = places.slice(0, MAX_PLACES);
  const decided = new AbortController();
  const until = AbortSignal.any([signal, decided.signal]);
  const reasons: string[] = [];
  const seen = { answered: false };
  const attempts = tried.map(async (place, index) => {
    await apart(options.clock, index * APART_MS, until);
    const socket = await options.connect(place, until);
    seen.answered = true;
    try {
      return { ...(await beginAs(options, socket, node, until)), socket };
    } catch (error) {
      socket.destroy();
      throw error;
    }
  });
  for (const attempt of attempts) attempt.catch((error: unknown) => reasons.push(wordsOf(error)));
  try {
    const first = await Promise.any(attempts);
    // One that got through after this one had won is not needed.
    for (const attempt of attempts)
      attempt.then(other => (other === first ? null : other.socket.destroy())).catch(() => undefined);
    return first;
  } catch (cause) {
    const { name } = node.record;
    const details = { name, places: tried.map(formatEndpoint).join(', '), reason: reasons[0] ?? 'no place' };
    throw streamErrors(seen.answered ? 'STREAM_REFUSED' : 'STREAM_UNREACHABLE', details, cause);
  } finally {
    decided.abort();
  }
}

/** Rejects where it is not needed any more. */
function apart(clock: Clock, delayMs: number, signal: AbortSignal): Promise<void> {
  if (delayMs === 0) return Promise.resolve();
  return new Promise((resolve, reject) => {
    const timer = clock.after(delayMs, resolve);
    signal.addEventListener('abort', () => {
      timer.cancel();
      reject(new Error('another place answered'));
    });
  });
}

const wordsOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
