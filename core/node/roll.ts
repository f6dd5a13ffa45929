// Who is in the network by the server's word, for people to see: boxes that this one never met among them. Asked when somebody
// looks, and never while nobody does: a server that comes back has better to do. To reach one it is looked up, and signatures
// alone are believed.
import type { Clock } from '../../base/clock.ts';
import type { Counters } from '../../base/counters.ts';
import { GinnelError } from '../../base/errors.ts';
import type { Enrolled, NodeId } from '../../protocol/location/messages.ts';
import type { Control } from '../control/types.ts';

/** However often somebody looks. */
const ASK_EVERY_MS = 3_000;
/** A server that says "and there are more" for ever. */
const MOST_PAGES = 512;
const MOST_MEMBERS = 65_536;

export interface RollOptions {
  readonly control: Pick<Control, 'roll'>;
  readonly self: NodeId;
  readonly clock: Clock;
  readonly counters: Counters;
}

export class Roll {
  readonly #options: RollOptions;
  readonly #members = new Map<NodeId, Enrolled>();
  /** The server's mark up to which this one was told, on the present connection. */
  #after = 0;
  #askedAt = -Infinity;
  /** Counts log-ins: what was asked before one is not heard after it. */
  #turn = 0;
  /** This server knows no such question. */
  #isUnknown = false;
  #asking: Promise<void> | null = null;

  constructor(options: RollOptions) {
    this.#options = options;
  }

  /** Logged in: the marks of the connection before say nothing. */
  welcomed(): void {
    this.#turn++;
    this.#after = 0;
    this.#isUnknown = false;
    this.#askedAt = -Infinity;
    this.#asking = null;
  }

  /** Somebody looks: settles when it is known who is in, or that it cannot be known now. Never rejects. */
  look(): Promise<void> {
    if (this.#asking !== null) return this.#asking;
    const now = this.#options.clock.monotonicMs();
    if (this.#isUnknown || now - this.#askedAt < ASK_EVERY_MS) return Promise.resolve();
    this.#askedAt = now;
    const asking = this.#ask(this.#turn).finally(() => {
      if (this.#asking === asking) this.#asking = null;
    });
    return (this.#asking = asking);
  }

  /** All but this box itself. */
  get others(): ReadonlyMap<NodeId, Enrolled> {
    return this.#members;
  }

  /** By id, name (in any case) or virtual address. */
  find(text: string): Enrolled | null {
    const name = text.toLowerCase();
    for (const member of this.#members.values())
      if ([member.id, member.ip4, member.ip6].includes(text) || member.name.toLowerCase() === name)
        return member;
    return null;
  }

  async #ask(turn: number): Promise<void> {
    const { control, counters } = this.#options;
    try {
      for (let pages = 0; pages < MOST_PAGES; pages++) {
        const after = this.#after;
        const answer = await control.roll(after);
        if (turn !== this.#turn) return;
        if (answer.whole) this.#members.clear();
        this.#take(answer.members, answer.gone);
        this.#after = answer.at;
        if (!answer.more || answer.at <= after) return;
      }
    } catch (error) {
      counters.counter('node.roll.failed').value++;
      if (turn === this.#turn)
        this.#isUnknown = error instanceof GinnelError && error.code === 'MESSAGE_INVALID';
    }
  }

  #take(members: readonly Enrolled[], gone: readonly NodeId[]): void {
    for (const id of gone) this.#members.delete(id);
    for (const member of members)
      if (member.id !== this.#options.self && this.#members.size < MOST_MEMBERS)
        this.#members.set(member.id, member);
  }
}
