// Waiting for a condition with a bound: what a test does instead of sleeping.
import { setTimeout as pause } from 'node:timers/promises';

const STEP_MS = 20;

/** Asks until the answer is neither null nor false; throws an Error saying `what` after `timeoutMs`. */
export async function until<T>(
  what: string,
  timeoutMs: number,
  ask: () => T | null | false | Promise<T | null | false>,
): Promise<T> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    const answer = await ask();
    if (answer !== null && answer !== false) return answer;
    if (performance.now() > deadline) throw new Error(`waited ${timeoutMs} ms for ${what}`);
    await pause(STEP_MS);
  }
}
