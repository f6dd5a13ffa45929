// What the scripts of the lab do with a command line that they do not understand, and with `--help`: they say what they do
// understand. Exit codes: 2 wrong usage, 0 help.

/** `read` throws where the command line is wrong; the message is for a person. */
export function readOrExplain<Values>(usage: string, read: () => Values): Values {
  if (process.argv.includes('--help')) {
    process.stdout.write(`${usage}\n`);
    process.exit(0);
  }
  try {
    return read();
  } catch (error) {
    const problem = error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error);
    process.stderr.write(`${problem.replace(/\.?$/, '.')}\n${usage}\n`);
    process.exit(2);
  }
}

/** Throws a RangeError that names the option. */
export function positive(name: string, text: string): number {
  const value = Number(text);
  if (Number.isFinite(value) && value > 0) return value;
  throw new RangeError(`--${name} wants a number above zero, not "${text}"`);
}

/** Throws a RangeError that names what there is. */
export function someOf<Word extends string | number>(
  name: string,
  text: string,
  known: readonly Word[],
): Word[] {
  return text.split(',').map(word => {
    const found = known.find(each => String(each) === word);
    if (found === undefined) throw new RangeError(`--${name} knows ${known.join(', ')}, not "${word}"`);
    return found;
  });
}
