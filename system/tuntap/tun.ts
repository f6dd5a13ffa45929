// The virtual network card by the fork's addon. No readiness is to be had for it without native code: a thread of node's
// pool waits in `read`, one packet at a time, while the packet before is worked on. That thread is why removal is our own:
// closing the descriptor leaves card and thread waiting for a packet that never comes, and the process could not end.
import { closeSync, openSync, read, writeSync } from 'node:fs';
import type { GinnelError } from '../../base/errors.ts';
import type { SendResult } from '../../core/contract/link.ts';
import { WHOLE } from '../../protocol/ip/offload.ts';
import type { Arena, TunDoor, TunOptions } from '../doors.ts';
import { ERRNO, systemErrors } from '../errors.ts';
import type { NetworkCard } from '../network-card.ts';
import {
  checkCardName,
  parseAddress,
  parseRoute,
  setUpCard,
  tunAttachError,
  tunOpenError,
  type CardParts,
} from '../tun-card.ts';
import { CardRoutes } from '../tun-routes.ts';
import { MAX_PACKET, TUN_HEADROOM } from '../tun.ts';
import type { TuntapAddon } from './addon.ts';
import type { IpCommand } from './ip-command.ts';

/** Cards of one name pattern that are tried. */
const MAX_CARDS = 256;

export interface SlowTunParts extends CardParts {
  readonly addon: TuntapAddon;
  readonly arena: Arena;
  readonly ip: IpCommand;
}

export function createSlowTunOpener(parts: SlowTunParts): (options: TunOptions) => TunDoor {
  const open = new OpenCards();
  const buffers = new Buffers(parts.arena);
  return options => {
    checkCardName(options.name);
    const addresses = options.addresses.map(parseAddress);
    options.routes.forEach(parseRoute);
    const { fd, card } = attachCard(parts, options.name);
    try {
      setUpCard(parts, card, options.mtu, addresses);
      const door = new SlowTun(parts, { fd, card, mtu: options.mtu, open, buffers });
      door.setRoutes(options.routes);
      door.begin();
      return door;
    } catch (error) {
      // Nobody reads yet: the card goes with its descriptor.
      closeSync(fd);
      throw error;
    }
  };
}

/** A card that is open when the process exits would hold it. */
class OpenCards {
  readonly #doors = new Set<TunDoor>();
  readonly #closeAll = (): void => this.#doors.forEach(door => door.close());

