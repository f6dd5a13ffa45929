// What fills the braces of a text that a person reads. The facts travel beside the English words, so that the page can say
// the same in another language.

/** An error that is part of another text: its own code and facts, and its words. */
export interface ToldError {
  readonly code: string;
  readonly words: string;
  readonly facts: Facts;
}

export type Fact = string | number | boolean | ToldError;
export type Facts = Readonly<Record<string, Fact>>;

type Given = Readonly<Record<string, unknown>>;

/** `{name}` becomes the fact of that name; an error its message. What is not given stays as it is. */
export const fillIn = (text: string, given: Given): string =>
  text.replaceAll(/\{(\w+)\}/g, (whole, key: string) => (key in given ? wordOf(given[key]) : whole));

/** Of what is given, what fills `text`: nothing else of it travels. */
export function factsOf(text: string, given: Given): Facts {
  const names = new Set([...text.matchAll(/\{(\w+)\}/g)].map(match => match[1] ?? ''));
  return Object.fromEntries(
    [...names].filter(name => name in given).map(name => [name, factOf(given[name])]),
  );
}

const wordOf = (value: unknown): string => (value instanceof Error ? value.message : String(value));

function factOf(value: unknown): Fact {
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') return value;
  return isCoded(value) ? { code: value.code, words: value.message, facts: value.facts } : wordOf(value);
}

const isCoded = (value: unknown): value is Error & Pick<ToldError, 'code' | 'facts'> =>
  value instanceof Error && 'code' in value && 'facts' in value;
