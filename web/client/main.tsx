// The page's application begins here.
import { render } from 'preact';
import { App } from './app.tsx';
import { showLanguage } from './state/language.ts';
import { askSession } from './state/session.ts';
import { showTheme } from './state/theme.ts';
import './styles/main.css';

showTheme();
void askSession();
const root = document.getElementById('app');
void showLanguage().then(() => {
  if (root !== null) render(<App />, root);
});
