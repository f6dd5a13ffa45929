// One run of a plugin, from the loading of its code to its stop: foreign code, called with a deadline and under guard.
import { pathToFileURL } from 'node:url';
import type { Clock } from '../../base/clock.ts';
import type { Counters } from '../../base/counters.ts';
import type { GinnelError } from '../../base/errors.ts';
import type { Log } from '../../base/log.ts';
import type { Random } from '../../base/random.ts';
import type { Plugin, PluginContext, PluginManifest, PluginReport } from '../contract/plugin.ts';
import type { AnswerChecks } from './answers.ts';
import type { Blame } from './blame.ts';
import { within } from './deadline.ts';
import {
  guardedClock,
  guardedHome,
  guardedLinks,
  guardedNetwork,
  guardedSignals,
  guardedStreams,
  guardedStun,
} from './doors.ts';
import type { HomeGiven, NetworkGiven, SignalsGiven } from './doors.ts';
import { pluginErrors } from './errors.ts';
import { Guard, type GuardOptions } from './guard.ts';
import { checkNativePackages, isTransport, isTraversal, loadEntry } from './load.ts';
import type { Found } from './manifest.ts';
import { readReport } from './report.ts';
import type { Settings } from './settings.ts';
import { GuardedTransport } from './transport.ts';
import { GuardedTraversal } from './traversal.ts';
import { unsafeFolder } from './trust.ts';

export const START_TIMEOUT_MS = 10_000;
export const STOP_TIMEOUT_MS = 5_000;

/** What the node gives one plugin; all else in its context comes from the host. */
export interface Given extends Pick<PluginContext, 'primitives' | 'store' | 'stun' | 'streams' | 'links'> {
  readonly network: NetworkGiven;
  readonly home: HomeGiven;
  readonly signals: SignalsGiven;
}

export interface RunSurroundings extends Pick<GuardOptions, 'wrong' | 'crashed' | 'scrub'> {
  readonly given: Given;
  readonly blame: Blame<Guard>;
  readonly checks: AnswerChecks;
  readonly owner: number;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly counters: Counters;
}

export class Run {
  readonly manifest: PluginManifest;
  readonly guard: Guard;
  readonly #found: Found & { readonly error: null };
  readonly #around: RunSurroundings;
  readonly #stun: ReturnType<typeof guardedStun>;
  readonly #streams: ReturnType<typeof guardedStreams>;
  readonly #network: ReturnType<typeof guardedNetwork>;
  readonly #home: ReturnType<typeof guardedHome>;
  readonly #signals: ReturnType<typeof guardedSignals>;
  readonly #links: ReturnType<typeof guardedLinks>;
  readonly #abort = new AbortController();
  #plugin: Plugin | null = null;
  #traversal: GuardedTraversal | null = null;
  #transport: GuardedTransport | null = null;
  #isBrokenOff = false;

  constructor(found: Found & { readonly error: null }, around: RunSurroundings) {
    this.manifest = found.manifest;
    this.#found = found;
    this.#around = around;
    this.guard = new Guard(around);
    this.#stun = guardedStun(around.given.stun, this.guard);
    this.#streams = guardedStreams(around.given.streams, this.guard);
    this.#network = guardedNetwork(around.given.network, this.guard);
    this.#home = guardedHome(around.given.home, this.guard);
    this.#signals = guardedSignals(around.given.signals, found.manifest.name, this.guard);
    this.#links = guardedLinks(around.given.links, this.guard);
  }

  get plugin(): Plugin | null {
    return this.#plugin;
  }

  get traversal(): GuardedTraversal | null {
    return this.#traversal;
  }

  get transport(): GuardedTransport | null {
    return this.#transport;
  }

  get isBrokenOff(): boolean {
    return this.#isBrokenOff;
  }

  /** Is this URL that of a file of the plugin? */
  holds(url: string): boolean {
    return url.startsWith(`${pathToFileURL(this.#found.folder).href}/`);
  }

