// Discovery: a plugin is a folder with a `plugin.json`. Nothing of a plugin but that file is read until it is turned on.
import type { Stats } from 'node:fs';
import { readdir, stat, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Ajv, type ErrorObject, type ValidateFunction } from 'ajv';
import type { PluginManifest } from '../contract/plugin.ts';
import type { GinnelError } from '../../base/errors.ts';
import { pluginErrors } from './errors.ts';
import { contractError } from './load.ts';
import { SETTINGS_SCHEMA } from './settings-schema.ts';
import { SettingsRules } from './settings.ts';
import { unsafePath } from './trust.ts';
import { wordsOf } from './words.ts';

/** A manifest larger than this is refused unread. */
const MAX_MANIFEST_BYTES = 64 * 1024;
/** Folders beyond so many in one directory are not looked at. */
const MAX_PLUGINS = 64;

export const MANIFEST_SCHEMA = {
  type: 'object',
  additionalProperties: false,
  required: [
    'name',
    'version',
    'kind',
    'contract',
    'entry',
    'purpose',
    'enabled',
    'settings',
    'nativePackages',
  ],
  properties: {
    $schema: { type: 'string' },
    name: { type: 'string', pattern: '^[a-z][a-z0-9-]{0,39}$' },
    version: { type: 'string', minLength: 1, maxLength: 40 },
    kind: { enum: ['traversal', 'transport'] },
    contract: { type: 'integer', minimum: 1 },
    // A plain name: the entry stands beside the manifest and nowhere else.
    entry: { type: 'string', pattern: '^[A-Za-z0-9_][A-Za-z0-9._-]*\\.m?js$' },
    purpose: { type: 'string', minLength: 1, maxLength: 200 },
    enabled: { type: 'boolean' },
    settings: SETTINGS_SCHEMA,
    nativePackages: { type: 'array', maxItems: 16, items: { type: 'string', minLength: 1, maxLength: 214 } },
  },
} as const;

/** Where plugins lie, and whose they are. Third-party ones are off until the owner turns them on. */
export interface PluginDirectory {
  readonly path: string;
  readonly isThirdParty: boolean;
}

interface Place {
  readonly name: string;
  readonly folder: string;
  readonly isThirdParty: boolean;
}

/** What discovery found in one folder: a manifest and the rules of its settings, or why there is none to go by. */
export type Found = Place &
  (
    | { readonly manifest: PluginManifest; readonly rules: SettingsRules; readonly error: null }
    | { readonly manifest: null; readonly rules: null; readonly error: GinnelError }
  );

export interface FinderOptions {
  readonly directories: readonly PluginDirectory[];
  /** The user besides root who may own third-party plugins. */
  readonly owner: number;
}

type Judged = Pick<Found, 'manifest' | 'rules' | 'error'>;

export class PluginFinder {
  readonly #options: FinderOptions;
  readonly #validate: ValidateFunction<PluginManifest>;
  /** What was read of each plugin.json, as long as it is the same file: to read it is dear where a CPU is slow. */
  readonly #read = new Map<string, { readonly stamp: string; readonly judged: Judged }>();

  constructor(options: FinderOptions) {
    this.#options = options;
    const ajv = new Ajv({ allErrors: true, allowUnionTypes: true });
    this.#validate = ajv.compile<PluginManifest>(MANIFEST_SCHEMA);
  }

  /** All plugins of the directories, by name. Where two have the same name, the first directory's has it. */
  async find(): Promise<ReadonlyMap<string, Found>> {
    const found = new Map<string, Found>();
    for (const { path, isThirdParty } of this.#options.directories) {
      for (const name of await foldersOf(path)) {
        const place = { name, folder: join(path, name), isThirdParty };
        const one = found.has(name) ? await nameTaken(place) : await this.#look(place, path);
        if (one !== null && !found.has(one.name)) found.set(one.name, one);
      }
    }
    return found;
  }

  /** Null where the folder is no plugin's. */
  async #look(place: Place, directory: string): Promise<Found | null> {
    const { name, folder, isThirdParty } = place;
    const path = join(folder, 'plugin.json');
    const info = await statOf(path);
    if (info === null) return null;
    const unsafe = isThirdParty ? await unsafePath([directory, folder, path], this.#options.owner) : null;
    if (unsafe !== null)
      return refused(
        place,
        pluginErrors('PLUGIN_UNSAFE', { plugin: name, problem: unsafe, folder: directory }),
      );
    const stamp = [info.ino, info.size, info.mtimeMs, info.ctimeMs].join();
    const known = this.#read.get(path);
    const judged = known?.stamp === stamp ? known.judged : await this.#judge(name, path, info.size);
    this.#read.set(path, { stamp, judged });
    return { ...place, ...judged } as Found;
  }

  async #judge(name: string, path: string, size: number): Promise<Judged> {
    try {
      const manifest = await readManifest(path, size, this.#validate);
      if (manifest.name !== name) throw new Error(`it names itself ${manifest.name}, not ${name}`);
      const misfit = contractError(manifest);
      if (misfit !== null) return { manifest: null, rules: null, error: misfit };
      return { manifest, rules: rulesOf(manifest), error: null };
    } catch (error) {
      const details = { plugin: name, problem: wordsOf(error) };
      return { manifest: null, rules: null, error: pluginErrors('PLUGIN_MANIFEST', details, error) };
    }
  }
}

const refused = (place: Place, error: GinnelError): Found => ({
  ...place,
  manifest: null,
  rules: null,
  error,
});

/** A plugin that took a shipped one's name is shown beside that, under a name that no plugin can have. */
async function nameTaken(place: Place): Promise<Found | null> {
  if ((await statOf(join(place.folder, 'plugin.json'))) === null) return null;
  const name = `${place.name}@third-party`;
  return refused({ ...place, name }, pluginErrors('PLUGIN_NAME_TAKEN', { plugin: name, name: place.name }));
}

const statOf = (path: string): Promise<Stats | null> => stat(path).catch(() => null);

/** Throws an Error in words. */
async function readManifest(
  path: string,
  size: number,
  validate: ValidateFunction<PluginManifest>,
): Promise<PluginManifest> {
  if (size > MAX_MANIFEST_BYTES) throw new Error(`it is larger than ${MAX_MANIFEST_BYTES} bytes`);
  const parsed: unknown = JSON.parse(await readFile(path, 'utf8'));
  if (validate(parsed)) return parsed;
  throw new Error(problemsOf(validate.errors));
}

function rulesOf({ name, settings }: PluginManifest): SettingsRules {
  try {
    return new SettingsRules(name, settings);
  } catch (cause) {
    throw new Error(`its settings schema: ${wordsOf(cause)}`, { cause });
  }
}

async function foldersOf(directory: string): Promise<string[]> {
  const entries = await readdir(directory, { withFileTypes: true }).catch((error: unknown) => {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return [];
    throw error;
  });
  return entries
    .filter(entry => entry.isDirectory() || entry.isSymbolicLink())
    .map(entry => entry.name)
    .sort()
    .slice(0, MAX_PLUGINS);
}

/** The first few things a JSON Schema validation found, in one line: `/port must be <= 65535`. */
function problemsOf(errors: readonly ErrorObject[] | null | undefined): string {
  const lines = (errors ?? [])
    .slice(0, 3)
    .map(error => `${error.instancePath || 'it'} ${error.message ?? 'is not valid'}`);
  return lines.length === 0 ? 'not valid' : lines.join('; ');
}
