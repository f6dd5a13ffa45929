// Questions under way on one connection: each has a number, a time-out, and exactly one end.
import type { Clock, Timer } from '../../base/clock.ts';
import type { Counters } from '../../base/counters.ts';
import { GinnelError } from '../../base/errors.ts';
import type { Failure, NodeMessage, ServerMessage } from '../../protocol/location/messages.ts';
import { controlErrors, serverFailure } from './errors.ts';

/** What the server says without having been asked. */
export type Unasked =
  'signal' | 'changed' | 'seen' | 'places' | 'standing' | 'renamed' | 'rules' | 'relays' | 'rerouted';
export type Answer = Exclude<ServerMessage, { readonly type: 'failure' | Unasked }>;
type WithoutId<Message> = Message extends unknown ? Omit<Message, 'id'> : never;
export type Question = WithoutId<NodeMessage>;
/** Called once: with the answer, the server's failure, or SERVER_AWAY. `rttMs` where an answer came. */
export type Ended = (outcome: Answer | GinnelError, rttMs: number | null) => void;

export const REQUEST_TIMEOUT_MS = 5_000;
/** Below what the server lets one node have (64). */
export const MAX_PENDING = 48;

interface Pending {
  readonly timer: Timer;
  readonly askedAt: number;
  readonly ended: Ended;
}

export class Requests {
  readonly #clock: Clock;
  readonly #counters: Counters;
  readonly #send: (message: NodeMessage) => void;
  readonly #pending = new Map<number, Pending>();
  #lastId = 0;

  constructor(clock: Clock, counters: Counters, send: (message: NodeMessage) => void) {
    this.#clock = clock;
    this.#counters = counters;
    this.#send = send;
  }

  ask(question: Question, ended: Ended, timeoutMs = REQUEST_TIMEOUT_MS): void {
    if (this.#pending.size >= MAX_PENDING) {
      this.#counters.counter('requests.too-many').value++;
      ended(controlErrors('CONTROL_BUSY', { limit: MAX_PENDING }), null);
      return;
    }
    const id = ++this.#lastId;
    const timer = this.#clock.after(timeoutMs, () => {
      this.#counters.counter('requests.timed-out').value++;
      this.#end(
        id,
        controlErrors('SERVER_AWAY', { reason: `It did not answer within ${timeoutMs / 1000} s.` }),
      );
    });
    this.#pending.set(id, { timer, askedAt: this.#clock.monotonicMs(), ended });
    this.#send({ ...question, id });
  }

  /** An answer or failure came; one that fits no question is counted and dropped. */
  answered(re: number, answer: Answer | Omit<Failure, 're'>): void {
    const known = this.#end(re, answer.type === 'failure' ? serverFailure(answer) : answer);
    if (!known) this.#counters.counter('requests.stray-answer').value++;
  }

  /** The connection is gone: all end with this error. */
  endAll(error: GinnelError): void {
    for (const id of [...this.#pending.keys()]) this.#end(id, error);
  }

  #end(id: number, outcome: Answer | GinnelError): boolean {
    const pending = this.#pending.get(id);
    if (pending === undefined) return false;
    this.#pending.delete(id);
    pending.timer.cancel();
    const rttMs = outcome instanceof GinnelError ? null : this.#clock.monotonicMs() - pending.askedAt;
    pending.ended(outcome, rttMs);
    return true;
  }
}
