// Cuts an IPv4 packet that may be cut (RFC 791) into fragments, in place: the header of each slides over the tail of the one
// before, which was taken by then. Inside the tunnel the far end's kernel puts them together; fragments of the tunnel's
// own datagrams would get lost at many a NAT and firewall.
import { checksumOf, sumOf } from '../../protocol/ip/checksum.ts';

const OFFSET_MASK = 0x1fff;
const MORE = 0x2000;
const END_OF_OPTIONS = 0;
const NO_OPTION = 1;
const COPIED = 0x80;

/**
 * The packet at `view[offset..offset+length)`, its checksums whole, goes to `take` in pieces of at most `room` bytes.
 * `take` may write one byte before a piece. The header stands as it was in the end: of a super-packet
 * the next one is made from it.
 */
export function fragment(
  view: DataView,
  offset: number,
  length: number,
  room: number,
  take: (offset: number, length: number) => void,
): void {
  const bytes = new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
  const header = (bytes[offset]! & 15) * 4;
  const step = (room - header) & ~7;
  if (header < 20 || step <= 0) return;
  const field = view.getUint16(offset + 6);
  const end = offset + Math.min(length, view.getUint16(offset + 2));
  const original = bytes.slice(offset, offset + header);
  let before = offset;
  for (let payload = offset + header; payload < end; payload += step) {
    const size = Math.min(step, end - payload);
    const at = payload - header;
    if (at !== offset) bytes.copyWithin(at, before, before + header);
    if (before === offset && at !== offset) blankOptions(bytes, at + 20, at + header);
    const isLast = payload + size === end;
    const units = ((field & OFFSET_MASK) + (payload - offset - header) / 8) & OFFSET_MASK;
    view.setUint16(at + 2, header + size);
    view.setUint16(at + 6, units | (isLast ? field & MORE : MORE));
    view.setUint16(at + 10, 0);
    view.setUint16(at + 10, checksumOf(sumOf(view, at, header)), true);
    take(at, header + size);
    before = at;
  }
  bytes.set(original, offset);
}

/** Only some options stand in later fragments; the others give way to nothing. */
function blankOptions(bytes: Uint8Array, from: number, end: number): void {
  for (let at = from; at < end;) {
    const kind = bytes[at]!;
    if (kind === END_OF_OPTIONS) return;
    const size = kind === NO_OPTION ? 1 : Math.max(2, bytes[at + 1]!);
    if ((kind & COPIED) === 0) bytes.fill(NO_OPTION, at, Math.min(end, at + size));
    at += size;
  }
}