  /** Rejects with a GinnelError where it does not start; `stop` is to be called all the same. */
  async start(settings: Settings, attempt: number): Promise<void> {
    const { name } = this.manifest;
    const { clock, log } = this.#around;
    const late = (error: unknown): void =>
      log.debug('a plugin failed after it was given up', { plugin: name, error: this.guard.words(error) });
    const patience = { clock, timeoutMs: START_TIMEOUT_MS, late, signal: this.#abort.signal };
    const outcome = await within(patience, () => this.#begin(settings, attempt));
    if (outcome.kind !== 'timeout') return;
    this.#end();
    throw pluginErrors('PLUGIN_START_TIMEOUT', { plugin: name, seconds: START_TIMEOUT_MS / 1000 });
  }

  /** A start under way need not be waited for any more. */
  breakOff(): void {
    this.#isBrokenOff = true;
    this.#end();
  }

  /** PLUGIN_STOP_TIMEOUT where it did not stop in time; null: it did. Never rejects. */
  async stop(): Promise<GinnelError | null> {
    const { clock, log } = this.#around;
    const plugin = this.#plugin;
    const { name } = this.manifest;
    this.#traversal?.end();
    this.#transport?.end();
    try {
      const patience = { clock, timeoutMs: STOP_TIMEOUT_MS, late: () => undefined };
      const outcome = await within(patience, async () => this.guard.inside(() => plugin?.stop()));
      if (outcome.kind === 'timeout')
        return pluginErrors('PLUGIN_STOP_TIMEOUT', { plugin: name, seconds: STOP_TIMEOUT_MS / 1000 });
    } catch (error) {
      log.warn('a plugin failed while it stopped', { plugin: name, error: this.guard.words(error) });
    } finally {
      this.#end();
      this.guard.end();
      this.#stun.end();
      this.#streams.end();
      this.#network.end();
      this.#home.end();
      this.#signals.end();
      this.#links.end();
    }
    return null;
  }

  /** False where it has to be started anew instead. */
  async reconfigured(settings: Settings): Promise<boolean> {
    const plugin = this.#plugin;
    const { clock, log } = this.#around;
    try {
      const patience = { clock, timeoutMs: START_TIMEOUT_MS, late: () => undefined };
      const outcome = await within(patience, async () =>
        this.guard.inside(async () => {
          if (plugin?.reconfigure === undefined) return false;
          await plugin.reconfigure(settings);
          return true;
        }),
      );
      return outcome.kind === 'done' && outcome.value;
    } catch (error) {
      const facts = { plugin: this.manifest.name, error: this.guard.words(error) };
      log.warn('a plugin refused new settings; it is restarted', facts);
      return false;
    }
  }

  /** What it says of itself; null: nothing usable. */
  report(): PluginReport | null {
    const ask = (): unknown => this.#plugin?.report();
    return this.guard.ask('report()', ask, answer => readReport(answer, this.#around.scrub));
  }

  #isEnded(): boolean {
    return this.#abort.signal.aborted;
  }

  async #begin(settings: Settings, attempt: number): Promise<void> {
    const { folder, isThirdParty } = this.#found;
    const { manifest } = this;
    const plugin = manifest.name;
    const problem = isThirdParty ? await unsafeFolder(folder, this.#around.owner) : null;
    if (problem !== null) throw pluginErrors('PLUGIN_UNSAFE', { plugin, problem, folder });
    await this.guard.inside(() => checkNativePackages(manifest, folder));
    const create = await this.#foreign('PLUGIN_LOAD_FAILED', () => loadEntry(manifest, folder, attempt));
    if (this.#isEnded()) return;
    await this.#foreign('PLUGIN_START_FAILED', async () => {
      this.#plugin = create(this.#context(settings));
      await this.#plugin.start(this.#abort.signal);
    });
    if (this.#isEnded()) return;
    this.#traversal = this.#guarded(this.#plugin);
    this.#traversal?.begin();
    this.#transport = this.#guardedTransport(this.#plugin);
    this.#transport?.begin();
  }

  /** Whatever the plugin throws becomes that error: in words, because the thing itself may bite whoever looks at it. */
  async #foreign<T>(code: 'PLUGIN_LOAD_FAILED' | 'PLUGIN_START_FAILED', work: () => Promise<T>): Promise<T> {
    try {
      return await this.guard.inside(work);
    } catch (error) {
      throw pluginErrors(code, { plugin: this.manifest.name, problem: this.guard.words(error) });
    }
  }

  #guarded(plugin: Plugin | null): GuardedTraversal | null {
    if (plugin === null || !isTraversal(plugin, this.manifest)) return null;
    const { clock, checks, log } = this.#around;
    return new GuardedTraversal(plugin, { name: this.manifest.name, guard: this.guard, clock, checks, log });
  }

  #guardedTransport(plugin: Plugin | null): GuardedTransport | null {
    if (plugin === null || !isTransport(plugin, this.manifest)) return null;
    const { clock, checks, log } = this.#around;
    return new GuardedTransport(plugin, { name: this.manifest.name, guard: this.guard, clock, checks, log });
  }

  #context(settings: Settings): PluginContext {
    const { given, clock, random, log, counters } = this.#around;
    const { name } = this.manifest;
    return {
      ...given,
      random,
      settings,
      signal: this.#abort.signal,
      stun: this.#stun.door,
      streams: this.#streams.door,
      network: this.#network.door,
      home: this.#home.door,
      signals: this.#signals.door,
      links: this.#links.door,
      clock: guardedClock(clock, this.guard),
      log: log.child(name),
      counters: counters.scope(`plugins.${name}`),
    };
  }

  /** The signal's listeners are the plugin's code. */
  #end(): void {
    this.guard.inside(() => this.#abort.abort());
  }
}
