// The virtual network card: /dev/net/tun, one IP packet or super-packet a read, straight into the arena with room before and
// behind it. What the kernel left to do on a packet stands in a header before it (struct virtio_net_hdr).
// The kernel removes the card, with addresses and routes, however the process ends (V1, V2); only `leave`, for a restart,
// hands it to the process that comes.
import type { GinnelError } from '../base/errors.ts';
import type { SendResult } from '../core/contract/link.ts';
import { WHOLE, type PacketOffload } from '../protocol/ip/offload.ts';
import type { Arena, TunDoor, TunOffloads, TunOptions } from './doors.ts';
import { ERRNO, systemErrors } from './errors.ts';
import type { Libc } from './libc.ts';
import type { Readiness, Watch } from './poll.ts';
import { attachCard, parseAddress, parseRoute, setPersistent, setUpCard } from './tun-card.ts';
import type { AttachedCard, CardParts } from './tun-card.ts';
import { CardRoutes } from './tun-routes.ts';

/** Room before and behind each packet: whoever seals it in place needs no copy. */
export const TUN_HEADROOM = 64;
/** What one turn may read; then the event loop has its turn. */
const READS_PER_TURN = 64;
const BYTES_PER_TURN = 256 * 1024;
export const MAX_PACKET = 65536;

/** struct virtio_net_hdr: flags, kind, header length, segment size, checksum start and offset. */
const HEADER_BYTES = 10;
const NEEDS_CHECKSUM = 1;
const KIND_MASK = 0x7f;
const KIND_TCP4 = 1;
const KIND_TCP6 = 4;
const KIND_UDP = 5;
const UDP_CHECKSUM_OFFSET = 6;

export interface TunParts extends CardParts {
  readonly libc: Libc;
  readonly arena: Arena;
  readonly readiness: Readiness;
  /** Are super-packets and open checksums wanted where the kernel has them? */
  readonly offload: boolean;
}

/** Opens TUN cards; they share one pair of packet buffers. */
export function createTunOpener(parts: TunParts): (options: TunOptions) => TunDoor {
  let buffers: TunBuffers | null = null;
  return options => {
    buffers ??= allocateBuffers(parts.arena);
    const addresses = options.addresses.map(parseAddress);
    options.routes.forEach(parseRoute);
    const attached = attachCard(parts, buffers.read, options.name);
    try {
      setUpCard(parts, attached.card, options.mtu, addresses);
      const door = new Tun(parts, buffers, attached, options.mtu);
      try {
        door.setRoutes(options.routes);
        return door;
      } catch (error) {
        door.forget();
        throw error;
      }
    } catch (error) {
      parts.libc.close(attached.fd);
      throw error;
    }
  };
}

interface TunBuffers {
  readonly read: number;
  readonly write: number;
}

function allocateBuffers(arena: Arena): TunBuffers {
  return {
    read: arena.allocate(TUN_HEADROOM + MAX_PACKET + TUN_HEADROOM) + TUN_HEADROOM,
    write: arena.allocate(TUN_HEADROOM + MAX_PACKET) + TUN_HEADROOM,
  };
}

class Tun implements TunDoor {
  readonly name: string;
  readonly mtu: number;
  readonly offloads: TunOffloads;
  onPacket: TunDoor['onPacket'] = () => undefined;
  onTurnEnded: () => void = () => undefined;
  onLost: (error: GinnelError) => void = () => undefined;
  readonly #parts: TunParts;
  readonly #buffers: TunBuffers;
  readonly #watch: Watch;
  readonly #routes: CardRoutes;
  readonly #counts;
  /** Of the virtio_net_hdr; 0: there is none. */
  readonly #headerBytes: number;
  readonly #offload: PacketOffload = { ...WHOLE };
  #fd: number;

