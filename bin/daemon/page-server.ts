// One listener of the page: Node's HTTP server with limits for a place where anybody may knock.
import { createServer, type RequestListener, type Server } from 'node:http';

export const PAGE_LIMITS = {
  /** The whole head, then the whole request. What is answered may take longer: events go on for days. */
  headersTimeout: 10_000,
  requestTimeout: 30_000,
  keepAliveTimeout: 5_000,
  connectionsCheckingInterval: 2_000,
  maxHeaderSize: 8 * 1024,
  /** Nothing either way for so long: it is dead. */
  idleTimeout: 120_000,
  /** Of all listeners together. */
  mostConnections: 64,
};

export type PageLimits = typeof PAGE_LIMITS;

/** Counted over all listeners. */
export interface Connections {
  open: number;
}

export function createPageServer(
  answer: RequestListener,
  connections: Connections,
  limits: PageLimits = PAGE_LIMITS,
): Server {
  const { idleTimeout, mostConnections, ...options } = limits;
  const server = createServer(options, answer);
  server.setTimeout(idleTimeout);
  server.maxConnections = mostConnections;
  server.prependListener('connection', socket => {
    if (connections.open >= mostConnections) {
      socket.destroy();
      return;
    }
    connections.open++;
    socket.once('close', () => connections.open--);
  });
  return server;
}

/** Rejects where it cannot listen there. */
export function listening(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    // For good: a connection that could not be taken later (no descriptors left) must not end the daemon.
    server.on('error', reject);
    server.listen({ host, port, ipv6Only: host.includes(':') }, resolve);
  });
}

/** At once: pages that are open come back by themselves. */
export function closed(server: Server): Promise<void> {
  return new Promise(resolve => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
