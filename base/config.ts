// Settings in a JSON file, checked by a schema before anybody reads them.
import { readFile } from 'node:fs/promises';
import type { ErrorObject, ValidateFunction } from 'ajv';
import { isDiskFull, replaceFile } from './disk.ts';
import { baseErrors } from './errors.ts';

/** The settings, or null where there is no such file. Errors: CONFIG_UNREADABLE, CONFIG_NOT_JSON, CONFIG_INVALID. */
export async function loadConfig<T>(path: string, validate: ValidateFunction<T>): Promise<T | null> {
  const text = await readText(path);
  if (text === null) return null;
  const value = parseJson(path, text);
  if (validate(value)) return value;
  throw baseErrors('CONFIG_INVALID', { path, problem: schemaProblem(validate.errors) });
}

/** Replaces the file as a whole, mode 0600. Errors: DISK_FULL, CONFIG_UNREADABLE. */
export async function saveConfig(path: string, value: unknown): Promise<void> {
  try {
    await replaceFile(path, `${JSON.stringify(value, null, 2)}\n`);
  } catch (error) {
    if (isDiskFull(error)) throw baseErrors('DISK_FULL', { path, freeBytes: 0 }, error);
    throw baseErrors('CONFIG_UNREADABLE', { path, problem: reasonOf(error) }, error);
  }
}

/** The first of ajv's complaints in words: `port must be <= 65535`. */
export function schemaProblem(errors: readonly ErrorObject[] | null | undefined): string {
  const first = errors?.[0];
  if (first === undefined) return 'it does not fit its schema';
  const where = first.instancePath.slice(1).replaceAll('/', '.');
  const extra: unknown = first.params['additionalProperty'];
  const named = typeof extra === 'string' ? ` (${extra})` : '';
  return `${where === '' ? 'the file' : where} ${first.message ?? 'is not valid'}${named}`;
}

async function readText(path: string): Promise<string | null> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
    throw baseErrors('CONFIG_UNREADABLE', { path, problem: reasonOf(error) }, error);
  }
}

function parseJson(path: string, text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    throw baseErrors('CONFIG_NOT_JSON', { path, problem: reasonOf(error) }, error);
  }
}

const reasonOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
