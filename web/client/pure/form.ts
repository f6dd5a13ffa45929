// Forms from JSON Schema: what is asked for each setting, how a value is written down for editing and read back, and what
// a change of it asks of the daemon, which checks it all again (base/setting-schema.ts).
import type { SettingText } from './box-words.ts';
import type { PluginDetail, Setting } from './wire.ts';

type Scalar = string | number | null;
export type Kind = 'text' | 'number' | 'integer' | 'switch' | 'choice' | 'list' | 'choices';

export interface FormField {
  readonly key: string;
  readonly title: string;
  readonly description: string;
  readonly kind: Kind;
  /** Of a choice, or of each of several. */
  readonly options: readonly Scalar[];
  /** What an option is called, where that is not its value. */
  readonly labels: Readonly<Record<string, string>>;
  /** Of each in a list. */
  readonly itemKind: 'text' | 'number' | 'integer';
  readonly nullable: boolean;
  readonly min: number | null;
  readonly max: number | null;
  readonly maxLength: number | null;
  readonly maxItems: number | null;
  /** What it may be where type and range do not say it; empty: they do. */
  readonly words: string;
  /** A regular expression for the whole; empty: none. */
  readonly pattern: string;
  readonly secret: boolean;
  /** Of a secret: there is one. Of others: somebody chose it. */
  readonly isSet: boolean;
  readonly restart: boolean;
  /** What runs still goes by another value. */
  readonly pending: boolean;
  readonly value: unknown;
  readonly default: unknown;
}

/** A value as it is edited: text, one line an entry; on or off; the chosen ones. */
export type Draft = string | boolean | readonly string[];
export type Drafts = Readonly<Record<string, Draft>>;
export type Wrong = 'number' | 'whole' | 'range' | 'length' | 'many';

export interface Change {
  readonly set: Readonly<Record<string, unknown>>;
  readonly unset: readonly string[];
}

interface Schema {
  readonly type?: string | readonly string[];
  readonly enum?: readonly Scalar[];
  readonly title?: string;
  readonly description?: string;
  readonly default?: unknown;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly maxLength?: number;
  readonly maxItems?: number;
  readonly items?: Schema;
  readonly writeOnly?: boolean;
  readonly 'x-words'?: string;
  readonly pattern?: string;
}

type Standing = Pick<FormField, 'key' | 'isSet' | 'restart' | 'pending' | 'value'>;

export const fieldsOfSettings = (settings: readonly Setting[]): readonly FormField[] =>
  settings.map(setting => fieldOf(setting.schema, setting));

export function fieldsOfPlugin({
  schema,
  settings,
  secrets,
  restarting,
}: PluginDetail): readonly FormField[] {
  const properties = (schema['properties'] ?? {}) as Readonly<Record<string, Schema>>;
  return Object.entries(properties).map(([key, one]) => {
    const value = settings[key] ?? null;
    const isChosen = JSON.stringify(value) !== JSON.stringify(one.default ?? null);
    const isSet = one.writeOnly === true ? secrets[key] === true : isChosen;
    return fieldOf(one, { key, isSet, value, restart: restarting.includes(key), pending: false });
  });
}

function fieldOf(schema: Schema, { key, isSet, restart, pending, value }: Standing): FormField {
  const types = [schema.type ?? []].flat();
  return {
    ...{ key, isSet, restart, pending, value },
    labels: {},
    title: schema.title ?? key,
    description: schema.description ?? '',
    kind: kindOf(schema, types),
    options: schema.enum ?? schema.items?.enum ?? [],
    itemKind: itemKindOf(schema.items),
    nullable: types.includes('null') || (schema.enum ?? []).includes(null),
    ...{ min: schema.minimum ?? null, max: schema.maximum ?? null },
    maxLength: schema.maxLength ?? schema.items?.maxLength ?? null,
    maxItems: schema.maxItems ?? null,
    words: schema['x-words'] ?? schema.items?.['x-words'] ?? '',
    pattern: schema.pattern ?? '',
    secret: schema.writeOnly === true,
    default: schema.default ?? null,
  };
}

/** In another language: `text` is the setting's own, `phrase` finds words for what it may be. */
export const inWords = (
  field: FormField,
  text: SettingText,
  phrase: (english: string) => string,
): FormField => ({
  ...field,
  title: text.title,
  description: text.description,
  labels: text.options ?? {},
  words: phrase(field.words),
});

function kindOf(schema: Schema, types: readonly string[]): Kind {
  if (schema.enum !== undefined) return 'choice';
  if (types.includes('array')) return schema.items?.enum === undefined ? 'list' : 'choices';
  if (types.includes('boolean')) return 'switch';
  if (types.includes('integer')) return 'integer';
  return types.includes('number') ? 'number' : 'text';
}

