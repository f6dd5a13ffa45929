// What a plugin's settings schema may be: flat, and of a few keywords that a person, a form and `KEY=VALUE` can all say.
// Nothing in it can make a check slow: no patterns, no references, no combinations, and every size is bounded.
import type { ErrorObject } from 'ajv';
import { mayBe, type SettingSchema } from '../../base/setting-schema.ts';

export type SettingsSchema = Readonly<Record<string, unknown>>;

/** All settings of one plugin together, as JSON. */
export const MAX_SETTINGS_BYTES = 16 * 1024;

const scalar = { enum: ['string', 'integer', 'number', 'boolean'] } as const;
const size = { type: 'integer', minimum: 0, maximum: 8192 } as const;
const bounds = {
  enum: { type: 'array', minItems: 1, maxItems: 32, items: { type: ['string', 'number', 'boolean'] } },
  minimum: { type: 'number' },
  maximum: { type: 'number' },
  exclusiveMinimum: { type: 'number' },
  exclusiveMaximum: { type: 'number' },
  minLength: size,
  maxLength: size,
} as const;

/** Nothing may grow without limit. */
const sized = {
  allOf: [
    {
      if: { required: ['type'], properties: { type: { const: 'array' } } },
      then: { required: ['items', 'maxItems'] },
    },
    {
      if: { required: ['type'], properties: { type: { const: 'string' } } },
      then: { anyOf: [{ required: ['maxLength'] }, { required: ['enum'] }] },
    },
  ],
} as const;

const SETTING = {
  type: 'object',
  required: ['type'],
  additionalProperties: false,
  properties: {
    ...bounds,
    type: { enum: [...scalar.enum, 'array'] },
    title: { type: 'string', maxLength: 100 },
    description: { type: 'string', maxLength: 500 },
    default: true,
    items: {
      type: 'object',
      required: ['type'],
      additionalProperties: false,
      properties: { ...bounds, type: scalar },
      ...sized,
    },
    minItems: size,
    maxItems: { type: 'integer', minimum: 0, maximum: 64 },
    uniqueItems: { type: 'boolean' },
    writeOnly: { type: 'boolean' },
    'x-restart': { type: 'boolean' },
    'x-words': { type: 'string', minLength: 1, maxLength: 200 },
  },
  ...sized,
} as const;

const INHERITED = Object.getOwnPropertyNames(Object.prototype);

/** The schema of settings schemas. */
export const SETTINGS_SCHEMA = {
  type: 'object',
  required: ['type'],
  additionalProperties: false,
  properties: {
    $schema: { type: 'string', maxLength: 200 },
    type: { const: 'object' },
    title: { type: 'string', maxLength: 100 },
    description: { type: 'string', maxLength: 500 },
    additionalProperties: { const: false },
    required: { type: 'array', maxItems: 32, items: { type: 'string', maxLength: 40 } },
    properties: {
      type: 'object',
      maxProperties: 32,
      // Every object has some properties already: a setting of that name would seem to be set.
      propertyNames: { pattern: '^[A-Za-z][A-Za-z0-9_-]{0,39}$', not: { enum: INHERITED } },
      additionalProperties: SETTING,
    },
  },
} as const;

/** The settings that a schema, one that SETTINGS_SCHEMA accepted, speaks of. */
export function settingsOf(schema: SettingsSchema): ReadonlyMap<string, SettingSchema> {
  return new Map(Object.entries((schema['properties'] ?? {}) as Record<string, SettingSchema>));
}

/** What was wrong, field by field, and what each may be: `port must be a whole number from 1 to 65535`. */
export function settingsProblem(
  settings: ReadonlyMap<string, SettingSchema>,
  errors: readonly ErrorObject[],
): { readonly problem: string; readonly fields: readonly string[] } {
  const found = new Map<string, string>();
  for (const error of errors) {
    const [field, words] = fieldOf(settings, error);
    if (!found.has(field)) found.set(field, words);
  }
  return { problem: [...found.values()].slice(0, 3).join('; '), fields: [...found.keys()].slice(0, 32) };
}

function fieldOf(
  settings: ReadonlyMap<string, SettingSchema>,
  error: ErrorObject,
): [field: string, words: string] {
  const { additionalProperty, missingProperty } = error.params as Record<string, unknown>;
  if (typeof additionalProperty === 'string')
    return [additionalProperty, unknownWords(settings, additionalProperty)];
  const field =
    typeof missingProperty === 'string' ? missingProperty : (error.instancePath.split('/')[1] ?? '');
  const setting = settings.get(field);
  const may = setting === undefined ? 'something else' : mayBe(setting);
  return [
    field,
    typeof missingProperty === 'string' ? `${field} is missing; it is ${may}` : `${field} must be ${may}`,
  ];
}

export function unknownWords(settings: ReadonlyMap<string, SettingSchema>, field: string): string {
  const known = [...settings.keys()].join(', ');
  const instead = known === '' ? 'it has none' : `there are: ${known}`;
  return `"${field.slice(0, 40)}" is none of its settings (${instead})`;
}
