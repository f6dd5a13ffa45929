// The channel with one node: the end with the smaller id offers, the other asks it to. A channel that fell silent, or stands
// on addresses that are gone, is replaced by a new one, which takes over before the old one ends.
import type { Clock, Timer } from '../../base/clock.ts';
import type { Counter } from '../../base/counters.ts';
import type { Link } from '../../core/contract/link.ts';
import type { LinkDoor, LinkInlet, StreamPeer } from '../../core/contract/plugin.ts';
import { Connection, OPEN_WITHIN_MS, type ConnectionParts } from './connection.ts';
import { webrtcErrors } from './errors.ts';
import { ChannelLink } from './link.ts';
import { unpack } from './packing.ts';
import type { Saying } from './words.ts';

export interface MeetingParts {
  readonly clock: Clock;
  readonly peer: StreamPeer;
  /** Has this node the smaller id? */
  readonly offers: boolean;
  readonly links: LinkDoor;
  readonly say: (saying: Saying) => void;
  readonly newId: () => string;
  /** All but what is this meeting's own. */
  readonly around: () => Around;
  readonly counts: Record<'opened' | 'failed' | 'again' | 'sent' | 'received' | 'busy' | 'unknown', Counter>;
  /** Nothing stands and nothing is under way. */
  readonly over: () => void;
}

export interface Around extends Omit<ConnectionParts, 'id' | 'events'> {
  /** Ms from now on in which its TURN servers let it go on; null: for good. */
  readonly turnLastsMs: number | null;
}

interface Standing {
  readonly connection: Connection;
  link: ChannelLink;
  inlet: LinkInlet;
  readonly openedAt: number;
  heardAt: number;
}

interface Waiter {
  readonly resolve: (link: Link) => void;
  readonly reject: (error: Error) => void;
}

/** What is unanswered for so long when a way is sought is taken for dead. */
const SILENT_AFTER_MS = 1_500;
/** The old channel goes on for so long beside the new one: the other end may see that one open later. */
const OVERLAP_MS = 2_000;
/**
 * One that failed so soon is tried again: where the other end's checks come before its answer is taken in, the library may
 * compare the certificate with a fingerprint that it does not have yet.
 */
const SOON_MS = 3_000;
const QUICK_RETRIES = 2;
/** One that opened just now is not begun anew for an old wish. */
const FRESH_MS = 1_000;
/** Before what a TURN server was shown ends. */
const EARLIER_MS = 10 * 60_000;
/** Which pair of addresses it goes by may become another while the checks go on. */
const LOOK_AFTER_MS = [1_000, 3_000, 10_000] as const;

export class Meeting {
  readonly #parts: MeetingParts;
  #attempt: Connection | null = null;
  #attemptedAt = 0;
  #retries = 0;
  #standing: Standing | null = null;
  readonly #waiters = new Set<Waiter>();
  #wanting: Timer | null = null;
  readonly #timers = new Set<Timer>();
  #isOver = false;

  constructor(parts: MeetingParts) {
    this.#parts = parts;
  }

  get peer(): StreamPeer {
    return this.#parts.peer;
  }

  /** For the report; null: nothing stands. */
  get link(): Link | null {
    return this.#standing?.link ?? null;
  }

  /** When something came last, or the channel was opened; null: nothing stands. */
  get heardAt(): number | null {
    return this.#standing?.heardAt ?? null;
  }

  get isTrying(): boolean {
    return this.#attempt !== null || this.#wanting !== null;
  }

  /** The channel that stands, unless it is silent, or a new one. Rejects with WEBRTC_FAILED or the signal's reason. */
  dial(signal: AbortSignal): Promise<Link> {
    const { clock } = this.#parts;
    const standing = this.#standing;
    const waitingSince = standing?.link.waitingSince ?? null;
    const isSilent = waitingSince !== null && clock.monotonicMs() - waitingSince >= SILENT_AFTER_MS;
    if (standing !== null && !isSilent) return Promise.resolve(standing.link);
    return new Promise((resolve, reject) => {
      const waiter: Waiter = { resolve, reject };
      const abort = (): void => {
        this.#waiters.delete(waiter);
        reject(new Error('it is not waited for any more', { cause: signal.reason }));
      };
      this.#waiters.add(waiter);
      signal.addEventListener('abort', abort, { once: true });
      if (signal.aborted) abort();
      else this.begin();
    });
  }

