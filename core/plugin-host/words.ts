// What foreign code threw, in words. It may throw anything, also things that throw again when they are looked at.

const MAX_CHARACTERS = 300;

export function wordsOf(error: unknown): string {
  try {
    const said: unknown = error instanceof Error ? error.message : error;
    const words = String(said);
    return words.slice(0, MAX_CHARACTERS).replace(/[.\s]+$/, '') || 'it gave no reason';
  } catch {
    return 'it threw something that cannot be put into words';
  }
}
