// A frame for somebody else, from the connection that brought it to the one that takes it on (V11): its ends are checked,
// its sender's share is looked at, and it goes to its destination's own connection, or by a detour over another node.
import type { Clock } from '../../base/clock.ts';
import type { Counter, Counters } from '../../base/counters.ts';
import type { Stream, StreamDoor } from '../../core/contract/plugin.ts';
import { destinationOf, sourceOf } from '../../protocol/stream/frame.ts';
import type { Detours } from './detours.ts';
import { goesInCircle, isDestination, isSource, staysInNetwork } from './keys.ts';
import type { ServedNodes } from './nodes.ts';
import type { Quotas, Share } from './quotas.ts';

export interface ForwarderParts {
  readonly clock: Clock;
  readonly streams: Pick<StreamDoor, 'find'>;
  readonly quotas: Quotas;
  readonly nodes: ServedNodes;
  readonly detours: Detours;
  readonly counters: Counters;
}

/** What is remembered of one node between its frames: most go where the last one went. */
interface Flow {
  readonly from: Stream;
  readonly lane: Lane;
  share: Share;
  /** Of the last frame that came through another relay. */
  source: string;
  sourceShare: Share;
  /** Those that have a share of their own, and when each was seen last, the oldest first. */
  readonly sources: Map<string, number>;
  destination: string;
  next: Lane | null;
  /** When `next` was looked up: connections have come and gone since. */
  foundIn: number;
}

/** A connection that frames of others have taken. */
interface Lane {
  readonly stream: Stream;
  isUsed: boolean;
}

/** Sources behind one relay with a share each; whoever invents more of them gets no more by that. */
const MAX_SOURCES = 64;
/** One that sent nothing for so long makes room. */
const SOURCE_KEPT_MS = 60_000;

export class Forwarder {
  readonly #parts: ForwarderParts;
  readonly #counts: ReturnType<typeof countsOf>;
  /** By the address of the node that sends, or is sent to. */
  readonly #flows = new Map<string, Flow>();
  readonly #lanes = new Map<string, Lane>();
  #generation = 0;

  constructor(parts: ForwarderParts) {
    this.#parts = parts;
    this.#counts = countsOf(parts.counters);
  }

  hasRelayed(stream: Stream): boolean {
    return this.#lanes.has(stream.address);
  }

  /** Has it carried anything since this was last asked? */
  wasUsed(stream: Stream): boolean {
    const lane = this.#lanes.get(stream.address);
    const wasUsed = lane?.isUsed === true;
    if (lane !== undefined) lane.isUsed = false;
    return wasUsed;
  }

