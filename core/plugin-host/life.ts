// One plugin's life: off, starting, on, failed (and tried again later), unavailable. Steps follow one another, never overlap.
import type { Timer } from '../../base/clock.ts';
import { GinnelError } from '../../base/errors.ts';
import type { PluginStatus } from '../admin.ts';
import type { Plugin, PluginContext, PluginManifest } from '../contract/plugin.ts';
import { within } from './deadline.ts';
import { pluginErrors } from './errors.ts';
import { checkContract, checkNativePackages, loadEntry } from './load.ts';
import type { Found } from './manifest.ts';
import { readReport } from './report.ts';
import { settle, type PluginChoice, type Settings } from './settings.ts';
import type { PluginHostOptions } from './host.ts';

export const START_TIMEOUT_MS = 10_000;
export const STOP_TIMEOUT_MS = 5_000;
/** A failed plugin is tried again after this long, then twice as long each time, up to the last. */
export const FIRST_RETRY_MS = 5_000;
export const LAST_RETRY_MS = 10 * 60_000;

type Surroundings = Omit<PluginHostOptions, 'directories' | 'choices'>;

type LifeState = 'off' | 'starting' | 'on' | 'failed' | 'unavailable';

interface Run {
  readonly plugin: Plugin;
  readonly manifest: PluginManifest;
  readonly abort: AbortController;
}

export class PluginLife {
  readonly #found: Found;
  readonly #around: Surroundings;
  readonly #changed: () => void;
  #choice: PluginChoice;
  #run: Run | null = null;
  #beginning: AbortController | null = null;
  #error: GinnelError | null = null;
  #state: LifeState = 'off';
  #steps: Promise<void> = Promise.resolve();
  #failures = 0;
  #loads = 0;
  #retry: Timer | null = null;

  constructor(found: Found, choice: PluginChoice, around: Surroundings, changed: () => void) {
    this.#found = found;
    this.#choice = choice;
    this.#around = around;
    this.#changed = changed;
    if (found.error !== null) this.#refuse(found.error);
  }

  get enabled(): boolean {
    return this.#choice.enabled ?? this.#found.manifest?.enabled ?? false;
  }

  get choice(): PluginChoice {
    return this.#choice;
  }

  /** The running plugin, once it has started and until it is told to stop. */
  get running(): { readonly plugin: Plugin; readonly manifest: PluginManifest } | null {
    return this.#state === 'on' ? this.#run : null;
  }

  /** Starts it if it is enabled. Resolves when it has started or failed; which of both, `status` tells. */
  begin(): Promise<void> {
    return this.#step(() => this.#start());
  }

  turnOn(): Promise<void> {
    this.#choice = { ...this.#choice, enabled: true };
    return this.begin();
  }

  turnOff(): Promise<void> {
    this.#choice = { ...this.#choice, enabled: false };
    return this.end();
  }

