// Settings that a person sets at run time: what there is, what it may be, what was chosen, and who wants to hear of it.
// Each owner (node, daemon, server) has a schema and a corner of a store; command and page show them as one flat list.
import { Ajv, type ErrorObject, type ValidateFunction } from 'ajv';
import { baseErrors, type GinnelError } from './errors.ts';
import { checkSettingsSchema, mayBe, OWN_KEYWORDS, unknownSetting } from './setting-schema.ts';
import type { SettingSchema, SettingsSchema } from './setting-schema.ts';
import type { ScopedStore } from './store.ts';

/** One setting as command and page show it. Plain JSON. */
export interface SettingShown {
  readonly key: string;
  /** In effect, or (see `pending`) from the next start on. Null: nothing is chosen, or it is a secret. */
  readonly value: unknown;
  readonly default: unknown;
  /** Somebody chose it. */
  readonly isSet: boolean;
  /** It takes effect at the next start of its owner. */
  readonly restart: boolean;
  /** What runs still goes by another value. */
  readonly pending: boolean;
  readonly title: string;
  readonly description: string;
  readonly mayBe: string;
  readonly schema: SettingSchema;
}

export interface SettingsChange {
  readonly set?: Readonly<Record<string, unknown>>;
  /** Back to the default. */
  readonly unset?: readonly string[];
}

/** What page and command may do with an owner's settings. Errors: SETTING_UNKNOWN, SETTING_INVALID, DISK_FULL. */
export interface SettingsAdmin {
  settings(): Promise<readonly SettingShown[]>;
  /** All of it or nothing; answers all settings as they are then. */
  changeSettings(change: SettingsChange): Promise<readonly SettingShown[]>;
}

/** A setting that lies with something else than the settings (a name in the membership). */
export interface Elsewhere {
  /** Undefined: not chosen. */
  read(): unknown;
  /** Undefined: back to the default. Rejects where it is refused; then nothing was changed. */
  write(value: unknown): Promise<void>;
}

export interface SettingsOptions<Values> {
  readonly schema: SettingsSchema;
  /** A corner of its own. */
  readonly store: ScopedStore;
  /** Names in `format` that JSON Schema does not know. */
  readonly formats?: Readonly<Record<string, (text: string) => boolean>>;
  /** What no single value shows: which key does not go with the others, and what it may be; null: all is well. */
  readonly check?: (values: Values) => { readonly key: string; readonly mayBe: string } | null;
}

const CHOSEN = 'chosen';
/** Of all that is chosen, in JSON. */
const MAX_CHARACTERS = 64 * 1024;

type Chosen = Readonly<Record<string, unknown>>;

export class Settings<Values extends object> implements SettingsAdmin {
  readonly #options: SettingsOptions<Values>;
  readonly #validate: ValidateFunction;
  readonly #elsewhere = new Map<string, Elsewhere>();
  readonly #listeners = new Set<(changed: readonly string[]) => void>();
  /** All that is kept, also what a newer version knew and this one does not. */
  #chosen: Chosen;
  /** By what its owner runs; null: it does not. */
  #running: Chosen | null = null;
  #turns: Promise<unknown> = Promise.resolve();

  private constructor(options: SettingsOptions<Values>, chosen: Chosen) {
    checkSettingsSchema(options.schema);
    this.#options = options;
    this.#chosen = chosen;
    const ajv = new Ajv({ allowUnionTypes: true, keywords: [...OWN_KEYWORDS] });
    for (const [name, fits] of Object.entries(options.formats ?? {})) ajv.addFormat(name, fits);
    this.#validate = ajv.compile({ ...options.schema });
    const wrong = this.#problemOf(this.#defaults);
    if (wrong !== null) throw new TypeError(`a default does not fit its schema: ${wrong.message}`);
  }

  static async open<Values extends object>(options: SettingsOptions<Values>): Promise<Settings<Values>> {
    const kept = await options.store.get(CHOSEN);
    return new Settings(options, isRecord(kept) ? kept : {});
  }

  /** What is chosen over the defaults. A kept value that fits no longer counts as not chosen. */
  get values(): Values {
    return this.#effective(this.#chosen) as Values;
  }

  /** What runs from now on goes by these; `stopped` says that it runs no more. */
  started(values: Values): void {
    this.#running = { ...values } as Chosen;
  }

  stopped(): void {
    this.#running = null;
  }

