// KEY=VALUE on the command line, as settings: read by what the schema says a value is. What does not fit goes on as it is
// written, so that whoever knows the schema says what is wrong with it.
import { readFile } from 'node:fs/promises';
import { InvalidArgumentError } from 'commander';
import type { SettingSchema } from '../../base/setting-schema.ts';
import { commandErrors } from '../errors.ts';
import { valueFrom } from '../setting-words.ts';
import { textOf } from './input.ts';

const MAX_CHARACTERS = 16 * 1024;

/** `KEY=@FILE` and `KEY=-` are read; secrets in no other way. Errors: SECRET_IN_ARGV, VALUE_FILE. */
export async function assignmentsOf(
  words: readonly string[],
  schema: Readonly<Record<string, unknown>>,
  input: AsyncIterable<unknown>,
): Promise<Record<string, unknown>> {
  const settings = new Map(Object.entries((schema['properties'] ?? {}) as Record<string, SettingSchema>));
  const values: [string, unknown][] = [];
  for (const word of words) {
    const [, key = '', given = ''] = /^([^=]+)=([^]*)$/.exec(word) ?? [];
    if (key === '') throw new InvalidArgumentError(`Write it as KEY=VALUE, not "${word}".`);
    const setting = settings.get(key);
    const source = given === '-' ? 'standard input' : given.startsWith('@') ? given.slice(1) : null;
    if (setting?.writeOnly === true && source === null) throw commandErrors('SECRET_IN_ARGV', { key });
    const text = source === null ? given : await textFrom(key, source, given === '-' ? input : null);
    values.push([key, setting === undefined ? text : valueFrom([text], setting)]);
  }
  return Object.fromEntries(values);
}

async function textFrom(key: string, source: string, input: AsyncIterable<unknown> | null): Promise<string> {
  try {
    const text = input === null ? await readFile(source, 'utf8') : await textOf(input, MAX_CHARACTERS);
    if (text.length > MAX_CHARACTERS) throw new Error(`it is longer than ${MAX_CHARACTERS} characters`);
    return text.replace(/\r?\n$/, '');
  } catch (cause) {
    const problem = cause instanceof Error ? cause.message : String(cause);
    throw commandErrors('VALUE_FILE', { key, file: source, problem }, cause);
  }
}
