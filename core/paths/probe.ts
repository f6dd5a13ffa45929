// Probes: STUN Binding requests between nodes, authenticated by a key that only the two can compute from their WireGuard
// static keys. They need no session; they punch, measure and test a path before data uses it.
import { toBase64Url } from '../../protocol/base64.ts';
import type { Endpoint } from '../../protocol/address.ts';
import type { DhKeyPair, Primitives } from '../../protocol/primitives.ts';
import { accepted, refused, type Result } from '../../protocol/result.ts';
import { ATTRIBUTE } from '../../protocol/stun/attribute-types.ts';
import {
  attributeValue,
  readUsername,
  readXorMappedAddress,
  unknownRequired,
  writeUsername,
  writeXorMappedAddress,
} from '../../protocol/stun/attributes.ts';
import { BINDING, encodeStun, paddedLength, type DecodedStun } from '../../protocol/stun/codec.ts';
import { verifyIntegritySha256 } from '../../protocol/stun/integrity.ts';

/** Of our own, comprehension-optional. ORDER: 4 bytes naming the sender's run, 4 bytes counting its probes. */
export const PROBE_ORDER = 0xc7a0;
/** PATH-IN-USE, empty: the sender's session goes by this path. */
export const PROBE_IN_USE = 0xc7a1;
/** PADDING: zeros that make the probe as large as a datagram whose way it tries. */
export const PROBE_PADDING = 0xc7a2;

/** The message's header, and its MESSAGE-INTEGRITY-SHA256. */
const FRAME_BYTES = 20 + 36;
const TAG_BYTES = 9;
const WINDOW = 64;
const RUNS_KEPT = 8;
const UNDERSTOOD: ReadonlySet<number> = new Set([ATTRIBUTE.USERNAME, ATTRIBUTE.XOR_MAPPED_ADDRESS]);
const ascii = (text: string): Uint8Array => new TextEncoder().encode(text);

/** One pair of nodes, as one of them sees it. All keys are bound to their direction: our own probe sent back to us is no probe. */
export interface ProbeKeys {
  /** USERNAME of what we send; reveals no identity, though it is the same each time. */
  readonly sendTag: string;
  readonly receiveTag: string;
  readonly sendKey: Uint8Array;
  readonly receiveKey: Uint8Array;
}

/** Null where the peer's key is of low order. `network`: pairs of another network have other keys. */
export function probeKeys(
  primitives: Primitives,
  own: DhKeyPair,
  peerKey: Uint8Array,
  network: string,
): ProbeKeys | null {
  const shared = own.diffieHellman(peerKey);
  if (shared === null) return null;
  const pair = primitives.hmacBlake2s(primitives.blake2s(ascii(`ginnel probe v1 ${network}`)), shared);
  const derive = (label: string, from: Uint8Array, to: Uint8Array): Uint8Array =>
    primitives.hmacBlake2s(pair, ascii(label), from, to);
  const tag = (from: Uint8Array, to: Uint8Array): string =>
    toBase64Url(derive('tag', from, to).subarray(0, TAG_BYTES));
  return {
    sendTag: tag(own.publicKey, peerKey),
    receiveTag: tag(peerKey, own.publicKey),
    sendKey: derive('key', own.publicKey, peerKey),
    receiveKey: derive('key', peerKey, own.publicKey),
  };
}

/** Refuses probes that were seen before; runs of the other end that ended long ago are forgotten. */
export class ProbeOrder {
  readonly #runs = new Map<string, { highest: number; seen: bigint }>();

  accept(run: string, count: number): boolean {
    const known = this.#runs.get(run);
    if (known === undefined) return this.#begin(run, count);
    const behind = known.highest - count;
    if (behind >= WINDOW) return false;
    if (behind >= 0) {
      const bit = 1n << BigInt(behind);
      if ((known.seen & bit) !== 0n) return false;
      known.seen |= bit;
      return true;
    }
    known.seen = BigInt.asUintN(WINDOW, (known.seen << BigInt(Math.min(-behind, WINDOW))) | 1n);
    known.highest = count;
    return true;
  }

