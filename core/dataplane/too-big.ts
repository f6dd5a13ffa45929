// What becomes of an IP packet that is larger than its path carries: IPv4 that may be fragmented goes on in pieces; of
// anything else the sender is told, as a router on the way would tell it.
import { TokenBucket } from '../../base/token-bucket.ts';
import { TOO_BIG_BYTES, tooBig } from '../../protocol/ip/too-big.ts';
import { WHOLE } from '../../protocol/ip/offload.ts';
import { fragment } from './fragment.ts';
import { isIpv4 } from './ip-packet.ts';
import { fillChecksum } from './open-checksum.ts';
import type { Setting } from './options.ts';
import { PACKET_ROOM } from './packet-queue.ts';
import type { Peer } from './peer.ts';
import { IPV6_LEAST_BYTES, roomOf } from './room.ts';

const DONT_FRAGMENT = 0x40;
/** Words a second, and at once. A kernel that was told once remembers it for all packets to that place. */
const TOLD = { perSecond: 50, burst: 50 };

export class TooBig {
  readonly #setting: Setting;
  readonly #at: number;
  readonly #told: TokenBucket;
  /** One word for all that a turn has for one peer: a super-packet is many. */
  #lastPeer: Peer | null = null;
  #lastAt = -Infinity;

  constructor(setting: Setting) {
    this.#setting = setting;
    this.#at = setting.allocate(PACKET_ROOM + TOO_BIG_BYTES + PACKET_ROOM) + PACKET_ROOM;
    this.#told = new TokenBucket(TOLD.perSecond, TOLD.burst, setting.clock.monotonicMs());
  }

  /** IPv6 promises its senders so much, and words between nodes are never larger. */
  goesAnyhow(bytes: Uint8Array, offset: number, length: number): boolean {
    return length <= IPV6_LEAST_BYTES && !isIpv4(bytes, offset);
  }

  /** `send` takes the pieces; it may write one byte before each. */
  take(
    peer: Peer,
    bytes: Uint8Array,
    offset: number,
    length: number,
    isOpen: boolean,
    now: number,
    send: (offset: number, length: number) => void,
  ): void {
    const { counts, mtu } = this.#setting;
    const room = roomOf(peer, mtu);
    if (isIpv4(bytes, offset) && (bytes[offset + 6]! & DONT_FRAGMENT) === 0) {
      const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
      if (isOpen) fillChecksum(bytes, view, offset, length);
      counts.out.fragmented.value++;
      fragment(view, offset, length, room, send);
      return;
    }
    counts.out['too-long'].value++;
    const most = isIpv4(bytes, offset) ? room : Math.max(room, IPV6_LEAST_BYTES);
    if (this.#mayTell(peer, now)) this.#tell(bytes, offset, length, most);
  }

  #mayTell(peer: Peer, now: number): boolean {
    if (peer === this.#lastPeer && now === this.#lastAt) return false;
    if (!this.#told.take(now)) return false;
    this.#lastPeer = peer;
    this.#lastAt = now;
    return true;
  }

  #tell(bytes: Uint8Array, offset: number, length: number, most: number): void {
    const { aead, counts, deliver } = this.#setting;
    const word = tooBig(bytes, offset, length, most);
    if (word === null) return;
    aead.memory.set(word, this.#at);
    deliver(aead.memory, this.#at, word.length, WHOLE);
    counts.out['told-too-big'].value++;
  }
}
