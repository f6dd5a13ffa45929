// Passwords: typed at the terminal and not shown, or the first line of standard input; never an argument.
import { commandErrors } from '../errors.ts';
import type { Kit } from './command.ts';
import { textOf } from './input.ts';

const MAX_CHARACTERS = 1024;

/** A new one is asked for twice, where a person types it. Errors: PASSWORD_NEEDED, PASSWORD_TWICE. */
export async function passwordFrom({ around }: Kit, question: string, isNew: boolean): Promise<string> {
  const isAsking = around.input.isTTY === true;
  const text = isAsking ? await around.askSecret(question) : await textOf(around.input, MAX_CHARACTERS);
  const [password = ''] = text.split(/\r?\n/);
  if (password === '') throw commandErrors('PASSWORD_NEEDED');
  if (isAsking && isNew && (await around.askSecret('Once more: ')) !== password)
    throw commandErrors('PASSWORD_TWICE');
  return password;
}
