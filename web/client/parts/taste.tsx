// Language and colours of the page, for whoever reads it in this browser.
import type { JSX } from 'preact';
import { chooseLanguage, useWords } from '../state/language.ts';
import { useStore } from '../state/store.ts';
import { chooseTheme, theme, THEMES, type Theme } from '../state/theme.ts';

export function LanguageChoice(): JSX.Element {
  const { t, language } = useWords();
  return (
    <label class="taste">
      <span class="offscreen">{t('language')}</span>
      <select
        value={language}
        onChange={event => chooseLanguage(event.currentTarget.value === 'zh' ? 'zh' : 'en')}
      >
        <option value="en" lang="en">
          English
        </option>
        <option value="zh" lang="zh-CN">
          简体中文
        </option>
      </select>
    </label>
  );
}

export function ThemeChoice(): JSX.Element {
  const { t } = useWords();
  const chosen = useStore(theme);
  return (
    <label class="taste">
      <span class="offscreen">{t('theme')}</span>
      <select value={chosen} onChange={event => chooseTheme(event.currentTarget.value as Theme)}>
        {THEMES.map(one => (
          <option key={one} value={one}>
            {t(`theme.${one}`)}
          </option>
        ))}
      </select>
    </label>
  );
}
