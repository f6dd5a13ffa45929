// Settings between a person's words and their JSON values.
import type { SettingSchema, ValueSchema } from '../base/setting-schema.ts';
import { plain } from './words.ts';

const NONE = 'none';
const YES = new Set(['on', 'yes', 'true']);
const NO = new Set(['off', 'no', 'false']);

/** As the schema types it. What does not fit is passed on as it was said: the daemon says what it may be. */
export function valueFrom(words: readonly string[], schema: SettingSchema): unknown {
  if (typesOf(schema).includes('array')) {
    const parts = words.flatMap(word => word.split(',')).filter(part => part.trim() !== '');
    const isNone = parts.length === 1 && parts[0] === NONE;
    return isNone ? [] : parts.map(part => single(part.trim(), schema.items ?? {}));
  }
  return single(words.join(' '), schema);
}

function single(word: string, schema: ValueSchema): unknown {
  const types = typesOf(schema);
  const mayBeNull = types.includes('null') || schema.enum?.includes(null) === true;
  if (word === NONE && mayBeNull && schema.enum?.includes(NONE) !== true) return null;
  const mayBeNumber = types.includes('integer') || types.includes('number');
  if (mayBeNumber && /^-?\d+(\.\d+)?$/.test(word)) return Number(word);
  if (types.includes('boolean') && YES.has(word)) return true;
  if (types.includes('boolean') && NO.has(word)) return false;
  const number = schema.enum?.find(each => typeof each === 'number' && String(each) === word);
  return number ?? word;
}

/** As it is shown, and as `valueFrom` would take it. */
export function valueInWords(value: unknown): string {
  if (value === null || value === undefined) return NONE;
  if (typeof value === 'boolean') return value ? 'on' : 'off';
  if (Array.isArray(value)) return value.length === 0 ? NONE : value.map(valueInWords).join(', ');
  return plain(typeof value === 'string' ? value : JSON.stringify(value));
}

const typesOf = ({ type }: ValueSchema): readonly string[] => [type ?? []].flat();
