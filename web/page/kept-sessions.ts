// Sessions as the store keeps them: ages instead of times, for no clock that grows outlives the process. How long the box was
// off is told by the wall clock, where that can be believed at both ends.
import type { Clock } from '../../base/clock.ts';
import type { Session } from './sessions.ts';

/** Earlier than this the wall clock has not been set yet. */
const SANE_WALL_MS = Date.UTC(2025, 0, 1);
const HASH_BYTES = 32;

interface Kept {
  readonly id: string;
  readonly from: string;
  readonly browser: string;
  /** Missing where it came in plain. */
  readonly isSecure?: boolean;
  /** SHA-256 of the token, base64url. */
  readonly hash: string;
  readonly ageMs: number;
  readonly silentMs: number;
  readonly tokenAgeMs: number;
}

/** The token of before a change is not kept: a restart takes longer than its grace is worth. */
export function sessionsToKeep(sessions: readonly Session[], clock: Clock): object {
  const now = clock.monotonicMs();
  const kept = sessions.map(({ id, from, browser, isSecure, hash, born, seen, tokenBorn }): Kept => ({
    ...{ id, from, browser, isSecure, hash: hash.toString('base64url') },
    ...{ ageMs: now - born, silentMs: now - seen, tokenAgeMs: now - tokenBorn },
  }));
  return { v: 1, at: clock.wallMs(), sessions: kept };
}

/** What cannot be understood is nobody's session. */
export function keptSessions(value: unknown, clock: Clock): Session[] {
  const { v, at, sessions } = { ...(value as Record<string, unknown> | null | undefined) };
  if (v !== 1 || typeof at !== 'number' || !Array.isArray(sessions)) return [];
  const offMs = timeOff(at, clock.wallMs());
  const now = clock.monotonicMs();
  return sessions
    .filter(isKept)
    .map(({ id, from, browser, isSecure, hash, ageMs, silentMs, tokenAgeMs }) => ({
      ...{
        id,
        from,
        browser,
        isSecure: isSecure === true,
        hash: Buffer.from(hash, 'base64url'),
        previous: null,
      },
      ...{ born: now - offMs - ageMs, seen: now - offMs - silentMs, tokenBorn: now - offMs - tokenAgeMs },
    }));
}

const timeOff = (then: number, now: number): number =>
  then < SANE_WALL_MS || now < SANE_WALL_MS ? 0 : Math.max(0, now - then);

function isKept(value: unknown): value is Kept {
  const { id, from, browser, hash, ageMs, silentMs, tokenAgeMs } = {
    ...(value as Record<string, unknown> | null),
  };
  return (
    [id, from, browser].every(text => typeof text === 'string') &&
    typeof hash === 'string' &&
    Buffer.from(hash, 'base64url').length === HASH_BYTES &&
    [ageMs, silentMs, tokenAgeMs].every(age => typeof age === 'number' && age >= 0)
  );
}
