// Texts of the page in a language: what they are made of, and how figures and names get into them.

/** Where a number decides the form, `one` is for the languages that tell it apart. */
export type Text = string | { readonly one?: string; readonly other: string };
export type Filling = Readonly<Record<string, string | number>>;

/** `{name}` becomes what is given under that name; a number of things under `count` chooses the form. */
export function fillText(text: Text, given: Filling, plural: Intl.PluralRules): string {
  return formOf(text, given, plural).replaceAll(/\{(\w+)\}/g, (whole, name: string) =>
    Object.hasOwn(given, name) ? String(given[name]) : whole,
  );
}

function formOf(text: Text, given: Filling, plural: Intl.PluralRules): string {
  if (typeof text === 'string') return text;
  const isOne = typeof given['count'] === 'number' && plural.select(given['count']) === 'one';
  return isOne ? (text.one ?? text.other) : text.other;
}

/** The names in braces, each once, in the order of the alphabet. */
export function namesIn(text: Text): readonly string[] {
  const forms = typeof text === 'string' ? [text] : [text.one ?? '', text.other];
  const found = forms.flatMap(form => [...form.matchAll(/\{(\w+)\}/g)].map(match => match[1] ?? ''));
  return [...new Set(found)].sort();
}
