// Bringing a plugin's code in: its native packages first, then the entry module, and a look at whether it is what it says.
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type {
  Plugin,
  PluginContext,
  PluginManifest,
  TransportPlugin,
  TraversalPlugin,
} from '../contract/plugin.ts';
import { CONTRACT } from '../contract/plugin.ts';
import type { GinnelError } from '../../base/errors.ts';
import { pluginErrors } from './errors.ts';

/** PLUGIN_CONTRACT where the plugin was written for another contract. */
export function contractError({ name, contract }: PluginManifest): GinnelError | null {
  if (contract === CONTRACT) return null;
  return pluginErrors('PLUGIN_CONTRACT', { plugin: name, wanted: contract, offered: CONTRACT });
}

/** Loads each native package as the plugin itself would; rejects with PLUGIN_NATIVE_MISSING. */
export async function checkNativePackages(manifest: PluginManifest, folder: string): Promise<void> {
  const { resolve } = createRequire(join(folder, manifest.entry));
  for (const name of manifest.nativePackages) {
    try {
      await import(pathToFileURL(resolve(name)).href);
    } catch (cause) {
      throw pluginErrors('PLUGIN_NATIVE_MISSING', { plugin: manifest.name, package: name }, cause);
    }
  }
}

export type Create = (context: PluginContext) => Plugin;

/**
 * `attempt` tells loads apart: Node keeps a module that failed to load as failed for good under the same address, and
 * one that loaded for as long as the process lives. Rejects with whatever the code threw.
 */
export async function loadEntry(
  { kind, entry }: PluginManifest,
  folder: string,
  attempt: number,
): Promise<Create> {
  const url = pathToFileURL(join(folder, entry));
  if (attempt > 0) url.searchParams.set('attempt', String(attempt));
  const module: unknown = await import(url.href);
  const create = partOf(module, 'createPlugin');
  if (typeof create !== 'function') throw new Error('its entry exports no createPlugin()');
  return context => expectPlugin(Reflect.apply(create, undefined, [context]), kind);
}

const PARTS: Readonly<Record<PluginManifest['kind'], readonly string[]>> = {
  traversal: ['candidates', 'natReport', 'refresh', 'onChange'],
  transport: ['candidates', 'dial', 'onChange'],
};

function expectPlugin(made: unknown, kind: PluginManifest['kind']): Plugin {
  for (const part of ['start', 'stop', 'report', ...PARTS[kind]])
    if (typeof partOf(made, part) !== 'function') throw new Error(`it has no ${part}()`);
  return made as Plugin;
}

const partOf = (thing: unknown, part: string): unknown =>
  typeof thing === 'object' && thing !== null ? Reflect.get(thing, part) : undefined;

/** What the manifest says a plugin is, it was found to be when it was made. */
export const isTraversal = (_: Plugin, { kind }: PluginManifest): _ is TraversalPlugin =>
  kind === 'traversal';
export const isTransport = (_: Plugin, { kind }: PluginManifest): _ is TransportPlugin =>
  kind === 'transport';
