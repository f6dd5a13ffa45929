// Finds the location server among its addresses: names are resolved afresh, several places are tried side by side a
// quarter of a second apart (RFC 8305), and the first that proves to hold the server's key has it.
import { isIP } from 'node:net';
import type { Clock, Timer } from '../../base/clock.ts';
import type { Counters } from '../../base/counters.ts';
import type { GinnelError } from '../../base/errors.ts';
import { formatHostPort, parseHostPort } from '../../protocol/location/addresses.ts';
import { controlErrors } from './errors.ts';
import { reasonOf } from './identity.ts';
import { systemNames } from './names.ts';
import type { Names } from './names.ts';
import { knock } from './server-socket.ts';
import type { Place, ServerKeys, ServerSocket } from './server-socket.ts';

export const STAGGER_MS = 250;
/** One place may take this long, all together twice as long. */
const KNOCK_TIMEOUT_MS = 8_000;
const DIAL_TIMEOUT_MS = 16_000;
const MAX_PLACES = 48;
const TLS_PORT = 443;

export interface DialOptions {
  /** `host:port`, in the order of preference. */
  readonly addresses: readonly string[];
  readonly keys: ServerKeys;
  readonly clock: Clock;
  readonly counters: Counters;
  /** Default: the system's. */
  readonly names?: Names;
}

export type DialEnded = (
  outcome: { readonly socket: ServerSocket } | { readonly problem: GinnelError },
) => void;

/** One dialling: ends once, unless cancelled. */
export class Dial {
  readonly #options: DialOptions;
  readonly #ended: DialEnded;
  readonly #names: Names;
  readonly #waiting: Place[] = [];
  readonly #open = new Set<{ close(): void }>();
  readonly #tried: { readonly place: string; readonly outcome: string; readonly wrongKey: boolean }[] = [];
  readonly #deadline: Timer;
  #stagger: Timer | null = null;
  #resolving = 0;
  #places = 0;
  #over = false;

  constructor(options: DialOptions, ended: DialEnded) {
    this.#options = options;
    this.#ended = ended;
    this.#names = options.names ?? systemNames();
    this.#deadline = options.clock.after(DIAL_TIMEOUT_MS, () => this.#fail());
    for (const address of options.addresses) this.#resolve(address);
    this.#failIfNothingIsLeft();
  }

  cancel(): void {
    this.#over = true;
    this.#deadline.cancel();
    this.#stagger?.cancel();
    for (const attempt of this.#open) attempt.close();
    this.#open.clear();
  }

  #resolve(address: string): void {
    const parsed = parseHostPort(address);
    if (parsed === null) {
      this.#note(address, 'not an address', false);
      return;
    }
    const { host, port } = parsed;
    if (isIP(host) !== 0) {
      this.#add(placesOf(address, host, port, host));
      return;
    }
    this.#await(address, this.#resolveName(address, host, port));
    this.#await(address, this.#resolveServices(address, host));
  }

  async #resolveName(address: string, host: string, port: number): Promise<void> {
    try {
      const found = await this.#names.addresses(host);
      this.#add(found.flatMap(ip => placesOf(address, host, port, ip)));
    } catch (error) {
      this.#note(address, `name not found (${reasonOf(error)})`, false);
    }
  }

  /** Where the name's own records say that the server listens; tried beside the port we know. */
  async #resolveServices(address: string, host: string): Promise<void> {
    for (const service of await this.#names.services(host)) {
      const found = isIP(service.host) === 0 ? await this.#names.addresses(service.host) : [service.host];
      this.#add(found.flatMap(ip => placesOf(address, service.host, service.port, ip)));
    }
  }

  #await(address: string, resolving: Promise<void>): void {
    this.#resolving++;
    resolving
      .catch((error: unknown) => this.#note(address, reasonOf(error), false))
      .finally(() => {
        this.#resolving--;
        this.#failIfNothingIsLeft();
      })
      .catch((error: unknown) => this.#note(address, reasonOf(error), false));
  }

  #add(places: readonly Place[]): void {
    if (this.#over) return;
    const taken = places.slice(0, MAX_PLACES - this.#places);
    this.#places += taken.length;
    this.#waiting.push(...taken);
    if (this.#stagger === null) this.#next();
  }

  #next(): void {
    this.#stagger?.cancel();
    this.#stagger = null;
    const place = this.#waiting.shift();
    if (place === undefined || this.#over) return;
    this.#stagger = this.#options.clock.after(STAGGER_MS, () => this.#next());
    this.#try(place);
  }

  #try(place: Place): void {
    const { keys, clock } = this.#options;
    this.#options.counters.counter('knocks').value++;
    const attempt = knock(place, { keys, clock, timeoutMs: KNOCK_TIMEOUT_MS }, outcome => {
      this.#open.delete(attempt);
      if (this.#over) return;
      if ('socket' in outcome) {
        this.cancel();
        this.#ended({ socket: outcome.socket });
        return;
      }
      this.#note(formatHostPort(place.ip, place.port), outcome.words, outcome.wrongKey);
      this.#next();
      this.#failIfNothingIsLeft();
    });
    this.#open.add(attempt);
  }

  #note(place: string, outcome: string, wrongKey: boolean): void {
    this.#tried.push({ place, outcome, wrongKey });
  }

  #failIfNothingIsLeft(): void {
    if (this.#over || this.#resolving > 0 || this.#waiting.length > 0 || this.#open.size > 0) return;
    // Never inside the constructor: whoever dials must hold the dial before it ends.
    queueMicrotask(() => this.#fail());
  }

  #fail(): void {
    if (this.#over) return;
    this.cancel();
    const tried = this.#tried.map(({ place, outcome }) => `${place}: ${outcome}`).join('; ');
    const wrongKey = this.#tried.some(one => one.wrongKey);
    // Another server on one of several addresses says little (192.168.1.2 is someone else's box in the next home).
    const code =
      wrongKey && this.#tried.every(one => one.wrongKey) ? 'SERVER_KEY_WRONG' : 'SERVER_UNREACHABLE';
    this.#ended({ problem: controlErrors(code, { tried: tried === '' ? 'no address is known' : tried }) });
  }
}

/** On 443 there may be a proxy's TLS or the bare server: both are tried. */
function placesOf(address: string, host: string, port: number, ip: string): Place[] {
  const place = { address, host, port, ip };
  return port === TLS_PORT
    ? [
        { ...place, tls: true },
        { ...place, tls: false },
      ]
    : [{ ...place, tls: false }];
}
