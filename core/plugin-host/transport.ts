// What the core gets instead of a transport plugin itself: the same calls, but they never throw, never hang, and answer
// nothing that has not been checked.
import type { Clock } from '../../base/clock.ts';
import type { Log } from '../../base/log.ts';
import type { Candidate } from '../contract/candidate.ts';
import type { Link } from '../contract/link.ts';
import type { StreamPeer, TransportPlugin } from '../contract/plugin.ts';
import type { AnswerChecks } from './answers.ts';
import { within } from './deadline.ts';
import { pluginErrors } from './errors.ts';
import type { Guard } from './guard.ts';
import { PluginNews } from './news.ts';
import { wordsOf } from './words.ts';

export const DIAL_TIMEOUT_MS = 10_000;
const MAX_WAYS = 8;
const CHANGES_TOGETHER_MS = 50;

export interface TransportSurroundings {
  readonly name: string;
  readonly guard: Guard;
  readonly clock: Clock;
  readonly checks: AnswerChecks;
  readonly log: Log;
}

export class GuardedTransport {
  readonly name: string;
  readonly #plugin: TransportPlugin;
  readonly #around: TransportSurroundings;
  readonly #news: PluginNews;

  constructor(plugin: TransportPlugin, around: TransportSurroundings) {
    this.name = around.name;
    this.#plugin = plugin;
    this.#around = around;
    const { guard, clock, log } = around;
    this.#news = new PluginNews({
      ...{ guard, clock, togetherMs: CHANGES_TOGETHER_MS, waitsFirst: true },
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

  /** Rejects where it does not come about, with PLUGIN_ANSWER where that is the plugin's own fault, not that of `signal`. */
  async dial(candidate: Candidate, peer: StreamPeer, signal: AbortSignal): Promise<Link> {
    const { guard, clock, name } = this.#around;
    const patience = { clock, timeoutMs: DIAL_TIMEOUT_MS, late: () => undefined, signal };
    const outcome = await within(patience, async () =>
      guard.inside(() => this.#plugin.dial(candidate, peer, signal)),
    );
    if (outcome.kind === 'done' && isLink(outcome.value)) return outcome.value;
    if (outcome.kind === 'aborted')
      throw new Error('the link is not waited for any more', { cause: signal.reason });
    const problem =
      outcome.kind === 'done' ? 'it is no link' : `it took longer than ${DIAL_TIMEOUT_MS / 1000} s`;
    throw pluginErrors('PLUGIN_ANSWER', { plugin: name, part: 'dial()', problem });
  }

  ownWays(peer: StreamPeer): readonly Link[] {
    if (this.#plugin.ownWays === undefined) return [];
    const ask = (): unknown => this.#plugin.ownWays?.(peer);
    return this.#around.guard.ask('ownWays()', ask, readWays) ?? [];
  }

  onChange(changed: () => void): () => void {
    return this.#news.onChange(changed);
  }
}

function readWays(answer: unknown): readonly Link[] {
  if (!Array.isArray(answer)) throw new Error('it is no list');
  const ways: unknown[] = answer.slice(0, MAX_WAYS);
  if (!ways.every(isLink)) throw new Error('there is something in it that is no link');
  return ways;
}

/** As far as can be told from outside. */
const isLink = (thing: unknown): thing is Link =>
  typeof thing === 'object' &&
  thing !== null &&
  typeof Reflect.get(thing, 'id') === 'string' &&
  typeof Reflect.get(thing, 'send') === 'function';
