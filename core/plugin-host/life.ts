// One plugin's life: off, starting, on, failed (and tried again later), unavailable. Steps follow one another, never overlap.
import type { Clock, Timer } from '../../base/clock.ts';
import type { Counters } from '../../base/counters.ts';
import { GinnelError } from '../../base/errors.ts';
import type { Log } from '../../base/log.ts';
import type { Random } from '../../base/random.ts';
import type { PluginDetail, PluginStatus } from '../admin.ts';
import type { AnswerChecks } from './answers.ts';
import type { Blame } from './blame.ts';
import { pluginErrors } from './errors.ts';
import type { Fault, Guard } from './guard.ts';
import type { Found } from './manifest.ts';
import { Run, type Given } from './run.ts';
import type { StartMeter } from './start-meter.ts';
import type { PluginChoice, Settings } from './settings.ts';
import { wordsOf } from './words.ts';

export { START_TIMEOUT_MS, STOP_TIMEOUT_MS } from './run.ts';
/** A failed plugin is tried again after this long, then twice as long each time, up to the last. */
export const FIRST_RETRY_MS = 5_000;
/** One that ran for longer than this before it failed is tried again as if for the first time. */
export const LAST_RETRY_MS = 10 * 60_000;

export interface LifeSurroundings {
  /** Null while the node is not on the network: then nothing starts. */
  given(found: Found): Given | null;
  /** It came, went or failed. */
  changed(): void;
  readonly blame: Blame<Guard>;
  readonly checks: AnswerChecks;
  readonly meter: StartMeter;
  readonly owner: number;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly counters: Counters;
}

type LifeState = 'off' | 'starting' | 'on' | 'failed' | 'unavailable';

export class PluginLife {
  readonly #around: LifeSurroundings;
  readonly #found: Found;
  #choice: PluginChoice;
  #run: Run | null = null;
  #error: GinnelError | null = null;
  #state: LifeState = 'off';
  #steps: Promise<void> = Promise.resolve();
  #failures = 0;
  #loads = 0;
  #startedAt = 0;
  /** Of its first start in this process: what is loaded stays, and later ones take little more. */
  #memoryBytes: number | null = null;
  #retry: Timer | null = null;

  constructor(found: Found, choice: PluginChoice, around: LifeSurroundings) {
    this.#found = found;
    this.#choice = choice;
    this.#around = around;
    if (found.error !== null) this.#refuse(found.error);
  }

  get found(): Found {
    return this.#found;
  }

  /** Third-party plugins are off until the owner turns them on, whatever they say themselves. */
  get enabled(): boolean {
    const byItself = !this.#found.isThirdParty && (this.#found.manifest?.enabled ?? false);
    return this.#choice.enabled ?? byItself;
  }

  get choice(): PluginChoice {
    return this.#choice;
  }

  /** What runs, once it has started and until it is told to stop. */
  get running(): Run | null {
    return this.#state === 'on' ? this.#run : null;
  }

  /** The same, also while it starts; null: nothing of it runs, nor is about to. */
  get run(): Run | null {
    return this.#run;
  }

  /** What the owner chose, once that is kept. `begin`, `end` or `reconfigure` act on it. */
  choose(choice: PluginChoice): void {
    this.#choice = choice;
  }

  /** Starts it if it is enabled. Resolves when it has started or failed; which of both, `status` tells. */
  begin(): Promise<void> {
    return this.#step(() => this.#start());
  }

  /** Stops it and leaves what the owner chose as it is. A start under way is broken off. */
  end(): Promise<void> {
    if (this.#state === 'starting') this.#run?.breakOff();
    return this.#step(async () => {
      this.#retry?.cancel();
      this.#error = this.#found.error;
      await this.#stop();
      if (this.#found.error === null) this.#become('off');
    });
  }