function itemKindOf(items: Schema | undefined): FormField['itemKind'] {
  const types = [items?.type ?? []].flat();
  if (types.includes('integer')) return 'integer';
  return types.includes('number') ? 'number' : 'text';
}

/** What stands in a text and is allowed nowhere by its pattern, each once; empty: it is wrong in another way. */
export function unusableIn({ pattern }: Pick<FormField, 'pattern'>, text: string): readonly string[] {
  const allowed = pattern === '' ? null : new RegExp(pattern, 'u');
  if (allowed === null || !allowed.test('aaa')) return [];
  return [...new Set(text.trim())].filter(one => !allowed.test(`a${one}a`));
}

// ---- to and fro

export function draftOf({ kind, value, secret }: Pick<FormField, 'kind' | 'value' | 'secret'>): Draft {
  if (secret) return '';
  if (kind === 'switch') return value === true;
  if (kind === 'choice') return JSON.stringify(value ?? null);
  if (kind === 'choices') return Array.isArray(value) ? value.map(one => JSON.stringify(one)) : [];
  if (kind === 'list') return Array.isArray(value) ? value.map(String).join('\n') : '';
  return typeof value === 'string' || typeof value === 'number' ? String(value) : '';
}

export const draftsOf = (fields: readonly FormField[]): Drafts =>
  Object.fromEntries(fields.map(field => [field.key, draftOf(field)]));

/** `unset`: back to the default. */
export type Read = { readonly value: unknown } | { readonly wrong: Wrong } | 'unset';

export function readDraft(field: FormField, draft: Draft): Read {
  if (typeof draft === 'boolean') return { value: draft };
  if (typeof draft !== 'string') return { value: draft.map(one => JSON.parse(one) as unknown) };
  if (field.kind === 'choice') return { value: JSON.parse(draft) as unknown };
  if (field.kind === 'list') return readList(field, draft);
  const text = field.kind === 'text' && field.secret ? draft : draft.trim();
  if (text === '' && field.nullable) return { value: null };
  if (text === '' && (field.kind !== 'text' || field.default === null)) return 'unset';
  return field.kind === 'text' ? readText(field, text) : readNumber(field, field.kind, text);
}

function readText({ maxLength }: FormField, text: string): Read {
  return maxLength !== null && text.length > maxLength ? { wrong: 'length' } : { value: text };
}

function readNumber(field: Pick<FormField, 'min' | 'max'>, kind: Kind, text: string): Read {
  const value = Number(text.replace(',', '.'));
  if (!Number.isFinite(value)) return { wrong: 'number' };
  if (kind === 'integer' && !Number.isInteger(value)) return { wrong: 'whole' };
  const isOut = (field.min !== null && value < field.min) || (field.max !== null && value > field.max);
  return isOut ? { wrong: 'range' } : { value };
}

function readList(field: FormField, draft: string): Read {
  const lines = draft
    .split(/[\n,]/)
    .map(line => line.trim())
    .filter(line => line !== '');
  if (field.maxItems !== null && lines.length > field.maxItems) return { wrong: 'many' };
  const read = lines.map(line =>
    field.itemKind === 'text'
      ? readText(field, line)
      : readNumber({ min: null, max: null }, field.itemKind, line),
  );
  const bad = read.find((one): one is { wrong: Wrong } => one !== 'unset' && 'wrong' in one);
  return bad ?? { value: read.map(one => (one !== 'unset' && 'value' in one ? one.value : null)) };
}

export interface Reading {
  readonly change: Change;
  readonly changed: readonly FormField[];
  readonly wrong: Readonly<Record<string, Wrong>>;
}

/** What differs from the values in use. A secret that nobody typed stays as it is. */
export function readForm(fields: readonly FormField[], drafts: Drafts): Reading {
  const set: Record<string, unknown> = {};
  const unset: string[] = [];
  const wrong: Record<string, Wrong> = {};
  const touched = fields.filter(field => {
    const draft = drafts[field.key];
    return draft !== undefined && JSON.stringify(draft) !== JSON.stringify(draftOf(field));
  });
  for (const field of touched) {
    const read = readDraft(field, drafts[field.key] ?? '');
    if (read === 'unset') unset.push(field.key);
    else if ('wrong' in read) wrong[field.key] = read.wrong;
    else set[field.key] = read.value;
  }
  return { change: { set, unset }, changed: touched, wrong };
}

/** Which settings a refusal of the daemon is about. */
export function fieldsBlamed(details: Readonly<Record<string, unknown>>): readonly string[] {
  if (typeof details['key'] === 'string') return [details['key']];
  const fields = details['fields'];
  return Array.isArray(fields) ? fields.filter((one): one is string => typeof one === 'string') : [];
}
