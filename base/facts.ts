// What fills the braces of a text that a person reads. The facts travel beside the English words, so that the page can say
// the same in another language.

/** A text with its code and facts, which may be part of another: an error, or a sentence (base/said.ts). */
export interface Said {
  /** `choice.better`, or an error's. */
  readonly code: string;
  readonly facts: Facts;
  /** In English, whole. */
  readonly words: string;
}

/** Figures and names as they are, or a text of its own. */
export type Fact = string | number | boolean | Said;
export type Facts = Readonly<Record<string, Fact>>;

type Given = Readonly<Record<string, unknown>>;

/** `{name}` becomes the fact of that name; of an error or another text its words. What is not given stays as it is. */
export const fillIn = (text: string, given: Given): string =>
  text.replaceAll(/\{(\w+)\}/g, (whole, key: string) =>
    Object.hasOwn(given, key) ? wordOf(given[key]) : whole,
  );

/** Of what is given, what fills `text`: nothing else of it travels. */
export function factsOf(text: string, given: Given): Facts {
  const names = new Set([...text.matchAll(/\{(\w+)\}/g)].map(match => match[1] ?? ''));
  return Object.fromEntries(
    [...names].filter(name => Object.hasOwn(given, name)).map(name => [name, factOf(given[name])]),
  );
}

function wordOf(value: unknown): string {
  if (value instanceof Error) return value.message;
  return isSaid(value) ? value.words : String(value);
}

function factOf(value: unknown): Fact {
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') return value;
  if (isSaid(value)) return value;
  return isCoded(value) ? { code: value.code, words: value.message, facts: value.facts } : wordOf(value);
}

const isSaid = (value: unknown): value is Said =>
  typeof value === 'object' && value !== null && 'words' in value;

const isCoded = (value: unknown): value is Error & Pick<Said, 'code' | 'facts'> =>
  value instanceof Error && 'code' in value && 'facts' in value;