  constructor(parts: TunParts, buffers: TunBuffers, attached: AttachedCard, mtu: number) {
    const { fd, card } = attached;
    this.#parts = parts;
    this.#buffers = buffers;
    this.#fd = fd;
    this.#routes = new CardRoutes(parts, card);
    this.#headerBytes = attached.hasHeader ? HEADER_BYTES : 0;
    this.offloads = attached.offloads;
    this.name = card.name;
    this.mtu = mtu;
    const counters = parts.counters.scope('tun');
    this.#counts = {
      read: counters.counter('read'),
      written: counters.counter('written'),
      refused: counters.counter('dropped.refused'),
    };
    this.#watch = parts.readiness.watch(fd, {
      readable: () => this.#turn(),
      failed: () => this.#stillThere(),
    });
  }

  write(bytes: Uint8Array, offset: number, length: number, offload: PacketOffload = WHOLE): SendResult {
    if (this.#fd < 0) return 'closed';
    const { libc, arena } = this.#parts;
    let at = bytes.byteOffset + offset;
    if (bytes.buffer !== arena.memory.buffer) {
      if (length > MAX_PACKET)
        throw new TypeError(`an IP packet has at most ${MAX_PACKET} bytes, not ${length}`);
      at = this.#buffers.write;
      arena.memory.set(bytes.subarray(offset, offset + length), at);
    }
    const header = this.#headerBytes;
    if (header > 0) this.#writeHeader(at, offload);
    else if (offload.checksumStart > 0)
      throw new TypeError('this card takes packets with whole checksums only');
    if (libc.write(this.#fd, arena.base + at - header, header + length) === header + length) {
      this.#counts.written.value++;
      return 'sent';
    }
    this.#counts.refused.value++;
    return 'busy';
  }

  setRoutes(routes: readonly string[]): void {
    const prefixes = routes.map(parseRoute);
    if (this.#fd >= 0) this.#routes.set(prefixes);
  }

  leave(): void {
    if (this.#fd >= 0) setPersistent(this.#parts.libc, this.#fd, true);
    this.close();
  }

  close(): void {
    const fd = this.#fd;
    if (fd < 0) return;
    this.forget();
    this.#parts.libc.close(fd);
  }

  /** Stops watching; the descriptor is the caller's to close. */
  forget(): void {
    this.#watch.close();
    this.#fd = -1;
  }

  #turn(): void {
    const { libc, arena } = this.#parts;
    const at = this.#buffers.read;
    const header = this.#headerBytes;
    let left = BYTES_PER_TURN;
    for (let reads = 0; reads < READS_PER_TURN && left > 0 && this.#fd >= 0; reads++) {
      const length = libc.read(this.#fd, arena.base + at - header, header + MAX_PACKET) - header;
      if (length <= 0) {
        if (length < 0 && libc.errno() === ERRNO.EBADFD) this.#lost();
        break;
      }
      this.#counts.read.value++;
      left -= length;
      if (header > 0) this.#readHeader(at);
      this.onPacket(arena.memory, at, length, this.#offload);
    }
    if (this.#fd >= 0) this.onTurnEnded();
  }

  #readHeader(at: number): void {
    const { view, memory } = this.#parts.arena;
    const offload = this.#offload;
    const isOpen = (memory[at - 10]! & NEEDS_CHECKSUM) !== 0;
    offload.segment = (memory[at - 9]! & KIND_MASK) === 0 ? 0 : view.getUint16(at - 6, true);
    offload.checksumStart = isOpen ? view.getUint16(at - 4, true) : 0;
    offload.checksumOffset = view.getUint16(at - 2, true);
  }

  #writeHeader(at: number, { segment, checksumStart, checksumOffset }: PacketOffload): void {
    const { view, memory } = this.#parts.arena;
    memory.fill(0, at - HEADER_BYTES, at);
    if (checksumStart === 0) return;
    memory[at - 10] = NEEDS_CHECKSUM;
    view.setUint16(at - 4, checksumStart, true);
    view.setUint16(at - 2, checksumOffset, true);
    if (segment === 0) return;
    const isUdp = checksumOffset === UDP_CHECKSUM_OFFSET;
    const header = checksumStart + (isUdp ? 8 : (memory[at + checksumStart + 12]! >> 4) * 4);
    memory[at - 9] = isUdp ? KIND_UDP : memory[at]! >> 4 === 4 ? KIND_TCP4 : KIND_TCP6;
    view.setUint16(at - 8, header, true);
    view.setUint16(at - 6, segment, true);
  }

  /** A card that somebody deleted stays in an error state for good: watching it on would be a busy loop. */
  #stillThere(): boolean {
    const { libc, arena } = this.#parts;
    if (this.#fd < 0) return false;
    if (libc.read(this.#fd, arena.base + this.#buffers.read, 0) < 0 && libc.errno() === ERRNO.EBADFD) {
      this.#lost();
      return false;
    }
    return true;
  }

  #lost(): void {
    this.close();
    this.onLost(systemErrors('TUN_LOST', { name: this.name }));
  }
}
