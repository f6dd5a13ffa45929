// node:dgram made plain calls: with a look-up that answers at once, `bind` and `send` are done when they return, and what
// went wrong with a `bind` is known then. (dgram looks up numeric addresses too, and by default in a later turn.)
import { createSocket, type Socket, type SocketOptions } from 'node:dgram';
import { readFileSync } from 'node:fs';
import type { IpFamily } from '../../protocol/address.ts';
import { kernelRefused, systemErrors } from '../errors.ts';

const RECEIVE_BUFFER_BYTES = 4 * 1024 * 1024;
const SEND_BUFFER_BYTES = 512 * 1024;
const USUAL_TTL = 64;
const UNSPECIFIED = { 4: '0.0.0.0', 6: '::' } as const;
const USUAL_TTL_FILES = {
  IPv4: '/proc/sys/net/ipv4/ip_default_ttl',
  IPv6: '/proc/sys/net/ipv6/conf/default/hop_limit',
} as const;

export interface Binding {
  /** Absent: all. */
  readonly address?: string;
  readonly port: number;
  /** Other sockets that say so too may have the same port; the one with the closest address hears. */
  readonly shared?: boolean;
}

/** A bound socket. Throws PORT_TAKEN, PORT_FORBIDDEN, ADDRESS_UNAVAILABLE, KERNEL_LACKS, KERNEL_REFUSED. */
export function bindNow(family: IpFamily, { address = UNSPECIFIED[family], port, shared }: Binding): Socket {
  const socket = createSocket({
    type: `udp${family}`,
    ipv6Only: family === 6,
    reuseAddr: shared ?? false,
    recvBufferSize: RECEIVE_BUFFER_BYTES,
    sendBufferSize: SEND_BUFFER_BYTES,
    lookup: asItIs(family),
  });
  const failures: NodeJS.ErrnoException[] = [];
  const note = (error: NodeJS.ErrnoException): void => void failures.push(error);
  socket.on('error', note);
  socket.bind({ address, port, exclusive: true });
  socket.off('error', note);
  const [failure] = failures;
  if (failure === undefined) return socket;
  socket.close();
  throw bindError(failure, family, address, port);
}

const asItIs =
  (family: IpFamily): NonNullable<SocketOptions['lookup']> =>
  (address, _, answer) =>
    answer(null, address, family);

/** A port that nobody has: sockets that share one would not notice another program's that shares too. Throws PORT_TAKEN. */
export function freePort(family: IpFamily, wanted: number): number {
  const socket = bindNow(family, { port: wanted });
  const { port } = socket.address();
  socket.close();
  return port;
}

function bindError(error: NodeJS.ErrnoException, family: IpFamily, address: string, port: number): Error {
  const { code = '' } = error;
  if (code === 'EADDRINUSE') return systemErrors('PORT_TAKEN', { port });
  if (code === 'EADDRNOTAVAIL') return systemErrors('ADDRESS_UNAVAILABLE', { address });
  if (code === 'EACCES') return systemErrors('PORT_FORBIDDEN', { port });
  if (code === 'EAFNOSUPPORT')
    return systemErrors('KERNEL_LACKS', { feature: `IPv${family}`, call: 'socket', errno: code });
  const errno = Math.abs(error.errno ?? 0);
  return kernelRefused(`bind a UDP socket to ${address} port ${port}`, 'bind', errno);
}

/**
 * Sends one datagram, with a hop limit of its own where `ttl` is not 0. The socket's queue must be empty, so that it
 * leaves now; `done` is called in this turn of the loop or, where it had to wait, in a later one.
 */
export function sendWithTtl(
  socket: Socket,
  datagram: Buffer,
  to: { readonly port: number; readonly address: string },
  ttl: number,
  done: (error: NodeJS.ErrnoException | null) => void,
): void {
  if (ttl === 0) {
    socket.send(datagram, to.port, to.address, done);
    return;
  }
  let isWaiting = false;
  const putBack = (): void => void socket.setTTL(usualTtl(socket));
  socket.setTTL(ttl);
  socket.send(datagram, to.port, to.address, error => {
    if (isWaiting) putBack();
    done(error);
  });
  isWaiting = socket.getSendQueueCount() > 0;
  if (!isWaiting) putBack();
}

function usualTtl(socket: Socket): number {
  try {
    return Number(readFileSync(USUAL_TTL_FILES[socket.address().family as 'IPv4' | 'IPv6'], 'latin1'));
  } catch {
    return USUAL_TTL;
  }
}
