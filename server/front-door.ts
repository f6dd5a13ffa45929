// The server's TCP side: a connection's first byte tells STUN (0 or 1) from HTTP, and HTTP may only open the WebSocket of
// the location protocol. The listener may be somebody else's: whoever shares the port hands connections in.
import { createServer as createHttpServer } from 'node:http';
import type { IncomingMessage, Server as HttpServer } from 'node:http';
import { createServer as createTcpServer } from 'node:net';
import type { Server as TcpServer, Socket } from 'node:net';
import { WebSocketServer } from 'ws';
import type { WebSocket } from 'ws';
import type { Clock, Timer } from '../base/clock.ts';
import type { Counters } from '../base/counters.ts';
import type { Endpoint } from '../protocol/address.ts';
import { canonicalIp, familyOf } from '../protocol/ip/address.ts';
import { parseHostPort } from '../protocol/location/addresses.ts';
import { LOCATION_PATH } from '../protocol/location/channel.ts';
import type { Admission } from './admission.ts';
import type { ServerLimits } from './limits.ts';
import { portError } from './port-error.ts';
import type { SessionPlace } from './session.ts';
import { serveStunTcp } from './stun-tcp.ts';
import type { TokenBuckets } from './token-bucket.ts';
import type { TrustedProxies } from './trusted-proxies.ts';

const MAX_MESSAGE = 65_535;

export interface FrontDoorOptions {
  readonly admission: Admission;
  readonly clock: Clock;
  readonly buckets: TokenBuckets;
  readonly counters: Counters;
  readonly limits: ServerLimits;
  readonly proxies: TrustedProxies;
  readonly opened: (socket: WebSocket, place: SessionPlace) => void;
}

interface Place {
  readonly remote: Endpoint;
  readonly local: Endpoint;
}

export class FrontDoor {
  readonly #options: FrontDoorOptions;
  readonly #http: HttpServer;
  readonly #webSockets: WebSocketServer;
  readonly #listeners: TcpServer[] = [];
  readonly #sockets = new Set<Socket>();
  readonly #places = new WeakMap<Socket, Place>();
  /** For connections that have not come to the point. */
  readonly #patience = new WeakMap<Socket, Timer>();

