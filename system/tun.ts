// The virtual network card: /dev/net/tun, one IP packet a read, straight into the arena with room before and behind it.
// The card is not made persistent: the kernel removes it, with addresses and routes, however the process ends (V1, V2).
import type { GinnelError } from '../base/errors.ts';
import type { SendResult } from '../core/contract/link.ts';
import type { Arena, TunDoor, TunOptions } from './doors.ts';
import { ERRNO, systemErrors } from './errors.ts';
import type { Libc } from './libc.ts';
import type { NetworkCard } from './network-card.ts';
import type { Readiness, Watch } from './poll.ts';
import { attachCard, parseAddress, parseRoute, setUpCard, type CardParts } from './tun-card.ts';
import { CardRoutes } from './tun-routes.ts';

/** Room before and behind each packet: whoever seals it in place needs no copy. */
export const TUN_HEADROOM = 64;
/** Packets that one turn may read; then the event loop has its turn. */
const READS_PER_TURN = 64;
export const MAX_PACKET = 65536;

export interface TunParts extends CardParts {
  readonly libc: Libc;
  readonly arena: Arena;
  readonly readiness: Readiness;
}

/** Opens TUN cards; they share one pair of packet buffers. */
export function createTunOpener(parts: TunParts): (options: TunOptions) => TunDoor {
  let buffers: TunBuffers | null = null;
  return options => {
    buffers ??= allocateBuffers(parts.arena);
    const addresses = options.addresses.map(parseAddress);
    options.routes.forEach(parseRoute);
    const { fd, card } = attachCard(parts, buffers.read, options.name);
    try {
      setUpCard(parts, card, options.mtu, addresses);
      const door = new Tun(parts, buffers, fd, card, options.mtu);
      try {
        door.setRoutes(options.routes);
        return door;
      } catch (error) {
        door.forget();
        throw error;
      }
    } catch (error) {
      parts.libc.close(fd);
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
    write: arena.allocate(MAX_PACKET),
  };
}

class Tun implements TunDoor {
  readonly name: string;
  readonly mtu: number;
  onPacket: (bytes: Uint8Array, offset: number, length: number) => void = () => undefined;
  onTurnEnded: () => void = () => undefined;
  onLost: (error: GinnelError) => void = () => undefined;
  readonly #parts: TunParts;
  readonly #buffers: TunBuffers;
  readonly #watch: Watch;
  readonly #routes: CardRoutes;
  readonly #counts;
  #fd: number;

  constructor(parts: TunParts, buffers: TunBuffers, fd: number, card: NetworkCard, mtu: number) {
    this.#parts = parts;
    this.#buffers = buffers;
    this.#fd = fd;
    this.#routes = new CardRoutes(parts, card);
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

  write(bytes: Uint8Array, offset: number, length: number): SendResult {
    if (this.#fd < 0) return 'closed';
    const { libc, arena } = this.#parts;
    let at = bytes.byteOffset + offset;
    if (bytes.buffer !== arena.memory.buffer) {
      if (length > MAX_PACKET)
        throw new TypeError(`an IP packet has at most ${MAX_PACKET} bytes, not ${length}`);
      at = this.#buffers.write;
      arena.memory.set(bytes.subarray(offset, offset + length), at);
    }
    if (libc.write(this.#fd, arena.base + at, length) === length) {
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
    for (let reads = 0; reads < READS_PER_TURN && this.#fd >= 0; reads++) {
      const length = libc.read(this.#fd, arena.base + at, MAX_PACKET);
      if (length <= 0) {
        if (length < 0 && libc.errno() === ERRNO.EBADFD) this.#lost();
        break;
      }
      this.#counts.read.value++;
      this.onPacket(arena.memory, at, length);
    }
    if (this.#fd >= 0) this.onTurnEnded();
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
