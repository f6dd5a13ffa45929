// NAT-PMP (RFC 6886): PCP's predecessor, for IPv4 alone.
import { formatIp } from '../ip/address.ts';
import { accepted, refused, type Result } from '../result.ts';

export const NAT_PMP_PORT = 5351;

const ANSWER = 0x80;
const OPCODES = { address: 0, udp: 1, tcp: 2 } as const;
/** An error may end behind the epoch. */
const LEAST = 8;
const ADDRESS_BYTES = 12;
const MAP_BYTES = 16;

export type NatPmpTransport = 'udp' | 'tcp';

export interface NatPmpMapRequest {
  readonly transport: NatPmpTransport;
  readonly port: number;
  /** Where it should be outside. */
  readonly suggestedPort: number;
  /** 0: the mapping is to go. */
  readonly lifetimeS: number;
}

export type NatPmpAnswer = NatPmpHead & (NatPmpError | NatPmpAddress | NatPmpMapped);

interface NatPmpHead {
  readonly epochS: number;
}
interface NatPmpError {
  readonly about: 'error';
  /** What was asked. */
  readonly asked: 'address' | NatPmpTransport;
  readonly result: number;
}
interface NatPmpAddress {
  readonly about: 'address';
  readonly address: string;
}
interface NatPmpMapped {
  readonly about: 'map';
  readonly transport: NatPmpTransport;
  readonly port: number;
  readonly outerPort: number;
  readonly lifetimeS: number;
}

export type NatPmpRefusal = 'natpmp.length' | 'natpmp.version' | 'natpmp.opcode';

export const encodeNatPmpAddress = (): Uint8Array => new Uint8Array([0, OPCODES.address]);

export function encodeNatPmpMap({ transport, port, suggestedPort, lifetimeS }: NatPmpMapRequest): Uint8Array {
  if (port === 0) throw new TypeError('port 0 would be all ports');
  const bytes = new Uint8Array(12);
  const view = new DataView(bytes.buffer);
  bytes[1] = OPCODES[transport];
  view.setUint16(4, port);
  // RFC 6886 3.4: whoever gives a mapping back names no outer port.
  view.setUint16(6, lifetimeS === 0 ? 0 : suggestedPort);
  view.setUint32(8, lifetimeS);
  return bytes;
}

export function decodeNatPmp(bytes: Uint8Array): Result<NatPmpAnswer, NatPmpRefusal> {
  if (bytes.length < LEAST || bytes.length > MAP_BYTES) return refused('natpmp.length');
  if (bytes[0] !== 0) return refused('natpmp.version');
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const asked = askedBy(bytes[1]!);
  if (asked === null) return refused('natpmp.opcode');
  const result = view.getUint16(2);
  const epochS = view.getUint32(4);
  if (result !== 0) return accepted({ about: 'error', asked, result, epochS });
  if (bytes.length !== (asked === 'address' ? ADDRESS_BYTES : MAP_BYTES)) return refused('natpmp.length');
  if (asked === 'address')
    return accepted({ about: 'address', epochS, address: formatIp(bytes.subarray(8, 12)) });
  return accepted({
    ...{ about: 'map', epochS, transport: asked },
    port: view.getUint16(8),
    outerPort: view.getUint16(10),
    lifetimeS: view.getUint32(12),
  });
}

const askedBy = (opcode: number): 'address' | NatPmpTransport | null =>
  opcode === (ANSWER | OPCODES.address)
    ? 'address'
    : opcode === (ANSWER | OPCODES.udp)
      ? 'udp'
      : opcode === (ANSWER | OPCODES.tcp)
        ? 'tcp'
        : null;
