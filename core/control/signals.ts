// Signals between two nodes, sealed end to end (Noise K over both control keys): the server passes them on and can neither
// read, forge nor repeat them. Records tell whose key is whose; serials that only grow refuse what was said before.
import type { Counters } from '../../base/counters.ts';
import { fromBase64Url, toBase64Url } from '../../protocol/base64.ts';
import { decodeSignal, encodeMessage } from '../../protocol/location/codec.ts';
import type { NodeId, NodeSignal, PathSignal } from '../../protocol/location/messages.ts';
import { startNoise } from '../../protocol/noise/handshake-state.ts';
import type { NoiseHandshake } from '../../protocol/noise/handshake.ts';
import type { DhKeyPair, Primitives } from '../../protocol/primitives.ts';
import { accepted, refused } from '../../protocol/result.ts';
import type { Result } from '../../protocol/result.ts';
import { isSendable } from './candidate-rules.ts';
import type { CandidateRules } from './candidate-rules.ts';

export const MAX_SIGNAL_BYTES = 16 * 1024;
const MAX_CANDIDATES = 16;
const DOMAIN = 'ginnel signal v1';

export type SignalRefusal =
  | 'signal.base64'
  | 'signal.too-long'
  | 'signal.key'
  /** Forged, tampered with, for another node or network, or sealed with a key that is not the sender's. */
  | 'signal.seal'
  | 'signal.text'
  | 'signal.schema'
  /** Its serial is not above the last one of that sender. */
  | 'signal.replayed';

/** The node at the other end, from its verified record. */
export interface SignalPeer {
  readonly id: NodeId;
  /** X25519, base64url. */
  readonly controlKey: string;
}

export interface SignalSealerOptions {
  readonly primitives: Primitives;
  /** base64url. */
  readonly network: string;
  readonly self: NodeId;
  readonly localStatic: DhKeyPair;
  readonly counters: Counters;
  readonly rules: CandidateRules;
}

export class SignalSealer {
  readonly #options: SignalSealerOptions;

  constructor(options: SignalSealerOptions) {
    this.#options = options;
  }

  /** Sealed to that node, base64url; at most 16 candidates go along. The serial is the caller's. */
  seal(to: SignalPeer, signal: NodeSignal): Result<string, SignalRefusal> {
    const noise = this.#noise(true, this.#options.self, to.id, to.controlKey);
    if (noise === null) return this.#refuse('signal.key');
    const sealed = noise.write(new TextEncoder().encode(encodeMessage(bounded(signal))));
    return sealed.length > MAX_SIGNAL_BYTES ? this.#refuse('signal.too-long') : accepted(toBase64Url(sealed));
  }

  /** The signal without candidates that nobody may send to. Whether its serial is new is for the caller to see. */
  open(from: SignalPeer, sealed: string): Result<NodeSignal, SignalRefusal> {
    const bytes = fromBase64Url(sealed);
    if (bytes === null) return this.#refuse('signal.base64');
    if (bytes.length > MAX_SIGNAL_BYTES) return this.#refuse('signal.too-long');
    const noise = this.#noise(false, from.id, this.#options.self, from.controlKey);
    if (noise === null) return this.#refuse('signal.key');
    const opened = noise.read(bytes);
    if (!opened.ok) return this.#refuse('signal.seal');
    const text = decodeText(opened.value);
    if (text === null) return this.#refuse('signal.text');
    const signal = decodeSignal(text);
    if (!signal.ok) return this.#refuse('signal.schema');
    const { value } = signal;
    return accepted(value.type === 'transport' ? value : this.#withoutBadCandidates(value));
  }

  /** Null where the other's key is none. */
  #noise(initiator: boolean, sender: NodeId, receiver: NodeId, controlKey: string): NoiseHandshake | null {
    const { primitives, localStatic, network } = this.#options;
    const remoteStatic = fromBase64Url(controlKey);
    // A key of low order gives a secret that everybody knows.
    if (remoteStatic?.length !== 32 || localStatic.diffieHellman(remoteStatic) === null) return null;
    const prologue = new TextEncoder().encode([DOMAIN, network, sender, receiver].join('\n'));
    return startNoise({ primitives, pattern: 'K', initiator, prologue, localStatic, remoteStatic });
  }

  #withoutBadCandidates(signal: PathSignal): PathSignal {
    const candidates = signal.candidates.filter(candidate =>
      isSendable(candidate.endpoint, this.#options.rules),
    );
    this.#options.counters.counter('signal.bad-candidates').value +=
      signal.candidates.length - candidates.length;
    return { ...signal, candidates };
  }

  #refuse(code: SignalRefusal): Result<never, SignalRefusal> {
    this.#options.counters.counter(code).value++;
    return refused(code);
  }
}

/** How far ahead of the last serial the floor is kept: one write covers this many ms. */
const FLOOR_STEP_MS = 10 * 60_000;

export interface SerialOptions {
  /** Milliseconds since 1970; may jump back or start in 1970. */
  readonly nowMs: () => number;
  /** From the last run. */
  readonly floor: number;
  /** Called before a serial above the kept floor is given out. */
  readonly keepFloor: (floor: number) => void;
}

/** This node's own serials: the time, or the last one plus 1, over restarts and clocks in 1970. */
export class SignalSerials {
  readonly #options: SerialOptions;
  #last: number;
  #floor: number;

  constructor(options: SerialOptions) {
    this.#options = options;
    this.#last = options.floor;
    this.#floor = options.floor;
  }

  next(): number {
    this.#last = Math.max(this.#options.nowMs(), this.#last + 1);
    if (this.#last > this.#floor) {
      this.#floor = this.#last + FLOOR_STEP_MS;
      this.#options.keepFloor(this.#floor);
    }
    return this.#last;
  }
}

const bounded = (signal: NodeSignal): NodeSignal =>
  signal.type === 'transport'
    ? signal
    : { ...signal, candidates: signal.candidates.slice(0, MAX_CANDIDATES) };

function decodeText(bytes: Uint8Array): string | null {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return null;
  }
}
