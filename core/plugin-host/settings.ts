// A plugin's settings: one JSON Schema in its manifest says what they are; what the owner chose is kept through a narrow store.
import { Ajv, type ErrorObject, type ValidateFunction } from 'ajv';
import { OWN_KEYWORDS, type SettingSchema } from '../../base/setting-schema.ts';
import type { SettingsChange } from '../../base/settings.ts';
import { pluginErrors } from './errors.ts';
import {
  MAX_SETTINGS_BYTES,
  settingsOf,
  settingsProblem,
  unknownWords,
  type SettingsSchema,
} from './settings-schema.ts';

export type Settings = Readonly<Record<string, unknown>>;

/** What the owner said of a plugin; what is absent follows the manifest. */
export interface PluginChoice {
  readonly enabled?: boolean;
  readonly settings?: Settings;
}

/** Where choices outlive the daemon. Values are JSON. */
export interface PluginChoiceStore {
  load(plugin: string): Promise<PluginChoice | null>;
  save(plugin: string, choice: PluginChoice): Promise<void>;
}

export class SettingsRules {
  readonly schema: SettingsSchema;
  readonly #plugin: string;
  readonly #settings: ReadonlyMap<string, SettingSchema>;
  readonly #validate: ValidateFunction;

  /** Throws an Error in words where the schema contradicts itself. */
  constructor(plugin: string, schema: SettingsSchema) {
    this.schema = schema;
    this.#plugin = plugin;
    this.#settings = settingsOf(schema);
    const options = { allErrors: true, useDefaults: true, ownProperties: true, strictTypes: false } as const;
    // `writeOnly` marks a secret, `x-restart` a setting that a running plugin cannot take over.
    const ajv = new Ajv({ ...options, keywords: [...OWN_KEYWORDS], logger: false });
    this.#validate = ajv.compile({ ...schema, additionalProperties: false });
  }

  /** What the owner chose, of the settings that there are, with the defaults of the others. Throws PLUGIN_SETTINGS. */
  settle(chosen: Settings): Settings {
    return this.#accepted(this.#known(chosen));
  }

  /** The choice that a change leads to. Throws PLUGIN_SETTINGS where it is not accepted. */
  changed(chosen: Settings, { set = {}, unset = [] }: SettingsChange): Settings {
    const dropped = new Set(unset);
    for (const key of unset)
      if (!this.#settings.has(key)) throw this.#refused([key], unknownWords(this.#settings, key));
    const kept = Object.entries(this.#known(chosen)).filter(([key]) => !dropped.has(key));
    const next = Object.fromEntries([...kept, ...Object.entries(set)]);
    this.#accepted(next);
    return next;
  }

  /** Does a running plugin have to be started anew to go from one to the other? */
  needsRestart(before: Settings, after: Settings): boolean {
    return [...this.#settings].some(
      ([key, setting]) =>
        setting['x-restart'] === true && JSON.stringify(before[key]) !== JSON.stringify(after[key]),
    );
  }

  get restarting(): readonly string[] {
    return [...this.#settings].flatMap(([key, setting]) => (setting['x-restart'] === true ? [key] : []));
  }

  /** What may be shown, and of secrets only whether they are set. */
  shown(chosen: Settings): {
    readonly settings: Settings;
    readonly secrets: Readonly<Record<string, boolean>>;
  } {
    const settings: [string, unknown][] = [];
    const secrets: [string, boolean][] = [];
    for (const [key, setting] of this.#settings) {
      if (setting.writeOnly === true) secrets.push([key, chosen[key] !== undefined]);
      else if ((chosen[key] ?? setting.default) !== undefined)
        settings.push([key, chosen[key] ?? setting.default]);
    }
    return { settings: Object.fromEntries(settings), secrets: Object.fromEntries(secrets) };
  }

  /** The secrets themselves, for taking them out of whatever the plugin says. */
  secretsOf(chosen: Settings): readonly string[] {
    return [...this.#settings].flatMap(([key, setting]) =>
      setting.writeOnly === true && typeof chosen[key] === 'string' ? [chosen[key]] : [],
    );
  }

  /** Without what an earlier version of the plugin knew. */
  #known(chosen: Settings): Settings {
    return Object.fromEntries(Object.entries(chosen).filter(([key]) => this.#settings.has(key)));
  }

  #accepted(chosen: Settings): Settings {
    if (Buffer.byteLength(JSON.stringify(chosen)) > MAX_SETTINGS_BYTES)
      throw this.#refused([], `together they are larger than ${MAX_SETTINGS_BYTES} bytes`);
    const settings: Record<string, unknown> = structuredClone({ ...chosen });
    if (this.#validate(settings)) return settings;
    const { problem, fields } = settingsProblem(
      this.#settings,
      this.#validate.errors as readonly ErrorObject[],
    );
    throw this.#refused(fields, problem);
  }

  #refused(fields: readonly string[], problem: string): Error {
    return pluginErrors('PLUGIN_SETTINGS', { plugin: this.#plugin, problem, fields });
  }
}
