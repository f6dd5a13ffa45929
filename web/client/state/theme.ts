// Light or dark: as the system has it, until somebody chooses.
import { keep, kept } from './kept.ts';
import { createStore } from './store.ts';

export type Theme = 'auto' | 'light' | 'dark';
export const THEMES: readonly Theme[] = ['auto', 'light', 'dark'];

export const theme = createStore<Theme>(THEMES.find(one => one === kept('theme')) ?? 'auto');

export function chooseTheme(next: Theme): void {
  keep('theme', next);
  theme.set(next);
  showTheme();
}

export function showTheme(): void {
  document.documentElement.dataset['theme'] = theme.get();
}
