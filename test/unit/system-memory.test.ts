// The ground the doors stand on: the C library, the arena, readiness, and the kernel's structures.
import { readdirSync } from 'node:fs';
import t from 'tap';
import { Counters } from '../../base/counters.ts';
import { createArena } from '../../system/arena.ts';
import { openDoors } from '../../system/doors-linux.ts';
import { layoutOf, setWord } from '../../system/layout.ts';
import { openLibc, type Libc } from '../../system/libc.ts';
import { createReadiness } from '../../system/poll.ts';

const SOL_IP = 0;
const IP_RECVERR = 11;

async function until(what: string, holds: () => boolean): Promise<void> {
  const end = performance.now() + 5000;
  while (!holds()) {
    if (performance.now() > end) throw new Error(`waited in vain: ${what}`);
    await new Promise(resolve => setImmediate(resolve));
  }
}

t.test('a machine that koffi has no binary for is told so in words', t => {
  const missing = (): never => {
    throw new Error('Cannot find the native Koffi module; did you bundle it correctly?');
  };
  t.throws(() => openLibc(missing), { code: 'KOFFI_UNAVAILABLE', message: new RegExp(process.arch) });
  t.end();
});

t.test('the arena gives aligned parts that do not overlap, until it is full', t => {
  const arena = createArena(openLibc(), 4096);
  const first = arena.allocate(10);
  const second = arena.allocate(100, 256);
  t.ok(second >= first + 10);
  t.equal(second % 256, 0);
  t.throws(() => arena.allocate(4096), { code: 'ARENA_FULL' });
  t.equal(arena.allocate(4), 384, 'a refusal takes nothing');
  t.end();
});

t.test('the fields of msghdr, iovec and cmsghdr are where this kernel has them', t => {
  const { koffi, pointerBytes } = openLibc();
  const pointer = 'void *';
  const header = koffi.struct({
    name: pointer,
    nameLength: 'uint32',
    iov: pointer,
    iovCount: 'size_t',
    control: pointer,
    controlLength: 'size_t',
    flags: 'int',
  });
  const message = koffi.struct({ header, length: 'uint32' });
  const layout = layoutOf(pointerBytes);
  for (const field of [
    'name',
    'nameLength',
    'iov',
    'iovCount',
    'control',
    'controlLength',
    'flags',
  ] as const) {
    t.equal(layout.message[field], koffi.offsetof(header, field), field);
  }
  t.equal(layout.message.length, koffi.offsetof(message, 'length'));
  t.equal(layout.message.bytes, koffi.sizeof(message));
  const control = koffi.struct({ bytes: 'size_t', level: 'int', type: 'int' });
  t.equal(layout.control.level, koffi.offsetof(control, 'level'));
  t.equal(layout.control.type, koffi.offsetof(control, 'type'));
  t.equal(layout.control.data, koffi.sizeof(control));
  t.match(layoutOf(4), {
    iovec: { bytes: 8, length: 4 },
    message: {
      bytes: 32,
      nameLength: 4,
      iov: 8,
      iovCount: 12,
      control: 16,
      controlLength: 20,
      flags: 24,
      length: 28,
    },
    control: { level: 4, type: 8, data: 12 },
  });
  t.equal(layoutOf(4).control.align(13), 16);
  const arena = createArena(openLibc(), 64);
  setWord(arena, layoutOf(8), 0, 0x7fff_1234_5678);
  t.equal(arena.view.getBigUint64(0, true), 0x7fff_1234_5678n);
  arena.view.setUint32(12, 99, true);
  setWord(arena, layoutOf(4), 8, 0xfedcba98);
  t.equal(arena.view.getUint32(8, true), 0xfedcba98);
  t.equal(arena.view.getUint32(12, true), 99, 'a 32-bit word is four bytes');
  t.end();
});

t.test('reception goes on after an error on the socket, which stops a poll for good', async t => {
  const libc = openLibc();
  const counters = new Counters();
  const doors = openDoors({ counters });
  const before = new Set(openSockets(libc));
  const door = doors.openUdp({ family: 4, port: 0, address: '127.0.0.1' });
  t.teardown(() => door.close());
  const [fd] = openSockets(libc).filter(number => !before.has(number));
  t.type(fd, 'number');
  const at = doors.arena.allocate(8);
  doors.arena.view.setInt32(at, 1, true);
  t.equal(libc.setsockopt(fd!, SOL_IP, IP_RECVERR, doors.arena.base + at, 4), 0);
  const gone = doors.openUdp({ family: 4, port: 0, address: '127.0.0.1' });
  const nobody = door.remote({ family: 4, address: '127.0.0.1', port: gone.localPort });
  gone.close();
  let heard = 0;
  door.onBatch = () => heard++;
  const batch = { bytes: new Uint8Array(1), offset: 0, length: 1, segment: 1 };
  const errors = counters.counter('system.udp.errors');
  for (let round = 1; round <= 3; round++) {
    const seen = errors.value;
    door.send(nobody, batch);
    door.flush();
    await until('the ICMP error', () => errors.value > seen);
    door.send(door.remote({ family: 4, address: '127.0.0.1', port: door.localPort }), batch);
    door.flush();
    await until('the datagram', () => heard === round);
  }
  const settled = errors.value;
  for (let turn = 0; turn < 50; turn++) await new Promise(resolve => setImmediate(resolve));
  t.equal(errors.value, settled, 'an error that was taken off is not told again');
  door.close();
});

t.test('a watch whose error cannot be taken off ends', async t => {
  const libc = openLibc();
  const arena = createArena(libc, 4096);
  const fd = libc.socket(2, 2 | 0o4000, 0);
  arena.memory.set([2, 0, 0, 9, 127, 0, 0, 1]);
  let told = 0;
  createReadiness(libc.koffi).watch(fd, {
    readable: () => t.fail('nothing is there to read'),
    failed() {
      told++;
      return false;
    },
  });
  const connect = libc.koffi.load(null).func('connect', 'int', ['int', 'uintptr_t', 'uint']);
  t.equal(connect(fd, arena.base, 16), 0);
  libc.send(fd, arena.base, 1, 0);
  await until('the error', () => told > 0);
  for (let turn = 0; turn < 20; turn++) await new Promise(resolve => setImmediate(resolve));
  t.equal(told, 1);
  libc.close(fd);
});

t.test('a thousand sockets, one after another or 256 at once, use no more of the arena than one', t => {
  const doors = openDoors();
  const open = () => doors.openUdp({ family: 4, port: 0, address: '127.0.0.1' });
  open().close();
  const top = doors.arena.allocate(1, 1);
  for (let index = 0; index < 1000; index++) open().close();
  const burst = Array.from({ length: 256 }, open);
  t.equal(new Set(burst.map(door => door.localPort)).size, 256);
  for (const door of burst) door.close();
  t.equal(doors.arena.allocate(1, 1), top + 1);
  t.end();
});

function openSockets(libc: Libc): number[] {
  return readdirSync('/proc/self/fd')
    .map(Number)
    .filter(fd => isSocket(libc, fd));
}

function isSocket(libc: Libc, fd: number): boolean {
  const arena = createArena(libc, 256);
  arena.view.setUint32(64, 28, true);
  return libc.getsockname(fd, arena.base, arena.base + 64) === 0;
}
