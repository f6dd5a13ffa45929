// What LevelDB and the kernel say, as the errors a person may meet.
import type { Counters } from '../counters.ts';
import { isDiskFull } from '../disk.ts';
import { baseErrors, GinnelError } from '../errors.ts';
import { hasCode } from '../level-folder.ts';

export function storeError(path: string, error: unknown, counters: Counters): GinnelError {
  if (error instanceof GinnelError) return error;
  if (isDiskFull(error)) return diskFull(path, 0, counters, error);
  const problem = deepestMessage(error);
  if (hasCode(error, 'LEVEL_LOCKED')) return baseErrors('STORE_LOCKED', { path }, error);
  if (isDamage(error)) return baseErrors('STORE_DAMAGED', { path, problem }, error);
  return baseErrors('STORE_UNREADABLE', { path, problem }, error);
}

export function diskFull(path: string, freeBytes: number, counters: Counters, cause?: unknown): GinnelError {
  counters.counter('store.disk-full').value++;
  return baseErrors('DISK_FULL', { path, freeBytes }, cause);
}

/** Not the store's fault, so that nothing can be said of it: no room, no rights, a disk that does not answer. */
export const isOutside = (error: unknown): boolean =>
  isDiskFull(error) ||
  hasCode(error, 'LEVEL_LOCKED') ||
  /permission denied|input\/output error|too many open files|read-only file system/i.test(
    deepestMessage(error),
  );

const isDamage = (error: unknown): boolean =>
  /corruption|manifest|CURRENT|does not exist/i.test(deepestMessage(error));

export function deepestMessage(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? deepestMessage(error.cause) : error.message;
}
