// The mapped address of the main socket, from whichever server answers first: the quick part, on the way of path recovery.
import type { Clock } from '../../base/clock.ts';
import type { StunDoor, StunServer } from '../../core/contract/plugin.ts';
import type { IpFamily } from '../../protocol/address.ts';
import { askBinding, type Seen } from './ask.ts';

export interface Reflection {
  readonly server: StunServer;
  readonly seen: Extract<Seen, { ok: true }>;
}

/** `silent`: asked, and no answer. `unsent`: nothing could be asked (no network, no budget, ended). */
export type ReflexiveResult = 'answered' | 'silent' | 'unsent' | 'no-server';

export interface ReflexiveEvents {
  /** Also for answers that come after the promise has settled. */
  heard(reflection: Reflection): void;
  /** No server of this family answered. */
  lost(family: IpFamily): void;
}

/** After the first answer the other family gets two round trips more, and at least this. */
const GRACE_MS = 50;

/**
 * Asks every server of every family that this box has, from the main socket. Settles soon after the first answer of a
 * family, or when all have been silent.
 */
export async function askReflexive(
  door: StunDoor,
  servers: readonly StunServer[],
  clock: Clock,
  events: ReflexiveEvents,
  signal: AbortSignal,
): Promise<ReflexiveResult> {
  const lost: IpFamily[] = [];
  const noteLost = (family: IpFamily): void => {
    lost.push(family);
    events.lost(family);
  };
  const families = ([4, 6] as const).map(family =>
    askFamily(door, family, servers, { ...events, lost: noteLost }, signal),
  );
  const asked = families.filter(family => family !== null);
  if (asked.length === 0) return 'no-server';
  const first = await firstOf(asked);
  if (first === null) return lost.length > 0 ? 'silent' : 'unsent';
  await Promise.race([Promise.all(asked), wait(clock, Math.max(GRACE_MS, 2 * first.seen.rttMs), signal)]);
  return 'answered';
}

/** The family's first answer, or null when none came; null at once where there is nothing to ask. */
function askFamily(
  door: StunDoor,
  family: IpFamily,
  servers: readonly StunServer[],
  events: ReflexiveEvents,
  signal: AbortSignal,
): Promise<Reflection | null> | null {
  const socket = door.main(family);
  const fitting = servers.filter(({ endpoint }) => endpoint.family === family);
  if (socket === null || fitting.length === 0) return null;
  const codes: string[] = [];
  const asked = fitting.map(async server => {
    const seen = await askBinding(socket, { to: server.endpoint }, signal);
    if (signal.aborted) return null;
    if (!seen.ok) {
      codes.push(seen.code);
      if (codes.length === fitting.length && codes.includes('timeout')) events.lost(family);
      return null;
    }
    const reflection = { server, seen };
    events.heard(reflection);
    return reflection;
  });
  return firstOf(asked);
}

/** The first that isn't null; null when all are. */
async function firstOf<T>(promises: readonly Promise<T | null>[]): Promise<T | null> {
  return new Promise((resolve, reject) => {
    const settled = promises.map(async promise => {
      const value = await promise;
      if (value !== null) resolve(value);
    });
    Promise.all(settled).then(() => resolve(null), reject);
  });
}

/** Settles after so many ms, or when aborted. */
export async function wait(clock: Clock, delayMs: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  await new Promise<void>(resolve => {
    const done = (): void => {
      timer.cancel();
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = clock.after(delayMs, done);
    signal.addEventListener('abort', done);
  });
}