  /** A new channel, whatever stands. */
  begin(): void {
    if (this.isTrying || this.#isOver) return;
    this.#retries = 0;
    this.#ask();
  }

  #ask(): void {
    if (this.#parts.offers) {
      this.#try(this.#parts.newId(), connection => connection.offer());
      return;
    }
    this.#wanting = this.#parts.clock.after(OPEN_WITHIN_MS, () => {
      this.#wanting = null;
      this.#failed('it did not answer');
    });
    this.#parts.say({ type: 'want' });
  }

  /** `want` of one that offers itself, and offers of one that does not, are nonsense. */
  heard(saying: Saying): void {
    const { offers, clock } = this.#parts;
    if (saying.type === 'want') {
      const isFresh = this.#standing !== null && clock.monotonicMs() - this.#standing.openedAt < FRESH_MS;
      if (offers && !isFresh) this.begin();
    } else if (saying.type === 'offer') {
      if (!offers) this.#offered(saying);
    } else {
      const connection = this.#by(saying.id);
      if (saying.type === 'answer' && offers) connection?.answered(saying.sdp);
      connection?.add(saying.candidates);
    }
  }

  /** It speaks another version. */
  refuse(reason: string): void {
    this.#failed(reason);
  }

  close(reason: string): void {
    this.#isOver = true;
    for (const timer of this.#timers) timer.cancel();
    this.#timers.clear();
    this.#attempt?.close(reason);
    this.#standing?.connection.close(reason);
    this.#failed(reason);
  }

  // ---- under way

  #offered({ id, sdp, candidates }: Extract<Saying, { type: 'offer' }>): void {
    if (this.#isOver || this.#by(id) !== null) return;
    this.#wanting?.cancel();
    this.#wanting = null;
    const before = this.#attempt;
    this.#attempt = null;
    before?.close('another offer took its place');
    this.#try(id, connection => {
      connection.answer(sdp);
      connection.add(candidates);
    });
  }

  #try(id: string, begin: (connection: Connection) => void): void {
    try {
      const connection = this.#connection(id);
      this.#attempt = connection;
      this.#attemptedAt = this.#parts.clock.monotonicMs();
      begin(connection);
    } catch (error) {
      this.#failed(String(error));
    }
  }

  #by(id: string): Connection | null {
    if (this.#attempt?.id === id) return this.#attempt;
    return this.#standing?.connection.id === id ? this.#standing.connection : null;
  }

  #connection(id: string): Connection {
    const { around, say, counts } = this.#parts;
    let standing: Standing | null = null;
    const { turnLastsMs, ...surroundings } = around();
    const connection: Connection = new Connection({
      ...surroundings,
      id,
      events: {
        say: saying => say(saying),
        opened: () => (standing = this.#opened(connection, turnLastsMs)),
        received: message => {
          const batch = standing === null ? null : unpack(message);
          if (standing === null || batch === null) {
            counts.unknown.value++;
            return;
          }
          standing.link.waitingSince = null;
          standing.heardAt = this.#parts.clock.monotonicMs();
          counts.received.value += batch.length;
          standing.inlet.received(batch);
        },
        closed: reason => this.#closed(connection, standing, reason),
      },
    });
    return connection;
  }

  // ---- opened, and while it stands

  #opened(connection: Connection, turnLastsMs: number | null): Standing {
    const { clock, counts, links } = this.#parts;
    counts.opened.value++;
    if (this.#attempt === connection) this.#attempt = null;
    const link = this.#newLink(connection);
    const former = this.#standing;
    const now = clock.monotonicMs();
    const standing: Standing = { connection, link, inlet: links.opened(link), openedAt: now, heardAt: now };
    this.#standing = standing;
    if (former !== null) this.#retire(former, link);
    for (const afterMs of LOOK_AFTER_MS) this.#later(afterMs, () => this.#look(standing));
    if (turnLastsMs !== null) this.#later(Math.max(0, turnLastsMs - EARLIER_MS), () => this.#renew(standing));
    for (const { resolve } of this.#waiters) resolve(link);
    this.#waiters.clear();
    return standing;
  }

  /** Of the same name: what uses it goes on by the new one. */
  #retire(former: Standing, next: ChannelLink): void {
    if (former.link.id !== next.id) former.inlet.closed('a new channel took its place');
    this.#later(OVERLAP_MS, () => former.connection.close('a new channel took its place'));
  }

  #newLink(connection: Connection): ChannelLink {
    const { clock, counts, peer } = this.#parts;
    return new ChannelLink({ node: peer.node, connection, pair: connection.pair, clock, counts });
  }

  /** The same channel may go another way by now: to the outside that is another link. */
  #look(standing: Standing): void {
    if (standing !== this.#standing || !standing.connection.isOpen) return;
    const link = this.#newLink(standing.connection);
    if (link.id === standing.link.id) return;
    const { inlet } = standing;
    standing.link = link;
    standing.inlet = this.#parts.links.opened(link);
    inlet.closed(`it goes ${link.throughTurn ? 'by a TURN server' : 'directly'} now`);
  }

  /** Its TURN server would let it go on no longer. */
  #renew(standing: Standing): void {
    if (standing === this.#standing && standing.link.throughTurn) this.begin();
  }

  #later(afterMs: number, act: () => void): void {
    const timer = this.#parts.clock.after(afterMs, () => {
      this.#timers.delete(timer);
      act();
    });
    this.#timers.add(timer);
  }

  // ---- ended

  #closed(connection: Connection, standing: Standing | null, reason: string): void {
    standing?.inlet.closed(reason);
    if (this.#standing === standing) this.#standing = null;
    if (this.#attempt === connection) {
      this.#attempt = null;
      if (!this.#triesAgain()) this.#failed(reason);
    }
    if (!this.isTrying && this.#standing === null) this.#parts.over();
  }

  #triesAgain(): boolean {
    const isSoon = this.#parts.clock.monotonicMs() - this.#attemptedAt < SOON_MS;
    if (this.#isOver || !isSoon || this.#retries >= QUICK_RETRIES) return false;
    this.#retries++;
    this.#parts.counts.again.value++;
    this.#ask();
    return true;
  }

  #failed(reason: string): void {
    const { counts, peer } = this.#parts;
    this.#wanting?.cancel();
    this.#wanting = null;
    if (!this.#isOver) counts.failed.value++;
    for (const { reject } of this.#waiters)
      reject(webrtcErrors('WEBRTC_FAILED', { name: peer.name, reason }));
    this.#waiters.clear();
    if (!this.isTrying && this.#standing === null) this.#parts.over();
  }
}
