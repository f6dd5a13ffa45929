// A frame for somebody else, from the connection that brought it to the one that takes it on (V11): its ends are checked,
// its sender's share is looked at, and it goes to its destination's own connection, or by a detour over another node.
import type { Counter, Counters } from '../../base/counters.ts';
import type { Stream, StreamDoor } from '../../core/contract/plugin.ts';
import { destinationOf, FRAME_KINDS, sourceOf } from '../../protocol/stream/frame.ts';
import type { Detours } from './detours.ts';
import { goesInCircle, isDestination, isSource, staysInNetwork } from './keys.ts';
import type { ServedNodes } from './nodes.ts';
import type { Quotas, Share } from './quotas.ts';

export interface ForwarderParts {
  readonly streams: Pick<StreamDoor, 'find'>;
  readonly quotas: Quotas;
  readonly nodes: ServedNodes;
  readonly detours: Detours;
  readonly counters: Counters;
}

/** What is remembered of one connection between its frames: most go where the last one went. */
interface Flow {
  readonly from: Stream;
  readonly lane: Lane;
  share: Share;
  /** Of the last frame that came through another relay. */
  source: string;
  sourceShare: Share;
  destination: string;
  next: Lane | null;
}

/** A connection that frames of others have taken. */
interface Lane {
  readonly stream: Stream;
  isUsed: boolean;
}

export class Forwarder {
  readonly #parts: ForwarderParts;
  readonly #counts: ReturnType<typeof countsOf>;
  readonly #flows = new Map<Stream, Flow>();
  readonly #lanes = new Map<Stream, Lane>();

  constructor(parts: ForwarderParts) {
    this.#parts = parts;
    this.#counts = countsOf(parts.counters);
  }

  /** Bytes forwarded since the process began. */
  get bytes(): number {
    return this.#counts.bytes.value;
  }

  hasRelayed(stream: Stream): boolean {
    return this.#lanes.has(stream);
  }

  /** Has it carried anything since this was last asked? */
  wasUsed(stream: Stream): boolean {
    const lane = this.#lanes.get(stream);
    const wasUsed = lane?.isUsed === true;
    if (lane !== undefined) lane.isUsed = false;
    return wasUsed;
  }

  /** `frame` is whole, its head checked, its source the node of `from` or, where that is a relay, one behind it. */
  take(from: Stream, frame: Uint8Array): void {
    const flow = this.#flows.get(from) ?? this.#begin(from);
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
    else if (isNotice(frame)) this.#counts.noticesLost.value++;
    else this.#parts.detours.take(from, frame, flow.destination);
  }

  /** By a detour. */
  pass(from: Stream, frame: Uint8Array, next: Stream): void {
    if (next.isClosed) this.#counts.gone.value++;
    else this.#pass(from, frame, this.#lane(next));
  }

  left(stream: Stream): void {
    const flow = this.#flows.get(stream);
    this.#flows.delete(stream);
    this.#lanes.delete(stream);
    if (flow !== undefined) this.#parts.quotas.forget(flow.share.key);
  }

  stop(): void {
    this.#flows.clear();
    this.#lanes.clear();
  }

  #begin(from: Stream): Flow {
    const share = this.#parts.quotas.share(from.address, from);
    const lane = this.#lane(from);
    const flow = { from, lane, share, source: '', sourceShare: share, destination: '', next: null };
    this.#flows.set(from, flow);
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
      flow.source = sourceOf(frame, 0);
      flow.sourceShare = quotas.share(flow.source, null);
    }
    return flow.sourceShare;
  }

  #nextOf(flow: Flow, frame: Uint8Array): Lane | null {
    const isSame = isDestination(frame, flow.destination);
    if (isSame && flow.next?.stream.isClosed === false) return flow.next;
    if (!isSame) flow.destination = destinationOf(frame, 0);
    const stream = this.#parts.streams.find(flow.destination);
    return (flow.next = stream === null ? null : this.#lane(stream));
  }

  #lane(stream: Stream): Lane {
    const known = this.#lanes.get(stream);
    if (known !== undefined) return known;
    const lane = { stream, isUsed: false };
    this.#lanes.set(stream, lane);
    return lane;
  }

  /** Hands it on; never back to where it came from. */
  #pass(from: Stream, frame: Uint8Array, next: Lane): void {
    if (next.stream === from) {
      this.#counts.back.value++;
      if (!isNotice(frame)) from.refuse(frame);
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

/** A word on a frame that could not be delivered: it is never answered by another. */
const isNotice = (frame: Uint8Array): boolean => frame[0] !== FRAME_KINDS.data;

const countsOf = (counters: Counters) => ({
  frames: counters.counter('forwarded.frames'),
  bytes: counters.counter('forwarded.bytes'),
  self: counters.counter('dropped.to-itself'),
  outside: counters.counter('dropped.outside'),
  hops: counters.counter('dropped.hops'),
  busy: counters.counter('dropped.busy'),
  gone: counters.counter('dropped.gone'),
  back: counters.counter('dropped.back'),
  noticesLost: counters.counter('dropped.notice'),
  notAdmitted: counters.counter('dropped.not-admitted'),
});
