// The daemon's page: where it listens, which follows the settings and the networks, and who stands behind it. The daemon never
// fails because of it; what does not work is a line of its health, and is tried again.
import { hostname, networkInterfaces } from 'node:os';
import type { Server } from 'node:http';
import { fileURLToPath } from 'node:url';
import type { Timer } from '../../base/clock.ts';
import type { HealthLine } from '../../base/health.ts';
import type { ScopedStore } from '../../base/store.ts';
import type { Random } from '../../base/random.ts';
import type { Clock } from '../../base/clock.ts';
import type { Counters } from '../../base/counters.ts';
import type { Log } from '../../base/log.ts';
import { formatHostPort } from '../../protocol/location/addresses.ts';
import { defaultCards, defaultGateway, readAddresses } from '../../system/network-picture.ts';
import { hashPassword } from '../../system/passwords.ts';
import type { PageShown } from '../../web/daemon-admin.ts';
import type { Page as PageApp } from '../../web/page/page.ts';
import type { RoutesOptions } from '../../web/routes.ts';
import type { DaemonSettings } from '../settings.ts';
import { daemonHealth } from './health.ts';
import { lanOf, type Lan } from './lan.ts';
import { parsePagePlaces, type PagePlace, type PagePlaces } from './page-places.ts';
import { closed, createPageServer, listening, type Connections } from './page-server.ts';

/** Networks change; a port may become free. */
const LOOK_MS = 10_000;
/** The daemon of before may still be leaving. */
const HURRY_MS = 250;
const HURRIED_LOOKS = 40;

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
  readonly #listeners = new Map<string, Server>();
  readonly #problems = new Map<string, string>();
  readonly #connections: Connections = { open: 0 };
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
      addresses: [...this.#listeners.keys()].sort(byUse).map(place => `http://${place}/`),
      isOn: this.#places.kind !== 'off',
      problems: this.health.map(({ words }) => words),
      owner: owner.isSet ? 'set' : 'none',
      code: owner.code,
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
    await Promise.all([...this.#listeners.values()].map(closed));
    this.#listeners.clear();
    await (await this.#app)?.close();
  }

  async #look(): Promise<void> {
    this.#timer?.cancel();
    if (this.#isClosed) return;
    const wanted = new Map(this.#wanted().map(place => [formatHostPort(place.host, place.port), place]));
    for (const key of [...this.#problems.keys()]) if (!wanted.has(key)) this.#problems.delete(key);
    for (const [key, server] of [...this.#listeners]) if (!wanted.has(key)) await this.#shut(key, server);
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
      await listening(server, host, port);
      this.#listeners.set(key, server);
      this.#problems.delete(key);
      log.info('the page is served', { host, port });
    } catch (error) {
      counters.counter('page.not-served').value++;
      this.#problems.set(key, problemOf(error));
      log.debug('the page is not served', { host, port, problem: problemOf(error) });
    }
  }

  async #shut(key: string, server: Server): Promise<void> {
    this.#listeners.delete(key);
    this.#options.log.info('the page is not served any more', { place: key });
    await closed(server);
  }

  #lookLater(): void {
    if (this.#places.kind === 'off') return;
    const isHurried = this.#problems.size > 0 && this.#hurried++ < HURRIED_LOOKS;
    const delayMs = isHurried ? HURRY_MS : LOOK_MS;
    this.#timer = this.#options.clock.after(delayMs, () => void this.look());
  }

  /** Loaded when it is first needed. */
  #theApp(): Promise<PageApp> {
    return (this.#app ??= this.#load());
  }

  async #load(): Promise<PageApp> {
    const { routes, settings, store, clock, random } = this.#options;
    const { createPage } = await import('../../web/page/page.ts');
    return createPage({
      ...routes,
      ...{ store, clock, random, hashPassword },
      folder: fileURLToPath(new URL('../../web/client', import.meta.url)),
      names: () => [...ownNames(), ...settings.values['page-names'].map(name => name.toLowerCase())],
      name: () => routes.node?.status().name || hostname(),
      isNear: address => this.#lan.isNear(address),
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
const rank = (place: string): number =>
  (place.startsWith('127.') || place.startsWith('[::1]') ? 2 : 0) + (place.startsWith('[') ? 1 : 0);
const byUse = (a: string, b: string): number => rank(a) - rank(b);
