// What can go wrong at the doors to the kernel, in words for people.
import { defineErrors, type GinnelError } from '../base/errors.ts';

export const systemErrors = defineErrors({
  KOFFI_UNAVAILABLE: {
    what: 'Ginnel cannot talk to the kernel on this machine.',
    why: 'The package koffi has no binary that works here ({platform}).',
    todo: 'Install with optional packages allowed (npm install --include=optional), on Linux x64, arm64, arm, ia32, riscv64, loong64 or ppc64.',
    retry: false,
  },
  NO_DOOR: {
    what: 'Ginnel cannot talk to the kernel on this machine.',
    why: 'The package koffi has no binary that works here ({platform}), and the slower door is not installed.',
    todo: 'Install the slower door, which is compiled by g++, make and python3: npm ci --prefix {folder} (docs/dependencies.md tells more).',
    retry: false,
  },
  TUNTAP_MISSING: {
    what: 'The slower door is not installed.',
    why: 'It was asked for, and its package does not load from {folder}.',
    todo: 'Install it, which takes g++, make and python3: npm ci --prefix {folder} (docs/dependencies.md tells more).',
    retry: false,
  },
  DOOR_UNKNOWN: {
    what: 'There is no door called "{door}".',
    why: 'GINNEL_DOOR knows koffi and tuntap.',
    todo: 'Leave GINNEL_DOOR out: the fastest that works is taken.',
    retry: false,
  },
  IP_COMMAND_MISSING: {
    what: 'The program ip is missing.',
    why: 'The slower door names the virtual network card and gives it addresses and routes by it.',
    todo: 'Install iproute2 (OpenWrt: ip-full), or a koffi that has a binary for this machine.',
    retry: true,
  },
  NOTIFY_SOCKET: {
    what: 'The service manager cannot be told how Ginnel is.',
    why: 'Its socket {path} does not take words: {reason}.',
    todo: 'Ginnel runs on. Check the unit, or leave NOTIFY_SOCKET out.',
    retry: false,
  },
  ARENA_FULL: {
    what: 'The memory set aside for packets is used up.',
    why: '{wanted} bytes were asked for and {left} of {size} are left.',
    todo: 'Give it more (ginnel set packet-memory 16), then: ginnel restart.',
    retry: false,
  },
  TUN_MISSING: {
    what: 'There is no virtual network card: /dev/net/tun is missing.',
    why: 'The kernel module tun is not loaded, or the container was not given the device.',
    todo: 'Run: modprobe tun (OpenWrt: install kmod-tun; Docker: --device /dev/net/tun; Synology: a boot task that loads tun.ko).',
    retry: false,
  },
  TUN_BUSY: {
    what: 'The virtual network card {name} cannot be made.',
    why: 'Another program holds a card of that name.',
    todo: 'Stop the other program (another Ginnel?), or choose another name.',
    retry: true,
  },
  TUN_NAME: {
    what: 'The virtual network card cannot be called "{name}".',
    why: 'Linux takes names of 1 to 15 bytes without blanks, slashes or colons.',
    todo: 'Choose a name such as ginnel0.',
    retry: false,
  },
  TUN_LOST: {
    what: 'The virtual network card {name} is gone.',
    why: 'Somebody deleted it while Ginnel was using it.',
    todo: 'Start Ginnel again; find out what removes foreign network cards on this machine.',
    retry: true,
  },
  NOT_ROOT: {
    what: 'Ginnel may not {action}.',
    why: 'It runs without the capability CAP_NET_ADMIN.',
    todo: 'Run it as root, or give it CAP_NET_ADMIN (systemd: AmbientCapabilities; Docker: --cap-add NET_ADMIN).',
    retry: false,
  },
  PORT_TAKEN: {
    what: 'UDP port {port} is taken.',
    why: 'Another program uses it.',
    todo: 'Stop that program, or choose another port (0 takes any free one).',
    retry: true,
  },
  PORT_FORBIDDEN: {
    what: 'Ginnel may not use UDP port {port}.',
    why: 'Ports below 1024 need the capability CAP_NET_BIND_SERVICE.',
    todo: 'Choose a port from 1024 up, or run it as root.',
    retry: false,
  },
  TCP_PORT_TAKEN: {
    what: 'TCP port {port} cannot be opened for {name}: it is taken.',
    why: 'Another program listens there{where}.',
    todo: 'Stop that program (ss -ltnp tells which it is), or choose another port: ginnel set {setting} PORT.',
    retry: true,
  },
  TCP_PORT_FORBIDDEN: {
    what: 'TCP port {port} cannot be opened for {name}.',
    why: 'The kernel refused it: {problem}. Ports below 1024 need the capability CAP_NET_BIND_SERVICE.',
    todo: 'Choose a port from 1024 up (ginnel set {setting} PORT), or run Ginnel as root.',
    retry: false,
  },
  TCP_UNREACHABLE: {
    what: '{place} cannot be reached by TCP.',
    why: '{problem}.',
    todo: 'It is tried again by itself; if it persists, check that nothing on the way blocks that port.',
    retry: true,
  },
  ADDRESS_UNAVAILABLE: {
    what: 'Ginnel cannot use the address {address}.',
    why: 'No network card of this machine has it now.',
    todo: 'Check the address, or leave it out to use all of them.',
    retry: true,
  },
  ADDRESS_INVALID: {
    what: '"{address}" is no address that can be used here.',
    why: '{reason}.',
    todo: 'Write it like 192.0.2.1, 10.77.0.2/16 or fd00::1/64.',
    retry: false,
  },
  ROUTE_TAKEN: {
    what: 'The network {prefix} cannot be routed into {name}.',
    why: 'This machine has a route to the same network already.',
    todo: 'Remove that route, or do not accept this network from the peer.',
    retry: true,
  },
  KERNEL_LACKS: {
    what: 'This kernel cannot do {feature}.',
    why: 'It answered {errno} to {call}.',
    todo: 'Switch the feature on in the kernel, or use Ginnel without it.',
    retry: false,
  },
  KERNEL_REFUSED: {
    what: 'The kernel refused to {action}.',
    why: 'It answered {errno} to {call}.',
    todo: 'See the log for what was asked; if it stays, report it with this message.',
    retry: true,
  },
});

