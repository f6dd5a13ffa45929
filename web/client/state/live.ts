// What happens at the box, told by the box: one stream while the page is looked at, none while it is hidden.
import type { Live } from '../pure/wire.ts';
import { askSession } from './session.ts';
import { createStore } from './store.ts';

export const live = createStore<Live | null>(null);
/** `lost`: it is tried again by itself. */
export const connection = createStore<'opening' | 'open' | 'lost'>('opening');

const FIRST_RETRY_MS = 1000;
const MOST_RETRY_MS = 15_000;

/** Answers how to end it. */
export function watchLive(): () => void {
  let source: EventSource | null = null;
  let again = 0;
  let waitMs = FIRST_RETRY_MS;
  const close = (): void => {
    window.clearTimeout(again);
    source?.close();
    source = null;
  };
  const open = (): void => {
    close();
    const opened = new EventSource('/v1/page/live');
    source = opened;
    opened.addEventListener('state', event => {
      waitMs = FIRST_RETRY_MS;
      live.set(JSON.parse(String(event.data)) as Live);
      connection.set('open');
    });
    opened.addEventListener('error', () => {
      connection.set('lost');
      close();
      again = window.setTimeout(() => void askSession().then(retry), waitMs);
      waitMs = Math.min(MOST_RETRY_MS, waitMs * 2);
    });
  };
  /** The session may have ended meanwhile: then there is another screen, and this watch is over. */
  const retry = (): void => {
    if (source === null && !isEnded && !document.hidden) open();
  };
  const look = (): void => (document.hidden ? close() : open());
  let isEnded = false;
  document.addEventListener('visibilitychange', look);
  look();
  return () => {
    isEnded = true;
    close();
    // Whoever signs in next sees the box as it is then, not as it was.
    live.set(null);
    connection.set('opening');
    document.removeEventListener('visibilitychange', look);
  };
}
