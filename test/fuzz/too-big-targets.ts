// Fuzz targets: packets that are too large for their path, and SYNs that ask for too much.
import { fragment } from '../../core/dataplane/fragment.ts';
import { clampMss, isSyn } from '../../core/dataplane/mss.ts';
import { readIpHeader } from '../../protocol/ip/header.ts';
import { tooBig, TOO_BIG_BYTES } from '../../protocol/ip/too-big.ts';
import { packet, tcp } from '../unit/wireguard/packets.ts';
import { mustHold, type FuzzTarget } from './harness.ts';
import type { FuzzRandom } from './mutate.ts';

const GUARD = 32;
const GUARDS = 0xa5;
/** What a taker may write to around a piece. */
const BEHIND = 16;
const PLACES = [
  { source: '10.77.0.1', destination: '10.77.0.2' },
  { source: 'fd77:0:0:0:0:0:0:1', destination: 'fd77:0:0:0:0:0:0:2' },
] as const;

function somePacket(random: FuzzRandom): Uint8Array {
  const place = random.pick(PLACES);
  const dontFragment = random.below(2) === 0;
  if (random.below(2) === 0)
    return packet({ ...place, dontFragment, protocol: 17, payload: random.bytes(8 + random.below(1_500)) });
  const options = [2, 4, random.below(256), random.below(256), ...random.bytes(4 * random.below(9))];
  return packet({ ...place, dontFragment, protocol: 6, payload: tcp(random.pick([2, 0x12, 0x10]), options) });
}

/** The packet with bytes around it that nobody may touch. */
function guarded(input: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(input.length + 2 * GUARD).fill(GUARDS);
  bytes.set(input, GUARD);
  return bytes;
}

const isGuarded = (bytes: Uint8Array, ahead = GUARD, behind = GUARD): boolean =>
  bytes.subarray(0, ahead).every(byte => byte === GUARDS) &&
  bytes.subarray(bytes.length - behind).every(byte => byte === GUARDS);

export const tooLargePackets: FuzzTarget = {
  name: 'packets that are too large, SYNs',
  decoders: ['protocol/ip/too-big.ts', 'core/dataplane/mss.ts', 'core/dataplane/fragment.ts'],
  valid: somePacket,
  check(input, random) {
    const room = 600 + random.below(1_000);
    checkSyn(input, room);
    if (readIpHeader(input).ok && input[0]! >>> 4 === 4) checkFragments(input, room);
    const word = tooBig(input, 0, input.length, room);
    if (word === null) return 'too-big.untold';
    mustHold(word.length <= TOO_BIG_BYTES && readIpHeader(word).ok, 'no whole packet');
    return 'accepted';
  },
};

function checkSyn(input: Uint8Array, room: number): void {
  const bytes = guarded(input);
  if (!isSyn(bytes, GUARD)) return;
  const isLower = clampMss(bytes, GUARD, input.length, room, false);
  const after = bytes.subarray(GUARD, GUARD + input.length);
  const changed = after.filter((byte, index) => byte !== input[index]).length;
  mustHold(isLower ? changed <= 4 : changed === 0, 'more than an MSS and a checksum changed');
  mustHold(isGuarded(bytes), 'written outside the packet');
}

function checkFragments(input: Uint8Array, room: number): void {
  const bytes = guarded(input);
  const header = (input[0]! & 15) * 4;
  let data = 0;
  fragment(new DataView(bytes.buffer), GUARD, input.length, room, (at, length) => {
    mustHold(at >= GUARD && at + length <= GUARD + input.length && length <= room, 'a piece outside');
    bytes.fill(0, at - 1, at);
    bytes.fill(0, at + length, at + length + BEHIND);
    data += length - header;
  });
  mustHold(data === ((input[2]! << 8) | input[3]!) - header, 'another length in all');
  mustHold(isGuarded(bytes, GUARD - 1, GUARD - BEHIND), 'written outside the packet');
}
