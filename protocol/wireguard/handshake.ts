// WireGuard's handshake (whitepaper sections 5.4.2 and 5.4.3): Noise IKpsk2 whose first payload is a timestamp and whose
// second is empty. Who may shake hands, how often, and what follows is for the data plane to say.
import { HandshakeState } from '../noise/handshake-state.ts';
import type { NoiseRefusal } from '../noise/handshake.ts';
import type { DhKeyPair, Primitives } from '../primitives.ts';
import { accepted, refused, type Result } from '../result.ts';
import { KEY_BYTES, NOISE_PROLOGUE, TIMESTAMP_BYTES } from './constants.ts';
import {
  decodeInitiation,
  decodeResponse,
  encodeInitiation,
  encodeResponse,
  type MessageRefusal,
} from './messages.ts';

export type HandshakeRefusal = NoiseRefusal | MessageRefusal | 'wireguard.payload';

/** This end of all handshakes. */
export interface LocalEnd {
  readonly primitives: Primitives;
  readonly localStatic: DhKeyPair;
  /** For vectors; otherwise made afresh. */
  readonly localEphemeral?: DhKeyPair;
}

/** 32 bytes each. */
export interface TransportKeys {
  readonly send: Uint8Array;
  readonly receive: Uint8Array;
  /** From which two Ginnel nodes derive the keys of the fast profile; of no use to a stock session. */
  readonly beyond: Uint8Array;
}

const BEYOND = 'ginnel fast profile v1';

/** An initiation sent, until its response comes. */
export interface SentInitiation {
  /** 148 bytes; the macs are still zero. */
  readonly message: Uint8Array;
  readonly noise: HandshakeState;
}

export interface ReceivedInitiation {
  readonly sender: number;
  /** The initiator's public key, proven. */
  readonly remoteStatic: Uint8Array;
  /** TAI64N; an older one than the last of this peer is a replay. */
  readonly timestamp: Uint8Array;
  readonly noise: HandshakeState;
}

export interface SentResponse {
  /** 92 bytes; the macs are still zero. */
  readonly message: Uint8Array;
  readonly keys: TransportKeys;
}

export interface ReceivedResponse {
  readonly sender: number;
  readonly keys: TransportKeys;
}

const NO_PRESHARED_KEY = new Uint8Array(KEY_BYTES);
const EMPTY = new Uint8Array(0);

/** `remoteStatic` must not be of low order (TypeError). */
export function initiate(
  end: LocalEnd,
  remoteStatic: Uint8Array,
  presharedKey: Uint8Array | undefined,
  sender: number,
  timestamp: Uint8Array,
): SentInitiation {
  const noise = start(end, true, remoteStatic);
  noise.setPresharedKey(presharedKey ?? NO_PRESHARED_KEY);
  return { message: encodeInitiation(sender, noise.write(timestamp)), noise };
}

/** Who wants to talk, proven; nothing is kept. */
export function readInitiation(
  end: LocalEnd,
  message: Uint8Array,
): Result<ReceivedInitiation, HandshakeRefusal> {
  const decoded = decodeInitiation(message);
  if (!decoded.ok) return decoded;
  const noise = start(end, false);
  const timestamp = noise.read(decoded.value.noise);
  if (!timestamp.ok) return timestamp;
  const { remoteStatic } = noise;
  if (remoteStatic === null || timestamp.value.length !== TIMESTAMP_BYTES)
    return refused('wireguard.payload');
  return accepted({ sender: decoded.value.sender, remoteStatic, timestamp: timestamp.value, noise });
}

/** The answer, with which this end is done; the session counts once the other end has sent data in it. */
export function respond(
  received: ReceivedInitiation,
  presharedKey: Uint8Array | undefined,
  sender: number,
): SentResponse {
  const { noise } = received;
  noise.setPresharedKey(presharedKey ?? NO_PRESHARED_KEY);
  const message = encodeResponse(sender, received.sender, noise.write(EMPTY));
  return { message, keys: keysOf(noise) };
}

/** A refused response leaves `sent` as it was: the true one may still come. */
export function readResponse(
  sent: SentInitiation,
  message: Uint8Array,
): Result<ReceivedResponse, HandshakeRefusal> {
  const decoded = decodeResponse(message);
  if (!decoded.ok) return decoded;
  const payload = sent.noise.read(decoded.value.noise);
  if (!payload.ok) return payload;
  return accepted({ sender: decoded.value.sender, keys: keysOf(sent.noise) });
}

const keysOf = (noise: HandshakeState): TransportKeys => ({
  ...noise.transportKeys(),
  beyond: noise.secretFor(BEYOND),
});

function start(end: LocalEnd, initiator: boolean, remoteStatic?: Uint8Array): HandshakeState {
  return new HandshakeState({
    primitives: end.primitives,
    pattern: 'IKpsk2',
    initiator,
    prologue: new TextEncoder().encode(NOISE_PROLOGUE),
    localStatic: end.localStatic,
    ...(remoteStatic === undefined ? {} : { remoteStatic }),
    ...(end.localEphemeral === undefined ? {} : { localEphemeral: end.localEphemeral }),
  });
}
