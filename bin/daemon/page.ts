// The daemon's page: where it listens, which follows the settings and the networks, and who stands behind it. The daemon never
// fails because of it; what does not work is a line of its health, and is tried again.
import type { IncomingMessage } from 'node:http';
import { hostname, networkInterfaces } from 'node:os';
import { fileURLToPath } from 'node:url';
import type { HealthLine } from '../../base/health.ts';
import type { ScopedStore } from '../../base/store.ts';
import type { Random } from '../../base/random.ts';
import type { Clock, Timer } from '../../base/clock.ts';
import type { Counters } from '../../base/counters.ts';
import type { Log } from '../../base/log.ts';
import { formatHostPort } from '../../protocol/location/addresses.ts';
import { defaultCards, defaultGateway, readAddresses } from '../../system/network-picture.ts';
import { hashPassword } from '../../system/passwords.ts';
import type { CertificateShown, PageShown } from '../../web/daemon-admin.ts';
import type { Page as PageApp } from '../../web/page/page.ts';
import { plainAddress } from '../../web/page/visitor.ts';
import type { RoutesOptions } from '../../web/routes.ts';
import type { DaemonSettings } from '../settings.ts';
import { daemonHealth } from './health.ts';
import { lanOf, type Lan } from './lan.ts';
import { PageCertificates, type PageCertificate } from './page-certificate.ts';
import { parsePagePlaces, type PagePlace, type PagePlaces } from './page-places.ts';
import { Connections, createPageServer, type PageServer } from './page-server.ts';

/** Networks change; a port may become free. */
const LOOK_MS = 10_000;
/** The daemon of before may still be leaving. */
const HURRY_MS = 250;
const HURRIED_LOOKS = 40;
/** For the answer to whoever turned TLS on or off by the page itself. */
const LAST_WORD_MS = 250;

export interface PageOptions {
  /** What stands behind the page. */
  readonly routes: RoutesOptions;
  readonly settings: DaemonSettings;
  readonly store: ScopedStore;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly counters: Counters;
  /** GINNEL_PAGE outweighs the setting, for a box whose settings cannot be reached. */
  readonly environment: Readonly<Record<string, string | undefined>>;
}

export class Page {
  readonly #options: PageOptions;
  readonly #listeners = new Map<string, PageServer>();
  readonly #problems = new Map<string, string>();
  readonly #connections = new Connections();
  #certificates: PageCertificates | null = null;
  /** Null: without TLS, or none could be made. */
  #certificate: PageCertificate | null = null;
  #isTls = false;
  #app: Promise<PageApp> | null = null;
  #lan: Lan = lanOf({ cards: [], defaultCards: [], gateways: [], virtual: { card: '', addresses: [] } });
  #timer: Timer | null = null;
  #hurried = 0;
  #isClosed = false;
  #turns: Promise<void> = Promise.resolve();

  constructor(options: PageOptions) {
    this.#options = options;
  }

  /** Settings or networks may have changed: opens and closes listeners. Never rejects. */
  look(): Promise<void> {
    this.#turns = this.#turns.then(() => this.#look());
    return this.#turns;
  }