  constructor(options: FrontDoorOptions) {
    this.#options = options;
    this.#webSockets = new WebSocketServer({
      noServer: true,
      clientTracking: false,
      perMessageDeflate: false,
      maxPayload: MAX_MESSAGE,
    });
    this.#http = createHttpServer(
      // Node's own time-outs work only where this object itself listens.
      { maxHeaderSize: 8192 },
      (request, response) => {
        options.counters.counter('http.other').value++;
        request.resume();
        response.writeHead(request.url === LOCATION_PATH ? 426 : 404, {
          connection: 'close',
          upgrade: 'websocket',
        });
        response.end();
      },
    );
    this.#http.on('upgrade', (request, _socket, head) => this.#upgrade(request, head));
    this.#http.on('clientError', (_error, socket) => {
      options.counters.counter('http.malformed').value++;
      socket.destroy();
    });
  }

  /** Listens on one address (empty: all), port 0: any; answers the port. Errors: SERVER_PORT_*. */
  async listen(address: string, port: number): Promise<number> {
    const listener = createTcpServer(
      { noDelay: true, keepAlive: true, keepAliveInitialDelay: 30_000 },
      socket => this.accept(socket),
    );
    await new Promise<void>((resolve, reject) => {
      listener.once('error', error => reject(portError(error, address, port)));
      listener.listen(
        { port, ...(address === '' ? {} : { host: address, ipv6Only: familyOf(address) === 6 }) },
        resolve,
      );
    });
    listener.on('error', () => this.#count('tcp.listener-error'));
    this.#listeners.push(listener);
    const bound = listener.address();
    return typeof bound === 'object' && bound !== null ? bound.port : port;
  }

  /** Takes over a fresh connection. */
  accept(socket: Socket): void {
    const place = placeOf(socket);
    const release = place === null ? null : this.#admit(place);
    if (place === null || release === null) {
      this.#count('tcp.refused');
      socket.destroy();
      return;
    }
    this.#places.set(socket, place);
    this.#sockets.add(socket);
    socket.on('error', () => this.#count('tcp.error'));
    socket.once('close', () => {
      this.#sockets.delete(socket);
      this.#patience.get(socket)?.cancel();
      release();
    });
    this.#patience.set(
      socket,
      this.#options.clock.after(this.#options.limits.loginTimeoutMs, () => {
        this.#count('tcp.silent');
        socket.destroy();
      }),
    );
    this.#awaitFirstByte(socket, place);
  }

  /** Whom a trusted proxy's connection is for is not known yet. */
  #admit({ remote }: Place): (() => void) | null {
    const { admission, proxies } = this.#options;
    return proxies.trusts(remote.address) ? admission.connectForOthers() : admission.connect(remote.address);
  }

  async close(): Promise<void> {
    const closed = this.#listeners.map(
      listener => new Promise<void>(resolve => listener.close(() => resolve())),
    );
    for (const socket of this.#sockets) socket.destroy();
    this.#http.closeAllConnections();
    this.#webSockets.close();
    await Promise.all(closed);
  }

  #awaitFirstByte(socket: Socket, place: Place): void {
    const first = socket.read(1) as Buffer | null;
    if (first === null) {
      if (!socket.destroyed) socket.once('readable', () => this.#awaitFirstByte(socket, place));
      return;
    }
    socket.unshift(first);
    if (first[0]! > 1) {
      this.#http.emit('connection', socket);
      return;
    }
    this.#patience.get(socket)?.cancel();
    serveStunTcp(socket, place.remote, place.local, this.#options);
  }

  #upgrade(request: IncomingMessage, head: Buffer): void {
    const { socket } = request;
    const place = this.#places.get(socket);
    if (request.url !== LOCATION_PATH || place === undefined) {
      this.#count('http.other');
      socket.end('HTTP/1.1 404 Not Found\r\nConnection: close\r\nContent-Length: 0\r\n\r\n');
      return;
    }
    const client = this.#clientOf(request, socket, place);
    if (client === null) {
      this.#count('http.refused');
      socket.end('HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nContent-Length: 0\r\n\r\n');
      return;
    }
    // From here on the session looks at the clock.
    this.#patience.get(socket)?.cancel();
    this.#webSockets.handleUpgrade(request, socket, head, webSocket => {
      this.#options.opened(webSocket, { ...place, ...client });
    });
  }

  /** Null: one connection too many of whom a proxy speaks for. */
  #clientOf(
    { headers }: IncomingMessage,
    socket: Socket,
    { remote }: Place,
  ): Pick<SessionPlace, 'remote' | 'host' | 'proxied'> | null {
    const { admission, proxies } = this.#options;
    const proxied = proxies.trusts(remote.address);
    const host = hostOf(headers.host ?? '', proxied);
    if (!proxied) return { remote, host, proxied };
    const client = proxies.clientOf(remote, headers);
    const release = admission.claim(client.address);
    if (release === null) return null;
    socket.once('close', release);
    this.#count('http.proxied');
    return { remote: client, host, proxied };
  }

  #count(name: string): void {
    this.#options.counters.counter(name).value++;
  }
}

/** By which name and port a node came; a proxy may leave its own port, 443, out. */
function hostOf(header: string, proxied: boolean): string | null {
  if (parseHostPort(header) !== null) return header;
  const named = `${header}:443`;
  return proxied && parseHostPort(named) !== null ? named : null;
}

/** Null where the other end is gone already. */
function placeOf(socket: Socket): Place | null {
  const remote = endpointOf(socket.remoteAddress, socket.remotePort);
  const local = endpointOf(socket.localAddress, socket.localPort);
  return remote === null || local === null ? null : { remote, local };
}

/** IPv4 clients of a dual-stack listener show as `::ffff:192.0.2.1`. */
function endpointOf(text: string | undefined, port: number | undefined): Endpoint | null {
  const address = canonicalIp((text ?? '').replace(/%.*$/, '').replace(/^::ffff:(?=\d+\.)/, ''));
  return address === null || port === undefined ? null : { family: familyOf(address), address, port };
}
