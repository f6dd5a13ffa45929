// What the core gets instead of a traversal plugin itself: the same calls, but they never throw, never hang, and answer
// nothing that has not been checked.
import type { Clock } from '../../base/clock.ts';
import type { Log } from '../../base/log.ts';
import type { Candidate } from '../contract/candidate.ts';
import { NOTHING_CHECKED, type NatReport } from '../contract/nat-report.ts';
import type { Traversal, TraversalPlugin } from '../contract/plugin.ts';
import type { Puncher } from '../contract/punch.ts';
import type { AnswerChecks } from './answers.ts';
import type { Guard } from './guard.ts';
import { PluginNews } from './news.ts';
import { GuardedPuncher } from './puncher.ts';
import { wordsOf } from './words.ts';

/** A measurement that takes longer is not waited for. */
export const REFRESH_TIMEOUT_MS = { quick: 10_000, full: 120_000 } as const;
/** A first change is passed on at once, those that follow it within this time together. */
export const CHANGES_TOGETHER_MS = 250;

export interface TraversalSurroundings {
  readonly name: string;
  readonly guard: Guard;
  readonly clock: Clock;
  readonly checks: AnswerChecks;
  readonly log: Log;
}

export class GuardedTraversal implements Traversal {
  readonly #plugin: TraversalPlugin;
  readonly #around: TraversalSurroundings;
  readonly #news: PluginNews;
  readonly puncher?: Puncher;

  constructor(plugin: TraversalPlugin, around: TraversalSurroundings) {
    this.#plugin = plugin;
    this.#around = around;
    if (plugin.puncher !== undefined) this.puncher = new GuardedPuncher(plugin.puncher, around);
    const { guard, clock, log } = around;
    this.#news = new PluginNews({
      ...{ guard, clock, togetherMs: CHANGES_TOGETHER_MS, waitsFirst: false },
      failed: error => log.error('what a plugin found out could not be taken in', { reason: wordsOf(error) }),
    });
  }

  /** Once it has started. */
  begin(): void {
    this.#news.begin(changed => this.#plugin.onChange(changed));
  }

  /** Before it is stopped: from now on it is not asked any more. */
  end(): void {
    this.#news.end();
  }

  candidates(): readonly Candidate[] {
    const { guard, checks, name } = this.#around;
    const ask = (): unknown => this.#plugin.candidates();
    return guard.ask('candidates()', ask, answer => checks.candidates(answer, name)) ?? [];
  }

  natReport(): NatReport {
    const { guard, checks } = this.#around;
    const ask = (): unknown => this.#plugin.natReport();
    return guard.ask('natReport()', ask, answer => checks.natReport(answer)) ?? NOTHING_CHECKED;
  }

  refresh(depth: 'quick' | 'full', signal?: AbortSignal): Promise<void> {
    const { guard, clock } = this.#around;
    const patience = {
      clock,
      timeoutMs: REFRESH_TIMEOUT_MS[depth],
      ...(signal === undefined ? {} : { signal }),
    };
    return guard.wait('refresh()', patience, () => this.#plugin.refresh(depth, signal));
  }

  onChange(changed: () => void): () => void {
    return this.#news.onChange(changed);
  }
}