  /** Stops it and leaves what the owner chose as it is. A start under way is broken off. */
  end(): Promise<void> {
    this.#beginning?.abort();
    return this.#step(async () => {
      this.#retry?.cancel();
      await this.#stop();
      if (this.#found.error === null) this.#become('off');
    });
  }

  /** Throws PLUGIN_SETTINGS where they are not valid; then nothing changed. */
  accepts(settings: Settings): void {
    if (this.#found.manifest === null) throw this.#found.error;
    settle(this.#found.manifest, settings);
  }

  configure(settings: Settings): Promise<void> {
    this.#choice = { ...this.#choice, settings };
    return this.#step(async () => {
      if (this.#run !== null && (await this.#reconfigured(this.#run))) return;
      await this.#stop();
      if (this.enabled) await this.#start();
    });
  }

  status(): PluginStatus {
    const { manifest, name } = this.#found;
    const about = {
      name,
      version: manifest?.version ?? '',
      kind: manifest?.kind ?? '',
      purpose: manifest?.purpose ?? '',
      enabled: this.enabled,
    };
    if (this.#state === 'on' && this.#run !== null) return { ...about, ...this.#reported(this.#run.plugin) };
    const state = this.#state === 'on' ? 'starting' : this.#state;
    const facts = this.#error === null ? {} : { message: this.#error.message };
    return { ...about, state, code: this.#error?.code ?? '', facts };
  }

  #reported(plugin: Plugin): Pick<PluginStatus, 'state' | 'code' | 'facts'> {
    const report = readReport(() => plugin.report());
    if (typeof report !== 'string') return report;
    this.#around.counters.counter('plugins.bad-reports').value++;
    const error = pluginErrors('PLUGIN_REPORT', { plugin: this.#found.name, problem: report });
    return { state: 'failed', code: error.code, facts: { message: error.message } };
  }

  #step(work: () => Promise<void>): Promise<void> {
    const done = this.#steps.then(work);
    this.#steps = done.catch((error: unknown) => {
      this.#around.log.error("a step of a plugin's life failed", {
        plugin: this.#found.name,
        error: wordsOf(error),
      });
    });
    return done;
  }

  #become(state: LifeState): void {
    this.#state = state;
    this.#changed();
  }

  #refuse(error: GinnelError): void {
    this.#error = error;
    this.#state = error.code === 'PLUGIN_NATIVE_MISSING' ? 'unavailable' : 'failed';
  }

  async #start(): Promise<void> {
    if (!this.enabled || this.#run !== null) return;
    this.#retry?.cancel();
    this.#error = null;
    this.#become('starting');
    const abort = new AbortController();
    this.#beginning = abort;
    try {
      await this.#tryStart(abort);
      this.#failures = 0;
      this.#become(abort.signal.aborted ? 'off' : 'on');
    } catch (error) {
      const brokenOff = abort.signal.aborted;
      await this.#stop();
      this.#fail(asGinnelError(this.#found.name, error), brokenOff);
      abort.abort();
    } finally {
      this.#beginning = null;
    }
  }

  async #tryStart(abort: AbortController): Promise<void> {
    const { manifest, folder } = this.#found;
    if (manifest === null) throw this.#found.error;
    checkContract(manifest);
    const settings = settle(manifest, this.#choice.settings ?? {});
    const outcome = await within(this.#patience(START_TIMEOUT_MS, abort.signal), async () => {
      await checkNativePackages(manifest, folder);
      const create = await loadEntry(manifest, folder, this.#loads);
      if (abort.signal.aborted) return;
      const plugin = create(this.#context(manifest.name, settings, abort.signal));
      this.#run = { plugin, manifest, abort };
      await plugin.start(abort.signal);
    });
    if (outcome.kind !== 'timeout') return;
    abort.abort();
    throw pluginErrors('PLUGIN_START_TIMEOUT', { plugin: manifest.name, seconds: START_TIMEOUT_MS / 1000 });
  }

  #context(name: string, settings: Settings, signal: AbortSignal): PluginContext {
    const { clock, random, log, counters } = this.#around;
    const own = { clock, random, settings, signal };
    return {
      ...this.#around.contextFor(name),
      ...own,
      log: log.child(name),
      counters: counters.scope(`plugins.${name}`),
    };
  }

  #fail(error: GinnelError, brokenOff: boolean): void {
    if (brokenOff && error.code !== 'PLUGIN_START_TIMEOUT') {
      this.#become('off');
      return;
    }
    this.#refuse(error);
    this.#around.counters.counter('plugins.failed').value++;
    this.#around.log.warn(error.message, { plugin: this.#found.name, code: error.code });
    this.#loads++;
    if (error.retry) {
      const delay = Math.min(FIRST_RETRY_MS * 2 ** this.#failures++, LAST_RETRY_MS);
      this.#retry = this.#around.clock.after(delay, () => void this.#step(() => this.#start()));
    }
    this.#changed();
  }

  /** Whoever uses the plugin hears that it goes before it goes, so that peers can move to other paths. */
  async #stop(): Promise<void> {
    const run = this.#run;
    if (run === null) return;
    const wasOn = this.#state === 'on';
    this.#run = null;
    this.#error = null;
    if (wasOn) this.#changed();
    try {
      const outcome = await within(this.#patience(STOP_TIMEOUT_MS), () => run.plugin.stop());
      if (outcome.kind === 'timeout') this.#leftBehind();
    } catch (error) {
      this.#around.log.warn('a plugin failed while it stopped', {
        plugin: this.#found.name,
        error: wordsOf(error),
      });
    } finally {
      run.abort.abort();
    }
  }

  #leftBehind(): void {
    this.#error = pluginErrors('PLUGIN_STOP_TIMEOUT', {
      plugin: this.#found.name,
      seconds: STOP_TIMEOUT_MS / 1000,
    });
    this.#around.counters.counter('plugins.left-behind').value++;
    this.#around.log.warn(this.#error.message, { plugin: this.#found.name, code: this.#error.code });
  }

  async #reconfigured(run: Run): Promise<boolean> {
    const settings = settle(run.manifest, this.#choice.settings ?? {});
    const reconfigure = run.plugin.reconfigure?.bind(run.plugin);
    if (reconfigure === undefined) return false;
    try {
      const outcome = await within(this.#patience(START_TIMEOUT_MS), () => reconfigure(settings));
      return outcome.kind === 'done';
    } catch (error) {
      this.#around.log.warn('a plugin refused new settings; it is restarted', {
        plugin: this.#found.name,
        error: wordsOf(error),
      });
      return false;
    }
  }

  #patience(timeoutMs: number, signal?: AbortSignal): Parameters<typeof within>[0] {
    const late = (error: unknown): void =>
      this.#around.log.debug('a plugin failed after it was given up', {
        plugin: this.#found.name,
        error: wordsOf(error),
      });
    return { clock: this.#around.clock, timeoutMs, late, ...(signal === undefined ? {} : { signal }) };
  }
}

const wordsOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** Whatever a plugin threw becomes a failed start; a plugin's own GinnelError keeps its code in the details. */
function asGinnelError(plugin: string, error: unknown): GinnelError {
  if (error instanceof GinnelError && error.code.startsWith('PLUGIN_')) return error;
  return pluginErrors('PLUGIN_START_FAILED', { plugin, problem: wordsOf(error) }, error);
}
