// Sentences that the box says: in English as they come, in other languages by their codes (base/said.ts).
import { fillText, type Text } from './text.ts';
import type { Reason, Said } from './wire.ts';

/** Where a code is not known, or its text wants a fact that did not come, it stays English. */
export type SaidTexts = Readonly<Record<string, Text>>;

export function saidIn(said: Said, texts: SaidTexts, plural: Intl.PluralRules): string {
  const { code, facts, words } = said;
  const text = Object.hasOwn(texts, code) ? texts[code] : undefined;
  if (text === undefined) return words;
  const filling = Object.entries(facts).map(([name, fact]) => {
    return [
      name,
      typeof fact === 'object'
        ? saidIn(fact, texts, plural)
        : typeof fact === 'boolean'
          ? String(fact)
          : fact,
    ] as const;
  });
  return fillText(text, Object.fromEntries(filling), plural);
}

/** Half a sentence as a whole one: it begins large, and ends. */
export function asSentence(words: string, stop: string): string {
  if (words === '') return '';
  const whole = words.charAt(0).toUpperCase() + words.slice(1);
  return /[.!?。！？]$/u.test(whole) ? whole : whole + stop;
}

/** The reason of a peer's path or of a change. */
export const reasonOf = (of: Reason): Said => ({
  code: of.reasonCode,
  facts: of.reasonFacts,
  words: of.reason,
});
