// The Port Control Protocol (RFC 6887), as far as a client needs it: MAP and ANNOUNCE.
import type { Endpoint } from '../address.ts';
import { familyOf, formatIp, isMapped, parseIp } from '../ip/address.ts';
import { accepted, refused, type Result } from '../result.ts';

export const PCP_PORT = 5351;
export const PCP_NONCE_BYTES = 12;

const VERSION = 2;
const ANNOUNCE = 0;
const MAP = 1;
const ANSWER = 0x80;
const HEAD = 24;
const MAP_BYTES = 36;
/** RFC 6887 7: no message is longer. */
const MAX_BYTES = 1100;
const PROTOCOLS = { tcp: 6, udp: 17 } as const;

export type PcpTransport = keyof typeof PROTOCOLS;

export interface PcpMapRequest {
  /** This machine's address, from which the request is sent. */
  readonly client: string;
  readonly nonce: Uint8Array;
  readonly transport: PcpTransport;
  readonly port: number;
  /** 0: the mapping is to go. */
  readonly lifetimeS: number;
  /** Where it was outside before, or should be; a hint. */
  readonly suggested: { readonly address: string | null; readonly port: number };
}

export interface PcpAnswer {
  readonly about: 'announce' | 'map' | 'other';
  /** 0: success; others are named by `pcpResultName`. */
  readonly result: number;
  /** Of the mapping, or of the error. */
  readonly lifetimeS: number;
  readonly epochS: number;
  /** Null: it is not about a mapping, or an error too short to say which. */
  readonly map: PcpMapped | null;
}

export interface PcpMapped {
  readonly nonce: Uint8Array;
  /** Null: another one than TCP and UDP. */
  readonly transport: PcpTransport | null;
  readonly port: number;
  readonly outer: Endpoint;
}

export type PcpRefusal = 'pcp.length' | 'pcp.version' | 'pcp.request';

const RESULTS = [
  'SUCCESS',
  'UNSUPP_VERSION',
  'NOT_AUTHORIZED',
  'MALFORMED_REQUEST',
  'UNSUPP_OPCODE',
  'UNSUPP_OPTION',
  'MALFORMED_OPTION',
  'NETWORK_FAILURE',
  'NO_RESOURCES',
  'UNSUPP_PROTOCOL',
  'USER_EX_QUOTA',
  'CANNOT_PROVIDE_EXTERNAL',
  'ADDRESS_MISMATCH',
  'EXCESSIVE_REMOTE_PEERS',
] as const;

export type PcpResultName = (typeof RESULTS)[number] | 'UNKNOWN';

export const pcpResultName = (result: number): PcpResultName => RESULTS[result] ?? 'UNKNOWN';

export function encodePcpAnnounce(client: string): Uint8Array {
  return head(ANNOUNCE, 0, client, HEAD);
}

export function encodePcpMap(request: PcpMapRequest): Uint8Array {
  const { client, nonce, transport, port, lifetimeS, suggested } = request;
  if (nonce.length !== PCP_NONCE_BYTES) throw new TypeError('a nonce has 12 bytes');
  if (port === 0) throw new TypeError('port 0 would be all ports');
  const bytes = head(MAP, lifetimeS, client, HEAD + MAP_BYTES);
  const view = new DataView(bytes.buffer);
  bytes.set(nonce, HEAD);
  bytes[HEAD + 12] = PROTOCOLS[transport];
  view.setUint16(HEAD + 16, port);
  view.setUint16(HEAD + 18, suggested.port);
  const none = familyOf(client) === 6 ? '::' : '0.0.0.0';
  bytes.set(sixteen(suggested.address ?? none), HEAD + 20);
  return bytes;
}

function head(opcode: number, lifetimeS: number, client: string, length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  bytes[0] = VERSION;
  bytes[1] = opcode;
  new DataView(bytes.buffer).setUint32(4, lifetimeS);
  bytes.set(sixteen(client), 8);
  return bytes;
}

export function decodePcp(bytes: Uint8Array): Result<PcpAnswer, PcpRefusal> {
  if (bytes.length < HEAD || bytes.length > MAX_BYTES || bytes.length % 4 !== 0) return refused('pcp.length');
  if (bytes[0] !== VERSION) return refused('pcp.version');
  if ((bytes[1]! & ANSWER) === 0) return refused('pcp.request');
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const opcode = bytes[1]! & ~ANSWER;
  const result = bytes[3]!;
  const isMap = opcode === MAP;
  const isLong = bytes.length >= HEAD + MAP_BYTES;
  if (isMap && !isLong && result === 0) return refused('pcp.length');
  return accepted({
    about: isMap ? 'map' : opcode === ANNOUNCE ? 'announce' : 'other',
    result,
    lifetimeS: view.getUint32(4),
    epochS: view.getUint32(8),
    map: isMap && isLong ? readMap(bytes, view) : null,
  });
}

function readMap(bytes: Uint8Array, view: DataView): PcpMapped {
  const number = bytes[HEAD + 12];
  const address = bytes.subarray(HEAD + 20, HEAD + 36);
  const inner = isMapped(address);
  return {
    nonce: bytes.slice(HEAD, HEAD + PCP_NONCE_BYTES),
    transport: number === PROTOCOLS.tcp ? 'tcp' : number === PROTOCOLS.udp ? 'udp' : null,
    port: view.getUint16(HEAD + 16),
    outer: {
      family: inner ? 4 : 6,
      address: formatIp(inner ? address.subarray(12) : address),
      port: view.getUint16(HEAD + 18),
    },
  };
}

/** IPv4 as ::ffff:a.b.c.d. */
function sixteen(address: string): Uint8Array {
  const ip = parseIp(address);
  if (!ip.ok) throw new TypeError(`not an IP address: ${address}`);
  if (ip.value.family === 6) return ip.value.bytes;
  const bytes = new Uint8Array(16);
  bytes.fill(0xff, 10, 12);
  bytes.set(ip.value.bytes, 12);
  return bytes;
}
