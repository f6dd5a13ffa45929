// The plugin host: finds plugins, turns them on and off as the owner chose, and keeps the node alive whatever they do.
// It knows them also while the node is not on the network; then they rest, and what the owner chooses holds for later.
import type { Clock } from '../../base/clock.ts';
import type { Counters } from '../../base/counters.ts';
import type { Log } from '../../base/log.ts';
import type { Random } from '../../base/random.ts';
import type { SettingsChange } from '../../base/settings.ts';
import type { PluginAdmin, PluginDetail, PluginStatus } from '../admin.ts';
import type { Traversal } from '../contract/plugin.ts';
import { AnswerChecks } from './answers.ts';
import { Blame, originOf } from './blame.ts';
import { pluginErrors } from './errors.ts';
import type { Guard } from './guard.ts';
import { PluginLife, type LifeSurroundings } from './life.ts';
import { PluginFinder, type Found, type PluginDirectory } from './manifest.ts';
import type { Given, Run } from './run.ts';
import type { PluginChoice, PluginChoiceStore } from './settings.ts';
import { StartMeter } from './start-meter.ts';
import type { GuardedTransport } from './transport.ts';

export interface PluginHostOptions {
  /** Each holds one folder per plugin. One that is absent counts as empty; the first has the names it uses. */
  readonly directories: readonly PluginDirectory[];
  /** The user besides root who may own third-party plugins; default: whom this process runs as. */
  readonly owner?: number;
  /** What the owner chose, kept over restarts. */
  readonly choices: PluginChoiceStore;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly counters: Counters;
  /** Bytes of memory that this process has; default: as the system says. */
  readonly residentBytes?: () => number;
}

/** All of `PluginAdmin`: the choice is kept before it acts, and a plugin that fails is told by its status. */
export interface PluginHost extends PluginAdmin {
  /** What was found at the last look, as it is now. */
  known(): readonly PluginStatus[];
  /**
   * The node comes up: starts those that are on; resolves when each has started or failed. Never rejects for a plugin's
   * sake. `give` is what the node gives a plugin, by the key under which it keeps what belongs to it.
   */
  start(give: (key: string) => Given): Promise<void>;
  /** The node goes: stops all plugins, each within 5 s; a `start` under way starts none any more. */
  rest(): Promise<void>;
  /** Those that have started and have not been told to stop; they never throw, hang or answer nonsense. */
  traversal(): readonly Traversal[];
  transports(): readonly GuardedTransport[];
  /** Calls back when a plugin came, went or failed. Returns the way to stop that. */
  onChange(changed: () => void): () => void;
  /** An error that nobody caught: was it a plugin's? Then that plugin is stopped, and no one else need care. */
  takesBlame(error: unknown): boolean;
}

export function createPluginHost(options: PluginHostOptions): PluginHost {
  return new Host(options);
}

class Host implements PluginHost {
  readonly #options: PluginHostOptions;
  readonly #finder: PluginFinder;
  readonly #around: LifeSurroundings;
  readonly #lives = new Map<string, PluginLife>();
  readonly #listeners = new Set<() => void>();
  readonly #blame = new Blame<Guard>();
  #give: ((key: string) => Given) | null = null;
  /** Looks and changes of a choice follow one another. */
  #turns: Promise<unknown> = Promise.resolve();

  constructor(options: PluginHostOptions) {
    const { clock, random, log, counters, directories, owner = process.getuid?.() ?? 0 } = options;
    const { residentBytes = () => process.memoryUsage.rss() } = options;
    this.#options = options;
    this.#finder = new PluginFinder({ directories, owner });
    this.#around = {
      ...{ clock, random, log, counters, owner, blame: this.#blame, checks: new AnswerChecks() },
      meter: new StartMeter({ clock, residentBytes }),
      given: found => this.#give?.(keyOf(found)) ?? null,
      changed: () => this.#tell(),
    };
  }

  // ---- the node comes and goes