  get health(): readonly HealthLine[] {
    return [...this.#problems].map(([place, problem]) => daemonHealth('PAGE_NOT_SERVED', { place, problem }));
  }

  async shown(): Promise<PageShown> {
    const { owner } = await this.#theApp();
    return {
      addresses: [...this.#listeners.keys()].sort(byUse).map(place => this.#addressOf(place)),
      isOn: this.#places.kind !== 'off',
      problems: this.health.map(({ words }) => words),
      owner: owner.isSet ? 'set' : 'none',
      code: owner.code,
      certificate: this.#certificateShown,
    };
  }

  async resetOwner(): Promise<PageShown> {
    const { owner, sessions } = await this.#theApp();
    await owner.reset();
    await sessions.endAll(null);
    return this.shown();
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#timer?.cancel();
    await this.#turns;
    await Promise.all([...this.#listeners.values()].map(server => server.close()));
    this.#listeners.clear();
    await (await this.#app?.catch(() => null))?.close();
  }

  async #look(): Promise<void> {
    this.#timer?.cancel();
    if (this.#isClosed) return;
    const wanted = new Map(this.#wanted().map(place => [formatHostPort(place.host, place.port), place]));
    for (const key of [...this.#problems.keys()]) if (!wanted.has(key)) this.#problems.delete(key);
    for (const [key, server] of [...this.#listeners]) if (!wanted.has(key)) await this.#shut(key, server);
    await this.#followTls([...wanted.values()]);
    for (const [key, place] of wanted) if (!this.#listeners.has(key)) await this.#open(key, place);
    this.#lookLater();
  }

  #wanted(): readonly PagePlace[] {
    const places = this.#places;
    if (places.kind === 'off') return [];
    this.#lan = this.#lanNow();
    if (places.kind === 'list') return places.places;
    return [...loopback(), ...this.#lan.addresses].map(host => ({ host, port: places.port }));
  }

  get #places(): PagePlaces {
    const { environment, settings } = this.#options;
    const said = environment['GINNEL_PAGE'] ?? '';
    return parsePagePlaces(said === '' ? settings.values.page : said) ?? { kind: 'off' };
  }

  #lanNow(): Lan {
    const status = this.#options.routes.node?.status();
    const isUp = status?.state === 'up';
    return lanOf({
      cards: readAddresses(),
      defaultCards: defaultCards(),
      gateways: [defaultGateway(4), defaultGateway(6)].filter(gateway => gateway !== null),
      virtual: {
        card: status?.tun ?? '',
        addresses: isUp ? [status.ip4, status.ip6].filter(address => address !== '') : [],
      },
    });
  }

  async #open(key: string, { host, port }: PagePlace): Promise<void> {
    const { log, counters } = this.#options;
    try {
      const { callback } = await this.#theApp();
      const server = createPageServer(callback, this.#connections);
      // Never in plain because there is no certificate.
      if (this.#isTls) server.setTls(await this.#certificateFor([{ host, port }]));
      await server.listen(host, port);
      this.#listeners.set(key, server);
      this.#problems.delete(key);
      log.info('the page is served', { host, port });
    } catch (error) {
      counters.counter('page.not-served').value++;
      this.#problems.set(key, problemOf(error));
      log.debug('the page is not served', { host, port, problem: problemOf(error) });
    }
  }

  /** Listeners are opened anew where TLS was turned on or off; another certificate is taken as they stand. */
  async #followTls(places: readonly PagePlace[]): Promise<void> {
    const isTls = this.#options.settings.values['page-tls'];
    if (isTls !== this.#isTls && this.#listeners.size > 0) {
      await new Promise<void>(resolve => this.#options.clock.after(LAST_WORD_MS, resolve));
      for (const [key, server] of [...this.#listeners]) await this.#shut(key, server);
    }
    this.#isTls = isTls;
    if (!isTls) this.#certificate = null;
    else if (this.#listeners.size > 0) await this.#renew(places);
  }

  async #renew(places: readonly PagePlace[]): Promise<void> {
    try {
      const certificate = await this.#certificateFor(places);
      for (const server of this.#listeners.values()) server.setTls(certificate);
    } catch (error) {
      this.#options.log.debug('the certificate of the page was not made anew', { problem: problemOf(error) });
    }
  }

  /** For all names, and for all addresses that the page is at or shall be at. */
  async #certificateFor(places: readonly PagePlace[]): Promise<PageCertificate> {
    this.#certificates ??= await PageCertificates.open(this.#options);
    const hosts = [...places, ...this.#wanted()].map(({ host }) => host);
    const everywhere = hosts.some(isWildcard) ? readAddresses().map(({ address }) => address) : [];
    const wanted = [
      ...this.#names(),
      '127.0.0.1',
      '::1',
      ...hosts.filter(host => !isWildcard(host)),
      ...everywhere,
    ];
    this.#certificate = await this.#certificates.for([...new Set(wanted)]);
    return this.#certificate;
  }

  get #certificateShown(): CertificateShown | null {
    if (this.#certificate === null) return null;
    const { fingerprint, until, pem } = this.#certificate;
    return { fingerprint, until, pem };
  }

  #addressOf(place: string): string {
    return `${this.#isTls && !isLoopback(place) ? 'https' : 'http'}://${place}/`;
  }

  /** Tunnels and proxies of this machine end there: what comes by it has not gone over any network in plain. */
  #isTlsNeeded({ socket }: IncomingMessage): boolean {
    return this.#isTls && !isLoopback(plainAddress(socket.localAddress ?? ''));
  }

  #names(): string[] {
    return [...ownNames(), ...this.#options.settings.values['page-names'].map(name => name.toLowerCase())];
  }

  async #shut(key: string, server: PageServer): Promise<void> {
    this.#listeners.delete(key);
    this.#options.log.info('the page is not served any more', { place: key });
    await server.close();
  }

  #lookLater(): void {
    if (this.#places.kind === 'off') return;
    const isHurried = this.#problems.size > 0 && this.#hurried++ < HURRIED_LOOKS;
    const delayMs = isHurried ? HURRY_MS : LOOK_MS;
    this.#timer = this.#options.clock.after(delayMs, () => void this.look());
  }

  /** Loaded when it is first needed; what kept it from that may be over at the next look. */
  #theApp(): Promise<PageApp> {
    return (this.#app ??= this.#load().catch((error: unknown) => {
      this.#app = null;
      throw error;
    }));
  }

  async #load(): Promise<PageApp> {
    const { routes, store, clock, random } = this.#options;
    const { createPage } = await import('../../web/page/page.ts');
    return createPage({
      ...routes,
      ...{ store, clock, random, hashPassword },
      folder: fileURLToPath(new URL('../../web/client', import.meta.url)),
      names: () => this.#names(),
      name: () => routes.node?.status().name || hostname(),
      isNear: address => this.#lan.isNear(address),
      isTlsNeeded: asked => this.#isTlsNeeded(asked),
      certificate: () => this.#certificateShown,
    });
  }
}

/** As a home network spells them. */
function ownNames(): string[] {
  const own = hostname().toLowerCase();
  return ['localhost', ...['', '.local', '.lan', '.home', '.home.arpa', '.internal'].map(end => own + end)];
}

function loopback(): string[] {
  const addresses = Object.values(networkInterfaces()).flatMap((infos = []) =>
    infos.map(info => info.address),
  );
  return addresses.includes('::1') ? ['127.0.0.1', '::1'] : ['127.0.0.1'];
}

function problemOf(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : '';
  if (code === 'EADDRINUSE') return 'another program has that port';
  if (code === 'EADDRNOTAVAIL') return 'this box does not have that address';
  if (code === 'EACCES') return 'this port is for root alone';
  return error instanceof Error ? error.message : String(error);
}

/** What others can open first, IPv4 before IPv6, loopback last. */
const isLoopback = (place: string): boolean => /^(127\.|\[?::1\]?(:|$))/.test(place);
const isWildcard = (host: string): boolean => host === '0.0.0.0' || host === '::';
const rank = (place: string): number => (isLoopback(place) ? 2 : 0) + (place.startsWith('[') ? 1 : 0);
const byUse = (a: string, b: string): number => rank(a) - rank(b);
