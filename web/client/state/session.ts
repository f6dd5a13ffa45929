// Who is at the page: nobody yet known, a first visitor, somebody to sign in, or the owner.
import type { Session } from '../pure/wire.ts';
import { createStore } from './store.ts';

/** `asking`: not known yet; `unreached`: the box does not answer. */
export const session = createStore<Session | 'asking' | 'unreached'>('asking');

/** What whoever has to sign in should know first; empty: nothing. */
export const beforeSignIn = createStore('');

export async function askSession(): Promise<void> {
  try {
    const answer = await fetch('/v1/page/session', { cache: 'no-store' });
    session.set(answer.ok ? ((await answer.json()) as Session) : 'unreached');
  } catch {
    session.set('unreached');
  }
}

/** An answer said so: back to signing in, with what is known of the box. */
export function sessionEnded(): void {
  const known = session.get();
  if (typeof known === 'object' && known.signedIn) session.set({ ...known, signedIn: false });
}
