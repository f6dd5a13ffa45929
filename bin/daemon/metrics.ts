// Figures for Prometheus, over HTTP: off until somebody names an address, and then only for who shows the token.
import { createHash, timingSafeEqual } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { isIP } from 'node:net';
import type { Clock, Timer } from '../../base/clock.ts';
import type { Counters } from '../../base/counters.ts';
import { replaceFile } from '../../base/disk.ts';
import type { HealthLine } from '../../base/health.ts';
import type { Log } from '../../base/log.ts';
import { PROMETHEUS_TYPE, prometheusText } from '../../base/prometheus.ts';
import type { Random } from '../../base/random.ts';
import { toBase64Url } from '../../protocol/base64.ts';
import { formatHostPort, parseHostPort } from '../../protocol/location/addresses.ts';
import type { MetricsShown } from '../../web/daemon-admin.ts';
import { daemonHealth } from './health.ts';

const MAX_CONNECTIONS = 8;
const TIMEOUT_MS = 5000;
const MAX_HEADER_BYTES = 4096;
/** The address may belong to a card that is not there yet. */
const RETRY_MS = 10_000;
const TOKEN_BYTES = 32;

export interface MetricsOptions {
  readonly tokenFile: string;
  readonly hostName: string;
  readonly version: string;
  readonly counters: Counters;
  readonly log: Log;
  readonly clock: Clock;
  readonly random: Random;
}

export class Metrics {
  readonly #options: MetricsOptions;
  #place: { readonly host: string; readonly port: number } | null = null;
  #server: Server | null = null;
  #problem = '';
  #retry: Timer | null = null;
  #token: Buffer | null = null;
  #turns: Promise<void> = Promise.resolve();

  constructor(options: MetricsOptions) {
    this.#options = options;
  }

  /** `127.0.0.1:9477`, or null: off. Where it cannot listen it says so in its health, and tries again. */
  serveAt(address: string | null): Promise<void> {
    return this.#turn(async () => {
      await this.#stop();
      this.#place = address === null ? null : parseHostPort(address);
      await this.#start();
    });
  }

  close(): Promise<void> {
    return this.serveAt(null);
  }

  get health(): readonly HealthLine[] {
    return this.#problem === '' ? [] : [daemonHealth('METRICS_OFF', { problem: this.#problem })];
  }

  async shown(): Promise<MetricsShown> {
    const address = this.#place === null ? null : formatHostPort(this.#place.host, this.#place.port);
    return { address, problem: this.#problem, token: (await this.#theToken()).toString() };
  }

  async #start(): Promise<void> {
    if (this.#place === null) return;
    const { counters, log, clock } = this.#options;
    try {
      this.#token = await this.#theToken();
      this.#server = await listening(this.#place, (asked, answer) => this.#answer(asked, answer));
      this.#problem = '';
      log.info('metrics are served', this.#place);
    } catch (error) {
      this.#problem = error instanceof Error ? error.message : String(error);
      counters.counter('metrics.not-served').value++;
      log.debug('metrics are not served', { problem: this.#problem });
      this.#retry = clock.after(RETRY_MS, () => void this.#turn(() => this.#start()));
    }
  }

  async #stop(): Promise<void> {
    this.#retry?.cancel();
    this.#problem = '';
    const server = this.#server;
    this.#server = null;
    if (server === null) return;
    const closed = new Promise<void>(resolve => server.close(() => resolve()));
    server.closeAllConnections();
    await closed;
  }

  #turn(work: () => Promise<void>): Promise<void> {
    this.#turns = this.#turns.then(work);
    return this.#turns;
  }

  #answer(asked: IncomingMessage, answer: ServerResponse): void {
    const { counters, version } = this.#options;
    const refusal = this.#refusal(asked);
    if (refusal === null) {
      counters.counter('metrics.answered').value++;
      const text = asked.method === 'HEAD' ? '' : prometheusText(counters.readings(), version);
      answer.writeHead(200, { 'Content-Type': PROMETHEUS_TYPE, 'Cache-Control': 'no-store' }).end(text);
      return;
    }
    counters.counter(`metrics.refused.${refusal}`).value++;
    const asking = refusal === 'token' ? { 'WWW-Authenticate': 'Bearer' } : {};
    answer.writeHead(STATUS_OF[refusal], { ...asking, Connection: 'close' }).end();
  }

  #refusal({ method, url, headers }: IncomingMessage): Refusal | null {
    // A page in a browser of this LAN must not get here under a name of its own (DNS rebinding).
    if (!isOwnHost(headers.host ?? '', this.#options.hostName)) return 'host';
    if (!isToken(headers.authorization ?? '', this.#token)) return 'token';
    if (method !== 'GET' && method !== 'HEAD') return 'method';
    return (url ?? '').split('?')[0] === '/metrics' ? null : 'path';
  }

  /** Made when it is first needed; 0600. */
  async #theToken(): Promise<Buffer> {
    const { tokenFile, random } = this.#options;
    const kept = await readFile(tokenFile).catch(() => null);
    if (kept !== null && kept.length >= TOKEN_BYTES) return kept;
    const token = toBase64Url(random.bytes(TOKEN_BYTES));
    await replaceFile(tokenFile, token);
    return Buffer.from(token);
  }
}

type Refusal = 'host' | 'token' | 'method' | 'path';
const STATUS_OF: Readonly<Record<Refusal, number>> = { host: 403, token: 401, method: 405, path: 404 };

function listening(
  { host, port }: { readonly host: string; readonly port: number },
  answer: (asked: IncomingMessage, answer: ServerResponse) => void,
): Promise<Server> {
  const server = createServer(
    {
      headersTimeout: TIMEOUT_MS,
      requestTimeout: TIMEOUT_MS,
      keepAliveTimeout: TIMEOUT_MS,
      connectionsCheckingInterval: TIMEOUT_MS / 5,
      maxHeaderSize: MAX_HEADER_BYTES,
    },
    answer,
  );
  server.maxConnections = MAX_CONNECTIONS;
  server.setTimeout(2 * TIMEOUT_MS);
  return new Promise((resolve, reject) => {
    // For good: a connection that could not be taken later (no descriptors left) must not end the daemon.
    server.on('error', reject);
    server.listen({ host, port }, () => resolve(server));
  });
}

/** An address, `localhost`, or this machine's own name, alone or as home networks spell it. */
function isOwnHost(header: string, hostName: string): boolean {
  const host = header.replace(/:\d+$/, '').toLowerCase();
  if (isIP(host.replaceAll(/^\[|\]$/g, '')) !== 0 || host === 'localhost') return true;
  const own = hostName.toLowerCase();
  return ['', '.local', '.lan', '.home.arpa'].some(end => host === own + end);
}

/** In the same time whatever was shown: what is compared are hashes of equal length. */
function isToken(authorization: string, token: Buffer | null): boolean {
  const shown = /^Bearer ([A-Za-z0-9_-]{1,128})$/i.exec(authorization)?.[1] ?? '';
  return token !== null && timingSafeEqual(digest(shown), digest(token));
}

const digest = (value: string | Buffer): Buffer => createHash('sha256').update(value).digest();
