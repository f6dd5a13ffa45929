// The C library as this house uses it, through koffi. Nothing is loaded at import: `openLibc()` does it, once a process start.
// Pointers are plain numbers (uintptr_t) into the arena, so that a call makes no garbage and costs 0.05 microseconds.
import { createRequire } from 'node:module';
import type * as Koffi from 'koffi';
import type { Arena } from './doors.ts';
import { systemErrors } from './errors.ts';

export type KoffiModule = typeof Koffi;

/** A C function whose arguments and result are numbers (strings where its name says so). */
export type NativeCall<Arguments extends (number | string)[] = number[], Answer = number> = (
  ...args: Arguments
) => Answer;

export interface Libc {
  readonly koffi: KoffiModule;
  /** Bytes of a pointer: 8 or 4. */
  readonly pointerBytes: number;
  /** errno of the last call; read it before anything else happens. */
  errno(): number;
  readonly open: NativeCall<[path: string, flags: number]>;
  readonly close: NativeCall<[fd: number]>;
  readonly ioctl: NativeCall<[fd: number, request: number, argument: number]>;
  readonly read: NativeCall<[fd: number, buffer: number, bytes: number]>;
  readonly write: NativeCall<[fd: number, buffer: number, bytes: number]>;
  readonly socket: NativeCall<[domain: number, type: number, protocol: number]>;
  readonly bind: NativeCall<[fd: number, address: number, bytes: number]>;
  readonly connect: NativeCall<[fd: number, address: number, bytes: number]>;
  readonly getsockname: NativeCall<[fd: number, address: number, bytesPointer: number]>;
  readonly setsockopt: NativeCall<[fd: number, level: number, name: number, value: number, bytes: number]>;
  readonly getsockopt: NativeCall<
    [fd: number, level: number, name: number, value: number, bytesPointer: number]
  >;
  readonly send: NativeCall<[fd: number, buffer: number, bytes: number, flags: number]>;
  readonly recv: NativeCall<[fd: number, buffer: number, bytes: number, flags: number]>;
  readonly recvmsg: NativeCall<[fd: number, message: number, flags: number]>;
  readonly recvmmsg: NativeCall<
    [fd: number, messages: number, count: number, flags: number, timeout: number]
  >;
  readonly sendmmsg: NativeCall<[fd: number, messages: number, count: number, flags: number]>;
  readonly ifNameToIndex: NativeCall<[name: string]>;
}

/** Binds the functions; throws KOFFI_UNAVAILABLE where koffi does not load, or this C library lacks one of them. */
export function openLibc(load: () => KoffiModule = loadKoffi): Libc {
  return orExplain(() => bindAll(load()));
}

/** Does it do what it says? Throws KOFFI_UNAVAILABLE. Eight bytes of /dev/zero, by a pointer that is a plain number. */
export function probe(libc: Libc, { memory, view, base }: Arena): void {
  orExplain(() => {
    view.setBigUint64(0, 0x5a5a_5a5a_5a5a_5a5an);
    const fd = libc.open('/dev/zero', 0);
    const length = libc.read(fd, base, 8);
    libc.close(fd);
    if (length !== 8 || view.getBigUint64(0) !== 0n) throw new Error('it reads to the wrong place');
    if (typeof libc.koffi.node.poll !== 'function') throw new Error('it knows no readiness');
    memory.fill(0, 0, 8);
  });
}

function bindAll(koffi: KoffiModule): Libc {
  const library = koffi.load(null);
  const [int, pointer, size, ssize] = ['int', 'uintptr_t', 'size_t', 'intptr_t'];
  const bind = <Arguments extends (number | string)[]>(
    name: string,
    result: string,
    parameters: string[],
  ): NativeCall<Arguments> => library.func(name, result, parameters);
  return {
    koffi,
    pointerBytes: koffi.sizeof('void *'),
    errno: () => koffi.errno(),
    open: bind('open', int, ['str', int]),
    close: bind('close', int, [int]),
    ioctl: bind('ioctl', int, [int, 'ulong', pointer]),
    read: bind('read', ssize, [int, pointer, size]),
    write: bind('write', ssize, [int, pointer, size]),
    socket: bind('socket', int, [int, int, int]),
    bind: bind('bind', int, [int, pointer, 'uint']),
    connect: bind('connect', int, [int, pointer, 'uint']),
    getsockname: bind('getsockname', int, [int, pointer, pointer]),
    setsockopt: bind('setsockopt', int, [int, int, int, pointer, 'uint']),
    getsockopt: bind('getsockopt', int, [int, int, int, pointer, pointer]),
    send: bind('send', ssize, [int, pointer, size, int]),
    recv: bind('recv', ssize, [int, pointer, size, int]),
    recvmsg: bind('recvmsg', ssize, [int, pointer, int]),
    recvmmsg: bind('recvmmsg', int, [int, pointer, 'uint', int, pointer]),
    sendmmsg: bind('sendmmsg', int, [int, pointer, 'uint', int]),
    ifNameToIndex: bind('if_nametoindex', 'uint', ['str']),
  };
}

function loadKoffi(): KoffiModule {
  return createRequire(import.meta.url)('koffi') as KoffiModule;
}

function orExplain<T>(work: () => T): T {
  try {
    return work();
  } catch (cause) {
    throw systemErrors('KOFFI_UNAVAILABLE', { platform: `${process.platform} ${process.arch}` }, cause);
  }
}