  /** From former settings to the chosen ones, in place where that goes. */
  reconfigure(former: Settings): Promise<void> {
    return this.#step(async () => {
      if (await this.#reconfigured(former)) return;
      await this.#stop();
      await this.#start();
    });
  }

  status(): PluginStatus {
    const { manifest, name, isThirdParty } = this.#found;
    return {
      name,
      version: manifest?.version ?? '',
      kind: manifest?.kind ?? '',
      purpose: manifest?.purpose ?? '',
      thirdParty: isThirdParty,
      enabled: this.enabled,
      memoryBytes: this.running === null ? null : this.#memoryBytes,
      ...this.#condition(),
    };
  }

  detail(): PluginDetail {
    const { rules, folder } = this.#found;
    const { settings, secrets } = rules?.shown(this.#chosen) ?? { settings: {}, secrets: {} };
    const restarting = rules?.restarting ?? [];
    return { ...this.status(), folder, schema: rules?.schema ?? {}, settings, secrets, restarting };
  }

  /** Code of this run failed where nobody waited for it. */
  crashed(guard: Guard, problem: string): void {
    const { counters, log } = this.#around;
    counters.counter('plugins.crashed').value++;
    const plugin = this.#found.name;
    log.debug('an error of a plugin that nobody waited for', { plugin, problem });
    this.#step(async () => {
      if (this.#run?.guard !== guard || this.#state !== 'on') return;
      await this.#stop();
      this.#fail(pluginErrors('PLUGIN_CRASHED', { plugin, problem }));
    }).catch(() => undefined);
  }

  get #chosen(): Settings {
    return this.#choice.settings ?? {};
  }

  #condition(): Pick<PluginStatus, 'state' | 'code' | 'facts'> {
    if (this.#state === 'on' && this.#run !== null) return this.#reported(this.#run);
    if (this.#state === 'off' && this.enabled && this.#error === null)
      return { state: 'waiting', code: '', facts: {} };
    const state = this.#state === 'on' ? 'starting' : this.#state;
    return { state, code: this.#error?.code ?? '', facts: factsOf(this.#error) };
  }

  #reported(run: Run): Pick<PluginStatus, 'state' | 'code' | 'facts'> {
    const report = run.report();
    const { fault } = run.guard;
    if (report !== null && fault === null) return report;
    const error = faultError(this.#found.name, fault);
    return { state: 'failed', code: error.code, facts: factsOf(error) };
  }

  #step(work: () => Promise<void>): Promise<void> {
    const done = this.#steps.then(work);
    this.#steps = done.catch((error: unknown) => {
      const facts = { plugin: this.#found.name, error: wordsOf(error) };
      this.#around.log.error("a step of a plugin's life failed", facts);
    });
    return done;
  }

  #become(state: LifeState): void {
    this.#state = state;
    this.#around.changed();
  }

  #refuse(error: GinnelError): void {
    this.#error = error;
    this.#state = error.code === 'PLUGIN_NATIVE_MISSING' ? 'unavailable' : 'failed';
  }

  async #start(): Promise<void> {
    const given = this.#around.given(this.#found);
    const found = this.#found;
    if (given === null || !this.enabled || this.#run !== null || found.error !== null) return;
    this.#retry?.cancel();
    this.#error = null;
    const run = (this.#run = this.#newRun(found, given));
    this.#become('starting');
    try {
      await this.#measured(run, found.rules.settle(this.#chosen));
      if (run.isBrokenOff) throw new TypeError('broken off');
      this.#startedAt = this.#around.clock.monotonicMs();
      this.#become('on');
    } catch (error) {
      await this.#stop();
      if (run.isBrokenOff) this.#become('off');
      else this.#fail(error);
    }
  }

  #measured(run: Run, settings: Settings): Promise<void> {
    return this.#around.meter.measured(
      async () => {
        if (!run.isBrokenOff) await run.start(settings, this.#loads);
      },
      bytes => (this.#memoryBytes = Math.max(bytes, this.#memoryBytes ?? 0)),
    );
  }

  #newRun(found: Found & { readonly error: null }, given: Given): Run {
    const secrets = found.rules.secretsOf(this.#chosen).filter(secret => secret !== '');
    const { counters, log } = this.#around;
    return new Run(found, {
      ...this.#around,
      given,
      scrub: text => secrets.reduce((rest, secret) => rest.replaceAll(secret, '(secret)'), text),
      wrong: fault => {
        counters.counter('plugins.bad-answers').value++;
        log.warn(faultError(found.name, fault).message, { plugin: found.name });
      },
      crashed: (guard, problem) => this.crashed(guard, problem),
    });
  }

  #fail(thrown: unknown): void {
    const { counters, log, clock } = this.#around;
    const plugin = this.#found.name;
    const error =
      thrown instanceof GinnelError
        ? thrown
        : pluginErrors('PLUGIN_START_FAILED', { plugin, problem: wordsOf(thrown) }, thrown);
    this.#refuse(error);
    counters.counter('plugins.failed').value++;
    log.warn(error.message, { plugin, code: error.code });
    // Code that loaded is loaded for good: to load it again would only take its memory once more.
    if (error.code === 'PLUGIN_LOAD_FAILED') this.#loads++;
    if (error.retry) {
      if (error.code === 'PLUGIN_CRASHED' && clock.monotonicMs() - this.#startedAt > LAST_RETRY_MS)
        this.#failures = 0;
      const delay = Math.min(FIRST_RETRY_MS * 2 ** this.#failures++, LAST_RETRY_MS);
      this.#retry = clock.after(delay, () => void this.begin().catch(() => undefined));
    }
    this.#around.changed();
  }

  /** Whoever uses the plugin hears that it goes before it goes, so that peers can move to other paths. */
  async #stop(): Promise<void> {
    const run = this.#run;
    if (run === null) return;
    const wasOn = this.#state === 'on';
    this.#run = null;
    this.#error = null;
    if (wasOn) this.#around.changed();
    const left = await run.stop();
    if (left === null) return;
    this.#error = left;
    this.#around.counters.counter('plugins.left-behind').value++;
    this.#around.log.warn(left.message, { plugin: this.#found.name, code: left.code });
  }

  /** False: it has to be stopped and started. */
  async #reconfigured(former: Settings): Promise<boolean> {
    const { rules } = this.#found;
    if (this.#run === null || this.#state !== 'on' || rules === null) return false;
    const [before, after] = [rules.settle(former), rules.settle(this.#chosen)];
    if (JSON.stringify(before) === JSON.stringify(after)) return true;
    return !rules.needsRestart(before, after) && (await this.#run.reconfigured(after));
  }
}

const factsOf = (error: GinnelError | null): PluginStatus['facts'] =>
  error === null ? {} : { message: error.message };

/** A report that is none has a code of its own; so has a plugin whose report comes, but not its other answers. */
function faultError(plugin: string, fault: Fault | null): GinnelError {
  if (fault === null || fault.part === 'report()')
    return pluginErrors('PLUGIN_REPORT', { plugin, problem: fault?.problem ?? 'there is none' });
  return pluginErrors('PLUGIN_ANSWER', { plugin, ...fault });
}
