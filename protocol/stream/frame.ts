// The frame: what travels on a TCP connection between two nodes, once both know each other. It names two nodes and carries
// datagrams that only those two can read; whoever stands between reads the head alone (V10, V11).
//
//   0  kind (version 1 in the high half)      12  source, 16 bytes
//   1  hops that may still follow             28  destination, 16 bytes
//   2  size of one datagram (0: no data)      44  payload
//   4  length of the payload
//   8  number: grows by one from frame to frame of one direction of one connection
import { accepted, refused } from '../result.ts';
import type { Result } from '../result.ts';

export const FRAME_HEAD = 44;
/** A batch of 64 KiB, sealed. */
export const MAX_FRAME_PAYLOAD = 80 * 1024;
/** From the first sender; each node that forwards takes one off. */
export const FIRST_HOPS = 4;

/**
 * `data`: datagrams; `ping` and `pong`: this connection alone; `unreachable`: its source is not to be had here; `forwards`:
 * whether the sender forwards for others from now on (hops 1: it does).
 */
export const FRAME_KINDS = { data: 0x11, ping: 0x12, pong: 0x13, unreachable: 0x14, forwards: 0x15 } as const;
export type FrameKind = keyof typeof FRAME_KINDS;

/** Read in place: `bytes[offset .. offset + FRAME_HEAD + length)` is the whole frame. */
export interface FrameHead {
  kind: FrameKind;
  hops: number;
  segment: number;
  length: number;
  number: number;
}

export type FrameRefusal =
  /** Another version, or a kind that this one does not know. */
  | 'frame.kind'
  /** A payload longer than any, or datagrams that do not fit in it. */
  | 'frame.length';

const KINDS = new Map<number, FrameKind>(
  (Object.keys(FRAME_KINDS) as FrameKind[]).map(kind => [FRAME_KINDS[kind], kind]),
);

/** Fills `head` from at least FRAME_HEAD bytes. A refusal means that the connection makes no sense any more. */
export function readHead(
  bytes: Uint8Array,
  offset: number,
  head: FrameHead,
): Result<FrameHead, FrameRefusal> {
  const kind = KINDS.get(bytes[offset]!);
  if (kind === undefined) return refused('frame.kind');
  head.kind = kind;
  head.hops = bytes[offset + 1]!;
  head.segment = (bytes[offset + 2]! << 8) | bytes[offset + 3]!;
  head.length = read32(bytes, offset + 4);
  head.number = read32(bytes, offset + 8);
  const isWrong =
    head.length > MAX_FRAME_PAYLOAD || (kind === 'data' && (head.segment === 0 || head.length === 0));
  return isWrong ? refused('frame.length') : accepted(head);
}

/** Writes the head before a payload of `length` bytes; addresses are 16 bytes each. */
export function writeHead(
  bytes: Uint8Array,
  offset: number,
  head: Readonly<FrameHead>,
  source: Uint8Array,
  destination: Uint8Array,
): void {
  bytes[offset] = FRAME_KINDS[head.kind];
  bytes[offset + 1] = head.hops;
  bytes[offset + 2] = head.segment >> 8;
  bytes[offset + 3] = head.segment & 0xff;
  write32(bytes, offset + 4, head.length);
  write32(bytes, offset + 8, head.number);
  bytes.set(source, offset + 12);
  bytes.set(destination, offset + 28);
}

/** Of a frame that is forwarded: one hop less, and the number that it has on the next connection. */
export function readdress(bytes: Uint8Array, offset: number, number: number): void {
  bytes[offset + 1] = bytes[offset + 1]! - 1;
  write32(bytes, offset + 8, number);
}

/** Sixteen bytes as text, to look a node up by: the 16 bytes as Latin-1, for speed; not for people. */
export const sourceOf = (bytes: Uint8Array, offset: number): string => latin(bytes, offset + 12);
export const destinationOf = (bytes: Uint8Array, offset: number): string => latin(bytes, offset + 28);

/** The same as bytes, within the frame. */
export const sourceBytes = (frame: Uint8Array): Uint8Array => frame.subarray(12, 28);
export const destinationBytes = (frame: Uint8Array): Uint8Array => frame.subarray(28, FRAME_HEAD);

/** Is `number` after `last`? Numbers go round after 2^32. */
export const isAfter = (number: number, last: number): boolean => {
  const ahead = (number - last) >>> 0;
  return ahead > 0 && ahead < 0x8000_0000;
};

const latin = (bytes: Uint8Array, at: number): string =>
  String.fromCharCode(
    bytes[at]!,
    bytes[at + 1]!,
    bytes[at + 2]!,
    bytes[at + 3]!,
    bytes[at + 4]!,
    bytes[at + 5]!,
    bytes[at + 6]!,
    bytes[at + 7]!,
    bytes[at + 8]!,
    bytes[at + 9]!,
    bytes[at + 10]!,
    bytes[at + 11]!,
    bytes[at + 12]!,
    bytes[at + 13]!,
    bytes[at + 14]!,
    bytes[at + 15]!,
  );

export const latinOf = (address: Uint8Array): string => latin(address, 0);

const read32 = (bytes: Uint8Array, at: number): number =>
  ((bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!) >>> 0;

function write32(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >>> 24;
  bytes[at + 1] = (value >>> 16) & 0xff;
  bytes[at + 2] = (value >>> 8) & 0xff;
  bytes[at + 3] = value & 0xff;
}
