// What a screen reader is to say when something was done that only the eye would see.
import { createStore } from './store.ts';

export const announcement = createStore('');

export function announce(text: string): void {
  // The same words twice are said twice only if they changed in between.
  announcement.set('');
  window.setTimeout(() => announcement.set(text), 50);
}
