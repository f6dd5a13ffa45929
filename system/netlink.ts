// rtnetlink (man 7 rtnetlink): sets up network cards without the `ip` program. Each request is answered before `send`
// returns, so that it is one plain call.
import type { IpFamily } from '../protocol/address.ts';
import type { Prefix } from '../protocol/ip/prefix.ts';
import type { Arena } from './doors.ts';
import { ERRNO } from './errors.ts';
import type { Libc } from './libc.ts';
import { controlCards, type CardControl, type NetworkCard } from './network-card.ts';
import { AF_INET6, domainOf } from './sockaddr.ts';

export const AF_NETLINK = 16;
export const SOCK_RAW_NONBLOCK_CLOEXEC = 3 | 0o4000 | 0o2000000;

const RTM_NEWLINK = 16;
const RTM_NEWADDR = 20;
const RTM_NEWROUTE = 24;
const RTM_DELROUTE = 25;
const NLM_F_REQUEST_ACK = 0x01 | 0x04;
const NLM_F_EXCL_CREATE = 0x200 | 0x400;
const NLMSG_ERROR = 2;
const HEADER_BYTES = 16;

const IFF_UP = 1;
const IFLA_MTU = 4;
const IFLA_AF_SPEC = 26;
const IFLA_INET6_ADDR_GEN_MODE = 8;
const ADDR_GEN_MODE_NONE = 1;
const IFA_ADDRESS = 1;
const IFA_LOCAL = 2;
const IFA_F_NODAD = 2;
const RTA_DST = 1;
const RTA_OIF = 4;
const RT_TABLE_MAIN = 254;
const RTPROT_STATIC = 4;
const RT_SCOPE_UNIVERSE = 0;
const RT_SCOPE_LINK = 253;
const RTN_UNICAST = 1;

const BUFFER_BYTES = 8192;

export function createNetlink(libc: Libc, arena: Arena): CardControl {
  const buffer = arena.allocate(BUFFER_BYTES);
  const ask = (request: Uint8Array): number => transact(libc, arena, buffer, request);
  return controlCards({
    bringUp(card, mtu) {
      // Best effort: a kernel without IPv6 refuses it, and needs it not.
      ask(message(RTM_NEWLINK, 0, linkBody(card.index, 0), noLinkLocalAddresses()));
      return ask(message(RTM_NEWLINK, 0, linkBody(card.index, IFF_UP), attribute(IFLA_MTU, u32(mtu))));
    },
    addAddress(card, { family, bytes }, prefixLength) {
      const body = [domainOf(family), prefixLength, IFA_F_NODAD, RT_SCOPE_UNIVERSE, ...u32(card.index)];
      const attributes = [...attribute(IFA_LOCAL, bytes), ...attribute(IFA_ADDRESS, bytes)];
      return ask(message(RTM_NEWADDR, NLM_F_EXCL_CREATE, body, attributes));
    },
    addRoute: (card, prefix) => ask(message(RTM_NEWROUTE, NLM_F_EXCL_CREATE, ...route(card, prefix))),
    removeRoute: (card, prefix) => ask(message(RTM_DELROUTE, 0, ...route(card, prefix))),
  });
}

// ---- one request and its answer

function transact(libc: Libc, arena: Arena, buffer: number, request: Uint8Array): number {
  const fd = libc.socket(AF_NETLINK, SOCK_RAW_NONBLOCK_CLOEXEC, 0);
  if (fd < 0) return libc.errno();
  try {
    arena.memory.set(request, buffer);
    if (libc.send(fd, arena.base + buffer, request.length, 0) < 0) return libc.errno();
    const length = libc.recv(fd, arena.base + buffer, BUFFER_BYTES, 0);
    return length < 0 ? libc.errno() : answerOf(arena, buffer, length);
  } finally {
    libc.close(fd);
  }
}

/** struct nlmsghdr and struct nlmsgerr: the negative errno, 0 for done. */
function answerOf({ view }: Arena, at: number, length: number): number {
  const isAnswer = length >= HEADER_BYTES + 4 && view.getUint16(at + 4, true) === NLMSG_ERROR;
  return isAnswer ? -view.getInt32(at + HEADER_BYTES, true) : ERRNO.EIO;
}

// ---- messages

function message(
  type: number,
  flags: number,
  body: readonly number[],
  attributes: readonly number[],
): Uint8Array {
  const bytes = Uint8Array.from([...new Array<number>(HEADER_BYTES).fill(0), ...body, ...attributes]);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, bytes.length, true);
  view.setUint16(4, type, true);
  view.setUint16(6, NLM_F_REQUEST_ACK | flags, true);
  view.setUint32(8, 1, true);
  return bytes;
}

/** struct rtattr: length, type, payload, padded to four bytes. */
function attribute(type: number, payload: Iterable<number>): number[] {
  const bytes = [...payload];
  const padding = new Array<number>((4 - (bytes.length % 4)) % 4).fill(0);
  return [...u16(4 + bytes.length), ...u16(type), ...bytes, ...padding];
}

/** struct ifinfomsg; only the flags given change. */
const linkBody = (index: number, flags: number): number[] => [
  ...[0, 0, 0, 0],
  ...u32(index),
  ...u32(flags),
  ...u32(flags),
];

/** Without it each card says router solicitations and multicast reports into the tunnel. */
const noLinkLocalAddresses = (): number[] =>
  attribute(IFLA_AF_SPEC, attribute(AF_INET6, attribute(IFLA_INET6_ADDR_GEN_MODE, [ADDR_GEN_MODE_NONE])));

/** struct rtmsg and its attributes. */
function route(card: NetworkCard, { family, bytes, length }: Prefix): [number[], number[]] {
  const scope = scopeOfRoute(family);
  const body = [domainOf(family), length, 0, 0, RT_TABLE_MAIN, RTPROT_STATIC, scope, RTN_UNICAST, ...u32(0)];
  return [body, [...attribute(RTA_DST, bytes), ...attribute(RTA_OIF, u32(card.index))]];
}

const scopeOfRoute = (family: IpFamily): number => (family === 4 ? RT_SCOPE_LINK : RT_SCOPE_UNIVERSE);

const u16 = (value: number): number[] => [value & 0xff, (value >>> 8) & 0xff];
const u32 = (value: number): number[] => [...u16(value & 0xffff), ...u16(value >>> 16)];
