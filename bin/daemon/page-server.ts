// One listener of the page: Node's HTTP server with limits for a place where anybody may knock. Where there is a certificate,
// a connection's first byte tells TLS from plain HTTP; what may be had in plain is decided behind it.
import {
  createServer,
  type IncomingMessage,
  type RequestListener,
  type Server,
  type ServerResponse,
} from 'node:http';
import type { Socket } from 'node:net';
import { createServer as createTlsServer, type Server as TlsServer } from 'node:tls';
import { sourceOfAddress } from '../../web/page/visitor.ts';
import { MOST_TURNED, turnAway, type Turned } from './page-busy.ts';

export const PAGE_LIMITS = {
  /** For a first byte, then for the handshake of TLS, then for the whole head: so long each. */
  headersTimeout: 10_000,
  /** A body has so long to be whole, and so long again for each time that it kept coming, by so many bytes a second. */
  bodyWindow: 30_000,
  bodyFloor: 16 * 1024,
  keepAliveTimeout: 5_000,
  connectionsCheckingInterval: 2_000,
  maxHeaderSize: 8 * 1024,
  /** Nothing either way for so long: it is dead. */
  idleTimeout: 120_000,
  /** Of all listeners together. */
  mostConnections: 64,
  /** Of one visitor. */
  mostOfOne: 24,
};

export type PageLimits = typeof PAGE_LIMITS;

/** Counted over all listeners. */
export class Connections {
  readonly turned: Turned = { waiting: 0 };
  #open = 0;
  readonly #bySource = new Map<string, number>();

  /** False: there is no room for one more. */
  take(socket: Socket, { mostConnections, mostOfOne }: PageLimits): 'taken' | 'full' | 'busy' {
    if (this.#open >= mostConnections) return 'full';
    const source = sourceOfAddress(socket.remoteAddress ?? '');
    const own = this.#bySource.get(source) ?? 0;
    if (own >= mostOfOne && !MANY_BEHIND.has(source)) return 'busy';
    this.#open++;
    this.#bySource.set(source, own + 1);
    socket.once('close', () => this.#left(source));
    return 'taken';
  }

  #left(source: string): void {
    this.#open--;
    const own = (this.#bySource.get(source) ?? 1) - 1;
    if (own > 0) this.#bySource.set(source, own);
    else this.#bySource.delete(source);
  }
}

/** Tunnels and proxies of this machine come by these: many may stand behind one. */
const MANY_BEHIND = new Set(['127.0.0.1', '::1']);

export interface TlsParts {
  /** PEM. */
  readonly pem: string;
  readonly key: string;
}

export interface PageServer {
  /** Rejects where it cannot listen there. */
  listen(host: string, port: number): Promise<number>;
  /** Another certificate, or none: plain HTTP alone. Connections that stand go on. */
  setTls(tls: TlsParts | null): void;
  /** At once: pages that are open come back by themselves. */
  close(): Promise<void>;
}

export function createPageServer(
  answer: RequestListener,
  connections: Connections,
  limits: PageLimits = PAGE_LIMITS,
): PageServer {
  const { headersTimeout, keepAliveTimeout, connectionsCheckingInterval, maxHeaderSize } = limits;
  // A total would end a back-up on its way over a slow link: bodies are kept to a pace instead.
  const http = createServer(
    { headersTimeout, keepAliveTimeout, connectionsCheckingInterval, maxHeaderSize, requestTimeout: 0 },
    (asked, answered) => {
      keepToPace(asked, answered, limits);
      answer(asked, answered);
    },
  );
  http.setTimeout(limits.idleTimeout);
  http.maxConnections = limits.mostConnections + MOST_TURNED;
  const open = new Set<Socket>();
  let tls: TlsServer | null = null;
  /** Of the certificate in use. */
  let pem = '';
  const toHttp = http.listeners('connection') as ((socket: Socket) => void)[];
  const serve = (socket: Socket): void => toHttp.forEach(listener => listener.call(http, socket));
  http.removeAllListeners('connection');
  http.on('connection', (socket: Socket) => {
    open.add(socket);
    socket.once('close', () => open.delete(socket));
    const taken = connections.take(socket, limits);
    if (taken === 'full') socket.destroy();
    else if (taken === 'busy') turnAway(socket, connections.turned, limits.mostOfOne);
    else if (tls === null) serve(socket);
    else
      byFirstByte(socket, limits.headersTimeout, first => {
        // TLS reads by itself what was put back, HTTP once it flows again.
        if (first === TLS_HANDSHAKE) tls?.emit('connection', socket);
        else {
          serve(socket);
          socket.resume();
        }
      });
  });
  return {
    listen: (host, port) => listening(http, host, port),
    setTls(parts) {
      if (parts === null) tls = null;
      else if (tls === null) tls = tlsServer(parts, limits.headersTimeout, serve);
      else if (parts.pem !== pem) tls.setSecureContext({ cert: parts.pem, key: parts.key });
      pem = parts?.pem ?? '';
    },
    close: () =>
      new Promise(resolve => {
        http.close(() => resolve());
        for (const socket of open) socket.destroy();
      }),
  };
}

/** A client's first message. */
const TLS_HANDSHAKE = 0x16;

/** It never listens: connections are handed to it. */
function tlsServer(
  { pem, key }: TlsParts,
  handshakeTimeout: number,
  serve: (socket: Socket) => void,
): TlsServer {
  const server = createTlsServer(
    { cert: pem, key, handshakeTimeout, ALPNProtocols: ['http/1.1'], minVersion: 'TLSv1.2' },
    serve,
  );
  // A handshake that failed or took too long.
  server.on('tlsClientError', (_error, socket) => socket.destroy());
  return server;
}

/** Whoever says nothing is let go. */
function byFirstByte(socket: Socket, patienceMs: number, then: (first: number) => void): void {
  const timer = setTimeout(() => socket.destroy(), patienceMs);
  const gone = (): void => clearTimeout(timer);
  // Until others listen.
  const failed = (): void => void socket.destroy();
  socket.once('close', gone);
  socket.on('error', failed);
  socket.once('end', failed);
  socket.once('data', (part: Buffer) => {
    gone();
    socket.off('close', gone);
    socket.off('end', failed);
    socket.pause();
    socket.unshift(part);
    then(part[0] ?? 0);
    socket.off('error', failed);
  });
}

/** Ends a request whose body has stopped, or drips. */
function keepToPace(
  asked: IncomingMessage,
  answered: ServerResponse,
  { bodyWindow, bodyFloor }: PageLimits,
): void {
  const { socket } = asked;
  let before = socket.bytesRead;
  const timer = setInterval(() => {
    if (asked.complete || socket.destroyed) {
      clearInterval(timer);
      return;
    }
    const came = socket.bytesRead - before;
    before = socket.bytesRead;
    if (came >= (bodyFloor * bodyWindow) / 1000) return;
    clearInterval(timer);
    if (!answered.headersSent) socket.write('HTTP/1.1 408 Request Timeout\r\nConnection: close\r\n\r\n');
    socket.destroySoon();
  }, bodyWindow);
  asked.once('close', () => clearInterval(timer));
}

function listening(server: Server, host: string, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    // For good: a connection that could not be taken later (no descriptors left) must not end the daemon.
    server.on('error', reject);
    server.listen({ host, port, ipv6Only: host.includes(':') }, () => {
      const at = server.address();
      resolve(typeof at === 'object' && at !== null ? at.port : port);
    });
  });
}