  add(door: TunDoor): void {
    if (this.#doors.size === 0) process.on('exit', this.#closeAll);
    this.#doors.add(door);
  }

  delete(door: TunDoor): void {
    this.#doors.delete(door);
    if (this.#doors.size === 0) process.off('exit', this.#closeAll);
  }
}

/** Two packets: one is read into while the other is worked on. */
type Pair = readonly [number, number];

/** A card that is gone may have a thread that still reads: its pair is given to another only when that has ended. */
class Buffers {
  readonly #arena: Arena;
  readonly #free: Pair[] = [];

  constructor(arena: Arena) {
    this.#arena = arena;
  }

  take(): Pair {
    return this.#free.pop() ?? [this.#allocate(), this.#allocate()];
  }

  giveBack(pair: Pair): void {
    this.#free.push(pair);
  }

  #allocate(): number {
    return this.#arena.allocate(TUN_HEADROOM + MAX_PACKET + TUN_HEADROOM) + TUN_HEADROOM;
  }
}

// ---- making it

function attachCard(parts: SlowTunParts, name: string): { fd: number; card: NetworkCard } {
  const fd = openDevice();
  try {
    const given = init(parts.addon, fd, name);
    const card = rename(parts.ip, given, name);
    return { fd, card: { name: card, index: parts.addon.tuntapGetIfIndex(card) } };
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}

function openDevice(): number {
  try {
    return openSync('/dev/net/tun', 'r+');
  } catch (error) {
    throw tunOpenError(errnoOf(error));
  }
}

function init(addon: TuntapAddon, fd: number, name: string): string {
  try {
    return addon.tuntapInit(fd, false);
  } catch (error) {
    throw tunAttachError(errnoOf(error), name);
  }
}

/** The fork asks for no name, so the kernel has called it `tun0`; for `ginnel%d` the first free number is taken. */
function rename(ip: IpCommand, given: string, wanted: string): string {
  const names = wanted.includes('%d')
    ? Array.from({ length: MAX_CARDS }, (_, number) => wanted.replace('%d', String(number)))
    : [wanted];
  for (const name of names) {
    const errno = ip.rename(given, name);
    if (errno === 0) return name;
    if (errno !== ERRNO.EEXIST) throw tunAttachError(errno, wanted);
  }
  throw tunAttachError(ERRNO.EEXIST, wanted);
}

/** Node tells it as a negative number, the addon as a positive one. */
function errnoOf(error: unknown): number {
  const errno = error instanceof Error && 'errno' in error ? Number(error.errno) : ERRNO.EIO;
  return Math.abs(errno);
}

// ---- the card

interface Attached {
  readonly fd: number;
  readonly card: NetworkCard;
  readonly mtu: number;
  readonly open: OpenCards;
  readonly buffers: Buffers;
}

class SlowTun implements TunDoor {
  readonly name: string;
  readonly mtu: number;
  readonly offloads = { tcp: false, udp: false };
  onPacket: TunDoor['onPacket'] = () => undefined;
  onTurnEnded: () => void = () => undefined;
  onLost: (error: GinnelError) => void = () => undefined;
  readonly #parts: SlowTunParts;
  readonly #routes: CardRoutes;
  readonly #attached: Attached;
  readonly #pair: Pair;
  readonly #counts;
  #isOpen = true;

  constructor(parts: SlowTunParts, attached: Attached) {
    const { card, mtu, buffers } = attached;
    this.#parts = parts;
    this.#attached = attached;
    this.#routes = new CardRoutes(parts, card);
    this.#pair = buffers.take();
    this.name = card.name;
    this.mtu = mtu;
    const counters = parts.counters.scope('tun');
    this.#counts = {
      read: counters.counter('read'),
      written: counters.counter('written'),
      refused: counters.counter('dropped.refused'),
    };
  }

  /** From here on a thread waits for packets. */
  begin(): void {
    this.#attached.open.add(this);
    this.#read(0);
  }

  write(bytes: Uint8Array, offset: number, length: number): SendResult {
    if (!this.#isOpen) return 'closed';
    try {
      // Waits for nobody: the kernel takes a packet or refuses it.
      writeSync(this.#attached.fd, bytes, offset, length);
      this.#counts.written.value++;
      return 'sent';
    } catch {
      this.#counts.refused.value++;
      return 'busy';
    }
  }

  setRoutes(routes: readonly string[]): void {
    const prefixes = routes.map(parseRoute);
    if (this.#isOpen) this.#routes.set(prefixes);
  }

  close(): void {
    if (!this.#isOpen) return;
    this.#leave();
    // This is what wakes the thread, which then lets go of the descriptor.
    const errno = this.#parts.ip.remove(this.name);
    if (errno !== 0 && errno !== ERRNO.ENODEV)
      this.#parts.log.error('the card could not be removed', { name: this.name, errno });
  }

  #leave(): void {
    this.#isOpen = false;
    this.#attached.open.delete(this);
  }

  #read(which: 0 | 1): void {
    read(
      this.#attached.fd,
      this.#parts.arena.memory,
      this.#pair[which],
      MAX_PACKET,
      null,
      (error, length) => {
        if (error !== null || !this.#isOpen) this.#ended();
        else this.#packet(which, length);
      },
    );
  }

  #packet(which: 0 | 1, length: number): void {
    this.#read(which === 0 ? 1 : 0);
    this.#counts.read.value++;
    this.onPacket(this.#parts.arena.memory, this.#pair[which], length, WHOLE);
    if (this.#isOpen) this.onTurnEnded();
  }

  /** The only errors of a read are those of a card that is gone: by us, or by somebody else. */
  #ended(): void {
    closeSync(this.#attached.fd);
    this.#attached.buffers.giveBack(this.#pair);
    if (!this.#isOpen) return;
    this.#leave();
    this.onLost(systemErrors('TUN_LOST', { name: this.name }));
  }
}
