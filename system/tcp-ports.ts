// The TCP ports of this box, shared by all who serve there: location server, streams between boxes. One listener for each
// address and port stays open as long as anybody claims it; the first byte of a connection says whose it is.
import { connect, createServer } from 'node:net';
import type { Server, Socket } from 'node:net';
import type { Clock } from '../base/clock.ts';
import type { Counters } from '../base/counters.ts';
import type { GinnelError } from '../base/errors.ts';
import { formatEndpoint, type Endpoint } from '../protocol/address.ts';
import { tcpAddress } from '../protocol/ip/endpoint.ts';
import { familyOf } from '../protocol/ip/address.ts';
import type { ClaimedPort, TcpClaim, TcpConnectOptions, TcpPortsDoor } from './doors.ts';
import { systemErrors } from './errors.ts';
import { covers } from './tcp-address.ts';
import { lendReads } from './tcp-reading.ts';
import { SilentConnections, TCP_LIMITS, type TcpLimits } from './tcp-silent.ts';

export interface TcpPortsOptions {
  readonly clock: Clock;
  /** Under `system.tcp`. */
  readonly counters: Counters;
  readonly limits?: Partial<TcpLimits>;
}

/** What a home's one connection needs: small pieces at once, and to know when the other end is gone. */
const MANNERS = { noDelay: true, keepAlive: true, keepAliveInitialDelay: 30_000 };

interface Listener {
  readonly server: Server;
  /** Empty: all. */
  readonly address: string;
  readonly port: number;
  /** Those that came by it and nobody has taken over. */
  readonly fresh: Set<Socket>;
}

interface Held {
  readonly claim: TcpClaim;
  readonly address: string;
  readonly port: number;
}

export class TcpPorts implements TcpPortsDoor {
  readonly #options: TcpPortsOptions;
  readonly #silent: SilentConnections;
  readonly #listeners = new Set<Listener>();
  /** In the order in which they were made. */
  readonly #held = new Set<Held>();
  /** Opening and closing, one after another. */
  #turns: Promise<unknown> = Promise.resolve();

  constructor(options: TcpPortsOptions) {
    this.#options = options;
    const { clock, counters, limits } = options;
    this.#silent = new SilentConnections(clock, counters, { ...TCP_LIMITS, ...limits });
  }

  /** Connections that have not said a byte. */
  get silent(): number {
    return this.#silent.size;
  }

