// What changes, as it changes: one look a second for all who watch, none while nobody does, and nothing sent where nothing
// happened. Whoever cannot take an event in waits for the next, and is dropped in the end: nothing is piled up for them.
import type { ServerResponse } from 'node:http';
import type { Clock, Timer } from '../../base/clock.ts';
import type { NodeStatus } from '../../core/admin.ts';
import type { ServerSummary } from '../../server/admin.ts';
import { health, type Health, type RoutesOptions } from '../routes.ts';

const EVERY_MS = 1_000;
/** A word from time to time shows a connection that is dead. */
const WORD_MS = 20_000;
const STUCK_MS = 15_000;
export const MOST_WATCHERS = 24;

export interface ServerLive extends Omit<ServerSummary, 'nodes'> {
  readonly nodeCount: number;
  readonly onlineCount: number;
}

/** Bits per second, by the id of the peer. */
export type Rates = Readonly<Record<string, { readonly in: number; readonly out: number }>>;

export interface LiveState {
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly health: Health;
  readonly node: NodeStatus | null;
  readonly server: ServerLive | null;
  readonly rates: Rates;
}

interface Watcher {
  readonly answer: ServerResponse;
  readonly session: string;
  /** The last event that it was given; each has a number. */
  given: number;
  /** Since when it has not taken in what it was given; null: it has. */
  stuckSince: number | null;
  spokenAt: number;
}

export interface LiveOptions {
  readonly routes: RoutesOptions;
  readonly clock: Clock;
  /** False: it is over. */
  readonly isSignedIn: (session: string) => boolean;
  readonly stillWatching: (session: string) => void;
}

export class Live {
  readonly #options: LiveOptions;
  readonly #watchers = new Set<Watcher>();
  #timer: Timer | null = null;
  #number = 0;
  #event = '';
  /** What the last event was like, but for what changes though nothing happens. */
  #likeness = '';
  #looked: { readonly at: number; readonly node: NodeStatus | null } | null = null;

  constructor(options: LiveOptions) {
    this.#options = options;
  }

  get watchers(): number {
    return this.#watchers.size;
  }

  /** How often it looked in all. */
  looks = 0;

  /** The head of the answer was not sent yet. */
  watch(answer: ServerResponse, session: string): void {
    answer.writeHead(200, { 'Content-Type': 'text/event-stream; charset=utf-8', 'X-Accel-Buffering': 'no' });
    const spokenAt = this.#options.clock.monotonicMs();
    const watcher: Watcher = { answer, session, given: 0, stuckSince: null, spokenAt };
    answer.on('error', () => undefined);
    answer.once('close', () => this.#gone(watcher));
    this.#watchers.add(watcher);
    if (this.#timer === null) {
      this.#look();
      this.#next();
    }
    this.#tell(watcher);
  }

  /** All windows of one that ended. */
  endOf(session: string): void {
    for (const { answer, session: other } of [...this.#watchers]) if (other === session) answer.destroy();
  }

  close(): void {
    for (const { answer } of [...this.#watchers]) answer.destroy();
  }

  #gone(watcher: Watcher): void {
    this.#watchers.delete(watcher);
    if (this.#watchers.size > 0) return;
    this.#timer?.cancel();
    this.#timer = null;
    this.#looked = null;
  }

  #next(): void {
    this.#timer = this.#options.clock.after(EVERY_MS, () => {
      this.#look();
      for (const watcher of [...this.#watchers]) this.#serve(watcher);
      if (this.#watchers.size > 0) this.#next();
    });
  }

  #serve(watcher: Watcher): void {
    if (!this.#options.isSignedIn(watcher.session)) watcher.answer.destroy();
    else this.#tell(watcher);
  }

  #tell(watcher: Watcher): void {
    const { answer } = watcher;
    const now = this.#options.clock.monotonicMs();
    if (answer.writableLength > 0) {
      watcher.stuckSince ??= now;
      if (now - watcher.stuckSince > STUCK_MS) answer.destroy();
      return;
    }
    watcher.stuckSince = null;
    if (watcher.given !== this.#number) {
      watcher.given = this.#number;
      answer.write(this.#event);
    } else if (now - watcher.spokenAt >= WORD_MS) answer.write(':\n\n');
    else return;
    watcher.spokenAt = now;
    this.#options.stillWatching(watcher.session);
  }

  #look(): void {
    this.looks++;
    void this.#options.routes.node?.look();
    const state = this.#stateNow();
    const likeness = JSON.stringify(state, withoutPassing);
    if (likeness === this.#likeness && this.#number > 0) return;
    this.#likeness = likeness;
    this.#number++;
    this.#event = `event: state\ndata: ${JSON.stringify(state)}\n\n`;
  }

  #stateNow(): LiveState {
    const { routes, clock } = this.#options;
    const at = clock.monotonicMs();
    const node = routes.node?.status() ?? null;
    const rates = ratesOf(this.#looked, { at, node });
    this.#looked = { at, node };
    const server = serverLive(routes.server?.summary() ?? null);
    return { at: Math.round(clock.wallMs()), health: health(routes), node, server, rates };
  }
}

function serverLive(summary: ServerSummary | null): ServerLive | null {
  if (summary === null) return null;
  const { nodes, ...rest } = summary;
  return { ...rest, nodeCount: nodes.length, onlineCount: nodes.filter(({ online }) => online).length };
}

interface Looked {
  readonly at: number;
  readonly node: NodeStatus | null;
}

/** Peers that were not there at the last look have none; one whose counts began anew has 0. */
function ratesOf(before: Looked | null, now: Looked): Rates {
  const seconds = before === null ? 0 : (now.at - before.at) / 1000;
  if (seconds <= 0) return {};
  const earlier = new Map(before?.node?.peers.map(peer => [peer.id, peer]));
  const rate = (bytes: number, then: number): number =>
    Math.max(0, Math.round(((bytes - then) * 8) / seconds));
  return Object.fromEntries(
    (now.node?.peers ?? []).flatMap(({ id, bytesIn, bytesOut }) => {
      const then = earlier.get(id);
      if (then === undefined) return [];
      return [[id, { in: rate(bytesIn, then.bytesIn), out: rate(bytesOut, then.bytesOut) }]];
    }),
  );
}

/** The clock goes on and figures of the machinery count up though nothing happens; how long ago is told roughly. */
function withoutPassing(key: string, value: unknown): unknown {
  if (key === 'at' || key === 'counters') return undefined;
  if (/econdsAgo$/.test(key) && typeof value === 'number') return value < 60 ? 0 : Math.floor(value / 60);
  return value;
}
