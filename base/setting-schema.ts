// What one setting may be: a JSON Schema that command, page and UCI read, and the same in words.
// Each command loads it, so the checker (ajv) stays with those who check.
import { baseErrors, type GinnelError } from './errors.ts';
import { nearest } from './near.ts';

/** The part of JSON Schema that a setting's value may use; everything in it is bounded. */
export interface ValueSchema {
  readonly type?: string | readonly string[];
  readonly enum?: readonly (string | number | null)[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly pattern?: string;
  readonly format?: string;
  readonly items?: ValueSchema;
  readonly maxItems?: number;
  readonly uniqueItems?: boolean;
  /** What it may be, where a pattern or format says it in no words: `an address with its port: 203.0.113.1:7443`. */
  readonly 'x-words'?: string;
}

export interface SettingSchema extends ValueSchema {
  /** A few words. */
  readonly title: string;
  /** One sentence: what it does for whoever sets it. */
  readonly description: string;
  readonly default?: unknown;
  /** What runs takes it over only at its next start. */
  readonly 'x-restart'?: boolean;
  /** A secret: it is never told again. */
  readonly writeOnly?: boolean;
}

export interface SettingsSchema {
  readonly type: 'object';
  readonly properties: Readonly<Record<string, SettingSchema>>;
}

/** Keywords of ours that ajv is told of. */
export const OWN_KEYWORDS: readonly string[] = ['x-restart', 'x-words'];

/** `a whole number from 1280 to 9000`, `debug, info or warn`. */
export function mayBe(schema: ValueSchema): string {
  if (schema['x-words'] !== undefined) return schema['x-words'];
  if (schema.enum !== undefined) return orList(schema.enum.map(wordOf));
  const types = [schema.type ?? []].flat();
  return orList(types.map(type => (type === 'null' ? 'none' : ofType(type, schema))));
}

const wordOf = (value: string | number | null): string => (value === null ? 'none' : String(value));

function ofType(type: string, schema: ValueSchema): string {
  switch (type) {
    case 'integer':
    case 'number':
      return `a ${type === 'integer' ? 'whole ' : ''}number${rangeOf(schema)}`;
    case 'boolean':
      return 'on or off';
    case 'array':
      return `a list of up to ${schema.maxItems ?? 0}, each ${mayBe(schema.items ?? {})}`;
    default:
      return `text of up to ${schema.maxLength ?? 0} characters`;
  }
}

function rangeOf({ minimum, maximum }: ValueSchema): string {
  if (minimum !== undefined && maximum !== undefined) return ` from ${minimum} to ${maximum}`;
  if (minimum !== undefined) return ` of ${minimum} or more`;
  return maximum === undefined ? '' : ` up to ${maximum}`;
}

function orList(words: readonly string[]): string {
  const last = words.at(-1) ?? '';
  return words.length < 2 ? last : `${words.slice(0, -1).join(', ')} or ${last}`;
}

/** Throws a TypeError for a schema with a value that could grow without limit, or a key that is none. */
export function checkSettingsSchema({ properties }: SettingsSchema): void {
  for (const [key, schema] of Object.entries(properties)) {
    if (!/^[a-z][a-z0-9-]{0,62}$/.test(key)) throw new TypeError(`${key} is no key of a setting`);
    if (!isBounded(schema)) throw new TypeError(`the setting ${key} has no bound on its size`);
  }
}

function isBounded(schema: ValueSchema): boolean {
  if (schema.enum !== undefined) return true;
  return [schema.type ?? 'object'].flat().every(type => {
    if (type === 'string') return schema.maxLength !== undefined;
    if (type === 'array')
      return schema.maxItems !== undefined && schema.items !== undefined && isBounded(schema.items);
    return ['integer', 'number', 'boolean', 'null'].includes(type);
  });
}

/** SETTING_UNKNOWN, with what may have been meant. */
export function unknownSetting(key: string, known: readonly string[]): GinnelError {
  const near = nearest(key, known);
  const meant = near.length === 0 ? 'Nothing there is called like it.' : `Did you mean ${near.join(' or ')}?`;
  return baseErrors('SETTING_UNKNOWN', { key: key.slice(0, 64), near, meant });
}