  #begin(run: string, count: number): true {
    if (this.#runs.size >= RUNS_KEPT) this.#runs.delete(this.#runs.keys().next().value ?? '');
    this.#runs.set(run, { highest: count, seen: 1n });
    return true;
  }
}

export interface ProbeRequest {
  /** 12 bytes. */
  readonly transactionId: Uint8Array;
  /** Of this run of the daemon: 4 bytes. */
  readonly run: Uint8Array;
  readonly count: number;
  readonly inUse: boolean;
  /** Of the whole datagram in bytes, a multiple of 4; 0: no larger than it has to be. */
  readonly size?: number;
}

export function encodeRequest(primitives: Primitives, keys: ProbeKeys, probe: ProbeRequest): Uint8Array {
  const order = new Uint8Array(8);
  order.set(probe.run.subarray(0, 4));
  new DataView(order.buffer).setUint32(4, probe.count);
  const attributes = [writeUsername(keys.sendTag), { type: PROBE_ORDER, value: order }];
  if (probe.inUse) attributes.push({ type: PROBE_IN_USE, value: new Uint8Array(0) });
  const used = attributes.reduce((sum, { value }) => sum + paddedLength(value), FRAME_BYTES);
  const padding = (probe.size ?? 0) - used - paddedLength(new Uint8Array(0));
  if (padding >= 0) attributes.push({ type: PROBE_PADDING, value: new Uint8Array(padding) });
  return encodeStun(
    { class: 'request', method: BINDING, transactionId: probe.transactionId, attributes },
    { integritySha256: keys.sendKey, primitives },
  );
}

/** Says where the request came from. Shorter than any request, so that nobody is flooded by it. */
export function encodeAnswer(
  primitives: Primitives,
  keys: ProbeKeys,
  transactionId: Uint8Array,
  seenFrom: Endpoint,
): Uint8Array {
  const attributes = [writeXorMappedAddress(seenFrom, transactionId)];
  return encodeStun(
    { class: 'success', method: BINDING, transactionId, attributes },
    { integritySha256: keys.sendKey, primitives },
  );
}

export type ProbeRefusal = 'probe.not-probe' | 'probe.forged' | 'probe.malformed' | 'probe.replayed';

/** The tag by which the receiver finds the pair; null: not a probe request of ours. */
export const tagOf = (message: DecodedStun): string | null =>
  message.class === 'request' && message.method === BINDING ? readUsername(message) : null;

/** Authenticates a request found by its tag. A replay is refused, and so never answered. */
export function openRequest(
  primitives: Primitives,
  keys: ProbeKeys,
  order: ProbeOrder,
  message: DecodedStun,
): Result<{ readonly inUse: boolean }, ProbeRefusal> {
  if (!verifyIntegritySha256(message, keys.receiveKey, primitives, 32)) return refused('probe.forged');
  const value = attributeValue(message, PROBE_ORDER);
  if (value?.length !== 8 || unknownRequired(message, UNDERSTOOD).length > 0)
    return refused('probe.malformed');
  const count = new DataView(value.buffer, value.byteOffset, 8).getUint32(4);
  if (!order.accept(toBase64Url(value.subarray(0, 4)), count)) return refused('probe.replayed');
  return accepted({ inUse: attributeValue(message, PROBE_IN_USE) !== null });
}

/** Authenticates an answer whose transaction is one of ours; null in the value: it does not say where we were seen. */
export function openAnswer(
  primitives: Primitives,
  keys: ProbeKeys,
  message: DecodedStun,
): Result<Endpoint | null, ProbeRefusal> {
  if (message.class !== 'success' || message.method !== BINDING) return refused('probe.not-probe');
  if (!verifyIntegritySha256(message, keys.receiveKey, primitives, 32)) return refused('probe.forged');
  return accepted(readXorMappedAddress(message));
}
