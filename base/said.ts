// A sentence for people that other languages can say too: its English words, and beside them a code and what was filled in.
// Every folder that says such sentences keeps its own texts and makes them by `sayings`.

/** Figures and names as they are, or a sentence of its own. */
export type SaidFact = string | number | Said;
export type SaidFacts = Readonly<Record<string, SaidFact>>;

export interface Said {
  /** `choice.better`. */
  readonly code: string;
  readonly facts: SaidFacts;
  /** In English, whole. */
  readonly words: string;
}

export type Sayings<Code extends string> = (code: Code, facts?: SaidFacts) => Said;

/** `{name}` in a text becomes the fact of that name. */
export const sayings =
  <Code extends string>(texts: Readonly<Record<Code, string>>): Sayings<Code> =>
  (code, facts = {}) => ({ code, facts, words: filled(texts[code], facts) });

const filled = (text: string, facts: SaidFacts): string =>
  text.replaceAll(/\{(\w+)\}/g, (whole, name: string) => {
    const fact = Object.hasOwn(facts, name) ? facts[name] : whole;
    return typeof fact === 'object' ? fact.words : String(fact);
  });
