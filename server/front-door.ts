// The server's TCP side, on ports that it shares with the other roles of the box: a connection's first byte tells STUN
// (0 or 1) from HTTP, and HTTP may only open the WebSocket of the location protocol.
import { createServer as createHttpServer } from 'node:http';
import type { IncomingMessage, Server as HttpServer } from 'node:http';
import type { Socket } from 'node:net';
import { WebSocketServer } from 'ws';
import type { WebSocket } from 'ws';
import type { Clock, Timer } from '../base/clock.ts';
import type { Counters } from '../base/counters.ts';
import type { Endpoint } from '../protocol/address.ts';
import { parseHostPort } from '../protocol/location/addresses.ts';
import { LOCATION_PATH } from '../protocol/location/channel.ts';
import type { ClaimedPort, TcpPortsDoor } from '../system/doors.ts';
import { tcpEndpoint } from '../protocol/ip/endpoint.ts';
import type { Admission } from './admission.ts';
import type { ServerLimits } from './limits.ts';
import { claimError } from './port-error.ts';
import type { SessionPlace } from './session.ts';
import { serveStunTcp } from './stun-tcp.ts';
import type { TokenBuckets } from './token-bucket.ts';
import type { TrustedProxies } from './trusted-proxies.ts';

const MAX_MESSAGE = 65_535;
const LAST_OF_STUN = 1;
/** HTTP and TLS begin below it; what lies above is for others on the same port. */
const FIRST_OF_OTHERS = 0x80;

export interface FrontDoorOptions {
  readonly tcp: TcpPortsDoor;
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
  readonly #claims: ClaimedPort[] = [];
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

  /**
   * Listens on one address (empty: all), port 0: any; answers the port. The second port is for STUN alone. Errors:
   * SERVER_PORT_*.
   */
  async listen(address: string, port: number, setting: 'port' | 'second-port' | 'web-port'): Promise<number> {
    const limit = setting === 'second-port' ? LAST_OF_STUN + 1 : FIRST_OF_OTHERS;
    const claim = {
      ...{ address, port, setting },
      name: 'the location server',
      wants: (firstByte: number) => firstByte < limit,
      take: (socket: Socket, firstByte: number) => this.#accept(socket, firstByte),
    };
    const claimed = await this.#options.tcp.claim(claim).catch((error: unknown) => {
      throw claimError(error, { address, port, setting });
    });
    this.#claims.push(claimed);
    return claimed.port;
  }

  #accept(socket: Socket, firstByte: number): void {
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
    if (firstByte > LAST_OF_STUN) {
      this.#http.emit('connection', socket);
      return;
    }
    this.#patience.get(socket)?.cancel();
    serveStunTcp(socket, place.remote, place.local, this.#options);
  }

  /** Whom a trusted proxy's connection is for is not known yet. */
  #admit({ remote }: Place): (() => void) | null {
    const { admission, proxies } = this.#options;
    return proxies.trusts(remote.address) ? admission.connectForOthers() : admission.connect(remote.address);
  }

  async close(): Promise<void> {
    const closed = this.#claims.map(claim => claim.close());
    for (const socket of this.#sockets) socket.destroy();
    this.#http.closeAllConnections();
    this.#webSockets.close();
    await Promise.all(closed);
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
  const remote = tcpEndpoint(socket.remoteAddress, socket.remotePort);
  const local = tcpEndpoint(socket.localAddress, socket.localPort);
  return remote === null || local === null ? null : { remote, local };
}
