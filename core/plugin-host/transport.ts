// What the core gets instead of a transport plugin itself: the same calls, but they never throw, never hang, and answer
// nothing that has not been checked.
import type { Clock, Timer } from '../../base/clock.ts';
import type { Candidate } from '../contract/candidate.ts';
import type { Link } from '../contract/link.ts';
import type { StreamPeer, TransportPlugin } from '../contract/plugin.ts';
import type { AnswerChecks } from './answers.ts';
import { within } from './deadline.ts';
import { pluginErrors } from './errors.ts';
import type { Guard } from './guard.ts';

export const DIAL_TIMEOUT_MS = 10_000;
const MAX_WAYS = 8;
const CHANGES_TOGETHER_MS = 50;

export interface TransportSurroundings {
  readonly name: string;
  readonly guard: Guard;
  readonly clock: Clock;
  readonly checks: AnswerChecks;
}

export class GuardedTransport {
  readonly name: string;
  readonly #plugin: TransportPlugin;
  readonly #around: TransportSurroundings;
  readonly #listeners = new Set<() => void>();
  #unsubscribe: unknown = null;
  #telling: Timer | null = null;

  constructor(plugin: TransportPlugin, around: TransportSurroundings) {
    this.name = around.name;
    this.#plugin = plugin;
    this.#around = around;
  }

  /** Once it has started. */
  begin(): void {
    const listen = (): unknown => this.#plugin.onChange(() => this.#changed());
    this.#around.guard.ask('onChange()', listen, stop => (this.#unsubscribe = stop));
  }

  /** Before it is stopped: from now on it is not asked any more. */
  end(): void {
    const stop = this.#unsubscribe;
    this.#listeners.clear();
    this.#telling?.cancel();
    if (typeof stop === 'function')
      this.#around.guard.ask(
        'onChange()',
        () => Reflect.apply(stop, undefined, []),
        () => null,
      );
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
    this.#listeners.add(changed);
    return () => void this.#listeners.delete(changed);
  }

  /** Many changes in a row are passed on together; never while the plugin is being asked. */
  #changed(): void {
    const { guard, clock } = this.#around;
    if (guard.isOver || this.#telling !== null) return;
    this.#telling = guard.outside(() => clock.after(CHANGES_TOGETHER_MS, () => this.#tell()));
  }

  #tell(): void {
    this.#telling = null;
    for (const changed of [...this.#listeners]) changed();
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
