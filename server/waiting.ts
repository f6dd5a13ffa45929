// Who was refused for now and stays on to hear when that is over: one connection a node, in memory only.

export interface Waiter {
  /** The node that waits. */
  readonly waitsAs: string;
  mayComeIn(): void;
  /** The same node waits elsewhere. */
  replaced(): void;
}

export class Waiting<Session extends Waiter> {
  readonly #sessions = new Map<string, Session>();

  add(session: Session): void {
    const older = this.#sessions.get(session.waitsAs);
    this.#sessions.set(session.waitsAs, session);
    older?.replaced();
  }

  leave(session: Session): void {
    if (this.#sessions.get(session.waitsAs) === session) this.#sessions.delete(session.waitsAs);
  }

  end(node: string): void {
    this.#sessions.get(node)?.mayComeIn();
  }
}