  /**
   * Where a listener for all addresses stands already, a claim for one of them shares it; where listeners for single
   * addresses stand, a claim for all gets what comes to these (the kernel allows no listener for all beside them).
   */
  claim(claim: TcpClaim): Promise<ClaimedPort> {
    return this.#turn(async () => {
      const address = tcpAddress(claim.address) ?? claim.address ?? '';
      const port = this.#isListening(address, claim.port) ? claim.port : await this.#listen(claim, address);
      const held = { claim, address, port };
      this.#held.add(held);
      return { port, close: () => this.#release(held) };
    });
  }

  lendReads(socket: Socket, received: (bytes: Uint8Array) => void): Socket {
    return lendReads(socket, received);
  }

  connect(to: Endpoint, { timeoutMs, signal }: TcpConnectOptions): Promise<Socket> {
    return new Promise((resolve, reject) => {
      signal?.throwIfAborted();
      const socket = connect({ host: to.address, port: to.port, family: to.family, ...MANNERS });
      const fail = (error: Error): void => {
        settle();
        socket.destroy();
        reject(error);
      };
      const unreachable = (problem: string, cause?: unknown): void =>
        fail(systemErrors('TCP_UNREACHABLE', { place: formatEndpoint(to), problem }, cause));
      const aborted = (): void => fail(reasonOf(signal));
      const refused = (error: Error): void => unreachable(codeOf(error), error);
      const timer = this.#options.clock.after(timeoutMs, () =>
        unreachable(`It did not answer within ${timeoutMs / 1000} s`),
      );
      const settle = (): void => {
        timer.cancel();
        socket.off('error', refused);
        signal?.removeEventListener('abort', aborted);
      };
      socket.on('error', () => this.#count('errors'));
      socket.on('error', refused);
      signal?.addEventListener('abort', aborted);
      socket.once('connect', () => {
        settle();
        resolve(socket);
      });
    });
  }

  #isListening(address: string, port: number): boolean {
    if (port === 0) return false;
    return this.#listenersOn(port).some(one => covers(one.address, address) || covers(address, one.address));
  }

  #listenersOn(port: number): Listener[] {
    return [...this.#listeners].filter(listener => listener.port === port);
  }

  async #listen(claim: TcpClaim, address: string): Promise<number> {
    const fresh = new Set<Socket>();
    const server = createServer(MANNERS, socket => this.#arrived(listener, socket));
    await new Promise<void>((resolve, reject) => {
      server.once('error', error => reject(listenError(error, claim, address)));
      const host = address === '' ? {} : { host: address, ipv6Only: familyOf(address) === 6 };
      server.listen({ port: claim.port, ...host }, resolve);
    });
    server.removeAllListeners('error');
    server.on('error', () => this.#count('listener-error'));
    const bound = server.address();
    const port = typeof bound === 'object' && bound !== null ? bound.port : claim.port;
    const listener: Listener = { server, address, port, fresh };
    this.#listeners.add(listener);
    return port;
  }

  #arrived({ port, fresh }: Listener, socket: Socket): void {
    socket.on('error', () => this.#count('errors'));
    const local = tcpAddress(socket.localAddress);
    const remote = tcpAddress(socket.remoteAddress);
    if (local === null || remote === null) {
      // The other end is gone already.
      socket.destroy();
      return;
    }
    const here = (): Held[] =>
      [...this.#held].filter(held => held.port === port && covers(held.address, local));
    if (here().length === 0) {
      this.#refuse(socket);
      return;
    }
    fresh.add(socket);
    socket.once('close', () => fresh.delete(socket));
    this.#silent.await(socket, remote, firstByte => {
      fresh.delete(socket);
      const taker = here().find(({ claim }) => claim.wants(firstByte));
      if (taker === undefined) this.#refuse(socket);
      else taker.claim.take(socket, firstByte);
    });
  }

  #refuse(socket: Socket): void {
    this.#count('unwanted');
    socket.destroy();
  }

  #release(held: Held): Promise<void> {
    this.#held.delete(held);
    return this.#turn(() => {
      this.#closeUnneeded();
      return Promise.resolve();
    });
  }

  #closeUnneeded(): void {
    for (const listener of this.#listeners) {
      const isNeeded = [...this.#held].some(
        ({ port, address }) =>
          port === listener.port && (covers(listener.address, address) || covers(address, listener.address)),
      );
      if (isNeeded) continue;
      this.#listeners.delete(listener);
      // The port is free at once; connections taken over go on.
      listener.server.close();
      for (const socket of listener.fresh) socket.destroy();
    }
  }

  #count(name: string): void {
    this.#options.counters.counter(name).value++;
  }

  #turn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#turns.then(work);
    this.#turns = done.catch(() => undefined);
    return done;
  }
}

const codeOf = (error: Error): string => ('code' in error ? String(error.code) : error.message);

function listenError(error: Error, { port, name, setting }: TcpClaim, address: string): GinnelError {
  const problem = codeOf(error);
  const where = address === '' ? '' : ` on ${address}`;
  if (problem === 'EADDRINUSE') return systemErrors('TCP_PORT_TAKEN', { port, name, setting, where }, error);
  if (problem === 'EADDRNOTAVAIL') return systemErrors('ADDRESS_UNAVAILABLE', { address }, error);
  return systemErrors('TCP_PORT_FORBIDDEN', { port, name, setting, problem }, error);
}

const reasonOf = (signal: AbortSignal | undefined): Error =>
  signal?.reason instanceof Error ? signal.reason : new Error('aborted', { cause: signal?.reason });
