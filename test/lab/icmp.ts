// ICMP echo over IPv4, made and answered in memory: what a test says through an engine that has no TUN.

const IP_BYTES = 20;
const ICMP_BYTES = 8;

export interface Echo {
  readonly kind: 'request' | 'reply';
  readonly source: string;
  readonly destination: string;
  readonly sequence: number;
}

/** A whole IPv4 packet with an echo request or reply and `payloadBytes` behind it. */
export function encodeEcho(echo: Echo, payloadBytes = 56): Uint8Array {
  const packet = new Uint8Array(IP_BYTES + ICMP_BYTES + payloadBytes).fill(0x67);
  const view = new DataView(packet.buffer);
  packet.fill(0, 0, IP_BYTES + ICMP_BYTES);
  packet[0] = 0x45;
  view.setUint16(2, packet.length);
  packet[8] = 64;
  packet[9] = 1;
  packet.set(echo.source.split('.').map(Number), 12);
  packet.set(echo.destination.split('.').map(Number), 16);
  packet[IP_BYTES] = echo.kind === 'request' ? 8 : 0;
  view.setUint16(IP_BYTES + 4, 0x1234);
  view.setUint16(IP_BYTES + 6, echo.sequence);
  view.setUint16(10, checksum(packet, 0, IP_BYTES));
  view.setUint16(IP_BYTES + 2, checksum(packet, IP_BYTES, packet.length));
  return packet;
}

/** Null for anything but an echo over IPv4. */
export function decodeEcho(packet: Uint8Array): Echo | null {
  if (packet[0] !== 0x45 || packet[9] !== 1 || packet.length < IP_BYTES + ICMP_BYTES) return null;
  const type = packet[IP_BYTES]!;
  if (type !== 0 && type !== 8) return null;
  return {
    kind: type === 8 ? 'request' : 'reply',
    source: packet.subarray(12, 16).join('.'),
    destination: packet.subarray(16, 20).join('.'),
    sequence: (packet[IP_BYTES + 6]! << 8) | packet[IP_BYTES + 7]!,
  };
}

/** The same packet, sent back: addresses exchanged, a request made a reply. */
export function answerEcho(request: Uint8Array): Uint8Array {
  const reply = request.slice();
  const view = new DataView(reply.buffer);
  reply.set(request.subarray(16, 20), 12);
  reply.set(request.subarray(12, 16), 16);
  reply[IP_BYTES] = 0;
  view.setUint16(IP_BYTES + 2, 0);
  view.setUint16(IP_BYTES + 2, checksum(reply, IP_BYTES, reply.length));
  return reply;
}

function checksum(bytes: Uint8Array, from: number, to: number): number {
  let sum = 0;
  for (let at = from; at < to; at += 2) sum += (bytes[at]! << 8) | (at + 1 < to ? bytes[at + 1]! : 0);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16);
  return ~sum & 0xffff;
}