  async start(give: (key: string) => Given): Promise<void> {
    this.#give = give;
    await this.#look();
    // Gone meanwhile: whoever began now would never be told to stop.
    if (this.#give === give) await Promise.all([...this.#lives.values()].map(life => life.begin()));
  }

  async rest(): Promise<void> {
    this.#give = null;
    await Promise.all([...this.#lives.values()].map(life => life.end()));
  }

  traversal(): readonly Traversal[] {
    return this.#running().flatMap(({ traversal }) => traversal ?? []);
  }

  transports(): readonly GuardedTransport[] {
    return this.#running().flatMap(({ transport }) => transport ?? []);
  }

  onChange(changed: () => void): () => void {
    this.#listeners.add(changed);
    return () => void this.#listeners.delete(changed);
  }

  known(): readonly PluginStatus[] {
    return [...this.#lives.values()].map(life => life.status());
  }

  takesBlame(error: unknown): boolean {
    const culprit = this.#blame.culprit ?? this.#guardOf(originOf(error));
    culprit?.crash(error);
    return culprit !== null;
  }

  // ---- what the owner asks and chooses

  async list(): Promise<readonly PluginStatus[]> {
    await this.#lookAround();
    return this.known();
  }

  async detail(plugin: string): Promise<PluginDetail> {
    return (await this.#life(plugin)).detail();
  }

  async enable(plugin: string): Promise<PluginStatus> {
    const life = await this.#life(plugin);
    if (life.found.error !== null) throw life.found.error;
    await this.#choose(life, choice => ({ ...choice, enabled: true }));
    await life.begin();
    return life.status();
  }

  async disable(plugin: string): Promise<PluginStatus> {
    const life = await this.#life(plugin);
    await this.#choose(life, choice => ({ ...choice, enabled: false }));
    await life.end();
    return life.status();
  }

  async configure(plugin: string, change: SettingsChange): Promise<PluginDetail> {
    const life = await this.#life(plugin);
    const { rules, error } = life.found;
    if (error !== null) throw error;
    const before = await this.#choose(life, choice => ({
      ...choice,
      settings: rules.changed(choice.settings ?? {}, change),
    }));
    await life.reconfigure(before.settings ?? {});
    return life.detail();
  }

  async retry(plugin: string): Promise<PluginStatus> {
    const life = await this.#life(plugin);
    if (this.#give === null) throw pluginErrors('PLUGIN_AT_REST', { plugin });
    if (life.running === null) await life.begin();
    return life.status();
  }

  /** Changes what the owner chose, once that is kept. Answers what it was. */
  #choose(life: PluginLife, change: (choice: PluginChoice) => PluginChoice): Promise<PluginChoice> {
    return this.#turn(async () => {
      const before = life.choice;
      const choice = change(before);
      await this.#options.choices.save(keyOf(life.found), choice);
      life.choose(choice);
      return before;
    });
  }

  async #life(plugin: string): Promise<PluginLife> {
    await this.#lookAround();
    const life = this.#lives.get(plugin);
    if (life === undefined) throw pluginErrors('PLUGIN_UNKNOWN', { plugin });
    return life;
  }

  // ---- finding them

  /** Plugins may come and go while the daemon runs. What is new and on starts; nobody waits for that. */
  async #lookAround(): Promise<void> {
    const fresh = await this.#look();
    if (this.#give !== null) for (const life of fresh) void life.begin().catch(() => undefined);
  }

  /** Answers those that were not there before, or not so. One that runs is left alone until it stops. */
  #look(): Promise<readonly PluginLife[]> {
    return this.#turn(async () => {
      const found = await this.#finder.find();
      for (const [name, life] of this.#lives)
        if (!found.has(name) && life.run === null) await this.#remove(name, life);
      const fresh: PluginLife[] = [];
      for (const one of found.values()) fresh.push(...(await this.#found(one)));
      return fresh;
    });
  }

  async #found(found: Found): Promise<PluginLife[]> {
    const life = this.#lives.get(found.name);
    if (life !== undefined && (life.run !== null || isSame(life.found, found))) return [];
    if (life !== undefined) await this.#remove(found.name, life);
    const { log, choices } = this.#options;
    if (found.error !== null) log.warn(found.error.message, { plugin: found.name, code: found.error.code });
    const fresh = new PluginLife(found, (await choices.load(keyOf(found))) ?? {}, this.#around);
    this.#lives.set(found.name, fresh);
    return [fresh];
  }

  async #remove(name: string, life: PluginLife): Promise<void> {
    await life.end();
    this.#lives.delete(name);
  }

  // ---- the rest

  #running(): readonly Run[] {
    return [...this.#lives.values()].flatMap(life => life.running ?? []);
  }

  /** Of the plugin whose code lies there. */
  #guardOf(url: string): Guard | null {
    const runs = [...this.#lives.values()].flatMap(life => life.run ?? []);
    return runs.find(run => run.holds(url))?.guard ?? null;
  }

  #turn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#turns.then(work);
    this.#turns = done.catch(() => undefined);
    return done;
  }

  #tell(): void {
    for (const changed of this.#listeners) changed();
  }
}

/** Under which its choice and its store are kept: a third-party plugin never gets at what a shipped one kept. */
const keyOf = ({ name, isThirdParty }: Found): string => (isThirdParty ? `third-party/${name}` : name);

const isSame = (one: Found, other: Found): boolean =>
  one.folder === other.folder &&
  one.error?.message === other.error?.message &&
  JSON.stringify(one.manifest) === JSON.stringify(other.manifest);
