// Discovery: a plugin is a folder with a `plugin.json`. Nothing of a plugin but that file is read until it is turned on.
import { readdir, stat, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Ajv, type ErrorObject, type ValidateFunction } from 'ajv';
import type { PluginManifest } from '../contract/plugin.ts';
import type { GinnelError } from '../../base/errors.ts';
import { pluginErrors } from './errors.ts';

/** A manifest larger than this is refused unread. */
const MAX_MANIFEST_BYTES = 64 * 1024;

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
    settings: { type: 'object' },
    nativePackages: { type: 'array', maxItems: 16, items: { type: 'string', minLength: 1, maxLength: 214 } },
  },
} as const;

/** What discovery found in one folder: a manifest, or why there is none. */
export type Found =
  | {
      readonly name: string;
      readonly folder: string;
      readonly manifest: PluginManifest;
      readonly error: null;
    }
  | { readonly name: string; readonly folder: string; readonly manifest: null; readonly error: GinnelError };

/** All plugins of the directories, by name; where two have the same name, the first directory's counts. */
export async function discover(directories: readonly string[]): Promise<ReadonlyMap<string, Found>> {
  const validate = new Ajv({ allErrors: true }).compile<PluginManifest>(MANIFEST_SCHEMA);
  const found = new Map<string, Found>();
  for (const directory of directories) {
    for (const name of await foldersOf(directory)) {
      if (found.has(name)) continue;
      const one = await readManifest(name, join(directory, name), validate);
      if (one !== null) found.set(name, one);
    }
  }
  return found;
}

type Validate = ValidateFunction<PluginManifest>;

async function readManifest(name: string, folder: string, validate: Validate): Promise<Found | null> {
  const path = join(folder, 'plugin.json');
  const size = await stat(path).then(
    info => info.size,
    () => null,
  );
  if (size === null) return null;
  const bad = (problem: string): Found => ({
    name,
    folder,
    manifest: null,
    error: pluginErrors('PLUGIN_MANIFEST', { plugin: name, problem }),
  });
  if (size > MAX_MANIFEST_BYTES) return bad(`larger than ${MAX_MANIFEST_BYTES} bytes`);
  let parsed: unknown;
  try {
    parsed = JSON.parse(await readFile(path, 'utf8'));
  } catch (error) {
    return bad(error instanceof Error ? error.message : 'unreadable');
  }
  if (!validate(parsed)) return bad(problemsOf(validate.errors));
  if (parsed.name !== name) return bad(`it names itself ${parsed.name}, not ${name}`);
  return { name, folder, manifest: parsed, error: null };
}

async function foldersOf(directory: string): Promise<string[]> {
  const entries = await readdir(directory, { withFileTypes: true }).catch((error: unknown) => {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return [];
    throw error;
  });
  return entries
    .filter(entry => entry.isDirectory() || entry.isSymbolicLink())
    .map(entry => entry.name)
    .sort();
}

/** The first few things a JSON Schema validation found, in one line: `/port must be <= 65535`. */
export function problemsOf(errors: readonly ErrorObject[] | null | undefined): string {
  const lines = (errors ?? [])
    .slice(0, 3)
    .map(error => `${error.instancePath || 'it'} ${error.message ?? 'is not valid'}`);
  return lines.length === 0 ? 'not valid' : lines.join('; ');
}