  /** The value lies there from now on. */
  bind(key: string, elsewhere: Elsewhere): void {
    if (this.#options.schema.properties[key] === undefined) throw new TypeError(`no setting ${key}`);
    this.#elsewhere.set(key, elsewhere);
  }

  /** Told once what changed is kept. Returns how to end it. */
  onChange(listener: (changed: readonly string[]) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** What the values would be after that change. Errors: SETTING_UNKNOWN, SETTING_INVALID. */
  tried(change: SettingsChange): Values {
    return this.#checked(change).after as Values;
  }

  async settings(): Promise<readonly SettingShown[]> {
    await this.#turns;
    const now = this.#effective(this.#chosen);
    return Object.entries(this.#options.schema.properties).map(([key, schema]) =>
      this.#shown(key, schema, now[key]),
    );
  }

  changeSettings(change: SettingsChange): Promise<readonly SettingShown[]> {
    const done = this.#turns.then(() => this.#change(change));
    this.#turns = done.catch(() => undefined);
    return done.then(() => this.settings());
  }

  // ---- one change

  async #change(change: SettingsChange): Promise<void> {
    const { chosen, after } = this.#checked(change);
    const before = this.#effective(this.#chosen);
    await this.#keep(chosen, change);
    const changed = [...new Set([...Object.keys(before), ...Object.keys(after)])].filter(
      key => JSON.stringify(before[key]) !== JSON.stringify(after[key]),
    );
    if (changed.length > 0) for (const listener of [...this.#listeners]) listener(changed);
  }

  #checked({ set = {}, unset = [] }: SettingsChange): { readonly chosen: Chosen; readonly after: Chosen } {
    for (const key of Object.keys(set)) this.#refuseUnknown(key);
    for (const key of unset) if (!Object.hasOwn(this.#chosen, key)) this.#refuseUnknown(key);
    const left = Object.entries(this.#chosen).filter(([key]) => !unset.includes(key));
    const chosen = { ...Object.fromEntries(left), ...set };
    const after = { ...this.#effective(chosen, { set, unset }), ...set };
    const wrong = this.#problemOf(after);
    if (wrong !== null) throw wrong;
    return { chosen, after };
  }

  /** First what somebody else may refuse, then, in one write, the rest. */
  async #keep(chosen: Chosen, { set = {}, unset = [] }: SettingsChange): Promise<void> {
    const own = Object.fromEntries(Object.entries(chosen).filter(([key]) => !this.#elsewhere.has(key)));
    if (JSON.stringify(own).length > MAX_CHARACTERS)
      throw baseErrors('SETTINGS_TOO_LARGE', { limit: MAX_CHARACTERS });
    for (const [key, elsewhere] of this.#elsewhere) {
      if (key in set) await elsewhere.write(set[key]);
      else if (unset.includes(key)) await elsewhere.write(undefined);
    }
    if (JSON.stringify(own) === JSON.stringify(this.#chosen)) return;
    await this.#options.store.put(CHOSEN, own);
    this.#chosen = own;
  }

  #refuseUnknown(key: string): void {
    const { properties } = this.#options.schema;
    if (Object.hasOwn(properties, key)) return;
    throw unknownSetting(key, Object.keys(properties));
  }

  /** Null: all is well. */
  #problemOf(values: Chosen): GinnelError | null {
    if (this.#validate(values)) {
      const wrong = this.#options.check?.(values as Values) ?? null;
      return wrong === null ? null : baseErrors('SETTING_INVALID', wrong);
    }
    const key = keyOf(this.#validate.errors?.[0]);
    const schema = this.#options.schema.properties[key];
    return baseErrors('SETTING_INVALID', { key, mayBe: schema === undefined ? 'a setting' : mayBe(schema) });
  }

  // ---- what is in effect

  get #defaults(): Chosen {
    const entries = Object.entries(this.#options.schema.properties);
    return Object.fromEntries(
      entries.flatMap(([key, schema]) => ('default' in schema ? [[key, schema.default]] : [])),
    );
  }

  #effective(chosen: Chosen, change: SettingsChange = {}): Record<string, unknown> {
    const values: Record<string, unknown> = { ...this.#defaults };
    for (const key of Object.keys(this.#options.schema.properties)) {
      const value = this.#chosenValue(key, chosen, change);
      if (value !== undefined && this.#fits(key, value)) values[key] = value;
    }
    return values;
  }

  #chosenValue(key: string, chosen: Chosen, { set = {}, unset = [] }: SettingsChange = {}): unknown {
    const elsewhere = this.#elsewhere.get(key);
    if (elsewhere === undefined || Object.hasOwn(set, key)) return chosen[key];
    return unset.includes(key) ? undefined : elsewhere.read();
  }

  #fits(key: string, value: unknown): boolean {
    return this.#validate({ [key]: value });
  }

  #runsByAnother(key: string, value: unknown): boolean {
    return this.#running !== null && JSON.stringify(this.#running[key]) !== JSON.stringify(value);
  }

  #shown(key: string, schema: SettingSchema, value: unknown): SettingShown {
    const isSecret = schema.writeOnly === true;
    const restart = schema['x-restart'] === true;
    return {
      key,
      value: isSecret ? null : (value ?? null),
      default: schema.default ?? null,
      isSet: this.#chosenValue(key, this.#chosen) !== undefined,
      restart,
      pending: restart && this.#runsByAnother(key, value),
      title: schema.title,
      description: schema.description,
      mayBe: mayBe(schema),
      schema,
    };
  }
}

const keyOf = (error: ErrorObject | undefined): string => error?.instancePath.split('/')[1] ?? '';

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
