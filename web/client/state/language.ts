// The language of the page: the browser's, until somebody chooses. Texts and figures both go by it.
import { formatIn, type Format } from '../pure/format.ts';
import { fillText, type Filling } from '../pure/text.ts';
import { en, type TextKey } from '../texts/en.ts';
import { zh } from '../texts/zh.ts';
import { keep, kept } from './kept.ts';
import { createStore, useStore } from './store.ts';

export type Language = 'en' | 'zh';
export type Say = (key: TextKey, given?: Filling) => string;

export interface Words {
  readonly language: Language;
  readonly t: Say;
  readonly f: Format;
}

const TAGS: Readonly<Record<Language, string>> = { en: 'en', zh: 'zh-CN' };
const TEXTS = { en, zh };

function wordsIn(language: Language): Words {
  const tag = languageTag(language);
  const plural = new Intl.PluralRules(tag);
  const texts = TEXTS[language];
  return { language, t: (key, given = {}) => fillText(texts[key], given, plural), f: formatIn(tag) };
}

/** English as the reader's own country writes figures. */
function languageTag(language: Language): string {
  return navigator.languages.find(tag => tag.startsWith(language)) ?? TAGS[language];
}

function first(): Language {
  const chosen = kept('language');
  if (chosen === 'en' || chosen === 'zh') return chosen;
  return navigator.language.toLowerCase().startsWith('zh') ? 'zh' : 'en';
}

export const words = createStore(wordsIn(first()));

export const useWords = (): Words => useStore(words);

export function chooseLanguage(language: Language): void {
  keep('language', language);
  words.set(wordsIn(language));
  showLanguage();
}

export function showLanguage(): void {
  document.documentElement.lang = TAGS[words.get().language];
}
