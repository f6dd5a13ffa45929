// The language of the page: the browser's, until somebody chooses. Texts and figures both go by it. English is there at
// once, another language is loaded where it is read.
import { boxWordsOf, type BoxWords } from '../pure/box-words.ts';
import { formatIn, type Format } from '../pure/format.ts';
import { asSentence, saidIn, type SaidTexts } from '../pure/said.ts';
import { fillText, type Filling, type Text } from '../pure/text.ts';
import type { Said } from '../pure/wire.ts';
import { en, type TextKey } from '../texts/en.ts';
import { saidEn } from '../texts/said-en.ts';
import { keep, kept } from './kept.ts';
import { createStore, useStore } from './store.ts';

export type Language = 'en' | 'zh';
export type Say = (key: TextKey, given?: Filling) => string;

export interface Words {
  readonly language: Language;
  readonly t: Say;
  readonly f: Format;
  /** What the box says in English, in this language; null: this is English. */
  readonly box: BoxWords | null;
  /** What the box says by a code, as a whole sentence in this language. */
  readonly said: (said: Said) => string;
}

interface Loaded {
  readonly texts: Readonly<Record<TextKey, Text>>;
  readonly said: SaidTexts;
  readonly box: BoxWords | null;
}

const TAGS: Readonly<Record<Language, string>> = { en: 'en', zh: 'zh-CN' };
const STOPS: Readonly<Record<Language, string>> = { en: '.', zh: '。' };
const ENGLISH: Loaded = { texts: en, said: saidEn, box: null };
const LOADED = new Map<Language, Loaded>([['en', ENGLISH]]);

function wordsIn(language: Language, { texts, box, said: saidTexts }: Loaded): Words {
  const tag = languageTag(language);
  const plural = new Intl.PluralRules(tag);
  return {
    ...{ language, box, f: formatIn(tag) },
    t: (key, given = {}) => fillText(texts[key], given, plural),
    said: said => asSentence(saidIn(said, saidTexts, plural), STOPS[language]),
  };
}

async function loaded(language: Language): Promise<Loaded> {
  const known = LOADED.get(language);
  if (known !== undefined) return known;
  const { zh, zhBox, zhSaid } = await import('../texts/zh-all.ts');
  const fresh = { texts: zh, said: zhSaid, box: boxWordsOf(zhBox) };
  LOADED.set(language, fresh);
  return fresh;
}

/** As the reader's own country writes figures; Chinese in simplified characters. */
function languageTag(language: Language): string {
  const written = language === 'zh' ? /^zh(-Hans.*|-CN|-SG)?$/i : /^en\b/i;
  return navigator.languages.find(tag => written.test(tag)) ?? TAGS[language];
}

function first(): Language {
  const chosen = kept('language');
  if (chosen === 'en' || chosen === 'zh') return chosen;
  return navigator.language.toLowerCase().startsWith('zh') ? 'zh' : 'en';
}

export const words = createStore(wordsIn('en', ENGLISH));

export const useWords = (): Words => useStore(words);

/** Before anything is shown. Where the texts do not come, it is English. */
export const showLanguage = (): Promise<void> => show(first());

export function chooseLanguage(language: Language): void {
  keep('language', language);
  void show(language);
}

async function show(language: Language): Promise<void> {
  const found = await loaded(language).catch(() => null);
  if (found !== null) words.set(wordsIn(language, found));
  document.documentElement.lang = TAGS[words.get().language];
}
