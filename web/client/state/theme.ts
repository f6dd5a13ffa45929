// Light or dark: as the system has it, until somebody chooses. The style sheet knows the two by one attribute alone.
import { keep, kept } from './kept.ts';
import { createStore } from './store.ts';

export type Theme = 'auto' | 'light' | 'dark';
export const THEMES: readonly Theme[] = ['auto', 'light', 'dark'];

export const theme = createStore<Theme>(THEMES.find(one => one === kept('theme')) ?? 'auto');
/** What is shown, and whether the system's own colours outweigh it: whoever paints paints anew when this changes. */
export const colours = createStore('');

const dark = matchMedia('(prefers-color-scheme: dark)');
const forced = matchMedia('(forced-colors: active)');

export function chooseTheme(next: Theme): void {
  keep('theme', next);
  theme.set(next);
  show();
}

export function showTheme(): void {
  for (const system of [dark, forced]) system.addEventListener('change', show);
  show();
}

function show(): void {
  const chosen = theme.get();
  const shown = chosen === 'auto' ? (dark.matches ? 'dark' : 'light') : chosen;
  document.documentElement.dataset['theme'] = shown;
  colours.set(forced.matches ? `forced ${shown}` : shown);
}
