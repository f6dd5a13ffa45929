// What the box says of itself in English, in another language: by its codes and the facts beside them. What has no words
// there stays as it is, and is marked as English.
import type { HealthLine, Said } from './wire.ts';

/** Of a code. The braces are those of the English texts (docs/errors.md, docs/health.md). */
export type CodeText = readonly [what: string, why: string, todo: string];

/** `options`: of the values to choose from. */
export interface SettingText {
  readonly title: string;
  readonly description: string;
  readonly options?: Readonly<Record<string, string>>;
}
export type SettingTexts = Readonly<Record<string, SettingText>>;

export interface PluginText {
  readonly purpose: string;
  readonly settings: SettingTexts;
}

export interface BoxTexts {
  readonly errors: Readonly<Record<string, CodeText>>;
  readonly health: Readonly<Record<string, CodeText>>;
  /** By the English, without a stop at its end; `{name}` stands for whatever is there. */
  readonly phrases: Readonly<Record<string, string>>;
  readonly settings: Readonly<Record<SettingsOwner, SettingTexts>>;
  readonly plugins: Readonly<Record<string, PluginText>>;
}

export type SettingsOwner = 'node' | 'server' | 'daemon';

/** A bit of text; as an object where it is English still. */
export type Piece = string | { readonly en: string };

export interface Wording {
  readonly words: readonly Piece[];
  readonly todo: readonly Piece[];
  /** False: a fact was missing, and what it belongs to was left out. */
  readonly isWhole: boolean;
}

export interface BoxWords {
  /** Null: there are no words for it. */
  readonly error: (code: string, facts: Readonly<Record<string, unknown>>) => Wording | null;
  readonly health: (line: HealthLine) => Wording | null;
  /** A reason, a choice, or another bit that the box has in English only. */
  readonly phrase: (english: string) => readonly Piece[];
  readonly setting: (owner: SettingsOwner, key: string) => SettingText | null;
  readonly plugin: (name: string) => PluginText | null;
}

/** Facts that are English words; all others are names, numbers, addresses. */
export const PROSE: ReadonlySet<string> = new Set([
  ...['problem', 'reason', 'words', 'because', 'todo', 'skew', 'answer', 'mayBe', 'meant', 'where', 'boxes'],
  ...['role', 'kind', 'state', 'first', 'second'],
]);
/** An error's message ends with its code. */
const CODED = / ?\(([A-Z][A-Z0-9_]+)\)\.?$/;
const BRACES = /\{(\w+)\}/g;

export function boxWordsOf(texts: BoxTexts): BoxWords {
  const patterns = patternsOf(texts.phrases);

  const sayBest = (
    candidates: readonly (CodeText | undefined)[],
    facts: Readonly<Record<string, unknown>>,
  ): Wording | null => {
    const known = candidates.filter(one => one !== undefined);
    const said = known.map(text => say(text, facts));
    return said.find(({ isWhole }) => isWhole) ?? said.find(({ words }) => words.length > 0) ?? null;
  };

  const say = ([what, why, todo]: CodeText, facts: Readonly<Record<string, unknown>>): Wording => {
    const parts = [what, why, todo].map(part => fill(part, facts));
    const [first, second, third] = parts.map(part => part ?? []);
    return {
      words: [...(first ?? []), ...(second ?? [])],
      todo: third ?? [],
      isWhole: parts.every(part => part !== null),
    };
  };

  /** Null: a fact is missing. */
  const fill = (text: string, facts: Readonly<Record<string, unknown>>): readonly Piece[] | null => {
    const bits = text.split(BRACES);
    const names = bits.filter((_, index) => index % 2 === 1);
    if (names.some(name => !Object.hasOwn(facts, name))) return null;
    if (
      names.length > 0 &&
      names.every(name => facts[name] === '') &&
      !/\p{L}/u.test(text.replace(BRACES, ''))
    )
      return [];
    return joined(bits.flatMap((bit, index) => (index % 2 === 0 ? [bit] : factWords(bit, facts[bit]))));
  };

  const factWords = (name: string, value: unknown): readonly Piece[] => {
    if (isTold(value)) {
      const said = sayBest([texts.errors[value.code]], value.facts);
      return said === null ? [english(value.words)] : [...said.words, ...said.todo];
    }
    const text = String(value);
    return PROSE.has(name) ? phrase(text) : [text];
  };

  const phrase = (text: string): readonly Piece[] => {
    const plain = text.replace(/\.$/, '');
    const known = Object.hasOwn(texts.phrases, plain) ? texts.phrases[plain] : undefined;
    if (known !== undefined) return [known];
    const code = CODED.exec(plain)?.[1] ?? '';
    const said = sayBest([texts.errors[code]], {});
    if (said !== null) return [...said.words, ...said.todo];
    for (const [pattern, translated] of patterns) {
      const match = pattern.exec(plain);
      if (match?.groups !== undefined) return fill(translated, match.groups) ?? [english(text)];
    }
    for (const [from, to] of [
      ['; ', '；'],
      ['. ', '。'],
    ] as const) {
      const parts = plain.split(from);
      const several = parts.length > 1 ? parts.map(phrase) : [];
      if (several.length > 1 && several.every(isTranslated))
        return several.flatMap((one, index) => (index === 0 ? one : [to, ...one]));
    }
    return plain === '' ? [] : [english(text)];
  };

  return {
    error: (code, facts) => sayBest([texts.errors[code]], facts),
    health: ({ code, facts }) => sayBest([texts.health[code], texts.errors[code]], facts),
    phrase,
    setting: (owner, key) => texts.settings[owner][key] ?? null,
    plugin: name => (Object.hasOwn(texts.plugins, name) ? (texts.plugins[name] ?? null) : null),
  };
}

/** As one text, for where no part of it can be marked. */
export const plainText = (pieces: readonly Piece[]): string =>
  pieces.map(piece => (typeof piece === 'string' ? piece : piece.en)).join('');

const english = (text: string): Piece => ({ en: text.replace(CODED, '') });

const isTranslated = (pieces: readonly Piece[]): boolean => pieces.every(piece => typeof piece === 'string');

const isTold = (value: unknown): value is Said =>
  typeof value === 'object' && value !== null && 'code' in value && 'facts' in value && 'words' in value;

/** A sentence inside a sentence has no stop of its own; nothing is left empty. */
function joined(pieces: readonly Piece[]): readonly Piece[] {
  return pieces
    .map((piece, index) => {
      const next = pieces[index + 1];
      const isStopNext = typeof next === 'string' && /^[。，；）]/.test(next);
      if (!isStopNext) return piece;
      return typeof piece === 'string' ? piece.replace(/[.。]$/, '') : { en: piece.en.replace(/\.$/, '') };
    })
    .filter(piece => piece !== '');
}

/** The longest first: it says most. */
function patternsOf(phrases: Readonly<Record<string, string>>): readonly (readonly [RegExp, string])[] {
  return Object.entries(phrases)
    .filter(([from]) => from.includes('{'))
    .sort(([a], [b]) => b.length - a.length)
    .map(([from, to]) => [patternOf(from), to]);
}

function patternOf(from: string): RegExp {
  const source = from
    .split(BRACES)
    .map((bit, index) =>
      index % 2 === 0 ? bit.replaceAll(/[\\^$.*+?()[\]{}|]/g, '\\$&') : `(?<${bit}>.+?)`,
    );
  return new RegExp(`^${source.join('')}$`, 's');
}
