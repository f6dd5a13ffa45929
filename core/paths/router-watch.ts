// Whether the home's router still has room, while a volley fills it: the location server is asked from ever new sockets. Each
// is a new flow, as anybody's next connection would be.
import type { Clock, Timer } from '../../base/clock.ts';
import type { StunDoor } from '../contract/plugin.ts';

export type RouterAsk = Pick<StunDoor, 'servers' | 'fresh'>;

const EVERY_MS = 150;
/** With its repetitions: a lost packet alone is no answer too few. */
const PATIENCE_MS = 450;
/** So many in a row: on a line that loses packets one of them may have lost all of its own. */
const SILENT = 3;

/**
 * Resolves true as soon as new flows get no answer any more; false when the signal ends it. Never rejects. `rttMs`: to the
 * server; null: unknown.
 */
export function watchRouter(
  router: RouterAsk,
  clock: Clock,
  rttMs: number | null,
  signal: AbortSignal,
): Promise<boolean> {
  const patienceMs = Math.max(PATIENCE_MS, 2.5 * (rttMs ?? 0));
  return new Promise(resolve => {
    let timer: Timer | null = null;
    let silent = 0;
    const end = (isFull: boolean): void => {
      timer?.cancel();
      signal.removeEventListener('abort', abort);
      resolve(isFull);
    };
    const abort = (): void => end(false);
    const ask = async (): Promise<void> => {
      const isThere = await isAnswered(router, patienceMs, signal);
      silent = isThere ? 0 : silent + 1;
      if (silent >= SILENT && !signal.aborted) end(true);
    };
    // They overlap: each answer takes its time, and a full router is to be noticed within a second.
    const next = (): void => {
      timer = clock.after(EVERY_MS, next);
      void ask();
    };
    signal.addEventListener('abort', abort, { once: true });
    if (signal.aborted) abort();
    else next();
  });
}

async function isAnswered(router: RouterAsk, timeoutMs: number, signal: AbortSignal): Promise<boolean> {
  const server = router.servers().find(({ endpoint }) => endpoint.family === 4);
  // Without a server nothing can be told.
  if (server === undefined) return true;
  try {
    const socket = await router.fresh(4);
    try {
      const outcome = await socket.transact({ to: server.endpoint, attributes: [], timeoutMs }, signal);
      // A spent budget says nothing about the router.
      return outcome.ok || outcome.code === 'budget' || outcome.code === 'aborted';
    } finally {
      socket.close();
    }
  } catch {
    return true;
  }
}
