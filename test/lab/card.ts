// The TUN card of the lab's delay, apart from the product's own, so that a fault there cannot hide here. Before each packet
// stands the kernel's header of ten bytes; with offload there are super-packets too. This card passes both on as they are.
import koffi from 'koffi';

export interface Card {
  /** A packet stands at `memory[offset]`, until the call returns. */
  onPacket: (offset: number, length: number) => void;
  /** Hands the packet at `memory[offset]` to the kernel; false: it was refused. */
  write(offset: number, length: number): boolean;
  /** Super-packets from now on, or none. */
  setOffload(on: boolean): void;
}

/** struct virtio_net_hdr, part of a packet here. */
export const CARD_HEADER = 10;

/** What a card needs of `memory`, at its beginning, to read into. */
export const CARD_ROOM = 70_000;

const O_RDWR_NONBLOCK = 0o4002;
const TUNSETIFF = 0x400454ca;
const TUNSETOFFLOAD = 0x400454d0;
const IFF_TUN = 0x0001;
const IFF_NO_PI = 0x1000;
const IFF_VNET_HDR = 0x4000;
/** Checksums, TCP over IPv4 and IPv6; then UDP too, from Linux 6.2 on. */
const OFFLOADS = [0x67, 0x07];
const NONE = [0];
const PACKETS_PER_TURN = 512;

interface Calls {
  open(path: string, flags: number): number;
  ioctl(fd: number, request: number, argument: number): number;
  read(fd: number, address: number, length: number): number;
  write(fd: number, address: number, length: number): number;
}

/** Opens a card; throws an Error when the kernel says no. It lives as long as the process. */
export function openCard(name: string, memory: Uint8Array, offload: boolean): Card {
  const calls = loadCalls();
  const base = Number(koffi.address(memory));
  const fd = calls.open('/dev/net/tun', O_RDWR_NONBLOCK);
  if (fd < 0) throw new Error(`/dev/net/tun: errno ${koffi.errno()}`);
  memory.fill(0, 0, 40);
  memory.set(new TextEncoder().encode(name));
  new DataView(memory.buffer).setUint16(16, IFF_TUN | IFF_NO_PI | IFF_VNET_HDR, true);
  if (calls.ioctl(fd, TUNSETIFF, base) < 0) throw new Error(`TUNSETIFF ${name}: errno ${koffi.errno()}`);
  const setOffload = (on: boolean): void => {
    if (!(on ? OFFLOADS : NONE).some(bits => calls.ioctl(fd, TUNSETOFFLOAD, bits) === 0))
      throw new Error(`TUNSETOFFLOAD: errno ${koffi.errno()}`);
  };
  setOffload(offload);
  const card: Card = {
    onPacket: () => undefined,
    write: (offset, length) => calls.write(fd, base + offset, length) === length,
    setOffload,
  };
  keepForever(
    koffi.node.poll(fd, { readable: true }, () => {
      for (let count = 0; count < PACKETS_PER_TURN; count += 1) {
        const length = calls.read(fd, base, CARD_ROOM);
        if (length <= 0) return;
        card.onPacket(0, length);
      }
    }),
  );
  return card;
}

/** A collected poll handle closes without a word: this one is held by the process itself. */
function keepForever(handle: object): void {
  process.once('exit', () => handle);
}

function loadCalls(): Calls {
  const library = koffi.load(null);
  return {
    open: library.func('open', 'int', ['str', 'int']) as Calls['open'],
    ioctl: library.func('ioctl', 'int', ['int', 'ulong', 'uintptr_t']) as Calls['ioctl'],
    read: library.func('read', 'intptr_t', ['int', 'uintptr_t', 'size_t']) as Calls['read'],
    write: library.func('write', 'intptr_t', ['int', 'uintptr_t', 'size_t']) as Calls['write'],
  };
}
