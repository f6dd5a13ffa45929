// Whether the home's router still has room, while a volley fills it: the location server is asked from ever new sockets. Each
// is a new flow, as anybody's next connection would be.
import type { Clock } from '../../base/clock.ts';
import type { StunDoor } from '../contract/plugin.ts';

export type RouterAsk = Pick<StunDoor, 'servers' | 'fresh'>;

const EVERY_MS = 150;
/** With its repetitions: a lost packet alone is no answer too few. */
const PATIENCE_MS = 450;

/** Resolves true as soon as a new flow gets no answer; false when the signal ends it. Never rejects. */
export async function watchRouter(router: RouterAsk, clock: Clock, signal: AbortSignal): Promise<boolean> {
  while (!signal.aborted) {
    if (!(await isAnswered(router, signal))) return !signal.aborted;
    await pause(clock, signal);
  }
  return false;
}

async function isAnswered(router: RouterAsk, signal: AbortSignal): Promise<boolean> {
  const server = router.servers().find(({ endpoint }) => endpoint.family === 4);
  // Without a server nothing can be told.
  if (server === undefined) return true;
  try {
    const socket = await router.fresh(4);
    try {
      const ask = { to: server.endpoint, attributes: [], timeoutMs: PATIENCE_MS };
      const outcome = await socket.transact(ask, signal);
      // A spent budget says nothing about the router.
      return outcome.ok || outcome.code === 'budget' || outcome.code === 'aborted';
    } finally {
      socket.close();
    }
  } catch {
    return true;
  }
}

function pause(clock: Clock, signal: AbortSignal): Promise<void> {
  return new Promise(resolve => {
    const timer = clock.after(EVERY_MS, done);
    function done(): void {
      timer.cancel();
      signal.removeEventListener('abort', done);
      resolve();
    }
    signal.addEventListener('abort', done, { once: true });
  });
}
