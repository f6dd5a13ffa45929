// The plugin host: finds plugins, turns them on and off as the owner chose, and keeps the node alive whatever they do.
import type { Clock } from '../../base/clock.ts';
import type { Counters } from '../../base/counters.ts';
import type { Log } from '../../base/log.ts';
import type { Random } from '../../base/random.ts';
import type { PluginStatus } from '../admin.ts';
import type { PluginContext, TransportPlugin, TraversalPlugin } from '../contract/plugin.ts';
import { pluginErrors } from './errors.ts';
import { PluginLife } from './life.ts';
import { isTransport, isTraversal } from './load.ts';
import { discover } from './manifest.ts';
import type { PluginChoiceStore, Settings } from './settings.ts';

export interface PluginHostOptions {
  /** Each holds one folder per plugin. One that is absent counts as empty. */
  readonly directories: readonly string[];
  /** What the node gives this one plugin; all else in its context comes from the host. */
  contextFor(plugin: string): Pick<PluginContext, 'primitives' | 'store' | 'stun'>;
  /** What the owner chose, kept over restarts. */
  readonly choices: PluginChoiceStore;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly counters: Counters;
}

export interface PluginHost {
  /** Discovers and starts those that are on; resolves when each has started or failed. Never rejects for a plugin's sake. */
  start(): Promise<void>;
  list(): readonly PluginStatus[];
  /** The choice is kept before the plugin starts. Rejects with PLUGIN_UNKNOWN; a plugin that fails is told by its status. */
  enable(plugin: string): Promise<PluginStatus>;
  disable(plugin: string): Promise<PluginStatus>;
  /** Rejects with PLUGIN_SETTINGS; then the former settings stay. */
  configure(plugin: string, settings: Settings): Promise<PluginStatus>;
  /** Tries a failed plugin now instead of later. */
  retry(plugin: string): Promise<PluginStatus>;
  /** Those that have started and have not been told to stop. */
  traversal(): readonly TraversalPlugin[];
  transports(): readonly TransportPlugin[];
  /** Calls back when a plugin came, went or failed. Returns the way to stop that. */
  onChange(changed: () => void): () => void;
  /** Stops all plugins, each within 5 s; a `start` under way starts none any more. */
  close(): Promise<void>;
}

export function createPluginHost(options: PluginHostOptions): PluginHost {
  return new Host(options);
}

class Host implements PluginHost {
  readonly #options: PluginHostOptions;
  readonly #lives = new Map<string, PluginLife>();
  readonly #listeners = new Set<() => void>();
  #isClosed = false;

  constructor(options: PluginHostOptions) {
    this.#options = options;
  }

  async start(): Promise<void> {
    const { directories, choices } = this.#options;
    for (const [name, found] of await discover(directories)) {
      if (this.#lives.has(name)) continue;
      const choice = (await choices.load(name)) ?? {};
      // Closed meanwhile: whoever began now would never be told to stop.
      if (this.#isClosed) return;
      if (found.error !== null)
        this.#options.log.warn(found.error.message, { plugin: name, code: found.error.code });
      this.#lives.set(name, new PluginLife(found, choice, this.#options, () => this.#tell()));
    }
    if (!this.#isClosed) await Promise.all([...this.#lives.values()].map(life => life.begin()));
  }

  list(): readonly PluginStatus[] {
    return [...this.#lives.values()].map(life => life.status());
  }

  async enable(plugin: string): Promise<PluginStatus> {
    const life = this.#life(plugin);
    await this.#options.choices.save(plugin, { ...life.choice, enabled: true });
    await life.turnOn();
    return life.status();
  }

  async disable(plugin: string): Promise<PluginStatus> {
    const life = this.#life(plugin);
    await this.#options.choices.save(plugin, { ...life.choice, enabled: false });
    await life.turnOff();
    return life.status();
  }

  async configure(plugin: string, settings: Settings): Promise<PluginStatus> {
    const life = this.#life(plugin);
    life.accepts(settings);
    await this.#options.choices.save(plugin, { ...life.choice, settings });
    await life.configure(settings);
    return life.status();
  }

  async retry(plugin: string): Promise<PluginStatus> {
    const life = this.#life(plugin);
    if (life.running === null) await life.begin();
    return life.status();
  }

  traversal(): readonly TraversalPlugin[] {
    return this.#running().flatMap(({ plugin, manifest }) => (isTraversal(plugin, manifest) ? [plugin] : []));
  }

  transports(): readonly TransportPlugin[] {
    return this.#running().flatMap(({ plugin, manifest }) => (isTransport(plugin, manifest) ? [plugin] : []));
  }

  onChange(changed: () => void): () => void {
    this.#listeners.add(changed);
    return () => void this.#listeners.delete(changed);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await Promise.all([...this.#lives.values()].map(life => life.end()));
    this.#listeners.clear();
  }

  #running(): readonly NonNullable<PluginLife['running']>[] {
    return [...this.#lives.values()].flatMap(life => life.running ?? []);
  }

  #life(plugin: string): PluginLife {
    const life = this.#lives.get(plugin);
    if (life === undefined) throw pluginErrors('PLUGIN_UNKNOWN', { plugin });
    return life;
  }

  #tell(): void {
    for (const changed of this.#listeners) changed();
  }
}
