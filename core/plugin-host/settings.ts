// A plugin's settings: one JSON Schema in its manifest says what they are; what the owner chose is kept through a narrow store.
import { Ajv, type ValidateFunction } from 'ajv';
import type { PluginManifest } from '../contract/plugin.ts';
import { pluginErrors } from './errors.ts';
import { problemsOf } from './manifest.ts';

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

/** Checks settings against the manifest's schema and fills in defaults. Throws PLUGIN_SETTINGS or PLUGIN_MANIFEST. */
export function settle(manifest: PluginManifest, chosen: Settings): Settings {
  const settings: Record<string, unknown> = structuredClone({ ...chosen });
  const validate = compile(manifest);
  if (validate(settings)) return settings;
  throw pluginErrors('PLUGIN_SETTINGS', { plugin: manifest.name, problem: problemsOf(validate.errors) });
}

function compile(manifest: PluginManifest): ValidateFunction {
  // `writeOnly` marks a secret, `x-restart` a setting that a running plugin cannot take over.
  const ajv = new Ajv({ allErrors: true, useDefaults: true, keywords: ['x-restart'] });
  try {
    return ajv.compile({ ...manifest.settings });
  } catch (cause) {
    const problem = `its settings schema: ${cause instanceof Error ? cause.message : 'not valid'}`;
    throw pluginErrors('PLUGIN_MANIFEST', { plugin: manifest.name, problem }, cause);
  }
}
