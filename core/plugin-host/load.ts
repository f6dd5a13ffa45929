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
import { pluginErrors } from './errors.ts';

/** Throws PLUGIN_CONTRACT where the plugin was written for another contract. */
export function checkContract(manifest: PluginManifest): void {
  if (manifest.contract === CONTRACT) return;
  const details = { plugin: manifest.name, wanted: manifest.contract, offered: CONTRACT };
  throw pluginErrors('PLUGIN_CONTRACT', details);
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

/** `attempt` tells loads apart: Node keeps a module that failed to load as failed for good under the same address. */
export async function loadEntry(manifest: PluginManifest, folder: string, attempt: number): Promise<Create> {
  const url = pathToFileURL(join(folder, manifest.entry));
  if (attempt > 0) url.searchParams.set('attempt', String(attempt));
  const module: unknown = await import(url.href);
  const create =
    typeof module === 'object' && module !== null && 'createPlugin' in module ? module.createPlugin : null;
  if (typeof create !== 'function') throw new Error('its entry exports no createPlugin()');
  return context => {
    const made: unknown = Reflect.apply(create, undefined, [context]);
    return expectPlugin(made, manifest.kind);
  };
}

const PARTS: Readonly<Record<PluginManifest['kind'], readonly string[]>> = {
  traversal: ['candidates', 'natReport', 'refresh', 'onChange'],
  transport: ['candidates', 'dial'],
};

function expectPlugin(made: unknown, kind: PluginManifest['kind']): Plugin {
  for (const part of ['start', 'stop', 'report', ...PARTS[kind]])
    if (typeof partOf(made, part) !== 'function') throw new Error(`it has no ${part}()`);
  return made as Plugin;
}

const partOf = (thing: unknown, part: string): unknown =>
  typeof thing === 'object' && thing !== null ? Reflect.get(thing, part) : undefined;

export const isTraversal = (plugin: Plugin, manifest: PluginManifest): plugin is TraversalPlugin =>
  manifest.kind === 'traversal' && partOf(plugin, 'natReport') !== undefined;

export const isTransport = (plugin: Plugin, manifest: PluginManifest): plugin is TransportPlugin =>
  manifest.kind === 'transport' && partOf(plugin, 'dial') !== undefined;