  /** `frame` is whole, its head checked, its source the node of `from` or, where that is a relay, one behind it. */
  take(from: Stream, frame: Uint8Array): void {
    const flow = this.#flows.get(from.address) ?? this.#begin(from);
    const wrong = this.#whatIsWrong(flow, frame);
    if (wrong !== null) {
      wrong.value++;
      return;
    }
    if (!this.#parts.nodes.admits(from)) {
      this.#counts.notAdmitted.value++;
      from.refuse(frame);
      return;
    }
    if (!this.#parts.quotas.take(this.#shareOf(flow, frame), frame.length)) return;
    const next = this.#nextOf(flow, frame);
    flow.lane.isUsed = true;
    if (next !== null) this.#pass(from, frame, next);
    else this.#parts.detours.take(from, frame, flow.destination);
  }

  /** By a detour. */
  pass(from: Stream, frame: Uint8Array, next: Stream): void {
    if (next.isClosed) this.#counts.gone.value++;
    else this.#pass(from, frame, this.#lane(next));
  }

  /** Perhaps in the place of an older connection with the same node. */
  arrived(stream: Stream): void {
    this.#generation++;
    this.#forget(stream.address);
  }

  left(stream: Stream): void {
    this.#generation++;
    const { address } = stream;
    if ((this.#lanes.get(address)?.stream ?? stream) === stream) this.#forget(address);
  }

  stop(): void {
    this.#flows.clear();
    this.#lanes.clear();
  }

  #forget(address: string): void {
    this.#lanes.delete(address);
    if (this.#flows.delete(address)) this.#parts.quotas.forget(address);
  }

  /** What comes by a connection that another one took over from counts as coming by that. */
  #begin(sender: Stream): Flow {
    const from = this.#parts.streams.find(sender.address) ?? sender;
    const share = this.#parts.quotas.share(from.address, from);
    const own = { from, lane: this.#lane(from), share, source: '', sourceShare: share };
    const flow = { ...own, sources: new Map<string, number>(), destination: '', next: null, foundIn: 0 };
    this.#flows.set(from.address, flow);
    return flow;
  }

  #whatIsWrong(flow: Flow, frame: Uint8Array): Counter | null {
    if (goesInCircle(frame)) return this.#counts.self;
    if (!staysInNetwork(frame, flow.from.address)) return this.#counts.outside;
    // One is the last hop: to the destination itself.
    return frame[1]! <= 1 ? this.#counts.hops : null;
  }

  #shareOf(flow: Flow, frame: Uint8Array): Share {
    const { quotas } = this.#parts;
    if (isSource(frame, flow.from.address)) {
      if (flow.share.isGone) flow.share = quotas.share(flow.from.address, flow.from);
      return flow.share;
    }
    if (flow.sourceShare.isGone || !isSource(frame, flow.source)) {
      const now = this.#parts.clock.monotonicMs();
      if (flow.sources.has(flow.source)) seen(flow, now);
      flow.source = sourceOf(frame, 0);
      flow.sourceShare = quotas.share(
        this.#hasOwnShare(flow, now) ? flow.source : `>${flow.from.address}`,
        null,
      );
    }
    return flow.sourceShare;
  }

  #hasOwnShare(flow: Flow, now: number): boolean {
    const { sources, source } = flow;
    for (const [old, at] of sources) {
      if (sources.size < MAX_SOURCES || now - at < SOURCE_KEPT_MS) break;
      sources.delete(old);
      this.#parts.quotas.forget(`>${old}`);
    }
    if (!sources.has(source) && sources.size >= MAX_SOURCES) return false;
    seen(flow, now);
    return true;
  }

  #nextOf(flow: Flow, frame: Uint8Array): Lane | null {
    const isSame = isDestination(frame, flow.destination);
    if (isSame && flow.next !== null && flow.foundIn === this.#generation) return flow.next;
    if (!isSame) flow.destination = destinationOf(frame, 0);
    flow.foundIn = this.#generation;
    const stream = this.#parts.streams.find(flow.destination);
    return (flow.next = stream === null ? null : this.#lane(stream));
  }

  #lane(stream: Stream): Lane {
    const known = this.#lanes.get(stream.address);
    if (known?.stream === stream) return known;
    const lane = { stream, isUsed: false };
    this.#lanes.set(stream.address, lane);
    return lane;
  }

  /** Hands it on; never back to where it came from. */
  #pass(from: Stream, frame: Uint8Array, next: Lane): void {
    if (next.stream.address === from.address) {
      this.#counts.back.value++;
      from.refuse(frame);
      return;
    }
    const { length } = frame;
    const result = next.stream.forward(frame);
    if (result === 'busy') this.#counts.busy.value++;
    else if (result === 'closed') this.#counts.gone.value++;
    else {
      this.#counts.frames.value++;
      this.#counts.bytes.value += length;
      next.isUsed = true;
    }
  }
}

function seen({ sources, source }: Flow, now: number): void {
  sources.delete(source);
  sources.set(source, now);
}

const countsOf = (counters: Counters) => ({
  frames: counters.counter('forwarded.frames'),
  bytes: counters.counter('forwarded.bytes'),
  self: counters.counter('dropped.to-itself'),
  outside: counters.counter('dropped.outside'),
  hops: counters.counter('dropped.hops'),
  busy: counters.counter('dropped.busy'),
  gone: counters.counter('dropped.gone'),
  back: counters.counter('dropped.back'),
  notAdmitted: counters.counter('dropped.not-admitted'),
});
