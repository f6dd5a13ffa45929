// A sentence for people that other languages can say too: its English words, and beside them a code and what was filled in.
// Every folder that says such sentences keeps its own texts and makes them by `sayings`.
import { fillIn, type Facts, type Said } from './facts.ts';

export type { Facts, Said };

export type Sayings<Code extends string> = (code: Code, facts?: Facts) => Said;

/** `{name}` in a text becomes the fact of that name. */
export const sayings =
  <Code extends string>(texts: Readonly<Record<Code, string>>): Sayings<Code> =>
  (code, facts = {}) => ({ code, facts, words: fillIn(texts[code], facts) });
