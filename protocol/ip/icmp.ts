// ICMP echo in whole IP packets (RFC 792, RFC 4443): what `ginnel ping` sends and answers.
import { accepted, refused, type Result } from '../result.ts';
import {
  internetChecksum,
  PROTOCOL,
  pseudoHeader,
  readIpHeader,
  type IpHeader,
  type IpRefusal,
} from './header.ts';

export interface Echo {
  readonly kind: 'request' | 'reply';
  /** 4 or 16 bytes, both alike. */
  readonly source: Uint8Array;
  readonly destination: Uint8Array;
  readonly identifier: number;
  readonly sequence: number;
  readonly payload: Uint8Array;
}

export type EchoRefusal = IpRefusal | 'icmp.not-echo' | 'icmp.truncated' | 'icmp.fragment' | 'icmp.checksum';

const TYPES = { 4: { request: 8, reply: 0 }, 6: { request: 128, reply: 129 } } as const;
const HOP_LIMIT = 64;

/** The whole IP packet. */
export function buildEcho(echo: Echo): Uint8Array {
  const family = echo.source.length === 16 ? 6 : 4;
  const icmp = new Uint8Array(8 + echo.payload.length);
  const view = new DataView(icmp.buffer);
  icmp[0] = TYPES[family][echo.kind];
  view.setUint16(4, echo.identifier);
  view.setUint16(6, echo.sequence);
  icmp.set(echo.payload, 8);
  view.setUint16(2, internetChecksum(...checksummed(echo, icmp)));
  return family === 4 ? inIp4(echo, icmp) : inIp6(echo, icmp);
}

/** An echo request or reply in a whole, unfragmented IP packet; anything else is refused. */
export function readEcho(
  bytes: Uint8Array,
  offset = 0,
  length = bytes.length - offset,
): Result<Echo, EchoRefusal> {
  const read = readIpHeader(bytes, offset, length);
  if (!read.ok) return read;
  const { family, headerLength, totalLength, protocol, source, destination } = read.value;
  if (protocol !== (family === 4 ? PROTOCOL.ICMP : PROTOCOL.ICMP6)) return refused('icmp.not-echo');
  if (isFragment(bytes, offset, read.value)) return refused('icmp.fragment');
  const icmp = bytes.subarray(offset + headerLength, offset + totalLength);
  if (icmp.length < 8) return refused('icmp.truncated');
  const kind =
    icmp[0] === TYPES[family].request ? 'request' : icmp[0] === TYPES[family].reply ? 'reply' : null;
  if (kind === null || icmp[1] !== 0) return refused('icmp.not-echo');
  if (internetChecksum(...checksummed({ source, destination }, icmp)) !== 0) return refused('icmp.checksum');
  const identifier = (icmp[4]! << 8) | icmp[5]!;
  const sequence = (icmp[6]! << 8) | icmp[7]!;
  return accepted({ kind, source, destination, identifier, sequence, payload: icmp.subarray(8) });
}

/** The reply to a request. */
export const echoReply = (request: Echo): Echo => ({
  ...request,
  kind: 'reply',
  source: request.destination,
  destination: request.source,
});

const isFragment = (bytes: Uint8Array, offset: number, header: IpHeader): boolean =>
  header.family === 4 && (((bytes[offset + 6]! & 0x3f) << 8) | bytes[offset + 7]!) !== 0;

function checksummed(
  { source, destination }: Pick<Echo, 'source' | 'destination'>,
  icmp: Uint8Array,
): Uint8Array[] {
  return source.length === 16
    ? [pseudoHeader(source, destination, PROTOCOL.ICMP6, icmp.length), icmp]
    : [icmp];
}

function inIp4(echo: Echo, icmp: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(20 + icmp.length);
  const view = new DataView(bytes.buffer);
  bytes[0] = 0x45;
  view.setUint16(2, bytes.length);
  view.setUint16(6, 0x4000);
  bytes[8] = HOP_LIMIT;
  bytes[9] = PROTOCOL.ICMP;
  bytes.set(echo.source, 12);
  bytes.set(echo.destination, 16);
  view.setUint16(10, internetChecksum(bytes.subarray(0, 20)));
  bytes.set(icmp, 20);
  return bytes;
}

function inIp6(echo: Echo, icmp: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(40 + icmp.length);
  bytes[0] = 0x60;
  new DataView(bytes.buffer).setUint16(4, icmp.length);
  bytes[6] = PROTOCOL.ICMP6;
  bytes[7] = HOP_LIMIT;
  bytes.set(echo.source, 8);
  bytes.set(echo.destination, 24);
  bytes.set(icmp, 40);
  return bytes;
}
