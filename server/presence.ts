// Who is here now, in memory only: connections, what nodes registered (V4, V7), and who wants to hear of whose changes.
import type { Registration } from '../protocol/location/messages.ts';

/** A logged-in connection, as others need it. */
export interface Present {
  readonly node: string;
  /** The same node logged in elsewhere. */
  replaced(): void;
}

export class Presence<Session extends Present> {
  readonly #sessions = new Map<string, Session>();
  readonly #registrations = new Map<string, Registration>();
  /** By watcher, in the order of the last question; and the other way round. */
  readonly #watching = new Map<string, Set<string>>();
  readonly #watchers = new Map<string, Set<string>>();
  readonly #watchedMost: number;

  constructor(watchedMost: number) {
    this.#watchedMost = watchedMost;
  }

  session(node: string): Session | undefined {
    return this.#sessions.get(node);
  }

  get sessions(): ReadonlyMap<string, Session> {
    return this.#sessions;
  }

  /** True where the node was away before. */
  arrive(session: Session): boolean {
    const older = this.#sessions.get(session.node);
    this.#sessions.set(session.node, session);
    older?.replaced();
    return older === undefined;
  }

  /** True where the node is away now; false where a newer connection stands. What it watched stays, for its return. */
  leave(session: Session): boolean {
    if (this.#sessions.get(session.node) !== session) return false;
    return this.#sessions.delete(session.node);
  }

  register(node: string, registration: Registration): void {
    this.#registrations.set(node, registration);
  }

  registration(node: string): Registration | null {
    return this.#registrations.get(node) ?? null;
  }

  /** It is out of the network: nobody waits for its return. */
  forget(node: string): void {
    this.#registrations.delete(node);
    for (const watched of [...(this.#watching.get(node) ?? [])]) this.#unwatch(node, watched);
  }

  watch(watcher: string, watched: string): void {
    if (watcher === watched) return;
    const targets = setOf(this.#watching, watcher);
    targets.delete(watched);
    targets.add(watched);
    setOf(this.#watchers, watched).add(watcher);
    for (const oldest of targets) {
      if (targets.size <= this.#watchedMost) break;
      this.#unwatch(watcher, oldest);
    }
  }

  /** The connected nodes that want to hear of this one. */
  watchersOf(node: string): Session[] {
    return [...(this.#watchers.get(node) ?? [])].flatMap(watcher => this.#sessions.get(watcher) ?? []);
  }

  #unwatch(watcher: string, watched: string): void {
    drop(this.#watching, watcher, watched);
    drop(this.#watchers, watched, watcher);
  }
}

function setOf(map: Map<string, Set<string>>, key: string): Set<string> {
  const found = map.get(key) ?? new Set<string>();
  map.set(key, found);
  return found;
}

function drop(map: Map<string, Set<string>>, key: string, value: string): void {
  const found = map.get(key);
  found?.delete(value);
  if (found?.size === 0) map.delete(key);
}
