// What comes by standard input instead of by arguments, because it is a secret or long.

/** At most `maxCharacters` and one more, so that too much is noticed. */
export async function textOf(input: AsyncIterable<unknown>, maxCharacters: number): Promise<string> {
  let text = '';
  for await (const part of input) {
    text += String(part);
    if (text.length > maxCharacters) break;
  }
  return text.slice(0, maxCharacters + 1);
}
