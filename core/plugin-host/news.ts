// A plugin's word that something about it is another now, on its way to whoever listens in the core: one subscription a run,
// many changes passed on together, and never while the plugin is being asked.
import type { Clock, Timer } from '../../base/clock.ts';
import type { Guard } from './guard.ts';

export interface NewsOptions {
  readonly guard: Guard;
  readonly clock: Clock;
  /** Changes that follow one another within this time are passed on together. */
  readonly togetherMs: number;
  /** The first one too waits for those behind it. */
  readonly waitsFirst: boolean;
  /** A listener of ours failed: that must not look like the plugin's doing. */
  readonly failed: (error: unknown) => void;
}

export class PluginNews {
  readonly #options: NewsOptions;
  readonly #listeners = new Set<() => void>();
  #unsubscribe: unknown = null;
  #toldAt = -Infinity;
  #telling: Timer | null = null;

  constructor(options: NewsOptions) {
    this.#options = options;
  }

  /** Once the plugin has started. */
  begin(subscribe: (changed: () => void) => unknown): void {
    const listen = (): unknown => subscribe(() => this.#changed());
    this.#options.guard.ask('onChange()', listen, stop => (this.#unsubscribe = stop));
  }

  /** Before it is stopped: from now on nobody hears of it. */
  end(): void {
    const stop = this.#unsubscribe;
    this.#listeners.clear();
    this.#telling?.cancel();
    if (typeof stop === 'function')
      this.#options.guard.ask(
        'onChange()',
        () => Reflect.apply(stop, undefined, []),
        () => null,
      );
  }

  onChange(changed: () => void): () => void {
    this.#listeners.add(changed);
    return () => void this.#listeners.delete(changed);
  }

  #changed(): void {
    const { guard, clock, togetherMs, waitsFirst } = this.#options;
    if (guard.isOver || this.#telling !== null) return;
    const waitMs = waitsFirst ? togetherMs : this.#toldAt + togetherMs - clock.monotonicMs();
    // While it is being asked, the core looks at its answer anyway; to be told in the middle would lead in a circle.
    if (waitMs <= 0 && !guard.isAsking) guard.outside(() => this.#tell());
    else this.#telling = guard.outside(() => clock.after(Math.max(waitMs, 0), () => this.#tell()));
  }

  #tell(): void {
    this.#telling = null;
    this.#toldAt = this.#options.clock.monotonicMs();
    for (const listener of [...this.#listeners]) {
      try {
        listener();
      } catch (error) {
        this.#options.failed(error);
      }
    }
  }
}