/** Linux numbers of the errors that the doors tell apart (the same on all CPUs that koffi serves). */
export const ERRNO = {
  EPERM: 1,
  ENOENT: 2,
  ESRCH: 3,
  EINTR: 4,
  EIO: 5,
  ENXIO: 6,
  EAGAIN: 11,
  EACCES: 13,
  EBUSY: 16,
  EEXIST: 17,
  ENODEV: 19,
  EINVAL: 22,
  EMFILE: 24,
  EMSGSIZE: 90,
  ENOPROTOOPT: 92,
  EOPNOTSUPP: 95,
  EAFNOSUPPORT: 97,
  EADDRINUSE: 98,
  EADDRNOTAVAIL: 99,
  ENETDOWN: 100,
  ENETUNREACH: 101,
  ECONNABORTED: 103,
  ECONNRESET: 104,
  ENOBUFS: 105,
  ETIMEDOUT: 110,
  ECONNREFUSED: 111,
  EHOSTUNREACH: 113,
  EALREADY: 114,
  EINPROGRESS: 115,
  EBADFD: 77,
} as const;

const NAMES = new Map<number, string>(Object.entries(ERRNO).map(([name, number]) => [number, name]));

/** `EADDRINUSE`, or `errno 123` where the doors do not know the number. */
export const errnoName = (errno: number): string => NAMES.get(errno) ?? `errno ${errno}`;

/** The general error of a system call that no code of its own describes. */
export const kernelRefused = (action: string, call: string, errno: number): GinnelError =>
  systemErrors('KERNEL_REFUSED', { action, call, errno: errnoName(errno) });
