// How long does an idle mapping live (RFC 5780 4.6)? One socket makes a mapping and falls silent; later a second one asks
// the server to answer to the first one's mapped port. The answer arrives, or the mapping is gone.
import type { Clock } from '../../base/clock.ts';
import type { StunDoor } from '../../core/contract/plugin.ts';
import { askBinding } from './ask.ts';
import type { ServerView } from './plan.ts';
import { wait } from './reflexive.ts';

/** Idle times that are tried, one after the other, until one is too long. */
export const IDLE_TIMES_MS: readonly number[] = [15_000, 30_000, 60_000, 120_000, 180_000, 300_000];

/** NATs give a flow its long life only after traffic both ways over some time (Linux: 2 s). */
const WARM_UP_MS = 2_500;

export interface Lifetime {
  /** The longest idle time after which the mapping was seen alive; 0: not even the shortest. */
  readonly aliveMs: number;
  /** The shortest after which it was gone; null: it outlived all. */
  readonly goneMs: number | null;
}

/** Null: this server, or this NAT, can't be asked. `progress` after each idle time that was survived. */
export async function measureLifetime(
  door: StunDoor,
  server: ServerView,
  clock: Clock,
  signal: AbortSignal,
  progress: (lifetime: Lifetime) => void,
): Promise<Lifetime | null> {
  const { family } = server.primary;
  const idle = await door.fresh(family);
  const asker = await door.fresh(family);
  const isAlive = async (idleMs: number): Promise<boolean | null> => {
    if (!(await askBinding(idle, { to: server.primary }, signal)).ok) return null;
    await wait(clock, WARM_UP_MS, signal);
    const warm = await askBinding(idle, { to: server.primary }, signal);
    if (!warm.ok) return null;
    await wait(clock, idleMs, signal);
    const question = { to: server.primary, responsePort: warm.mapped.port };
    const seen = await askBinding(asker, question, signal);
    if (seen.ok) return seen.localPort === idle.localPort ? true : null;
    return seen.code === 'timeout' ? false : null;
  };
  try {
    // Without a pause it must work, or silence would later say nothing.
    if ((await isAlive(0)) !== true) return null;
    return await growIdle(isAlive, signal, progress);
  } finally {
    idle.close();
    asker.close();
  }
}

async function growIdle(
  isAlive: (idleMs: number) => Promise<boolean | null>,
  signal: AbortSignal,
  progress: (lifetime: Lifetime) => void,
): Promise<Lifetime | null> {
  let aliveMs = 0;
  for (const idleMs of IDLE_TIMES_MS) {
    const alive = await isAlive(idleMs);
    if (alive === null || signal.aborted) return null;
    if (!alive) return { aliveMs, goneMs: idleMs };
    aliveMs = idleMs;
    progress({ aliveMs, goneMs: null });
  }
  return { aliveMs, goneMs: null };
}
