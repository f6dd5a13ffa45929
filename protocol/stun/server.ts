// Answers Binding requests, as pure code: which bytes go where, from which of the server's addresses. The sockets and the
// token bucket are the server's. An answer is never longer than its request, but for the minimal one (32 or 44 bytes).
import type { Endpoint } from '../address.ts';
import { accepted, refused, type Result } from '../result.ts';
import { ATTRIBUTE } from './attribute-types.ts';
import {
  hasAttribute,
  readChangeRequest,
  readResponsePort,
  unknownRequired,
  writeErrorCode,
  writeOtherAddress,
  writeResponseOrigin,
  writeUnknownAttributes,
  writeXorMappedAddress,
} from './attributes.ts';
import { BINDING, decodeStun, encodeStun, paddedLength, STUN_HEADER_LENGTH } from './codec.ts';
import type { DecodedStun, StunRefusal } from './codec.ts';
import { verifyFingerprint } from './integrity.ts';
import type { StunAttribute } from './message.ts';

/** What the server has besides the socket on which the request came; of the same family. */
export interface AnswererConfig {
  /** The second address, as clients reach it. */
  readonly otherAddress: string | null;
  /** The second port, the same on both addresses. */
  readonly otherPort: number | null;
}

export interface BindingAnswer {
  readonly reply: Uint8Array;
  /** The sender, or another port of its address (RESPONSE-PORT). */
  readonly to: Endpoint;
  /** By which socket it leaves, seen from the one the request came to (CHANGE-REQUEST). */
  readonly sendFrom: { readonly address: 'same' | 'other'; readonly port: 'same' | 'other' };
  readonly request: DecodedStun;
}

export type AnswerRefusal =
  | StunRefusal
  | 'stun.not-request'
  | 'stun.not-binding'
  | 'stun.fingerprint'
  /** Even the error would be longer than the request. */
  | 'stun.would-amplify';

const UNDERSTOOD: ReadonlySet<number> = new Set([
  ATTRIBUTE.USERNAME,
  ATTRIBUTE.REALM,
  ATTRIBUTE.NONCE,
  ATTRIBUTE.USERHASH,
  ATTRIBUTE.PASSWORD_ALGORITHM,
  ATTRIBUTE.PRIORITY,
  ATTRIBUTE.USE_CANDIDATE,
  ATTRIBUTE.PADDING,
  ATTRIBUTE.CHANGE_REQUEST,
  ATTRIBUTE.RESPONSE_PORT,
]);

/**
 * RFC 8489 6.3.1, RFC 5780 6.1. `receivedOn` is the address the request was sent to, as clients know it. Length alone
 * makes a request padded: PADDING, a long SOFTWARE, anything.
 */
export function answerBinding(
  bytes: Uint8Array,
  from: Endpoint,
  receivedOn: Endpoint,
  config: AnswererConfig,
): Result<BindingAnswer, AnswerRefusal> {
  const decoded = decodeStun(bytes);
  if (!decoded.ok) return decoded;
  const request = decoded.value;
  if (request.class !== 'request') return refused('stun.not-request');
  if (request.method !== BINDING) return refused('stun.not-binding');
  if (request.fingerprintAt >= 0 && !verifyFingerprint(request)) return refused('stun.fingerprint');
  const refusedTypes = [...unknownRequired(request, UNDERSTOOD), ...cannotDo(request, from, config)];
  return refusedTypes.length > 0
    ? answerUnknown(request, from, refusedTypes)
    : answerMapped(request, from, receivedOn, config);
}

/** Answers from or to elsewhere: only to a request as long as the answer, and with an address or port to answer from. */
function cannotDo(request: DecodedStun, from: Endpoint, config: AnswererConfig): number[] {
  const padded = request.bytes.length >= minimalLength(from);
  const types: number[] = [];
  if (hasAttribute(request, ATTRIBUTE.CHANGE_REQUEST)) {
    const change = readChangeRequest(request);
    const able =
      change !== null &&
      (!change.address || config.otherAddress !== null) &&
      (!change.port || config.otherPort !== null);
    if (!able || !padded) types.push(ATTRIBUTE.CHANGE_REQUEST);
  }
  const elsewhere = hasAttribute(request, ATTRIBUTE.RESPONSE_PORT);
  if (elsewhere && (!padded || readResponsePort(request) === null)) types.push(ATTRIBUTE.RESPONSE_PORT);
  return types;
}

const minimalLength = (from: Endpoint): number => STUN_HEADER_LENGTH + (from.family === 4 ? 12 : 24);

function answerMapped(
  request: DecodedStun,
  from: Endpoint,
  receivedOn: Endpoint,
  config: AnswererConfig,
): Result<BindingAnswer, AnswerRefusal> {
  const change = readChangeRequest(request) ?? { address: false, port: false };
  const attributes = [writeXorMappedAddress(from, request.transactionId)];
  let room = request.bytes.length - minimalLength(from);
  const add = (attribute: StunAttribute): void => {
    if (paddedLength(attribute.value) > room) return;
    attributes.push(attribute);
    room -= paddedLength(attribute.value);
  };
  const { otherAddress, otherPort } = config;
  if (otherAddress !== null) {
    add(writeOtherAddress({ ...receivedOn, address: otherAddress, port: otherPort ?? receivedOn.port }));
  }
  add(writeResponseOrigin(originOf(receivedOn, config, change)));
  return accepted({
    reply: finish(request, 'success', attributes, room),
    to: { ...from, port: readResponsePort(request) ?? from.port },
    sendFrom: { address: change.address ? 'other' : 'same', port: change.port ? 'other' : 'same' },
    request,
  });
}

function originOf(
  receivedOn: Endpoint,
  config: AnswererConfig,
  change: { readonly address: boolean; readonly port: boolean },
): Endpoint {
  return {
    family: receivedOn.family,
    address: (change.address ? config.otherAddress : null) ?? receivedOn.address,
    port: (change.port ? config.otherPort : null) ?? receivedOn.port,
  };
}

/** 420, with the list where the request is as long, else bare, else nothing at all. */
function answerUnknown(
  request: DecodedStun,
  from: Endpoint,
  types: readonly number[],
): Result<BindingAnswer, AnswerRefusal> {
  const error = writeErrorCode({ code: 420, reason: '' });
  const list = writeUnknownAttributes(types);
  let room = request.bytes.length - STUN_HEADER_LENGTH - paddedLength(error.value);
  if (room < 0) return refused('stun.would-amplify');
  const listed = room >= paddedLength(list.value);
  if (listed) room -= paddedLength(list.value);
  return accepted({
    reply: finish(request, 'error', listed ? [error, list] : [error], room),
    to: from,
    sendFrom: { address: 'same', port: 'same' },
    request,
  });
}

/** The answer to a request with a fingerprint has one too, where there is room. */
function finish(
  request: DecodedStun,
  kind: 'success' | 'error',
  attributes: readonly StunAttribute[],
  room: number,
): Uint8Array {
  const { method, transactionId } = request;
  const fingerprint = request.fingerprintAt >= 0 && room >= 8;
  return encodeStun({ class: kind, method, transactionId, attributes }, { fingerprint });
}
