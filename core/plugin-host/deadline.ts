// Waiting for foreign code, but not for ever.
import type { Clock } from '../../base/clock.ts';
import { wordsOf } from './words.ts';

export interface Patience {
  readonly clock: Clock;
  readonly timeoutMs: number;
  /** Waiting ends at once when this is aborted. */
  readonly signal?: AbortSignal;
  /** Where a rejection goes that comes after the waiting ended. */
  late(error: unknown): void;
}

export type Outcome<T> =
  { readonly kind: 'done'; readonly value: T } | { readonly kind: 'timeout' } | { readonly kind: 'aborted' };

/** What `work` came to within the time given; rejects with what it rejected with, or threw, in that time. */
export function within<T>(patience: Patience, work: () => Promise<T>): Promise<Outcome<T>> {
  return new Promise((resolve, reject) => {
    let over = false;
    const end = (finish: () => void): void => {
      if (over) return;
      over = true;
      timer.cancel();
      patience.signal?.removeEventListener('abort', onAbort);
      finish();
    };
    const onAbort = (): void => end(() => resolve({ kind: 'aborted' }));
    const timer = patience.clock.after(patience.timeoutMs, () => end(() => resolve({ kind: 'timeout' })));
    patience.signal?.addEventListener('abort', onAbort);
    const guarded = async (): Promise<T> => work();
    guarded().then(
      value => end(() => resolve({ kind: 'done', value })),
      (error: unknown) => {
        if (over) patience.late(error);
        else end(() => reject(asError(error)));
      },
    );
    if (patience.signal?.aborted === true) onAbort();
  });
}

/** What was thrown may be anything, also something that throws when it is looked at. */
function asError(thrown: unknown): Error {
  try {
    if (thrown instanceof Error) return thrown;
  } catch {
    // In words, then.
  }
  return new Error(wordsOf(thrown));
}
