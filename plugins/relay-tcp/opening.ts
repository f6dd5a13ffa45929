// A connection within a time, or not at all.
import type { Clock } from '../../base/clock.ts';
import type { Random } from '../../base/random.ts';
import type { Stream, StreamDoor } from '../../core/contract/plugin.ts';
import type { TcpPlace } from '../../protocol/location/messages.ts';

/** Rejects with a GinnelError, or with the reason of `signal` or of the time-out. */
export async function untilOpen(
  clock: Clock,
  streams: Pick<StreamDoor, 'open'>,
  place: TcpPlace,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<Stream> {
  const late = new AbortController();
  const timer = clock.after(timeoutMs, () => late.abort(new Error(`no connection within ${timeoutMs} ms`)));
  try {
    return await streams.open(place, AbortSignal.any([signal, late.signal]));
  } finally {
    timer.cancel();
  }
}

const FIRST_MS = 1_000;
const MOST_MS = 60_000;

/** How long to wait after so many failures in a row, the first being 1: from 1 s to a minute, never all at once. */
export function retryAfterMs(failures: number, random: Random): number {
  const most = Math.min(MOST_MS, FIRST_MS * 2 ** Math.min(failures, 16));
  return most / 2 + random.below(most / 2);
}
