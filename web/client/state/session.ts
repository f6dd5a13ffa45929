// Who is at the page: nobody yet known, a first visitor, somebody to sign in, or the owner.
import type { Session } from '../pure/wire.ts';
import { createStore } from './store.ts';

/** `asking`: not known yet; `unreached`: the box does not answer. */
export const session = createStore<Session | 'asking' | 'unreached'>('asking');

/** What whoever has to sign in should know first; empty: nothing. */
export const beforeSignIn = createStore('');

/** Whoever was in stays in while the box is silent: it may only be starting anew. */
export async function askSession(): Promise<void> {
  const answered = await answer();
  const known = session.get();
  const isInside = typeof known === 'object' && known.signedIn;
  if (answered !== null) session.set(answered);
  else if (!isInside) session.set('unreached');
}

async function answer(): Promise<Session | null> {
  try {
    const response = await fetch('/v1/page/session', { cache: 'no-store' });
    return response.ok ? ((await response.json()) as Session) : null;
  } catch {
    return null;
  }
}

/** An answer said so: back to signing in, with what is known of the box. */
export function sessionEnded(): void {
  const known = session.get();
  if (typeof known === 'object' && known.signedIn) session.set({ ...known, signedIn: false });
}
